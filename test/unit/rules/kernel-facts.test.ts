// What the tables say of kernel functions, seen in what is reported of small drivers.
import { describe, expect, test } from 'vitest';
import { analyseText } from '../../support/analyse.ts';

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
