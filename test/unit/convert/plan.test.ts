import { describe, expect, test } from 'vitest';
import { editsOf, planConversion } from '../../../server/src/convert/index.ts';
import type { FileIr } from '../../../server/src/ir/types.ts';
import { callSites } from '../../../server/src/convert/query/call-sites.ts';
import { rowsOf } from '../../../server/src/engine/settings/wrappers.ts';
import { convertedFixture, lower, moduleOf, plan, readFixture } from './support.ts';

const OLD = readFixture('mdev-emulated.c');

describe('a request', () => {
  test('for a document that is not in the module changes nothing', () => {
    expect(
      planConversion({ module: moduleOf('a.c', OLD), kernel: [6, 1] }, { path: 'b.c' }).status,
    ).toBe('unchanged');
  });

  test('for a target without the new model is refused', () => {
    const result = plan('a.c', OLD, [6, 0]);
    expect(result.status === 'refused' && result.refusal.code).toBe('target-too-old');
  });

  test.each(['tally_probe', 'tally_remove'])('for %s is for its device', (name) => {
    expect(plan('a.c', OLD, [6, 1], {}, name).status).toBe('planned');
  });

  test('for a function without a device of the old model changes nothing', () => {
    expect(plan('a.c', OLD, [6, 1], {}, 'tally_read').status).toBe('unchanged');
  });

  test('for one of two devices leaves the other', () => {
    const result = plan('a.c', readFixture('two-devices.c'), [6, 1], {}, 'pier_child_remove');
    if (result.status !== 'planned') throw new Error(result.status);
    expect(result.plan.devices.map((device) => device.container.tag)).toEqual(['pier_child']);
    expect(result.plan.tables.map((table) => table.variable.name)).toEqual(['pier_child_ops']);
  });
});

describe('another source of the module', () => {
  const struct = /struct tally_state \{[\s\S]*?\n\};\n/.exec(OLD)![0];
  const header = `#include <linux/vfio.h>\n${struct}`;
  const source = `#include "tally.h"\n${OLD.replace(struct, '')}`;
  const withOther = (other: string) =>
    planConversion(
      {
        module: {
          sources: [lower('a.c', source), lower('b.c', `#include "tally.h"\n${other}`)],
          headers: [lower('tally.h', header)],
        },
        kernel: [6, 1],
      },
      { path: 'a.c' },
    );

  test('that frees a member is no obstacle', () => {
    expect(
      withOther('void tally_drop(struct tally_state *state) { kfree(state->space); }\n').status,
    ).toBe('planned');
  });

  test('that frees the object is converted with it', () => {
    const result = withOther('void tally_drop(struct tally_state *state) { kfree(state); }\n');
    if (result.status !== 'planned') throw new Error(result.status);
    const { edits } = editsOf(result.plan);
    expect(edits.map((file) => file.path)).toEqual(['a.c', 'b.c']);
    expect(edits[1]!.edits.map((edit) => edit.newText)).toEqual(['vfio_put_device(&state->vdev)']);
  });

  test('that initialises what this one allocates is named', () => {
    const result = planConversion(
      {
        module: {
          sources: [
            lower(
              'a.c',
              '#include "tally.h"\nint tally_new(void) { struct tally_state *state = kzalloc(sizeof(*state), GFP_KERNEL); return tally_setup(state); }\n',
            ),
            lower(
              'b.c',
              '#include "tally.h"\nint tally_setup(struct tally_state *state) { vfio_init_group_dev(&state->vdev, parent, &tally_ops); return 0; }\n',
            ),
          ],
          headers: [lower('tally.h', header)],
        },
        kernel: [6, 1],
      },
      { path: 'a.c' },
    );
    if (result.status !== 'refused') throw new Error(result.status);
    expect(result.refusal.site?.path).toBe('b.c');
  });
});

test('a file of the new model has nothing to convert', () => {
  expect(plan('a.c', convertedFixture('mdev-emulated.c', '6.1'), [6, 1]).status).toBe('unchanged');
});

test('the member of a struct of the same tag in another header does not count', () => {
  const text = OLD.replace(/struct tally_state \{[\s\S]*?\n\};\n/, '#include "mine.h"\n');
  const result = plan('a.c', text, [6, 1], {
    'mine.h': 'struct tally_state { struct vfio_device vdev; u8 *space; };',
    'other.h': 'struct tally_state { int first; struct vfio_device vdev; };',
  });
  expect(result.status).toBe('planned');
});

test('a device that a library of the settings initialises is refused by the name of its function', () => {
  const text = `struct bolt { struct vfio_device vdev; };
static int bolt_probe(struct pci_dev *pdev)
{
	struct bolt *bolt = kzalloc(sizeof(*bolt), GFP_KERNEL);

	if (!bolt)
		return -ENOMEM;
	forge_core_init(&bolt->vdev, &pdev->dev);
	return forge_core_register(&bolt->vdev);
}
`;
  const wrappers = rowsOf([
    { name: 'forge_core_init', does: 'init' },
    { name: 'forge_core_register', does: 'register' },
  ]).rows;
  const result = planConversion(
    { module: { ...moduleOf('bolt.c', text), wrappers }, kernel: [6, 1] },
    { path: 'bolt.c' },
  );
  if (result.status !== 'refused') throw new Error(result.status);
  expect(result.refusal.code).toBe('library');
  expect(result.refusal.reason).toContain(
    'forge_core_init() initialises the device of bolt_probe()',
  );
  expect(
    planConversion({ module: moduleOf('bolt.c', text), kernel: [6, 1] }, { path: 'bolt.c' }).status,
  ).toBe('unchanged');
});

test("a function of the kernel that another file of the module defines itself is the module's own", () => {
  const caller = lower(
    'a.c',
    'int bolt_probe(struct bolt *bolt, struct device *dev) { return vfio_platform_probe_common(bolt, dev); }\n',
  );
  const definition = lower(
    'b.c',
    'int vfio_platform_probe_common(struct bolt *bolt, struct device *dev) { return 0; }\n',
  );
  const inits = (sources: readonly FileIr[]) =>
    callSites({ sources, headers: [] }, caller).filter((site) => site.op === 'init');
  expect(inits([caller])).toHaveLength(1);
  expect(inits([caller, definition])).toEqual([]);
});
