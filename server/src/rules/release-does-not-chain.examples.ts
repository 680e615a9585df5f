/** Drivers that the rule release-does-not-chain reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';

const PCI_PROBE = `
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
`;

const CONTAINER = `struct foo {
	struct vfio_pci_core_device core_device;
	void *state;
};
`;

const INIT = `
static int foo_init_dev(struct vfio_device *core_vdev)
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);

	foo->state = NULL;
	return vfio_pci_core_init_dev(core_vdev);
}
`;

function ops(...members: string[]): string {
  return `
static const struct vfio_device_ops foo_ops = {
	.name = "foo-vfio-pci",
${members.map((one) => `\t${one},\n`).join('')}};
`;
}

const TABLE = ops('.init = foo_init_dev', '.release = foo_release_dev');

export const releaseDoesNotChainExamples: Rule['examples'] = {
  bad: [
    {
      title: '.release is the free of the memory alone',
      kernel: '6.1',
      code: `${CONTAINER}${INIT}${ops(
        '.init = foo_init_dev',
        '.release = vfio_free_device',
      ).replace(
        'vfio_free_device,',
        'vfio_free_device,\n//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^ release-does-not-chain',
      )}${PCI_PROBE}`,
      fixed: `${CONTAINER}${INIT}${ops(
        '.init = foo_init_dev',
        '.release = vfio_pci_core_release_dev',
      )}${PCI_PROBE}`,
    },
    {
      title: ".release frees the driver's part only",
      kernel: '6.2',
      code: `${CONTAINER}${INIT}
static void foo_release_dev(struct vfio_device *core_vdev)
//          ^^^^^^^^^^^^^^^ release-does-not-chain
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);

	kfree(foo->state);
}
${TABLE}${PCI_PROBE}`,
      fixed: `${CONTAINER}${INIT}
static void foo_release_dev(struct vfio_device *core_vdev)
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);

	kfree(foo->state);
	vfio_pci_core_release_dev(core_vdev);
}
${TABLE}${PCI_PROBE}`,
    },
    {
      title: ".init does the driver's part only",
      kernel: '6.2',
      code: `${CONTAINER}
static int foo_init_dev(struct vfio_device *core_vdev)
//         ^^^^^^^^^^^^ release-does-not-chain
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);

	foo->state = NULL;
	return 0;
}
${ops('.init = foo_init_dev', '.release = vfio_pci_core_release_dev')}${PCI_PROBE}`,
      fixed: `${CONTAINER}
static int foo_init_dev(struct vfio_device *core_vdev)
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);
	int ret;

	ret = vfio_pci_core_init_dev(core_vdev);
	if (ret)
		return ret;

	foo->state = NULL;
	return 0;
}
${ops('.init = foo_init_dev', '.release = vfio_pci_core_release_dev')}${PCI_PROBE}`,
    },
    {
      title: '.init answers with what a register says',
      kernel: '6.2',
      code: `${CONTAINER}
static int foo_ask(struct foo *foo)
{
	return readl(foo_regs) & 1;
}

static int foo_init_dev(struct vfio_device *core_vdev)
//         ^^^^^^^^^^^^ release-does-not-chain
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);

	return foo_ask(foo);
}
${ops('.init = foo_init_dev', '.release = vfio_pci_core_release_dev')}${PCI_PROBE}`,
    },
    {
      title: 'The table has neither',
      kernel: '6.2',
      code: `${CONTAINER}${ops('.open_device = foo_open_device').replace(/^static.*$/m, (line) => `${line}\n//                                  ^^^^^^^ release-does-not-chain`)}${PCI_PROBE}`,
      fixed: `${CONTAINER}${ops('.init = vfio_pci_core_init_dev', '.release = vfio_pci_core_release_dev', '.open_device = foo_open_device')}${PCI_PROBE}`,
    },
    {
      title: 'The table has only .init',
      kernel: '6.12',
      code: `${CONTAINER}${INIT}
static const struct vfio_device_ops foo_ops = {
//                                  ^^^^^^^ release-does-not-chain
	.name		= "foo-vfio-pci",
	.init		= foo_init_dev,
	.bind_iommufd	= vfio_iommufd_physical_bind,
	.unbind_iommufd	= vfio_iommufd_physical_unbind,
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,
	.detach_ioas	= vfio_iommufd_physical_detach_ioas,
};
${PCI_PROBE}`,
      fixed: `${CONTAINER}${INIT}
static const struct vfio_device_ops foo_ops = {
	.name		= "foo-vfio-pci",
	.init		= foo_init_dev,
	.release	= vfio_pci_core_release_dev,
	.bind_iommufd	= vfio_iommufd_physical_bind,
	.unbind_iommufd	= vfio_iommufd_physical_unbind,
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,
	.detach_ioas	= vfio_iommufd_physical_detach_ioas,
};
${PCI_PROBE}`,
    },
    {
      title: 'On 6.1, the bare free',
      kernel: '6.1',
      code: `${CONTAINER}${INIT}
static void foo_release_dev(struct vfio_device *core_vdev)
//          ^^^^^^^^^^^^^^^ release-does-not-chain
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);

	kfree(foo->state);
	vfio_free_device(core_vdev);
}
${TABLE}${PCI_PROBE}`,
      fixed: `${CONTAINER}${INIT}
static void foo_release_dev(struct vfio_device *core_vdev)
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);

	kfree(foo->state);
	vfio_pci_core_release_dev(core_vdev);
}
${TABLE}${PCI_PROBE}`,
    },
    {
      title: 'An early return',
      kernel: '6.2',
      code: `${CONTAINER}${INIT}
static void foo_release_dev(struct vfio_device *core_vdev)
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);

	if (!foo->state)
		return;
//              ^^^^^^^ release-does-not-chain
	kfree(foo->state);
	vfio_pci_core_release_dev(core_vdev);
}
${TABLE}${PCI_PROBE}`,
    },
  ],
  good: [
    {
      title: "Both are the core's own",
      kernel: '6.1',
      code: `${CONTAINER}${ops('.init = vfio_pci_core_init_dev', '.release = vfio_pci_core_release_dev')}${PCI_PROBE}`,
    },
    {
      title: "Both call the core's, one through a helper",
      kernel: '6.1',
      code: `${CONTAINER}${INIT}
static void foo_destroy(struct foo *foo)
{
	kfree(foo->state);
	vfio_pci_core_release_dev(&foo->core_device.vdev);
}

static void foo_release_dev(struct vfio_device *core_vdev)
{
	foo_destroy(container_of(core_vdev, struct foo, core_device.vdev));
}
${TABLE}${PCI_PROBE}`,
    },
    {
      title: '.init fails before it comes to the core',
      kernel: '6.2',
      code: `${CONTAINER}
static int foo_init_dev(struct vfio_device *core_vdev)
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);

	foo->state = kzalloc(64, GFP_KERNEL);
	if (!foo->state)
		return -ENOMEM;
	return vfio_pci_core_init_dev(core_vdev);
}

static void foo_release_dev(struct vfio_device *core_vdev)
{
	struct foo *foo = container_of(core_vdev, struct foo, core_device.vdev);

	vfio_pci_core_release_dev(core_vdev);
	kfree(foo->state);
}
${TABLE}${PCI_PROBE}`,
    },
    {
      title: "A vendor's library does both",
      kernel: '6.2',
      code: `#include <vendor/core.h>

${CONTAINER}${ops('.init = vendor_core_init_dev', '.release = vendor_core_release_dev')}${PCI_PROBE}`,
    },
    {
      title: 'No vfio-pci core device',
      kernel: '6.2',
      code: `struct foo {
	struct vfio_device vdev;
	void *state;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	kfree(container_of(vdev, struct foo, vdev)->state);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};

static int foo_probe(struct platform_device *pdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	platform_set_drvdata(pdev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
`,
    },
    {
      title: 'A member that an option decides',
      kernel: '6.2',
      code: `${CONTAINER}
static const struct vfio_device_ops foo_ops = {
	.name = "foo-vfio-pci",
	.init = vfio_pci_core_init_dev,
#ifdef HAVE_VFIO_ALLOC_DEVICE
	.release = vfio_pci_core_release_dev,
#endif
};
${PCI_PROBE}`,
    },
  ],
};
