/** Drivers that the rule ops-table-incomplete reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, PROBE, REMOVE } from './examples.ts';

const CONTAINER = `struct foo {
	struct vfio_device vdev;
};
`;

/** The table, its name marked when there is something to say. */
function ops(mark: string | null, ...members: string[]): string {
  return `
static const struct vfio_device_ops foo_ops = {
${mark === null ? '' : `//                                  ^^^^^^^ ${mark}\n`}	.name = "foo",
${members.map((one) => (one.startsWith('//') ? `${one}\n` : `\t.${one},\n`)).join('')}};
`;
}

/** Marks the member above. */
function marked(member: string, mark: string): string[] {
  return [member, `//      ${'^'.repeat(member.length + 1)} ${mark}`];
}

function driver(table: string, probe: string = PROBE): string {
  return `${CONTAINER}${table}${probe}${REMOVE}${DRIVER}`;
}

const EMULATED = [
  'bind_iommufd = vfio_iommufd_emulated_bind',
  'unbind_iommufd = vfio_iommufd_emulated_unbind',
  'attach_ioas = vfio_iommufd_emulated_attach_ioas',
];
const DETACH = 'detach_ioas = vfio_iommufd_emulated_detach_ioas';

const PHYSICAL_PROBE = PROBE.replace('vfio_register_emulated_iommu_dev', 'vfio_register_group_dev');

const MARKED_PROBE = PHYSICAL_PROBE.replace(
  /^(.*vfio_register_group_dev.*)$/m,
  '$1\n//            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ wrong-register',
);

/** The same driver for a device of the platform bus. */
const PLATFORM = `${PHYSICAL_PROBE}${REMOVE}${DRIVER}`
  .replaceAll('mdev_device *mdev', 'platform_device *pdev')
  .replaceAll('&mdev->dev', '&pdev->dev')
  .replace(
    'mdev_driver foo_driver = {',
    'platform_driver foo_driver = {\n\t.driver_managed_dma = true,',
  );

/** Callbacks that attach the device themselves. */
const OWN = `
static int foo_bind(struct vfio_device *vdev, struct iommufd_ctx *ictx, u32 *id)
{
	return foo_bind_hw(vdev, ictx, id);
}

static void foo_unbind(struct vfio_device *vdev)
{
	foo_unbind_hw(vdev);
}

static int foo_attach(struct vfio_device *vdev, u32 *pt_id)
{
	return foo_attach_hw(vdev, pt_id);
}
`;

/** The members that a driver on the vfio-pci core has. */
const PCI_CORE = [
  'init = vfio_pci_core_init_dev',
  'release = vfio_pci_core_release_dev',
  'ioctl = vfio_pci_core_ioctl',
  'match = vfio_pci_core_match',
  ...[...EMULATED, DETACH].map((one) => one.replace('emulated', 'physical')),
];
const PCI_CORE_OF_6_19 = PCI_CORE.flatMap((one) => {
  if (one.startsWith('ioctl')) {
    return [one, 'get_region_info_caps = vfio_pci_ioctl_get_region_info'];
  }
  return one.startsWith('match') ? [one, 'match_token_uuid = vfio_pci_core_match_token_uuid'] : one;
});

/** A driver on the vfio-pci core with this table. */
function pciDriver(table: string): string {
  return `struct foo {
	struct vfio_pci_core_device core;
};
${table}
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
}

const IOCTL = `
static long foo_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case VFIO_DEVICE_GET_REGION_INFO:
		return foo_region_info(vdev, arg);
	default:
		return -ENOTTY;
	}
}
`;

export const opsTableIncompleteExamples: Rule['examples'] = {
  bad: [
    {
      title: 'A driver of 6.5 on 6.6',
      kernel: '6.6',
      code: driver(ops('ops-table-incomplete', ...EMULATED)),
      fixed: driver(ops(null, ...EMULATED, DETACH)),
    },
    {
      title: 'Two of three on 6.2',
      kernel: '6.2',
      code: driver(ops('ops-table-incomplete', EMULATED[0]!, EMULATED[2]!, 'read = foo_read')),
      fixed: driver(ops(null, EMULATED[0]!, EMULATED[2]!, EMULATED[1]!, 'read = foo_read')),
    },
    {
      title: 'None at all',
      kernel: '6.12',
      code: driver(ops('ops-table-incomplete hint', 'read = foo_read')),
      fixed: driver(ops(null, 'read = foo_read', ...EMULATED, DETACH)),
    },
    {
      title: 'A device with an IOMMU group, in an aligned table',
      kernel: '6.4',
      code: `${CONTAINER}
static const struct vfio_device_ops foo_ops = {
//                                  ^^^^^^^ ops-table-incomplete
	.name		= "foo",
	.bind_iommufd	= vfio_iommufd_physical_bind
};
${PLATFORM}`,
      fixed: `${CONTAINER}
static const struct vfio_device_ops foo_ops = {
	.name		= "foo",
	.bind_iommufd	= vfio_iommufd_physical_bind,
	.unbind_iommufd	= vfio_iommufd_physical_unbind,
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,
};
${PLATFORM}`,
    },
    {
      title: "Callbacks of the driver's own: no helper goes beside them",
      kernel: '6.12',
      code: driver(
        `${OWN}${ops('ops-table-incomplete', 'bind_iommufd = foo_bind', 'unbind_iommufd = foo_unbind', 'attach_ioas = foo_attach')}`,
      ),
      fixed: driver(
        `${OWN}${ops(null, 'bind_iommufd = foo_bind', 'unbind_iommufd = foo_unbind', 'attach_ioas = foo_attach')}`,
      ),
    },
    {
      title: 'An mdev that is registered as a physical device',
      kernel: '6.12',
      code: driver(ops('ops-table-incomplete hint', 'read = foo_read'), MARKED_PROBE),
      fixed: driver(ops(null, 'read = foo_read', ...EMULATED, DETACH), PHYSICAL_PROBE),
    },
    {
      title: 'A vfio-pci driver of 6.16 on 6.19',
      kernel: '6.19',
      code: pciDriver(
        ops(
          null,
          ...PCI_CORE.flatMap((one) => {
            if (one.startsWith('match')) return marked(one, 'ops-table-incomplete');
            return one.startsWith('ioctl') ? marked(one, 'ops-table-incomplete warning') : one;
          }),
        ),
      ),
      fixed: pciDriver(ops(null, ...PCI_CORE_OF_6_19)),
    },
    {
      title: 'An ioctl of its own, which no longer sees the request',
      kernel: '6.19',
      code: driver(
        `${IOCTL}${ops(null, ...EMULATED, DETACH, ...marked('ioctl = foo_ioctl', 'ops-table-incomplete warning'))}`,
      ),
      fixed: driver(`${IOCTL}${ops(null, ...EMULATED, DETACH, 'ioctl = foo_ioctl')}`),
    },
  ],
  good: [
    { title: 'vfio-pci on 6.16', kernel: '6.16', code: pciDriver(ops(null, ...PCI_CORE)) },
    {
      title: 'A match of its own, and no ioctl',
      kernel: '6.19',
      code: driver(ops(null, ...EMULATED, DETACH, 'match = foo_match')),
    },
    {
      title: 'A device without regions',
      kernel: '6.19',
      code: driver(
        `${IOCTL.replace('GET_REGION_INFO', 'RESET')}${ops(null, ...EMULATED, DETACH, 'ioctl = foo_ioctl')}`,
      ),
    },
    { title: 'All four', kernel: '6.6', code: driver(ops(null, ...EMULATED, DETACH)) },
    { title: 'All three, before 6.6', kernel: '6.5', code: driver(ops(null, ...EMULATED)) },
    { title: 'None, before 6.4', kernel: '6.3', code: driver(ops(null, 'read = foo_read')) },
    {
      title: 'An option decides',
      kernel: '6.6',
      code: `${CONTAINER}
static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.bind_iommufd = vfio_iommufd_emulated_bind,
#ifdef CONFIG_IOMMUFD
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
#endif
};
${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'A macro sets them',
      kernel: '6.6',
      code: `${CONTAINER}
static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.bind_iommufd = vfio_iommufd_emulated_bind,
	FOO_IOMMUFD_OPS
};
${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'A table that is a template for others',
      kernel: '6.6',
      code: `${driver(ops(null, ...EMULATED, DETACH))}
static const struct vfio_device_ops foo_template = {
	.name = "foo-template",
	.bind_iommufd = vfio_iommufd_emulated_bind,
};

const struct vfio_device_ops *foo_get_template(void)
{
	return &foo_template;
}
`,
    },
  ],
};
