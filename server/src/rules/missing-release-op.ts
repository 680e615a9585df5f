/**
 * An ops table that is given to `vfio_alloc_device()` has no `.release`, which 6.1 calls without a
 * test.
 */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { ModuleFacts, OpsTable } from '../lifecycle/types.ts';
import { documentAt } from './locate.ts';
import { addFunctionBefore } from './fixes/text.ts';
import { addMember } from './fixes/ops-table.ts';
import { freeName } from './fixes/names.ts';
import { standingCallback } from './fixes/standing-callback.ts';
import { DRIVER, FOO, FOO_6_1, PROBE, REMOVE } from './examples.ts';
import { isCoreTable } from './release-does-not-chain.ts';
import { quoted, say } from './wording.ts';

const messages = {
  absent:
    '{table} has no .release, which Linux 6.1 calls untested; add one with vfio_free_device()',
} as const;

export const missingReleaseOp: Rule = {
  id: 'missing-release-op',
  severity: 'error',
  isAbsence: true,
  kernels: { since: [6, 1], until: [6, 2] },
  fixable: 'safe',
  docs: {
    what: 'An ops table passed to `vfio_alloc_device()` has no `.release`, which 6.1 calls without a NULL test.',
    why: 'In 6.1 the last `vfio_put_device()` calls `ops->release()` whether it is set or not: without it the kernel jumps to address 0. It is also the only place where the container is freed.',
    instead:
      'Set `.release` to a function that ends with `vfio_free_device()`, or for a vfio-pci core device to `vfio_pci_core_release_dev`. The fix names an unused function that already does it, or writes one.',
    knownProblems:
      'A table whose braces hold an `#if`, a macro or code that could not be read may set the member there and is not reported; nor is a table that is filled at run time.',
    references: [
      'v6.1 cb9ff3f3b84c adds the ops members init and release',
      'v6.2 913447d06f03 makes release optional',
    ],
  },
  examples: {
    bad: [
      {
        title: 'No .release',
        kernel: '6.1',
        code: `struct foo {
	struct vfio_device vdev;
};

static const struct vfio_device_ops foo_ops = {
//                                  ^^^^^^^ missing-release-op
	.name = "foo",
	.open_device = foo_open_device,
};
${PROBE}${REMOVE}${DRIVER}`,
        fixed: `struct foo {
	struct vfio_device vdev;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	vfio_free_device(vdev);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
	.open_device = foo_open_device,
};
${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'A function that does it is there, and nothing names it',
        kernel: '6.1',
        code: `struct foo {
	struct vfio_device vdev;
};

static int foo_init_dev(struct vfio_device *vdev)
{
	return 0;
}

static const struct vfio_device_ops foo_ops = {
//                                  ^^^^^^^ missing-release-op
	.name = "foo", /* as users see it */
	.init = foo_init_dev,
	.open_device = foo_open_device,
};

/* foo_free() is all that is left to do. */
static void foo_free(struct vfio_device *vdev)
{
	vfio_free_device(vdev);
}
${PROBE}${REMOVE}${DRIVER}`,
        fixed: `struct foo {
	struct vfio_device vdev;
};

static int foo_init_dev(struct vfio_device *vdev)
{
	return 0;
}

static void foo_free(struct vfio_device *vdev);

static const struct vfio_device_ops foo_ops = {
	.name = "foo", /* as users see it */
	.init = foo_init_dev,
	.release = foo_free,
	.open_device = foo_open_device,
};

/* foo_free() is all that is left to do. */
static void foo_free(struct vfio_device *vdev)
{
	vfio_free_device(vdev);
}
${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'An aligned table with a forward declaration',
        kernel: '6.1',
        code: `struct foo {
	struct vfio_device vdev;
};

static const struct vfio_device_ops foo_ops;
${PROBE}${REMOVE}
/* What the core calls. */
static const struct vfio_device_ops foo_ops = {
//                                  ^^^^^^^ missing-release-op
	.name		= "foo",
	.open_device	= foo_open_device,
};
${DRIVER}`,
        fixed: `struct foo {
	struct vfio_device vdev;
};

static const struct vfio_device_ops foo_ops;
${PROBE}${REMOVE}
static void foo_release_dev(struct vfio_device *vdev)
{
	vfio_free_device(vdev);
}

/* What the core calls. */
static const struct vfio_device_ops foo_ops = {
	.name		= "foo",
	.release	= foo_release_dev,
	.open_device	= foo_open_device,
};
${DRIVER}`,
      },
      {
        title: 'A vfio-pci core device',
        kernel: '6.1',
        code: `static const struct vfio_device_ops foo_ops = {
//                                  ^^^^^^^ missing-release-op
	.name = "foo",
	.init = vfio_pci_core_init_dev,
};

static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfio_pci_core_device *vdev;
	int ret;

	vdev = vfio_alloc_device(vfio_pci_core_device, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);

	dev_set_drvdata(&pdev->dev, vdev);
	ret = vfio_pci_core_register_device(vdev);
	if (ret)
		vfio_put_device(&vdev->vdev);
	return ret;
}
`,
        fixed: `static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = vfio_pci_core_init_dev,
	.release = vfio_pci_core_release_dev,
};

static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfio_pci_core_device *vdev;
	int ret;

	vdev = vfio_alloc_device(vfio_pci_core_device, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);

	dev_set_drvdata(&pdev->dev, vdev);
	ret = vfio_pci_core_register_device(vdev);
	if (ret)
		vfio_put_device(&vdev->vdev);
	return ret;
}
`,
      },
    ],
    good: [
      { title: 'With .release', kernel: '6.1', code: `${FOO_6_1}${PROBE}${REMOVE}${DRIVER}` },
      {
        title: 'From 6.2 on it is optional',
        kernel: '6.2',
        code: `${FOO}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'An #if in the table',
        kernel: '6.1',
        code: `struct foo {
	struct vfio_device vdev;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	vfio_free_device(vdev);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
#ifdef HAVE_VFIO_ALLOC_DEVICE
	.release = foo_release_dev,
#endif
};
${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'A second table that goes elsewhere',
        kernel: '6.1',
        code: `${FOO_6_1}
static const struct vfio_device_ops foo_template = {
	.name = "foo-template",
};

const struct vfio_device_ops *foo_get_template(void)
{
	return &foo_template;
}
${PROBE}${REMOVE}${DRIVER}`,
      },
    ],
  },
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  return facts.opsTables.flatMap((table): Finding[] => {
    const allocations = table.givenTo.filter((use) => use.op === 'alloc');
    if (
      allocations.length === 0 ||
      !table.readable ||
      table.style === 'fd' ||
      table.members.has('release')
    )
      return [];
    // A table that is not const may be filled at run time.
    if (!table.variable.isConst || table.variable.init?.kind !== 'initializer') return [];
    const { nameSpan, name } = table.variable;
    return [
      {
        rule: missingReleaseOp.id,
        severity: 'error',
        message: say(messages.absent, { table: quoted(name) }),
        site: { path: table.path, start: nameSpan.start, end: nameSpan.end },
        functionName: null,
        related: allocations
          .slice(0, 3)
          .map((use) => ({ site: use.site, message: `${use.api}() takes \`${name}\` here` })),
        fix: fixFor(facts, table),
      },
    ];
  });
}

function fixFor(facts: ModuleFacts, table: OpsTable): Fix | null {
  const file = documentAt(facts.module, table.path);
  if (file === null) return null;
  const init = table.members.get('init')?.value;
  const core =
    init === 'vfio_pci_core_init_dev' ||
    facts.observations.some(
      (one) => one.kind === 'operation' && one.op === 'core-init' && one.function.name === init,
    );
  // A device of vfio-pci's core needs the core's own, beside an .init that is not there.
  const hasCore =
    isCoreTable(facts, table) ||
    facts.observations.some(
      (one) => one.kind === 'operation' && one.op === 'core-init' && one.role !== 'init',
    );
  if (!core && hasCore) return null;
  const standing = standingCallback(
    facts,
    file,
    table,
    'release',
    core ? ['vfio_pci_core_release_dev'] : ['vfio_free_device', 'vfio_pci_core_release_dev'],
  );
  if (standing.function !== null) return standing.fix;
  const release = core
    ? 'vfio_pci_core_release_dev'
    : freeName(facts.module, `${prefixOf(table.variable.name)}_release_dev`);
  const member = addMember(file.text, table, 'release', release);
  if (member === null) return null;
  const stub = `static void ${release}(struct vfio_device *vdev)\n{\n\tvfio_free_device(vdev);\n}`;
  const edits = core ? [member] : [addFunctionBefore(file.text, table.variable, stub), member];
  return {
    title: `Add .release = ${release}`,
    safety: 'safe',
    edits: [{ path: table.path, edits }],
  };
}

/** `foo` of `foo_ops`, `foo_dev_ops`, `foo_vfio_device_ops`. */
function prefixOf(name: string): string {
  if (!name.endsWith('_ops')) return name;
  let end = name.length - '_ops'.length;
  for (let word = lastWord(name, end); word > 0; word = lastWord(name, end)) end -= word;
  return name.slice(0, end) || name;
}

/**
 * The length of the word before `end` that says no more than that this is a VFIO device; 0 where
 * there is another.
 */
function lastWord(name: string, end: number): number {
  return (
    ['_vfio', '_dev', '_device', '_vdev'].find((word) => name.endsWith(word, end))?.length ?? 0
  );
}
