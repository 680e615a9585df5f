/** Drivers that the rule leak-on-error-path reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, FOO, REMOVE } from './examples.ts';

const ALLOC = `	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
`;

/** A probe with a work queue and a buffer that remove gives back. */
const probe = (failure: string): string => `
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

${ALLOC}
	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config) {
		ret = -ENOMEM;
		goto err_put;
	}
	foo->wq = alloc_workqueue("foo", 0, 0);
	if (!foo->wq) {
		ret = -ENOMEM;
		goto err_free;
	}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
${failure}
	return 0;

err_wq:
	destroy_workqueue(foo->wq);
err_free:
	kfree(foo->config);
err_put:
	vfio_put_device(&foo->vdev);
	return ret;
}
`;

const REMOVE_BOTH = `
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	destroy_workqueue(foo->wq);
	kfree(foo->config);
	vfio_put_device(&foo->vdev);
}
`;

const PCI = `struct foo {
	struct vfio_device vdev;
	void __iomem *bar;
	int nvec;
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
};
`;

const PCI_DRIVER = `
static struct pci_driver foo_driver = {
	.driver_managed_dma = true,
	.probe = foo_probe,
	.remove = foo_remove,
};
`;

const pciProbe = (failure: string): string => `
static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct foo *foo;
	int ret;

	ret = pci_enable_device(pdev);
	if (ret)
		return ret;

	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo)) {
${failure}
	}
	pci_set_drvdata(pdev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret) {
		vfio_put_device(&foo->vdev);
		pci_disable_device(pdev);
	}
	return ret;
}
`;

const PCI_REMOVE = `
static void foo_remove(struct pci_dev *pdev)
{
	struct foo *foo = pci_get_drvdata(pdev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
	pci_disable_device(pdev);
}
`;

/** A probe whose last failure is in a branch of its own. */
const branchProbe = (failure: string): string => `
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

${ALLOC}
	foo->wq = alloc_workqueue("foo", 0, 0);
	if (!foo->wq) {
		vfio_put_device(&foo->vdev);
		return -ENOMEM;
	}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
${failure}
	}
	return 0;
}
`;

const REMOVE_WQ = `
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	destroy_workqueue(foo->wq);
	vfio_put_device(&foo->vdev);
}
`;

export const leakOnErrorPathExamples: Rule['examples'] = {
  bad: [
    {
      title: 'The wrong label',
      kernel: '6.2',
      code: `${FOO}${probe(`		goto err_free;
//              ^^^^^^^^^^^^^^ leak-on-error-path`)}${REMOVE_BOTH}${DRIVER}`,
      fixed: `${FOO}${probe('\t\tgoto err_wq;')}${REMOVE_BOTH}${DRIVER}`,
    },
    {
      title: 'Past two labels',
      kernel: '6.2',
      code: `${FOO}${probe(`		goto err_put;
//              ^^^^^^^^^^^^^ leak-on-error-path`)}${REMOVE_BOTH}${DRIVER}`,
      fixed: `${FOO}${probe('\t\tgoto err_wq;')}${REMOVE_BOTH}${DRIVER}`,
    },
    {
      title: 'Only remove knows of the work queue',
      kernel: '6.2',
      code: `${FOO}${branchProbe(`		vfio_put_device(&foo->vdev);
		return ret;
//              ^^^^^^^^^^^ leak-on-error-path`)}${REMOVE_WQ}${DRIVER}`,
      fixed: `${FOO}${branchProbe(`		destroy_workqueue(foo->wq);
		vfio_put_device(&foo->vdev);
		return ret;`)}${REMOVE_WQ}${DRIVER}`,
    },
    {
      title: 'Taken before the allocation that fails',
      kernel: '6.2',
      code: `${PCI}${pciProbe(`		return PTR_ERR(foo);
//              ^^^^^^^^^^^^^^^^^^^^ leak-on-error-path`)}${PCI_REMOVE}${PCI_DRIVER}`,
      fixed: `${PCI}${pciProbe(`		pci_disable_device(pdev);
		return PTR_ERR(foo);`)}${PCI_REMOVE}${PCI_DRIVER}`,
    },
    {
      title: 'Only the failing path releases it',
      kernel: '6.2',
      code: `${FOO}${branchProbe(`		destroy_workqueue(foo->wq);
		vfio_put_device(&foo->vdev);
		return ret;`)}${REMOVE.replace(
        'static void foo_remove(struct mdev_device *mdev)',
        `static void foo_remove(struct mdev_device *mdev)
//          ^^^^^^^^^^ leak-on-error-path`,
      )}${DRIVER}`,
    },
  ],
  good: [
    {
      title: 'Each label undoes one thing',
      kernel: '6.2',
      code: `${FOO}${probe('\t\tgoto err_wq;')}${REMOVE_BOTH}${DRIVER}`,
    },
    {
      title: '.release releases it',
      kernel: '6.2',
      code: `struct foo {
	struct vfio_device vdev;
	struct workqueue_struct *wq;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	if (foo->wq)
		destroy_workqueue(foo->wq);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
${branchProbe(`		vfio_put_device(&foo->vdev);
		return ret;`)}${REMOVE}${DRIVER}`,
    },
    {
      title: 'A managed action releases it',
      kernel: '6.2',
      code: `${FOO}
static void foo_destroy_wq(void *data)
{
	destroy_workqueue(data);
}

static int foo_probe(struct mdev_device *mdev)
{
	struct workqueue_struct *wq;
	struct foo *foo;
	int ret;

	wq = alloc_workqueue("foo", 0, 0);
	if (!wq)
		return -ENOMEM;
	ret = devm_add_action_or_reset(&mdev->dev, foo_destroy_wq, wq);
	if (ret)
		return ret;
${ALLOC}
	foo->wq = wq;
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
    },
    {
      title: 'Managed from the start',
      kernel: '6.2',
      code: `${PCI}
static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct foo *foo;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pci_request_regions(pdev, "foo");
	if (ret)
		return ret;
	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	pci_set_drvdata(pdev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}

static void foo_remove(struct pci_dev *pdev)
{
	struct foo *foo = pci_get_drvdata(pdev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
	pci_release_regions(pdev);
}
${PCI_DRIVER}`,
    },
    {
      title: 'Under a condition of the driver',
      kernel: '6.2',
      code: `struct foo {
	struct vfio_device vdev;
	struct workqueue_struct *wq;
	bool has_wq;
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
};

static bool foo_wants_wq;

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

${ALLOC}
	if (foo_wants_wq) {
		foo->wq = alloc_workqueue("foo", 0, 0);
		foo->has_wq = !!foo->wq;
	}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
		if (foo->has_wq)
			destroy_workqueue(foo->wq);
		vfio_put_device(&foo->vdev);
		return ret;
	}
	return 0;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	if (foo->has_wq)
		destroy_workqueue(foo->wq);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
    },
    {
      title: 'A helper of another module takes it over',
      kernel: '6.2',
      code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

${ALLOC}
	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config) {
		vfio_put_device(&foo->vdev);
		return -ENOMEM;
	}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
		vendor_keep_for_later(mdev, foo->config);
		vfio_put_device(&foo->vdev);
	}
	return ret;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	kfree(foo->config);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
    },
    {
      title: 'The core device is the first member, and what is freed is read from drvdata as that',
      kernel: '6.0',
      code: `struct foo {
	struct vfio_pci_core_device core;
	u32 rings[];
};

static const struct vfio_device_ops foo_ops = { .name = "foo" };

static void foo_end(struct foo *foo)
{
	vfio_pci_core_unregister_device(&foo->core);
	vfio_pci_core_uninit_device(&foo->core);
	kfree(foo);
}

static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(struct_size(foo, rings, 4), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_pci_core_init_device(&foo->core, pdev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
	dev_set_drvdata(&pdev->dev, &foo->core);
	ret = vfio_pci_core_register_device(&foo->core);
	if (ret) {
		vfio_pci_core_uninit_device(&foo->core);
		kfree(foo);
	}
	return ret;
}

static void foo_remove(struct pci_dev *pdev)
{
	foo_end(dev_get_drvdata(&pdev->dev));
}

static struct pci_driver foo_driver = {
	.driver_managed_dma = true,
	.name = "foo",
	.probe = foo_probe,
	.remove = foo_remove,
};`,
    },
  ],
};
