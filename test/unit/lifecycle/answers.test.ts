/**
 * What a driver knows of a result or of itself by what a small function, an unseen macro or the
 * name of a constant answers: a correct driver stays without an error or a warning, and one with a
 * defect does not.
 */
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../server/src/rules/types.ts';
import { analyseText } from '../../support/analyse.ts';

const REED = `struct reed {
	struct vfio_device vdev;
	unsigned long flags;
	u32 mode;
	u32 want;
	void *cfg;
};
static const struct vfio_device_ops reed_ops = { .name = "reed" };
`;
const REMOVE = `static void reed_remove(struct mdev_device *mdev)
{
	struct reed *reed = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&reed->vdev);
	vfio_put_device(&reed->vdev);
}
`;
const DRIVER = `static struct mdev_driver reed_driver = { .probe = reed_probe, .remove = reed_remove };
`;

/** A driver whose probe goes on with `rest` after the allocation that it tests with `test`. */
function driver(helpers: string, rest: string, remove = REMOVE, failed = 'IS_ERR(reed)'): string {
  return `${REED}${helpers}static int reed_probe(struct mdev_device *mdev)
{
	struct reed *reed;
	int ret;

	reed = vfio_alloc_device(reed, vdev, &mdev->dev, &reed_ops);
	if (${failed})
		return PTR_ERR(reed);
	dev_set_drvdata(&mdev->dev, reed);
${rest}}
${remove}${DRIVER}`;
}

/** All that is said of it, hints too, but for what its short table lacks. */
function found(text: string): Finding[] {
  return analyseText(text, '6.6').filter((one) => one.rule !== 'ops-table-incomplete');
}

function grave(text: string): string[] {
  return found(text)
    .filter((one) => one.severity === 'error' || one.severity === 'warning')
    .map((one) => `${one.severity} ${one.rule}`);
}

const REGISTER = 'vfio_register_emulated_iommu_dev(&reed->vdev)';
const PUT = '\t\tvfio_put_device(&reed->vdev);\n';

/** A helper, and what probe does with it: the failing arm is to put the device. */
const TESTS: readonly (readonly [string, string, string, string])[] = [
  [
    'a helper that logs and tests',
    'static bool bad(int r, const char *what)\n{\n\tif (r)\n\t\tpr_err("%s\\n", what);\n\treturn r != 0;\n}\n',
    `\tret = ${REGISTER};\n`,
    'bad(ret, "register")',
  ],
  [
    'a helper that tests for success',
    'static inline bool fine(int code)\n{\n\treturn !code;\n}\n',
    `\tret = ${REGISTER};\n`,
    '!fine(ret)',
  ],
  [
    'a helper that hands the result on',
    'static int noted(struct reed *reed, int code)\n{\n\tif (code < 0)\n\t\tpr_warn("%d\\n", code);\n\treed->mode = code;\n\treturn code;\n}\n',
    `\tret = noted(reed, ${REGISTER});\n`,
    'ret',
  ],
  [
    'a helper that maps one code to another',
    'static int errno_of(int code)\n{\n\treturn code == -ENODEV ? -EPROBE_DEFER : code;\n}\n',
    `\tret = ${REGISTER};\n\tret = errno_of(ret);\n`,
    'ret',
  ],
  [
    'a helper that maps by a switch',
    'static int errno_of(int code)\n{\n\tswitch (code) {\n\tcase 0:\n\t\treturn 0;\n\tcase -EBUSY:\n\t\treturn -EAGAIN;\n\tdefault:\n\t\treturn code;\n\t}\n}\n',
    `\tret = errno_of(${REGISTER});\n`,
    'ret',
  ],
  [
    'a code of its own',
    '',
    `\tret = ${REGISTER};\n\tif (ret == -EBUSY)\n\t\tret = -REED_E_BUSY;\n`,
    'ret',
  ],
  [
    'another try later',
    '',
    `\tret = ${REGISTER};\n\tif (ret < 0)\n\t\tret = -EPROBE_DEFER;\n`,
    'ret',
  ],
  ['an unseen macro by its name', '', `\tret = ${REGISTER};\n`, 'REED_FAILED(ret)'],
  ['an unseen macro for success', '', `\tret = ${REGISTER};\n`, '!VEND_SUCCESS(ret)'],
  ['an unseen macro by the arm that returns', '', `\tret = ${REGISTER};\n`, 'VEND_CHK(ret)'],
  ['its opposite', '', `\tret = ${REGISTER};\n`, '!vend_went(ret)'],
];

describe('a registration that is tested by', () => {
  test.each(TESTS)('%s', (_, helpers, call, failed) => {
    const text = driver(
      helpers,
      `${call}\tif (${failed}) {\n${PUT}\t\treturn -EIO;\n\t}\n\treturn 0;\n`,
    );
    expect(found(text).map((one) => one.rule)).toEqual([]);
  });

  test.each(TESTS)('%s, without the put', (_, helpers, call, failed) => {
    const text = driver(helpers, `${call}\tif (${failed})\n\t\treturn -EIO;\n\treturn 0;\n`);
    expect(found(text).map((one) => one.rule)).toEqual(['missing-put']);
  });
});

test('what is found behind an unseen test is a hint that says what was assumed', () => {
  const [one] = found(
    driver('', `\tret = ${REGISTER};\n\tif (VEND_CHK(ret))\n\t\treturn -EIO;\n\treturn 0;\n`),
  );
  expect(one?.severity).toBe('hint');
  expect(one?.related.map((one) => one.message)).toContain(
    'VEND_CHK(ret) taken as true by the arm that returns: VEND_CHK was not found',
  );
});

test('an unseen call with a number of its own is no test of a result', () => {
  const rest = `\tint port = 0;\n\n\tif (vend_has(port))\n\t\treturn -EIO;\n\treturn ${REGISTER};\n`;
  expect(grave(driver('', rest))).toEqual(['error missing-put', 'error missing-put']);
});

test.each(['vend_is_err(reed)', 'VEND_BAD_PTR(reed)', '!vend_ptr_ok(reed)', 'vend_nothing(reed)'])(
  'an allocation that %s tests',
  (failed) => {
    const rest = `\tret = ${REGISTER};\n\tif (ret)\n${PUT}\treturn ret;\n`;
    expect(grave(driver('', rest, REMOVE, failed))).toEqual([]);
  },
);

/** A test of the driver's own state: what it asks, and the function that it stands in, if any. */
const PREDICATES: readonly (readonly [string, string, string])[] = [
  ['a mask', '', '(reed->flags & 6) == 4'],
  ['a sum', '', 'reed->mode + 1 == reed->want'],
  [
    'a predicate of a mask',
    'static bool on(struct reed *reed)\n{\n\treturn (reed->flags & 12) == 8;\n}\n',
    'on(reed)',
  ],
  [
    'a predicate of alternatives',
    'static bool on(const struct reed *reed)\n{\n\treturn reed->mode == 2 || reed->mode == 5;\n}\n',
    'on(reed)',
  ],
  [
    'a predicate of statements',
    'static bool on(struct reed *reed)\n{\n\tif (reed->want <= reed->mode)\n\t\treturn false;\n\treturn true;\n}\n',
    'on(reed)',
  ],
  [
    'a predicate of a predicate',
    'static bool big(struct reed *reed)\n{\n\treturn reed->mode > 3;\n}\nstatic int on(struct reed *reed)\n{\n\treturn big(reed) && reed->want;\n}\n',
    'on(reed)',
  ],
];

describe('the same test at each place:', () => {
  test.each(PREDICATES)('%s', (_, helpers, asked) => {
    const rest = `\tif (${asked}) {
		ret = ${REGISTER};
		if (ret)
			goto put;
	}
	ret = sysfs_create_group(&mdev->dev.kobj, &reed_group);
	if (ret)
		goto stop;
	return 0;
stop:
	if (${asked})
		vfio_unregister_group_dev(&reed->vdev);
put:
	vfio_put_device(&reed->vdev);
	return ret;
`;
    const remove = REMOVE.replace('\tvfio_unreg', `\tif (${asked})\n\t\tvfio_unreg`).replace(
      '\n\tif (',
      '\n\tsysfs_remove_group(&mdev->dev.kobj, &reed_group);\n\tif (',
    );
    expect(grave(driver(helpers, rest, remove))).toEqual([]);
    const without = rest.replace(
      `\tif (${asked})\n\t\tvfio_unregister_group_dev(&reed->vdev);\n`,
      '',
    );
    expect(grave(driver(helpers, without, remove))).toEqual(['error put-while-registered']);
  });
});

test.each(['PAGE_SIZE != REED_PAGE', 'PAGE_SHIFT < REED_SHIFT', 'REED_ABI == VEND_ABI'])(
  '%s may go either way',
  (asked) => {
    const text = driver('', `\treturn ${REGISTER};\n`).replace(
      '\n\n\treed =',
      `\n\n\tif (${asked})\n\t\treturn -EOPNOTSUPP;\n\treed =`,
    );
    expect(grave(text)).toEqual(['error missing-put']);
  },
);

describe('remove leaves early', () => {
  const rest = `\tret = ${REGISTER};\n\tif (ret)\n${PUT}\treturn ret;\n`;

  test.each(['!mdev', 'mdev == NULL', 'unlikely(!mdev)'])('for %s, which never comes', (asked) => {
    const remove = REMOVE.replace(
      '\n\n\tvfio_unreg',
      `\n\n\tif (${asked})\n\t\treturn;\n\tvfio_unreg`,
    );
    expect(grave(driver('', rest, remove))).toEqual([]);
  });

  test('where probe has left nothing', () => {
    const text = `struct vend { struct vfio_device *vdev; };
int vend_open(struct vend **out);
static int reed_probe(struct mdev_device *mdev)
{
	struct vend *vend = NULL;
	struct vfio_device *vdev;
	int ret;

	ret = vend_open(&vend);
	if (ret)
		return ret;
	vdev = kzalloc(sizeof(*vdev), GFP_KERNEL);
	if (!vdev)
		return -ENOMEM;
	vfio_init_group_dev(vdev, &mdev->dev, &reed_ops);
	vend->vdev = vdev;
	dev_set_drvdata(&mdev->dev, vend);
	ret = vfio_register_emulated_iommu_dev(vdev);
	if (ret) {
		vfio_uninit_group_dev(vdev);
		kfree(vdev);
	}
	return ret;
}
static void reed_remove(struct mdev_device *mdev)
{
	struct vend *vend = dev_get_drvdata(&mdev->dev);

	if (!vend)
		return;
	vfio_unregister_group_dev(vend->vdev);
	vfio_uninit_group_dev(vend->vdev);
	kfree(vend->vdev);
}
${DRIVER}`;
    expect(analyseText(text, '6.0').map((one) => one.rule)).not.toContain(
      'remove-without-unregister',
    );
  });
});

test.each([
  ['dev_get_platdata(&mdev->dev)', 'dev_get_platdata(&mdev->dev)'],
  ['dev_get_platdata(&mdev->dev)', '(void *)dev_get_platdata(&mdev->dev)'],
])('memory that is borrowed or its own: %s', (borrowed, compared) => {
  const free = `if (reed->cfg != ${compared})\n\t\t\tkfree(reed->cfg);\n`;
  const rest = `\treed->cfg = ${borrowed} ?: kzalloc(64, GFP_KERNEL);
	if (!reed->cfg) {
${PUT}		return -ENOMEM;
	}
	ret = ${REGISTER};
	if (ret) {
		${free}${PUT}	}
	return ret;
`;
  const remove = REMOVE.replace('\tvfio_put', `\t${free}\tvfio_put`);
  expect(grave(driver('', rest, remove))).toEqual([]);
  expect(grave(driver('', rest.replace(free, ''), remove))).toEqual(['warning leak-on-error-path']);
});
