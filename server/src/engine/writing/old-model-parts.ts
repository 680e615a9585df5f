/**
 * The parts of a driver of the old model, for snippets: kernels that have vfio_uninit_group_dev()
 * and not yet vfio_alloc_device(), which are 5.15 to 6.0.
 */
import { apiEntry } from '../../kernel/lifecycle-api.ts';
import type { KernelVersion } from '../../kernel/types.ts';
import { inRange } from '../../kernel/version.ts';
import type { NewDriverBus } from '../new-driver/types.ts';

const OWN_MEMBERS = `	.close_device = foo_close_device,
	.ioctl = foo_ioctl,
`;
/** v5.16 drivers/vfio/pci/vfio_pci.c */
const PCI_MEMBERS = `	.close_device = vfio_pci_core_close_device,
	.ioctl = vfio_pci_core_ioctl,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vfio_pci_core_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
`;

/** What a bus calls its devices, and what the calls of a driver on it are. */
interface OldBus {
  readonly device: string;
  readonly parameters: string;
  readonly holder: string;
  readonly member: string;
  readonly init: string;
  readonly uninit: string;
  readonly register: string;
  readonly unregister: string;
  /** What `.remove` returns. */
  readonly removeType: 'int' | 'void';
}

function busOf(bus: NewDriverBus, kernel: KernelVersion): OldBus {
  const plain = {
    holder: 'vfio_device',
    member: 'vdev',
    uninit: 'vfio_uninit_group_dev',
    unregister: 'vfio_unregister_group_dev',
  };
  const emulated = apiEntry('vfio_register_emulated_iommu_dev')!;
  switch (bus) {
    case 'pci':
      return {
        device: 'pdev',
        parameters: 'struct pci_dev *pdev, const struct pci_device_id *id',
        holder: 'vfio_pci_core_device',
        member: 'core_device',
        init: 'vfio_pci_core_init_device(&foo->core_device, pdev, &foo_ops)',
        uninit: 'vfio_pci_core_uninit_device',
        register: 'vfio_pci_core_register_device',
        unregister: 'vfio_pci_core_unregister_device',
        removeType: 'void',
      };
    case 'mdev':
      return {
        ...plain,
        device: 'mdev',
        parameters: 'struct mdev_device *mdev',
        init: 'vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops)',
        register: inRange(kernel, emulated.kernels)
          ? 'vfio_register_emulated_iommu_dev'
          : 'vfio_register_group_dev',
        removeType: 'void',
      };
    case 'platform':
      return {
        ...plain,
        device: 'pdev',
        parameters: 'struct platform_device *pdev',
        init: 'vfio_init_group_dev(&foo->vdev, &pdev->dev, &foo_ops)',
        register: 'vfio_register_group_dev',
        removeType: 'int',
      };
  }
}

/** The text of the parts, of a driver of the name `foo`; undefined for other kernels. */
export function oldModelParts(bus: NewDriverBus, kernel: KernelVersion): string | undefined {
  const uninit = apiEntry('vfio_uninit_group_dev')!;
  if (!inRange(kernel, uninit.kernels)) return undefined;
  const one = busOf(bus, kernel);
  const device = one.parameters.split(',', 1)[0]!;
  return `struct foo_device {
	struct ${one.holder} ${one.member};
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.open_device = foo_open_device,
${bus === 'pci' ? PCI_MEMBERS : OWN_MEMBERS}};

static int foo_probe(${one.parameters})
{
	struct foo_device *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	${one.init};

	dev_set_drvdata(&${one.device}->dev, ${bus === 'pci' ? '&foo->core_device' : 'foo'});
	ret = ${one.register}(&foo->${one.member});
	if (ret)
		goto err_uninit;
	return 0;

err_uninit:
	${one.uninit}(&foo->${one.member});
	kfree(foo);
	return ret;
}

static ${one.removeType} foo_remove(${device})
{
${removeBody(bus, one)}}
`;
}

function removeBody(bus: NewDriverBus, one: OldBus): string {
  const drvdata = `dev_get_drvdata(&${one.device}->dev)`;
  const find =
    bus === 'pci'
      ? `	struct vfio_pci_core_device *core_device = ${drvdata};
	struct foo_device *foo = container_of(core_device, struct foo_device, core_device);
`
      : `	struct foo_device *foo = ${drvdata};
`;
  const result = one.removeType === 'int' ? '	return 0;\n' : '';
  return `${find}
	${one.unregister}(&foo->${one.member});
	${one.uninit}(&foo->${one.member});
	kfree(foo);
${result}`;
}
