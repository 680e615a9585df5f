/** Drivers that the rule missing-uninit reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, FOO, OLD_PROBE, OLD_REMOVE, OLD_REMOVE_CONFIG } from './examples.ts';

/** OLD_PROBE with the caret of the rule that always speaks of the old model. */
const PROBE = OLD_PROBE.replace(
  /^\tvfio_init_group_dev\(.*$/m,
  (line) => `${line}\n//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev`,
);

export const missingUninitExamples: Rule['examples'] = {
  bad: [
    {
      title: 'Registration fails and the container is freed without uninit',
      kernel: '6.0',
      code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_free;
	return 0;

err_free:
	kfree(foo);
//      ^^^^^^^^^^ missing-uninit
	return ret;
}
${OLD_REMOVE}${DRIVER}`,
      fixed: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_free;
	return 0;

err_free:
	vfio_uninit_group_dev(&foo->vdev);
	kfree(foo);
	return ret;
}
${OLD_REMOVE}${DRIVER}`,
    },
    {
      title: 'Remove frees without uninit',
      kernel: '5.15',
      code: `${FOO}${PROBE.replace('vfio_register_emulated_iommu_dev', 'vfio_register_group_dev')}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	kfree(foo);
//      ^^^^^^^^^^ missing-uninit
}
${DRIVER}`,
      fixed: `${FOO}${OLD_PROBE.replace('vfio_register_emulated_iommu_dev', 'vfio_register_group_dev')}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_uninit_group_dev(&foo->vdev);
	kfree(foo);
}
${DRIVER}`,
    },
    {
      title: 'Before a device set can be attached it is a warning',
      kernel: '6.0',
      code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev

	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config) {
		kfree(foo);
//              ^^^^^^^^^^ missing-uninit warning
		return -ENOMEM;
	}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_free;
	return 0;

err_free:
	vfio_uninit_group_dev(&foo->vdev);
	kfree(foo->config);
	kfree(foo);
	return ret;
}
${OLD_REMOVE_CONFIG}${DRIVER}`,
    },
    {
      title: 'The exit is in a macro of the file: the use of it is the place',
      kernel: '6.0',
      code: `${FOO}
#define FOO_TRY(code) { if (code != 0) { return code; } }

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = devm_kzalloc(&mdev->dev, sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_assign_device_set(&foo->vdev, foo);
	FOO_TRY(ret);
//      ^^^^^^^^^^^^ missing-uninit warning
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	FOO_TRY(ret);
//      ^^^^^^^^^^^^ missing-uninit
	return 0;
}
${OLD_REMOVE.replace('\tkfree(foo);\n', '')}${DRIVER}`,
      fixed: `${FOO}
#define FOO_TRY(code) { if (code != 0) { return code; } }

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = devm_kzalloc(&mdev->dev, sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_assign_device_set(&foo->vdev, foo);
	if (ret != 0) {
		vfio_uninit_group_dev(&foo->vdev);
		return ret;
	}
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret != 0) {
		vfio_uninit_group_dev(&foo->vdev);
		return ret;
	}
	return 0;
}
${OLD_REMOVE.replace('\tkfree(foo);\n', '')}${DRIVER}`,
    },
  ],
  good: [
    { title: 'Both ends are right', kernel: '6.0', code: `${FOO}${PROBE}${OLD_REMOVE}${DRIVER}` },
    {
      title: '5.14 has no uninit',
      kernel: '5.14',
      code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		kfree(foo);
	return ret;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	kfree(foo);
}
${DRIVER}`,
    },
    {
      title: 'A helper undoes the init and frees',
      kernel: '6.0',
      code: `${FOO}
static void foo_destroy(struct foo *foo)
{
	vfio_uninit_group_dev(&foo->vdev);
	kfree(foo->config);
	kfree(foo);
}

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret != 0)
		foo_destroy(foo);
	return ret;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	foo_destroy(foo);
}
${DRIVER}`,
    },
    {
      title: 'Memory of devm, undone by a devm action',
      kernel: '6.0',
      code: `${FOO}
static void foo_uninit(void *data)
{
	struct foo *foo = data;

	vfio_uninit_group_dev(&foo->vdev);
}

static void foo_unregister(void *data)
{
	struct foo *foo = data;

	vfio_unregister_group_dev(&foo->vdev);
}

static int foo_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct foo *foo;
	int ret;

	foo = devm_kzalloc(dev, sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
	ret = devm_add_action_or_reset(dev, foo_uninit, foo);
	if (ret)
		return ret;

	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, foo_unregister, foo);
}

static struct platform_driver foo_driver = {
	.driver_managed_dma = true,
	.probe = foo_probe,
};
`,
    },
  ],
};
