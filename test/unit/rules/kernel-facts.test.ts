// What the tables say of kernel functions, seen in what is reported of small drivers.
import { describe, expect, test } from 'vitest';
import { drvdataAfterRegisterExamples } from '../../../server/src/rules/drvdata-after-register.examples.ts';
import { analyseText, readAnnotations } from '../../support/analyse.ts';

/** A driver whose probe takes something, fails later, and whose remove undoes what probe took. */
function driver(take: string, undo: string, onError = ''): string {
  return `#include <linux/mdev.h>
#include <linux/vfio.h>

struct zig {
	struct vfio_device vdev;
	struct device *node;
	struct class *class;
	dev_t devt;
	void *bar;
};

static const struct vfio_device_ops zig_ops = { .name = "zig" };

static int zig_probe(struct mdev_device *mdev)
{
	struct zig *zig;
	int ret;

	zig = vfio_alloc_device(zig, vdev, &mdev->dev, &zig_ops);
	if (IS_ERR(zig))
		return PTR_ERR(zig);
	${take}
	dev_set_drvdata(&mdev->dev, zig);
	ret = vfio_register_emulated_iommu_dev(&zig->vdev);
	if (ret)
		goto err_put;
	return 0;

err_put:
	${onError}
	vfio_put_device(&zig->vdev);
	return ret;
}

static void zig_remove(struct mdev_device *mdev)
{
	struct zig *zig = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&zig->vdev);
	${undo}
	vfio_put_device(&zig->vdev);
}

static struct mdev_driver zig_driver = { .probe = zig_probe, .remove = zig_remove };
`;
}

const leaks = (code: string, kernel = '6.12'): number =>
  analyseText(code, kernel).filter(({ rule }) => rule === 'leak-on-error-path').length;

describe('what is still taken on the failing path', () => {
  test.each([
    [
      'device_create() is undone by the number',
      `zig->node = device_create(zig->class, &mdev->dev, zig->devt, NULL, "zig");
	if (IS_ERR(zig->node)) {
		ret = PTR_ERR(zig->node);
		goto err_put_only;
	}`,
      'device_destroy(zig->class, zig->devt);',
    ],
    [
      'a second group of one kobject',
      `ret = sysfs_create_group(&mdev->dev.kobj, &zig_one);
	if (ret)
		goto err_put_only;
	ret = sysfs_create_group(&mdev->dev.kobj, &zig_two);
	if (ret) {
		sysfs_remove_group(&mdev->dev.kobj, &zig_one);
		goto err_put_only;
	}`,
      `sysfs_remove_group(&mdev->dev.kobj, &zig_two);
	sysfs_remove_group(&mdev->dev.kobj, &zig_one);`,
      'sysfs_remove_group(&mdev->dev.kobj, &zig_one);',
    ],
    [
      'alloc_chrdev_region() stores what unregister_chrdev_region() is given',
      `ret = alloc_chrdev_region(&zig->devt, 0, 1, "zig");
	if (ret)
		goto err_put_only;`,
      'unregister_chrdev_region(zig->devt, 1);',
    ],
    [
      'an entry of procfs is removed by its name too',
      `zig->node = proc_create("zig", 0444, NULL, &zig_proc_ops);
	if (!zig->node) {
		ret = -ENOMEM;
		goto err_put_only;
	}`,
      'remove_proc_entry("zig", NULL);',
    ],
  ])('%s', (_, take, undo, partly = '') => {
    const whole = (onError: string): string =>
      driver(take, undo, onError).replace(
        '	vfio_put_device(&zig->vdev);\n	return ret;',
        'err_put_only:\n	vfio_put_device(&zig->vdev);\n	return ret;',
      );
    expect(leaks(whole(partly))).toBe(1);
    expect(leaks(whole(undo))).toBe(0);
  });

  test('pm_runtime_get_sync() has taken even when it fails', () => {
    const code = (onError: string): string =>
      driver(
        `ret = pm_runtime_get_sync(&mdev->dev);
	if (ret < 0)
		${onError}`,
        'pm_runtime_put(&mdev->dev);',
        'pm_runtime_put(&mdev->dev);',
      ).replace(
        '	vfio_put_device(&zig->vdev);\n	return ret;',
        'err_put_only:\n	vfio_put_device(&zig->vdev);\n	return ret;',
      );
    expect(leaks(code('goto err_put_only;'))).toBe(1);
    expect(leaks(code('goto err_put;'))).toBe(0);
  });
});

describe('by the kernel', () => {
  test('a managed device no longer makes its regions managed', () => {
    const code = driver(
      `ret = pcim_enable_device(&zig_pdev);
	if (ret)
		goto err_put;
	ret = pci_request_regions(&zig_pdev, "zig");
	if (ret)
		goto err_put;`,
      'pci_release_regions(&zig_pdev);',
    );
    expect(leaks(code, '6.14')).toBe(0);
    expect(leaks(code, '6.17')).toBe(1);
  });

  test('vfio-pci core compares the drvdata in 5.18.18', () => {
    const { code } = drvdataAfterRegisterExamples.bad.find(({ kernel }) => kernel === '5.19')!;
    const found = (kernel: string): number =>
      analyseText(readAnnotations(code).code, kernel).filter(
        ({ rule }) => rule === 'drvdata-after-register',
      ).length;
    expect([found('5.18'), found('5.18.17'), found('5.18.18')]).toEqual([0, 0, 1]);
  });

  test('5.10.137 has the calls of 5.13, with an argument more', () => {
    const code = `static int zig_start(struct zig *zig, struct device *dev)
{
	vfio_init_group_dev(&zig->vdev, dev, &zig_ops, zig);
	return vfio_register_group_dev(&zig->vdev);
}
static void zig_stop(struct zig *zig)
{
	vfio_unregister_group_dev(&zig->vdev);
}
`;
    const found = (kernel: string): string[] =>
      analyseText(code, kernel).flatMap(({ rule, severity }) =>
        rule === 'unavailable-api' || rule === 'wrong-arguments' ? [`${rule} ${severity}`] : [],
      );
    expect(found('5.10.198')).toEqual([]);
    expect(found('5.10.136').filter((one) => one.startsWith('unavailable'))).toEqual(
      Array(3).fill('unavailable-api error'),
    );
    expect(found('5.10')).toEqual(Array(3).fill('unavailable-api warning'));
    expect(found('6.0')).toEqual(['wrong-arguments error']);
  });
});
