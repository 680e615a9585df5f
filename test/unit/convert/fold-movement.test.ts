import { describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../../server/src/engine/analyse.ts';
import { convertFolding } from '../../../server/src/engine/fold.ts';
import { withEdits } from '../../../server/src/engine/prove.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import type { ModuleInput, TargetKernel } from '../../../server/src/engine/types.ts';
import { loadParser } from '../../support/parser.ts';

const engine: Engine = createEngine(await loadParser(), kernelStages);
const KERNEL: TargetKernel = { version: [6, 1], text: '6.1', source: 'option', reason: '' };

/**
 * A driver that builds a log after `gap`; `undo` is what every way to the free gives back in front
 * of the log.
 */
function driver({
  above = '',
  gap = '',
  failure = '',
  tail = '',
  removeTail = tail,
  locals = '',
  probeLocals = '',
}: {
  above?: string;
  gap?: string;
  failure?: string;
  tail?: string;
  removeTail?: string;
  locals?: string;
  probeLocals?: string;
}): string {
  const block = (text: string): string =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `\t${line}\n`)
      .join('');
  return `#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vfio.h>

struct lock_keeper {
	struct vfio_device vdev;
	struct mutex gate;
	struct xarray boats;
	u32 length;
	u8 *log;
	u8 *extra;
};

static const struct vfio_device_ops keeper_ops = {
	.name = "keeper",
};

${above}
static int keeper_probe(struct mdev_device *mdev)
{
	struct lock_keeper *keeper;
${block(probeLocals)}	int ret;

	keeper = kzalloc(sizeof(*keeper), GFP_KERNEL);
	if (!keeper)${failure === '' ? '' : ' {'}
${failure === '' ? '' : `\t\t${failure}\n`}		return -ENOMEM;
${failure === '' ? '' : '\t}\n'}	vfio_init_group_dev(&keeper->vdev, &mdev->dev, &keeper_ops);
	keeper->length = 8;
${block(gap)}	keeper->log = kzalloc(keeper->length, GFP_KERNEL);
	if (!keeper->log) {
		ret = -ENOMEM;
		goto err;
	}
	dev_set_drvdata(&mdev->dev, keeper);
	ret = vfio_register_emulated_iommu_dev(&keeper->vdev);
	if (ret)
		goto err_log;
	return 0;

err_log:
	kfree(keeper->log);
err:
${block(tail)}	vfio_uninit_group_dev(&keeper->vdev);
	kfree(keeper);
	return ret;
}

static void keeper_remove(struct mdev_device *mdev)
{
	struct lock_keeper *keeper = dev_get_drvdata(&mdev->dev);
${block(locals)}
	vfio_unregister_group_dev(&keeper->vdev);
	kfree(keeper->log);
${block(removeTail)}	vfio_uninit_group_dev(&keeper->vdev);
	kfree(keeper);
}
`;
}

function folded(parts: Parameters<typeof driver>[0]): {
  readonly text: string;
  readonly init: string;
  readonly notes: string;
} {
  const input: ModuleInput = {
    file: 'main.c',
    sources: [{ path: 'main.c', text: driver(parts) }],
    headers: [],
  };
  const result = convertFolding(engine, input, KERNEL, undefined);
  if (result.status !== 'converted')
    throw new Error(result.status === 'refused' ? result.reason : 'unchanged');
  const { text } = withEdits(input, result.edits)!.sources[0]!;
  return {
    text,
    init: /static int \w*init_dev\(struct vfio_device \*\w+\)\n\{[^]*?\n\}/.exec(text)?.[0] ?? '',
    notes: result.notes.map((note) => note.text).join('\n'),
  };
}

test('without anything in between the log moves', () => {
  expect(folded({}).init).toContain('keeper->log = kzalloc(');
});

describe('a step that reads what something in between sets stays behind it', () => {
  test.each<[what: string, parts: Parameters<typeof driver>[0]]>([
    [
      'a helper that sets drvdata too',
      {
        above:
          'static void keeper_read(struct mdev_device *mdev, struct lock_keeper *keeper)\n{\n	dev_set_drvdata(&mdev->dev, keeper);\n	keeper->length = 70;\n}\n',
        gap: 'keeper_read(mdev, keeper);',
      },
    ],
    [
      'a helper that reads drvdata two calls deep',
      {
        above:
          'static void keeper_set(struct lock_keeper *keeper)\n{\n	keeper->length = 70;\n}\n\nstatic void keeper_late(struct mdev_device *mdev)\n{\n	keeper_set(dev_get_drvdata(&mdev->dev));\n}\n',
        gap: 'dev_set_drvdata(&mdev->dev, keeper);\nkeeper_late(mdev);',
      },
    ],
    [
      'the argument of a message',
      {
        above:
          'static int keepers;\nstatic u32 keeper_measure(struct lock_keeper *keeper)\n{\n	keeper->length = 70;\n	return keepers++;\n}\n',
        gap: 'dev_info(&mdev->dev, "%u\\n", keeper_measure(keeper));',
      },
    ],
    [
      'the argument of a warning',
      {
        above:
          'static int keepers;\nstatic bool keeper_is_long(struct lock_keeper *keeper)\n{\n	keeper->length = 70;\n	return keepers++ > 3;\n}\n',
        gap: 'WARN_ON(keeper_is_long(keeper));',
      },
    ],
    [
      'a pointer to the member',
      {
        above:
          'static int keepers;\nstatic void keeper_store(u32 *where)\n{\n	keepers++;\n	*where = 70;\n}\n',
        gap: 'keeper_store(&keeper->length);',
      },
    ],
  ])('%s', (_what, parts) => {
    const { init } = folded(parts);
    expect(init).not.toContain('kzalloc(keeper->length');
  });
});

test.each<[what: string, above: string, use: string]>([
  [
    'with the name of the variable in it',
    '#define LEAVE_ON_ERROR() do { if (ret) goto err; } while (0)\n',
    'LEAVE_ON_ERROR();',
  ],
  ['without arguments or parentheses', '#define LEAVE_NOW if (ret) goto err\n', 'LEAVE_NOW;'],
  ['of a header that is not seen', '', 'KEEPER_BAIL_OUT();'],
])('a macro that may test a result keeps the step that it tests: one %s', (_what, above, use) => {
  const { init, text } = folded({
    above: `${above}static int keeper_fill(struct lock_keeper *keeper)\n{\n	keeper->extra = kzalloc(9, GFP_KERNEL);\n	return keeper->extra ? 0 : -ENOMEM;\n}\n`,
    gap: `ret = keeper_fill(keeper);\n${use}`,
    tail: 'kfree(keeper->extra);',
  });
  expect(init).not.toContain('keeper_fill');
  expect(text).toMatch(
    new RegExp(`ret = keeper_fill\\(keeper\\);\\s*${use.replace(/[()]/g, '\\$&')}`),
  );
});

test.each([
  ['dev_err(&mdev->dev, "no memory for a keeper\\n");'],
  ['pr_warn("keeper: out of memory\\n");'],
])('a step that fails without a word does not get the message of the allocation: %s', (failure) => {
  const { init } = folded({ failure });
  expect(init).not.toContain('kzalloc');
});

describe('what sets up a lock and what ends it go together', () => {
  test.each<[what: string, set: string, end: string, removeTail: string, locals: string]>([
    [
      'through another pointer',
      'mutex_init(&keeper->gate);',
      'mutex_destroy(&keeper->gate);',
      'mutex_destroy(gate);',
      'struct mutex *gate = &keeper->gate;',
    ],
    [
      'on one way only',
      'xa_init(&keeper->boats);',
      '',
      'xa_destroy(&keeper->boats);\ndev_set_drvdata(&mdev->dev, NULL);',
      '',
    ],
  ])('both stay: %s', (_what, set, end, removeTail, locals) => {
    const { text, init } = folded({ gap: set, tail: end, removeTail, locals });
    expect(init).not.toContain(set);
    expect(text).toContain(set);
  });

  test('both move where every way ends it', () => {
    const { text, init } = folded({
      gap: 'mutex_init(&keeper->gate);',
      tail: 'mutex_destroy(&keeper->gate);',
    });
    expect(init).toContain('mutex_init(&keeper->gate);');
    // In .release, and where .init fails; not in probe and remove.
    expect(text.match(/mutex_destroy/g)).toHaveLength(2);
    expect(text.slice(text.indexOf('static int keeper_probe'))).not.toContain('mutex_destroy');
  });
});

describe('what is undone of another object, or in another order, is no undoing of this one', () => {
  test('a second object of the same struct', () => {
    const gap =
      'keeper->extra = kzalloc(9, GFP_KERNEL);\nif (!keeper->extra) {\n	ret = -ENOMEM;\n	goto err;\n}';
    const freeing = (removeTail: string): string =>
      folded({
        locals: 'struct lock_keeper *peer = keeper_peer(mdev);\n',
        gap,
        tail: 'kfree(keeper->extra);',
        removeTail,
      }).text;
    expect(() => freeing('kfree(peer->extra);')).toThrow(/never released/);
    expect(freeing('kfree(keeper->extra);\nkfree(peer->extra);')).toMatch(
      /keeper_remove\([^]*kfree\(peer->extra\);/,
    );
  });

  test('a helper that does more than the step took', () => {
    const above =
      'static int keepers_gone;\nstatic void keeper_drop(struct lock_keeper *keeper)\n{\n	keepers_gone++;\n	kfree(keeper->extra);\n}\n';
    const gap =
      'keeper->extra = kzalloc(9, GFP_KERNEL);\nif (!keeper->extra) {\n	ret = -ENOMEM;\n	goto err_free;\n}';
    const { init } = folded({
      above,
      gap,
      tail: 'keeper_drop(keeper);\nerr_free:',
      removeTail: 'keeper_drop(keeper);',
    });
    expect(init).not.toContain('keeper->extra');
  });

  test('a message that names a member undoes nothing of it', () => {
    const { init } = folded({
      gap: 'keeper->gate_owner = mdev_dev(mdev);\nif (keeper->length > 7)\n	dev_info(keeper->gate_owner, "long\\n");',
      tail: 'dev_dbg(keeper->gate_owner, "gone\\n");',
    });
    expect(init).toContain('keeper->gate_owner = ');
  });
});

describe('what a macro of the driver does is what its step does', () => {
  const SET_UP =
    '#define KEEPER_SET_UP(k) do { int __n; mutex_init(&(k)->gate); for (__n = 0; __n < 2; __n++) (k)->length += __n; } while (0)\n';

  test('it moves with the undoing of what it sets up', () => {
    const { init, text } = folded({
      above: SET_UP,
      gap: 'KEEPER_SET_UP(keeper);',
      tail: 'mutex_destroy(&keeper->gate);',
    });
    expect(init).toContain('KEEPER_SET_UP(keeper);');
    expect(text.slice(text.indexOf('static int keeper_probe'))).not.toContain('mutex_destroy');
  });

  test('a function that it calls is known where the callback stands', () => {
    const { text } = folded({
      above:
        '#define KEEPER_SET_UP(k) do { keeper_reset(k); } while (0)\n\nstatic void keeper_reset(struct lock_keeper *keeper)\n{\n	keeper->length = 3;\n}\n',
      gap: 'KEEPER_SET_UP(keeper);',
    });
    expect(text.indexOf('keeper_reset(struct')).toBeLessThan(
      text.indexOf('KEEPER_SET_UP(keeper);'),
    );
  });

  test.each<[what: string, above: string, use: string]>([
    [
      'leaves',
      '#define KEEPER_STEP(k) do { if (!(k)->length) { ret = -EINVAL; goto err; } } while (0)\n',
      'KEEPER_STEP(keeper);',
    ],
    [
      'names the variable of the object itself',
      '#define KEEPER_STEP() do { keeper->length = 70; } while (0)\n',
      'KEEPER_STEP();',
    ],
    [
      'counts in a variable that lives on',
      '#define KEEPER_STEP(k) do { static int next; (k)->length = next++; } while (0)\n',
      'KEEPER_STEP(keeper);',
    ],
    [
      'takes what is managed',
      '#define KEEPER_STEP(k) do { (k)->extra = devm_kzalloc((k)->vdev.dev, 9, GFP_KERNEL); } while (0)\n',
      'KEEPER_STEP(keeper);',
    ],
    [
      'sets drvdata',
      '#define KEEPER_STEP(k) do { dev_set_drvdata((k)->vdev.dev, k); } while (0)\n',
      'KEEPER_STEP(keeper);',
    ],
  ])('it stays where it %s', (_what, above, use) => {
    const { init, text } = folded({ above, gap: use });
    expect(init).not.toContain('KEEPER_STEP');
    expect(text.slice(text.indexOf('static int keeper_probe'))).toContain(use);
  });
});

describe('a loop that undoes goes to .release with the variables that it computes with', () => {
  const build = 'xa_init(&keeper->boats);\nmutex_init(&keeper->gate);';
  const loop = 'for (n = 0; n < 2; n++)\n	mutex_destroy(&keeper->gate);';
  const above = 'static int n_of_keepers;\n';

  test('where it sets them itself', () => {
    const { text } = folded({
      above,
      gap: build,
      tail: loop,
      locals: 'int n;',
      probeLocals: 'int n;',
    });
    const release = /static void keeper_release_dev[^]*?\n\}/.exec(text)![0];
    expect(release).toContain('\tint n;\n');
    expect(release).toContain('for (n = 0; n < 2; n++)');
    expect(text.match(/int n;/g)).toHaveLength(1);
  });

  test.each<[what: string, loop: string, behind: string, declared: string]>([
    ['they are set before', 'for (; n < 2; n++)\n	mutex_destroy(&keeper->gate);', '', 'int n = 0;'],
    ['they are still read', loop, 'dev_info(&mdev->dev, "%d\\n", n);', 'int n;'],
  ])('and stays where %s', (_what, undo, behind, declared) => {
    const { text } = folded({
      above,
      gap: build,
      tail: `${undo}\n${behind}`,
      locals: declared,
      probeLocals: declared,
    });
    expect(text.slice(text.indexOf('static int keeper_probe'))).toContain('mutex_destroy');
    expect(text).not.toMatch(/keeper_release_dev[^}]*mutex_destroy/);
  });
});
