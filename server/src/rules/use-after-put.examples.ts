/** Drivers that the rule use-after-put reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, FOO, OLD_PROBE, PROBE, REMOVE } from './examples.ts';

const OLD = OLD_PROBE.replace(
  /^\tvfio_init_group_dev\(.*$/m,
  (line) => `${line}\n//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev`,
);

/** A container with a member whose type has more to it than a name and a star. */
const SLOT = FOO.replace('void *config;', 'const struct foo_regs __iomem *regs;');

export const useAfterPutExamples: Rule['examples'] = {
  bad: [
    {
      title: 'A member is read after the put',
      kernel: '6.2',
      code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
	destroy_workqueue(foo->wq);
//                        ^^^^^^^ use-after-put
}
${DRIVER}`,
      fixed: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);
	struct workqueue_struct *wq;

	vfio_unregister_group_dev(&foo->vdev);
	wq = foo->wq;
	vfio_put_device(&foo->vdev);
	destroy_workqueue(wq);
}
${DRIVER}`,
    },
    {
      title: 'A message after the put: the put goes after it',
      kernel: '6.2',
      code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	/* the last reference */
	vfio_put_device(&foo->vdev);
	if (foo->config)
//          ^^^^^^^^^^^ use-after-put
		dev_info(&mdev->dev, "gone\\n");
}
${DRIVER}`,
      fixed: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	if (foo->config)
		dev_info(&mdev->dev, "gone\\n");
	/* the last reference */
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
    },
    {
      title: 'Paths that succeed and fail come to one read after the put',
      kernel: '6.2',
      code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	ret = foo_power_on(mdev);
	if (ret)
		goto err;
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err;
	return 0;

err:
	vfio_put_device(&foo->vdev);
	foo_forget(foo->config);
//                 ^^^^^^^^^^^ use-after-put
	return ret;
}
${REMOVE}${DRIVER}`,
      fixed: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;
	void *config;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	ret = foo_power_on(mdev);
	if (ret)
		goto err;
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err;
	return 0;

err:
	config = foo->config;
	vfio_put_device(&foo->vdev);
	foo_forget(config);
	return ret;
}
${REMOVE}${DRIVER}`,
    },
    {
      title: 'A local that is saved has the type of the member, qualifiers included',
      kernel: '6.2',
      code: `${SLOT}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
	foo_reset_slot(foo->regs);
//                     ^^^^^^^^^ use-after-put
}
${DRIVER}`,
      fixed: `${SLOT}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);
	const struct foo_regs __iomem *regs;

	vfio_unregister_group_dev(&foo->vdev);
	regs = foo->regs;
	vfio_put_device(&foo->vdev);
	foo_reset_slot(regs);
}
${DRIVER}`,
    },
    {
      title: 'On 6.1 vfio_pci_core_release_dev() frees the memory',
      kernel: '6.1',
      code: `struct foo {
	struct vfio_pci_core_device core_device;
	void *config;
};

static void foo_release_dev(struct vfio_device *core_vdev)
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);

	vfio_pci_core_release_dev(core_vdev);
	foo->config = NULL;
//      ^^^^^^^^^^^ use-after-put
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = vfio_pci_core_init_dev,
	.release = foo_release_dev,
};

static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, core_device.vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&pdev->dev, &foo->core_device);
	ret = vfio_pci_core_register_device(&foo->core_device);
	if (ret)
		vfio_put_device(&foo->core_device.vdev);
	return ret;
}

static void foo_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core_device = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(core_device);
	vfio_put_device(&core_device->vdev);
}

static struct pci_driver foo_driver = {
	.driver_managed_dma = true,
	.name = "foo",
	.probe = foo_probe,
	.remove = foo_remove,
};
`,
    },
    {
      title: 'Up to 6.0: unregister after the free',
      kernel: '5.14',
      code: `${FOO}${OLD.replace('vfio_register_emulated_iommu_dev', 'vfio_register_group_dev').replace('\tvfio_uninit_group_dev(&foo->vdev);\n', '')}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	kfree(foo);
	vfio_unregister_group_dev(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ use-after-put
}
${DRIVER}`,
    },
  ],
  good: [
    {
      title: 'Read before the put, used after it',
      kernel: '6.2',
      code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);
	struct workqueue_struct *wq = foo->wq;

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
	destroy_workqueue(wq);
}
${DRIVER}`,
    },
    {
      title: 'The parent device is not the container',
      kernel: '6.2',
      code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
	dev_set_drvdata(&mdev->dev, NULL);
	dev_info(&mdev->dev, "removed\\n");
}
${DRIVER}`,
    },
    {
      title: "From 6.2 on .release may use the container after the core's release",
      kernel: '6.2',
      code: `struct foo {
	struct vfio_pci_core_device core_device;
	void *config;
};

static void foo_release_dev(struct vfio_device *core_vdev)
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);

	vfio_pci_core_release_dev(core_vdev);
	kfree(foo->config);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = vfio_pci_core_init_dev,
	.release = foo_release_dev,
};

static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, core_device.vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&pdev->dev, &foo->core_device);
	ret = vfio_pci_core_register_device(&foo->core_device);
	if (ret)
		vfio_put_device(&foo->core_device.vdev);
	return ret;
}

static void foo_remove(struct pci_dev *pdev)
{
	struct foo *foo = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(&foo->core_device);
	vfio_put_device(&foo->core_device.vdev);
}

static struct pci_driver foo_driver = {
	.driver_managed_dma = true,
	.name = "foo",
	.probe = foo_probe,
	.remove = foo_remove,
};
`,
    },
    {
      title: 'The variable is given another value',
      kernel: '6.2',
      code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
	foo = foo_default();
	flush_workqueue(foo->wq);
}
${DRIVER}`,
    },
    { title: 'The put comes last', kernel: '6.2', code: `${FOO}${PROBE}${REMOVE}${DRIVER}` },
  ],
};
