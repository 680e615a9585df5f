/** Drivers that the rule init-leaks-on-error reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, PROBE, REMOVE } from './examples.ts';

const FOO = `struct foo {
	struct vfio_device vdev;
	struct workqueue_struct *wq;
	void *config;
};
`;

/** `.init` takes two things; what follows the second allocation is given. */
const init = (second: string): string => `
static int foo_init_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config)
		return -ENOMEM;
${second}
`;

const RELEASE = `
static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	destroy_workqueue(foo->wq);
	kfree(foo->config);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = foo_init_dev,
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`;

const core = (code: string): string => `struct foo {
	struct vfio_pci_core_device core;
	void *config;
};

static int foo_init_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, core.vdev);
${code}}

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, core.vdev);

	kfree(foo->config);
	vfio_pci_core_release_dev(vdev);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = foo_init_dev,
	.release = foo_release_dev,
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
};

static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, core.vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&pdev->dev, &foo->core);
	ret = vfio_pci_core_register_device(&foo->core);
	if (ret)
		vfio_put_device(&foo->core.vdev);
	return ret;
}

static void foo_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(core);
	vfio_put_device(&core->vdev);
}

static struct pci_driver foo_driver = {
	.driver_managed_dma = true,
	.probe = foo_probe,
	.remove = foo_remove,
};
`;

export const initLeaksOnErrorExamples: Rule['examples'] = {
  bad: [
    {
      title: 'The second allocation fails',
      kernel: '6.2',
      code: `${FOO}${init(`	foo->wq = alloc_workqueue("foo", 0, 0);
	if (!foo->wq)
		return -ENOMEM;
//              ^^^^^^^^^^^^^^^ init-leaks-on-error
	return 0;
}`)}${RELEASE}`,
      fixed: `${FOO}${init(`	foo->wq = alloc_workqueue("foo", 0, 0);
	if (!foo->wq) {
		kfree(foo->config);
		return -ENOMEM;
	}
	return 0;
}`)}${RELEASE}`,
    },
    {
      title: 'The ladder begins too low',
      kernel: '6.2',
      code: `${FOO}${init(`	foo->wq = alloc_workqueue("foo", 0, 0);
	if (!foo->wq)
		goto err_free;
	if (!vdev->dev->parent)
		goto err_free;
//              ^^^^^^^^^^^^^^ init-leaks-on-error
	return 0;

err_free:
	kfree(foo->config);
	return -ENODEV;
}`)}${RELEASE}`,
      fixed: `${FOO}${init(`	foo->wq = alloc_workqueue("foo", 0, 0);
	if (!foo->wq)
		goto err_free;
	if (!vdev->dev->parent) {
		destroy_workqueue(foo->wq);
		goto err_free;
	}
	return 0;

err_free:
	kfree(foo->config);
	return -ENODEV;
}`)}${RELEASE}`,
    },
    {
      title: 'The core can fail since 6.19',
      kernel: '6.19',
      code: core(`
	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config)
		return -ENOMEM;
	return vfio_pci_core_init_dev(vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ init-leaks-on-error
`),
    },
    {
      title: 'A step after that of the core',
      kernel: '6.6',
      code: core(`	int ret;

	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config)
		return -ENOMEM;
	ret = vfio_pci_core_init_dev(vdev);
	if (ret)
		return ret;
	if (!foo->core.pdev->is_virtfn)
		return -ENODEV;
//              ^^^^^^^^^^^^^^^ init-leaks-on-error
	return 0;
`),
      fixed: core(`	int ret;

	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config)
		return -ENOMEM;
	ret = vfio_pci_core_init_dev(vdev);
	if (ret)
		return ret;
	if (!foo->core.pdev->is_virtfn) {
		kfree(foo->config);
		return -ENODEV;
	}
	return 0;
`),
    },
  ],
  good: [
    {
      title: 'Each failure undoes what came before',
      kernel: '6.2',
      code: `${FOO}${init(`	foo->wq = alloc_workqueue("foo", 0, 0);
	if (!foo->wq)
		goto err_free;
	return 0;

err_free:
	kfree(foo->config);
	return -ENOMEM;
}`)}${RELEASE}`,
    },
    {
      title: 'Before 6.19 the core cannot fail',
      kernel: '6.6',
      code: core(`
	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config)
		return -ENOMEM;
	return vfio_pci_core_init_dev(vdev);
`),
    },
    {
      title: "The device set is the core's",
      kernel: '6.2',
      code: `${FOO}
static int foo_init_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);
	int ret;

	ret = vfio_assign_device_set(vdev, vdev->dev);
	if (ret)
		return ret;
	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config)
		return -ENOMEM;
	foo->wq = alloc_workqueue("foo", 0, 0);
	if (!foo->wq) {
		kfree(foo->config);
		return -ENOMEM;
	}
	return 0;
}
${RELEASE}`,
    },
    {
      title: 'Managed memory',
      kernel: '6.2',
      code: `${FOO}
static int foo_init_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	foo->config = devm_kzalloc(vdev->dev, 256, GFP_KERNEL);
	if (!foo->config)
		return -ENOMEM;
	foo->wq = alloc_workqueue("foo", 0, 0);
	if (!foo->wq)
		return -ENOMEM;
	return 0;
}
${RELEASE.replace('\tkfree(foo->config);\n', '')}`,
    },
  ],
};
