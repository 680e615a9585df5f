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
${members.map((one) => `\t.${one},\n`).join('')}};
`;
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

/** The same driver for a device of the platform bus. */
const PLATFORM = `${PHYSICAL_PROBE}${REMOVE}${DRIVER}`
  .replaceAll('mdev_device *mdev', 'platform_device *pdev')
  .replaceAll('&mdev->dev', '&pdev->dev')
  .replaceAll('mdev_driver', 'platform_driver');

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
      code: driver(ops('ops-table-incomplete hint', 'read = foo_read'), PHYSICAL_PROBE),
      fixed: driver(ops(null, 'read = foo_read', ...EMULATED, DETACH), PHYSICAL_PROBE),
    },
  ],
  good: [
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
