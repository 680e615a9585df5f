/**
 * Who owes a put or an undo where more than one function has a share in it: lookups, queued work,
 * helpers that take on some of their paths, `.init` without a `.release`, probes without a table.
 */
import { describe, expect, test } from 'vitest';
import { analyseText } from '../../support/analyse.ts';

interface Parts {
  /** Functions in front of the ops table. */
  readonly before?: string;
  readonly ops?: string;
  /** Functions between the ops table and probe. */
  readonly helpers?: string;
  /** What probe does after the tested allocation, up to its end. */
  readonly probe?: string;
  readonly remove?: string;
  readonly table?: string;
}

const REGISTER = `	dev_set_drvdata(&mdev->dev, rail);
	ret = vfio_register_emulated_iommu_dev(&rail->vdev);
`;
const PROBE = `${REGISTER}	if (ret)
		vfio_put_device(&rail->vdev);
	return ret;
`;
const REMOVE = `static void rail_remove(struct mdev_device *mdev)
{
	struct rail *rail = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&rail->vdev);
	vfio_put_device(&rail->vdev);
}
`;
const TABLE = `static struct mdev_driver rail_driver = { .probe = rail_probe, .remove = rail_remove };
`;

function driver({ before, ops, helpers, probe, remove, table }: Parts): string {
  return `struct rail_ring {
	int head;
};
struct rail {
	struct vfio_device vdev;
	struct list_head node;
	struct work_struct work;
	struct rail_ring ring;
	void *buf;
	bool big;
	int id;
};
${before ?? ''}static const struct vfio_device_ops rail_ops = { .name = "rail", ${ops ?? ''} };
${helpers ?? ''}static int rail_probe(struct mdev_device *mdev)
{
	struct rail *rail;
	int ret;

	rail = vfio_alloc_device(rail, vdev, &mdev->dev, &rail_ops);
	if (IS_ERR(rail))
		return PTR_ERR(rail);
${probe ?? PROBE}}
${remove ?? REMOVE}${table ?? TABLE}`;
}

/** What is said of it, hints too, but for what its short table lacks. */
function found(parts: Parts): string[] {
  return analyseText(driver(parts), '6.12')
    .filter((one) => one.rule !== 'ops-table-incomplete')
    .map((one) => `${one.severity} ${one.rule} in ${one.functionName}`);
}

const FIND = `static LIST_HEAD(rail_all);
static struct rail *rail_find(int id)
{
	struct rail *rail;

	list_for_each_entry(rail, &rail_all, node) {
		if (rail->id == id) {
			get_device(&rail->vdev.device);
			return rail;
		}
	}
	return NULL;
}
`;
const LOAD = `static DEFINE_XARRAY(rail_all);
static struct rail *rail_find(int id)
{
	struct rail *rail = xa_load(&rail_all, id);

	if (rail)
		get_device(&rail->vdev.device);
	return rail;
}
`;
const WORK = `static void rail_work(struct work_struct *work)
{
	struct rail *rail = container_of(work, struct rail, work);

	put_device(&rail->vdev.device);
}
`;
const user = (body: string): string =>
  `int rail_poke(int id)\n{\n\tstruct rail *rail = rail_find(id);\n\n${body}}\n`;

/** Parts, and what is said of the driver. */
const KINDS: readonly (readonly [string, Parts, readonly string[]])[] = [
  [
    'a lookup that is put on every path',
    {
      helpers:
        FIND +
        user(
          '\tint head;\n\n\tif (!rail)\n\t\treturn -ENODEV;\n\thead = rail->ring.head;\n\tput_device(&rail->vdev.device);\n\treturn head;\n',
        ),
    },
    [],
  ],
  [
    'a lookup that one path loses',
    {
      helpers:
        FIND +
        user(
          '\tif (!rail)\n\t\treturn -ENODEV;\n\tif (!rail->big)\n\t\treturn -EINVAL;\n\tput_device(&rail->vdev.device);\n\treturn 0;\n',
        ),
    },
    ['warning missing-put in rail_poke'],
  ],
  [
    'a lookup in an xarray that is used after its put',
    {
      helpers:
        LOAD +
        user(
          '\tif (!rail)\n\t\treturn -ENODEV;\n\tput_device(&rail->vdev.device);\n\treturn rail->id;\n',
        ),
    },
    ['warning use-after-put in rail_poke'],
  ],
  [
    'a lookup of a lookup that is lost',
    {
      helpers: `${FIND}static struct rail *rail_find_big(int id)
{
	struct rail *rail = rail_find(id);

	if (!rail)
		return NULL;
	return rail;
}
int rail_poke(int id)
{
	struct rail *rail = rail_find_big(id);

	return rail ? rail->id : -ENODEV;
}
`,
    },
    ['warning missing-put in rail_poke'],
  ],
  [
    'a lookup whose reference is kept in another object',
    {
      helpers: `${FIND}int rail_poke(struct rail_user *user)
{
	user->rail = rail_find(user->id);
	return user->rail ? 0 : -ENODEV;
}
`,
    },
    [],
  ],
  [
    'a reference for queued work that drops it',
    {
      helpers: WORK,
      probe: `	INIT_WORK(&rail->work, rail_work);
${REGISTER}	if (ret) {
		vfio_put_device(&rail->vdev);
		return ret;
	}
	get_device(&rail->vdev.device);
	schedule_work(&rail->work);
	return 0;
`,
    },
    [],
  ],
  [
    'the last put is made by work, and by remove too',
    {
      helpers: WORK,
      probe: `	INIT_WORK(&rail->work, rail_work);
${PROBE}`,
      remove: REMOVE.replace('	vfio_put_device', '	schedule_work(&rail->work);\n	vfio_put_device'),
    },
    ['warning double-put in rail_remove'],
  ],
  [
    'the last put is made by work alone',
    {
      helpers: WORK,
      probe: `	INIT_WORK(&rail->work, rail_work);
${PROBE}`,
      remove: REMOVE.replace('vfio_put_device(&rail->vdev)', 'schedule_work(&rail->work)'),
    },
    [],
  ],
  [
    'an exchange takes the device',
    {
      probe: PROBE.replace('	dev_set_drvdata', '	rail_slot.rail = rail;\n	dev_set_drvdata'),
      before: 'struct rail_slot { struct rail *rail; };\nstatic struct rail_slot rail_slot;\n',
      remove: REMOVE.replace('dev_get_drvdata(&mdev->dev)', 'xchg(&rail_slot.rail, NULL)'),
    },
    [],
  ],
];

const SETUP = `static int rail_setup(struct rail *rail)
{
	if (!rail->big)
		return 0;
	rail->buf = kzalloc(64, GFP_KERNEL);
	return rail->buf ? 0 : -ENOMEM;
}
`;
const INIT = (rest: string): string => `${SETUP}static int rail_init(struct vfio_device *vdev)
{
	struct rail *rail = container_of(vdev, struct rail, vdev);
	int ret;

	ret = rail_setup(rail);
	if (ret)
		return ret;
	ret = rail_start(rail);
${rest}}
static void rail_release(struct vfio_device *vdev)
{
	struct rail *rail = container_of(vdev, struct rail, vdev);

	kfree(rail->buf);
}
`;
const BOTH = '.init = rail_init, .release = rail_release,';

const TAKES: readonly (readonly [string, Parts, readonly string[]])[] = [
  [
    'memory that a helper takes under a condition, and .init forgets',
    { before: INIT('\treturn ret;\n'), ops: BOTH },
    ['error init-leaks-on-error in rail_init'],
  ],
  [
    'memory that a helper takes under a condition, and .init frees',
    { before: INIT('\tif (ret)\n\t\tkfree(rail->buf);\n\treturn ret;\n'), ops: BOTH },
    [],
  ],
  [
    'memory that a helper takes under a condition, and .init frees under the same',
    {
      before: INIT('\tif (ret && rail->big)\n\t\tkfree(rail->buf);\n\treturn ret;\n'),
      ops: BOTH,
    },
    [],
  ],
  [
    'memory of .init without a .release',
    {
      before: `static int rail_init(struct vfio_device *vdev)
{
	struct rail *rail = container_of(vdev, struct rail, vdev);

	rail->buf = kzalloc(64, GFP_KERNEL);
	if (!rail->buf)
		return -ENOMEM;
	if (!rail_start(rail)) {
		kfree(rail->buf);
		return -EIO;
	}
	return 0;
}
`,
      ops: '.init = rail_init,',
    },
    ['warning leak-on-error-path in rail_init'],
  ],
  [
    'memory that remove frees, and .release hands a member to unseen code',
    {
      before: `static void rail_release(struct vfio_device *vdev)
{
	struct rail *rail = container_of(vdev, struct rail, vdev);

	rail_ring_stop(&rail->ring);
}
`,
      ops: '.release = rail_release,',
      probe: `	rail->buf = kzalloc(64, GFP_KERNEL);
	if (!rail->buf) {
		vfio_put_device(&rail->vdev);
		return -ENOMEM;
	}
${PROBE}`,
      remove: REMOVE.replace('	vfio_put_device', '	kfree(rail->buf);\n	vfio_put_device'),
    },
    ['warning leak-on-error-path in rail_probe'],
  ],
  [
    'a handle of unseen code that is kept and given back by it',
    {
      probe: `	rail->buf = rail_host_register(mdev, 4);
	if (!rail->buf) {
		vfio_put_device(&rail->vdev);
		return -ENOMEM;
	}
${PROBE}`,
      remove: REMOVE.replace(
        '	vfio_put_device',
        '	rail_host_unregister(rail->buf);\n	vfio_put_device',
      ),
    },
    ['warning leak-on-error-path in rail_probe'],
  ],
  [
    'a code of unseen code that is kept in a number',
    {
      probe: `	rail->id = rail_host_register(mdev, 4);
	ret = rail->id;
	if (ret) {
		vfio_put_device(&rail->vdev);
		return ret;
	}
${REGISTER}	if (ret) {
		rail_host_unregister(mdev);
		vfio_put_device(&rail->vdev);
	}
	return ret;
`,
      remove: REMOVE.replace('	vfio_put_device', '	rail_host_unregister(mdev);\n	vfio_put_device'),
    },
    [],
  ],
];

const UNFINISHED: readonly (readonly [string, Parts, readonly string[]])[] = [
  [
    'a probe that no table names yet',
    {
      probe: `${REGISTER}	if (ret)
		return ret;
	return 0;
`,
      remove: '',
      table: '',
    },
    ['error missing-put in rail_probe'],
  ],
  ['a correct probe that no table names yet', { remove: '', table: '' }, []],
  ['a correct pair that no table names yet', { table: '' }, []],
  [
    'a probe up to the registration',
    { probe: '\tdev_set_drvdata(&mdev->dev, rail);\n\treturn 0;\n', remove: '', table: '' },
    [],
  ],
];

describe('a driver with', () => {
  test.each([...KINDS, ...TAKES, ...UNFINISHED])('%s', (_, parts, expected) => {
    expect(found(parts)).toEqual(expected);
  });
});
