import { describe, expect, it } from 'vitest';
import { functionHover } from '../../../server/src/engine/function-hover.ts';
import { lifeHints } from '../../../server/src/engine/life-hints.ts';
import { lifeLenses } from '../../../server/src/engine/life-lenses.ts';
import { otherEnds } from '../../../server/src/engine/other-end.ts';
import { ruleLinks } from '../../../server/src/engine/rule-links.ts';
import type { Engine } from '../../../server/src/engine/analyse.ts';
import type { ModuleFacts } from '../../../server/src/lifecycle/types.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { BAR_H, CLEAN, LEAKY, OLD } from '../../support/drivers.ts';
import { engineWith, kernel, single } from './support.ts';

const OLD_ALONE = OLD.replace('#include "bar.h"\n', BAR_H);
const MADE = CLEAN.replace(
  'static void foo_release(struct vfio_device *vdev)\n{\n',
  `static int foo_init(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	foo->buf = kzalloc(64, GFP_KERNEL);
	return foo->buf ? 0 : -ENOMEM;
}

static void foo_release(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	kfree(foo->buf);
`,
).replace('\t.release = foo', '\t.init = foo_init,\n\t.release = foo');

interface Known {
  readonly facts: ModuleFacts;
  readonly engine: Engine;
}

async function known(text: string, target = '6.1'): Promise<Known> {
  const engine = await engineWith(rules);
  return { engine, facts: engine.facts(single(text), kernel(target))! };
}

describe('the other end', () => {
  /** What is at the other ends of the first `place`. */
  async function ends(text: string, place: string, target?: string): Promise<string[]> {
    const { facts } = await known(text, target);
    const found = otherEnds(facts, '/w/a.c', text.indexOf(place));
    return found.map(({ start, end }) => text.slice(start, end));
  }

  it.each([
    ['vfio_alloc_device(', ['vfio_put_device(&foo->vdev)', 'vfio_put_device(&foo->vdev)']],
    ['vfio_register_emulated', ['vfio_unregister_group_dev(&foo->vdev)']],
    ['vfio_unregister_group', ['vfio_register_emulated_iommu_dev(&foo->vdev)']],
    ['vfio_put_device(', ['vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops)']],
    ['kzalloc(', ['kfree(foo->buf)']],
    ['kfree(', ['kzalloc(64, GFP_KERNEL)']],
    ['foo_init(', ['foo_release']],
    ['foo_release(', ['foo_init']],
    ['init = foo_init', ['foo_release']],
    ['foo_probe(', ['foo_remove']],
    ['foo_remove(', ['foo_probe']],
  ])('of %s is %j', async (place, expected) => {
    expect(await ends(MADE, place)).toEqual(expected);
  });

  it('of the old model is what undoes each call', async () => {
    expect(await ends(OLD_ALONE, 'vfio_init_group_dev(', '6.0')).toContain(
      'vfio_uninit_group_dev(&bar->vdev)',
    );
    expect(await ends(OLD_ALONE, 'kzalloc(', '6.0')).toContain('kfree(bar)');
  });

  it.each(['&mdev->dev, &foo_ops', 'struct foo {', 'IS_ERR', 'return 0'])(
    'of %j is none',
    async (place) => {
      expect(await ends(MADE, place)).toEqual([]);
    },
  );
});

describe('the hover of a function of the driver', () => {
  async function hover(text: string, place: string, target?: string): Promise<string | undefined> {
    const { facts } = await known(text, target);
    const nameOf = ({ start }: { start: number }): string =>
      `line ${text.slice(0, start).split('\n').length}`;
    return functionHover(facts, '/w/a.c', text.indexOf(place), nameOf)?.markdown;
  }

  it('tells what it takes, whether it fails and what it owes', async () => {
    expect(await hover(LEAKY, 'foo_probe')).toMatchInlineSnapshot(`
      "**Contract** of \`foo_probe()\`, the probe of \`foo_driver\`

      - takes: \`vfio_alloc_device()\` in line 23, \`vfio_register_emulated_iommu_dev()\` in line 27
      - may fail, and then still owes \`vfio_put_device()\`
      - when it succeeds, \`foo_remove()\` owes \`vfio_unregister_group_dev()\`, then \`vfio_put_device()\`"
    `);
    expect(await hover(LEAKY, 'foo_remove')).toMatchInlineSnapshot(`
      "**Contract** of \`foo_remove()\`, the remove of \`foo_driver\`

      - undoes: \`vfio_unregister_group_dev()\` in line 39, \`vfio_put_device()\` in line 40"
    `);
    expect(await hover(MADE, 'foo_init')).toMatchInlineSnapshot(`
      "**Contract** of \`foo_init()\`, \`.init\` of \`foo_ops\`. Initialises the driver's part of a device while vfio_alloc_device() runs. Optional.

      - holds when it succeeds: \`kzalloc()\` in line 12
      - may fail"
    `);
    expect(await hover(OLD_ALONE, 'bar_probe', '6.0')).toMatchInlineSnapshot(`
      "**Contract** of \`bar_probe()\`, the probe of \`bar_driver\`

      - takes: \`vfio_init_group_dev()\` in line 20, \`vfio_register_emulated_iommu_dev()\` in line 22
      - undoes: \`vfio_uninit_group_dev()\` in line 30
      - holds when it succeeds: \`kzalloc()\` in line 16
      - may fail
      - when it succeeds, \`bar_remove()\` owes \`vfio_unregister_group_dev()\`, then \`vfio_uninit_group_dev()\`, then \`kfree()\`"
    `);
  });

  it('tells of a cast to the container and of a registration of the driver', async () => {
    expect(await hover(MADE, 'container_of')).toMatchInlineSnapshot(
      `"**Contract**: converts the \`struct vfio_device\` pointer to its container \`struct foo\`. \`vdev\` is its first member, as \`vfio_alloc_device()\` requires. The container lives as long as the device."`,
    );
    const registered = `${CLEAN}module_mdev_driver(foo_driver);\n`;
    expect(await hover(registered, 'module_mdev_driver')).toMatchInlineSnapshot(`
      "**Contract**: registers \`foo_driver\` when the module is loaded, and unregisters it when the module is unloaded.

      - \`foo_probe()\` runs for each device that appears; when it fails, nothing else runs
      - \`foo_remove()\` runs once for each device whose probe succeeded"
    `);
  });

  it('is silent elsewhere', async () => {
    expect(await hover(LEAKY, 'mdev_device *mdev')).toBeUndefined();
    const other = `${LEAKY}int foo_other(int count)\n{\n\treturn count;\n}\n`;
    expect(await hover(other, 'foo_other')).toBeUndefined();
  });
});

describe('hints beside the code', () => {
  /** The text with its hints. */
  async function hinted(text: string, target?: string): Promise<string> {
    const { facts } = await known(text, target);
    const hints = lifeHints(facts, '/w/a.c', { start: 0, end: text.length });
    return hints.reduceRight(
      (code, { at, label }) => `${code.slice(0, at)} ${label}${code.slice(at)}`,
      text,
    );
  }
  const lines = (text: string): string[] =>
    text
      .split('\n')
      .filter((line) => line.includes('/*'))
      .map((line) => line.trim());

  it('tell the state after calls and what is owed at returns', async () => {
    expect(lines(await hinted(LEAKY))).toMatchInlineSnapshot(`
      [
        "foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops) /* failed | held */;",
        "ret = vfio_register_emulated_iommu_dev(&foo->vdev) /* not registered | registered */;",
        "return ret; /* owed: vfio_put_device() */",
        "return 0; /* owed: vfio_unregister_group_dev(), vfio_put_device() */",
        "vfio_unregister_group_dev(&foo->vdev) /* unregistered */;",
        "vfio_put_device(&foo->vdev) /* dropped */;",
      ]
    `);
    expect(lines(await hinted(OLD_ALONE, '6.0'))).toMatchInlineSnapshot(`
      [
        "vfio_init_group_dev(&bar->vdev, &mdev->dev, &bar_ops) /* initialised */;",
        "ret = vfio_register_emulated_iommu_dev(&bar->vdev) /* not registered | registered */;",
        "return 0; /* owed: vfio_unregister_group_dev(), vfio_uninit_group_dev(), kfree() */",
        "err_free: /* owed: vfio_uninit_group_dev(), kfree() */",
        "vfio_uninit_group_dev(&bar->vdev) /* uninitialised */;",
        "vfio_unregister_group_dev(&bar->vdev) /* unregistered */;",
        "vfio_uninit_group_dev(&bar->vdev) /* uninitialised */;",
      ]
    `);
  });

  it('are given for the stretch that is shown', async () => {
    const { facts } = await known(LEAKY);
    expect(lifeHints(facts, '/w/a.c', { start: 0, end: 40 })).toEqual([]);
  });
});

describe('lenses', () => {
  async function lenses(text: string, target: string): Promise<string[]> {
    const { facts, engine } = await known(text, target);
    const { findings } = engine.analyse(single(text), {}, kernel(target));
    return lifeLenses(facts, findings, '/w/a.c').map(
      ({ kind, functionName, title }) => `${kind} ${functionName}: ${title}`,
    );
  }

  it('offer the conversion above a probe of the old model', async () => {
    expect(await lenses(OLD_ALONE, '6.0')).toMatchInlineSnapshot(`
      [
        "conversion bar_probe: ",
        "summary bar_probe: old model, 1 finding",
        "summary bar_remove: old model, no findings",
      ]
    `);
  });

  it('count findings above the functions of a life', async () => {
    expect(await lenses(LEAKY, '6.1')).toMatchInlineSnapshot(`
      [
        "summary foo_release: new model, no findings",
        "summary foo_probe: new model, 1 finding",
        "summary foo_remove: new model, no findings",
      ]
    `);
  });
});

it('links the names of rules in suppressions', async () => {
  const text = `/* vfio-lifecycle: allow(missing-put, no-rule): a reason */\n${LEAKY}`;
  const engine = await engineWith(rules);
  const found = ruleLinks(engine.lowered(single(text))!);
  expect(found.map(({ id, span }) => [id, text.slice(span.start, span.end)])).toEqual([
    ['missing-put', 'missing-put'],
  ]);
});
