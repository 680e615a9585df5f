/** Drivers that the rule remove-without-unregister reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, FOO, OLD_PROBE, PROBE, REMOVE } from './examples.ts';

const OLD = OLD_PROBE.replace(
  /^\tvfio_init_group_dev\(.*$/m,
  (line) => `${line}\n//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev`,
);

export const removeWithoutUnregisterExamples: Rule['examples'] = {
  bad: [
    {
      title: 'Remove refuses while the device is used, which it cannot',
      kernel: '5.15',
      code: `struct foo {
	struct vfio_device vdev;
	struct list_head node;
	struct kvm *kvm;
};

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
	list_add(&foo->node, &foo_list);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret) {
		list_del(&foo->node);
		vfio_uninit_group_dev(&foo->vdev);
		kfree(foo);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, foo);
	return 0;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	if (WARN_ON(foo->kvm))
		return;
//              ^^^^^^^ remove-without-unregister
	vfio_unregister_group_dev(&foo->vdev);
	vendor_reset_queues(mdev);
	list_del(&foo->node);
	vfio_uninit_group_dev(&foo->vdev);
	kfree(foo);
}

static struct mdev_driver foo_driver = {
	.probe = foo_probe,
	.remove = foo_remove,
};`,
    },
    {
      title: 'Remove puts a device that is still registered',
      kernel: '6.2',
      code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_put_device(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^ remove-without-unregister
}
${DRIVER}`,
      fixed: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
    },
    {
      title: 'An early return',
      kernel: '6.2',
      code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	if (WARN_ON(foo->config))
		return;
//              ^^^^^^^ remove-without-unregister
	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
    },
    {
      title: 'The old model',
      kernel: '6.0',
      code: `${FOO}${OLD}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_uninit_group_dev(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ remove-without-unregister
	kfree(foo);
}
${DRIVER}`,
      fixed: `${FOO}${OLD_PROBE}
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
      title: 'No remove at all',
      kernel: '6.2',
      code: `${FOO}${PROBE}
static struct mdev_driver foo_driver = {
//                        ^^^^^^^^^^ remove-without-unregister
	.probe = foo_probe,
};
`,
    },
  ],
  good: [
    { title: 'Unregister comes first', kernel: '6.2', code: `${FOO}${PROBE}${REMOVE}${DRIVER}` },
    {
      title: 'Probe may not have set drvdata',
      kernel: '6.2',
      code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	if (!foo)
		return;
	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
    },
    {
      title: 'A test of drvdata where a helper made the object',
      kernel: '6.0',
      code: `${FOO}
static int foo_create(struct foo_parent *parent, struct foo **out)
{
	struct foo *foo = foo_pool_get(parent);

	if (!foo)
		return -ENOMEM;
	*out = foo;
	return 0;
}

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	ret = foo_create(foo_parent_of(mdev), &foo);
	if (ret)
		return ret;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
		vfio_uninit_group_dev(&foo->vdev);
		foo_pool_put(foo);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, foo);
	return 0;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	if (!foo)
		return;
	vfio_unregister_group_dev(&foo->vdev);
	vfio_uninit_group_dev(&foo->vdev);
	foo_pool_put(foo);
}
${DRIVER}`,
    },
    {
      title: 'A helper unregisters',
      kernel: '6.2',
      code: `${FOO}${PROBE}
static void foo_stop(struct foo *foo)
{
	vfio_unregister_group_dev(&foo->vdev);
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	foo_stop(foo);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
    },
    {
      title: 'A devm action does it',
      kernel: '6.2',
      code: `${FOO}
static void foo_destroy(void *data)
{
	struct foo *foo = data;

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}

static int foo_probe(struct platform_device *pdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	ret = vfio_register_group_dev(&foo->vdev);
	if (ret) {
		vfio_put_device(&foo->vdev);
		return ret;
	}
	return devm_add_action_or_reset(&pdev->dev, foo_destroy, foo);
}

static struct platform_driver foo_driver = {
	.driver_managed_dma = true,
	.probe = foo_probe,
};
`,
    },
    {
      title: 'Unseen code makes the object, and remove asks whether there is one',
      kernel: '6.0',
      code: `struct foo { struct vfio_device vdev; };

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	ret = vendor_foo_create(mdev, &foo);
	if (ret)
		return ret;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
		vfio_uninit_group_dev(&foo->vdev);
		vendor_foo_destroy(foo);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, foo);
	return 0;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	if (!foo)
		return;
	vfio_unregister_group_dev(&foo->vdev);
	vfio_uninit_group_dev(&foo->vdev);
	vendor_foo_destroy(foo);
}

static struct mdev_driver foo_driver = {
	.probe = foo_probe,
	.remove = foo_remove,
};`,
    },
    {
      title: 'A helper of a header that was not found reads drvdata',
      kernel: '6.12',
      code: `static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct foo_pci_device *foo;
	int ret;

	foo = vfio_alloc_device(foo_pci_device, core.vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	dev_set_drvdata(&pdev->dev, &foo->core);
	ret = vfio_pci_core_register_device(&foo->core);
	if (ret)
		goto err_put;
	ret = foo_register_events(foo);
	if (ret)
		goto err_unregister;
	return 0;

err_unregister:
	vfio_pci_core_unregister_device(&foo->core);
err_put:
	vfio_put_device(&foo->core.vdev);
	return ret;
}

static void foo_remove(struct pci_dev *pdev)
{
	struct foo_pci_device *foo = foo_pci_drvdata(pdev);

	foo_unregister_events(foo);
	vfio_pci_core_unregister_device(&foo->core);
	vfio_put_device(&foo->core.vdev);
}

static struct pci_driver foo_driver = {
	.driver_managed_dma = true,
	.probe = foo_probe,
	.remove = foo_remove,
};`,
    },
  ],
};
