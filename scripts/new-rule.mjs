// Lays a new rule out: `npm run new-rule ID` writes its file with examples to fill in, its line in
// the index of the rules, and a correct driver that the rule stays silent on. The tests then say
// what is missing.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inProject } from './lib/paths.mjs';

const [id, ...rest] = process.argv.slice(2);
if (id === undefined || rest.length > 0 || !/^[a-z]+(-[a-z]+)+$/.test(id)) {
  console.error('usage: npm run new-rule ID, where ID is words with hyphens, such as missing-put');
  process.exit(2);
}
const name = id.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
const file = inProject('server/src/rules', `${id}.ts`);
const fixture = inProject('test/fixtures/rules', id, 'correct.c');
const index = inProject('server/src/rules/index.ts');
if (existsSync(file)) {
  console.error(`there is a rule ${id}: ${path.relative(inProject(), file)}`);
  process.exit(2);
}

const ruleText = `/** TODO: what is wrong, in one sentence. */
import type { Finding, Rule, RuleContext } from './types.ts';
import type { Observation } from '../lifecycle/types.ts';
import { nameOf } from './device.ts';
import { DRIVER, FOO_6_1, PROBE, REMOVE } from './examples.ts';
import { findingFor } from './report.ts';
import { say } from './wording.ts';

/** What it says; the parts in braces are names from the driver. */
const messages = {
  defect: '{device} TODO: what is wrong; what to do',
} as const;

export const ${name}: Rule = {
  id: '${id}',
  severity: 'error',
  kernels: { since: [6, 1] },
  fixable: 'none',
  docs: {
    what: '',
    why: '',
    instead: '',
    knownProblems: '',
    references: [],
  },
  examples: {
    // A line \`//      ^^^^ ${id}\` under what is flagged.
    bad: [],
    good: [
      { title: 'A correct driver', kernel: '6.1', code: \`\${FOO_6_1}\${PROBE}\${REMOVE}\${DRIVER}\` },
    ],
  },
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  return facts.observations.filter(isDefect).map((one) =>
    findingFor({
      rule: ${name}.id,
      severity: ${name}.severity,
      observation: one,
      message: say(messages.defect, { device: nameOf(one) }),
    }),
  );
}

/** TODO: what is reported, and what code that is not seen could excuse it. */
function isDefect(_one: Observation): boolean {
  return false;
}
`;

const driver = `/* kernel: 6.2 */
/* What ${id} must stay silent on: TODO. */
struct foo {
	struct vfio_device vdev;
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
};

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}

static struct mdev_driver foo_driver = {
	.probe = foo_probe,
	.remove = foo_remove,
};
`;

/** A line among others of its kind, before the first that comes after it by \`order\`. */
function inserted(lines, line, isOne, order) {
  const places = lines.flatMap((text, at) => (isOne(text) ? [at] : []));
  const after = places.find((at) => order(lines[at]) > order(line));
  const at = after ?? places[places.length - 1] + 1;
  return [...lines.slice(0, at), line, ...lines.slice(at)];
}

let lines = readFileSync(index, 'utf8').split('\n');
const idOf = new Map(
  lines.flatMap((line) => {
    const found = /^import \{ (\w+) \} from '\.\/([a-z-]+)\.ts';$/.exec(line);
    return found ? [[found[1], found[2]]] : [];
  }),
);
const listed = new Set(
  lines.flatMap((line) => (/^ {2}\w+,$/.test(line) ? [line.trim().slice(0, -1)] : [])),
);
idOf.set(name, id);
listed.add(name);
const importedName = (line) => /^import \{ (\w+) \}/.exec(line)?.[1];
lines = inserted(
  lines,
  `import { ${name} } from './${id}.ts';`,
  (line) => listed.has(importedName(line)),
  (line) => idOf.get(importedName(line)),
);
lines = inserted(
  lines,
  `  ${name},`,
  (line) => /^ {2}\w+,$/.test(line) && idOf.has(line.trim().slice(0, -1)),
  (line) => idOf.get(line.trim().slice(0, -1)),
);

writeFileSync(file, ruleText);
writeFileSync(index, lines.join('\n'));
mkdirSync(path.dirname(fixture), { recursive: true });
writeFileSync(fixture, driver);
console.log(`wrote ${path.relative(inProject(), file)}: documentation, examples and the check
wrote ${path.relative(inProject(), fixture)}: more drivers beside it, wrong and right
added it to ${path.relative(inProject(), index)}

Then:
- plant its defect: test/fixtures/drivers/mutants.ts, and an operator in test/mutants/operators/
- npm run generate writes its page, the settings and the schema
- npx vitest run --project unit test/unit/rules says what is missing`);
