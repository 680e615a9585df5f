/** Small drivers of our own, each with what a test needs and no more. */

/**
 * 6.1 model; `missing-put` on the return after register. Its fix changes a statement into a block,
 * and is to be looked at.
 */
export const LEAKY = `#include <linux/vfio.h>

struct foo {
	struct vfio_device vdev;
	int users;
};

static void foo_release(struct vfio_device *vdev)
{
	vfio_free_device(vdev);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release,
};

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		return ret;

	dev_set_drvdata(&mdev->dev, foo);
	return 0;
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

/** The same without the mistake. */
export const CLEAN = LEAKY.replace(
  'if (ret)\n\t\treturn ret;\n\n\tdev_set',
  'if (ret) {\n\t\tvfio_put_device(&foo->vdev);\n\t\treturn ret;\n\t}\n\n\tdev_set',
);

/** The clean one with a test for NULL, which a safe fix turns into IS_ERR and PTR_ERR. */
export const UNCHECKED = CLEAN.replace(
  'if (IS_ERR(foo))\n\t\treturn PTR_ERR(foo);',
  'if (!foo)\n\t\treturn -ENOMEM;',
);

/** The same once more for 5.15 to 6.0. */
export const OLD = `#include <linux/vfio.h>
#include "bar.h"

static const struct vfio_device_ops bar_ops = {
	.name = "bar",
};

static int bar_probe(struct mdev_device *mdev)
{
	struct bar *bar;
	int ret;

	bar = kzalloc(sizeof(*bar), GFP_KERNEL);
	if (!bar)
		return -ENOMEM;

	vfio_init_group_dev(&bar->vdev, &mdev->dev, &bar_ops);

	ret = vfio_register_emulated_iommu_dev(&bar->vdev);
	if (ret)
		goto err_free;

	dev_set_drvdata(&mdev->dev, bar);
	return 0;

err_free:
	vfio_uninit_group_dev(&bar->vdev);
	kfree(bar);
	return ret;
}

static void bar_remove(struct mdev_device *mdev)
{
	struct bar *bar = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&bar->vdev);
	vfio_uninit_group_dev(&bar->vdev);
	kfree(bar);
}

static struct mdev_driver bar_driver = {
	.probe = bar_probe,
	.remove = bar_remove,
};
`;

export const BAR_H = 'struct bar {\n\tstruct vfio_device vdev;\n\tint users;\n};\n';
/** The member is not first and an assertion keeps it there, which the conversion must refuse. */
export const BAR_H_LATE =
  'struct bar {\n\tint users;\n\tstruct vfio_device vdev;\n};\nstatic_assert(offsetof(struct bar, users) == 0);\n';
/** The member is not first, and the conversion moves it there. */
export const BAR_H_SECOND = 'struct bar {\n\tint users;\n\tstruct vfio_device vdev;\n};\n';
