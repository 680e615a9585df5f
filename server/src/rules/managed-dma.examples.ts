/** Drivers that the rule managed-dma reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';

const FOO = `struct foo {
	struct vfio_device vdev;
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
};
`;

/** A driver of a bus, with what its driver struct has besides the two callbacks. */
function driverOf(bus: string, table: string, register = 'vfio_register_group_dev'): string {
  return `
static int foo_probe(struct ${bus}_dev *parent)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &parent->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&parent->dev, foo);
	ret = ${register}(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}

static void foo_remove(struct ${bus}_dev *parent)
{
	struct foo *foo = dev_get_drvdata(&parent->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}

static struct ${bus}_driver foo_driver = {${table}
	.probe = foo_probe,
	.remove = foo_remove,
};
`.replaceAll(/\b(platform|cdx|fsl_mc)_dev\b/g, '$1_device');
}

const MANAGED = '\n\t.driver_managed_dma = true,';

/** The carets under the name of the struct, whose column its type decides. */
function flagged(bus: string): string {
  const column = `static struct ${bus}_driver `.length;
  return `\n//${' '.repeat(column - 2)}^^^^^^^^^^ managed-dma hint`;
}

export const managedDmaExamples: Rule['examples'] = {
  bad: [
    {
      title: 'A PCI driver',
      kernel: '6.2',
      code: `${FOO}${driverOf('pci', flagged('pci'))}`,
    },
    {
      title: 'A platform driver',
      kernel: '6.2',
      code: `${FOO}${driverOf('platform', flagged('platform'))}`,
    },
    {
      title: 'A driver of the fsl-mc bus',
      kernel: '6.2',
      code: `${FOO}${driverOf('fsl_mc', flagged('fsl_mc'))}`,
    },
  ],
  good: [
    {
      title: 'The driver manages DMA',
      kernel: '6.2',
      code: `${FOO}${driverOf('pci', MANAGED)}`,
    },
    {
      title: 'A driver that sets it when the module is loaded',
      kernel: '6.2',
      code: `${FOO}${driverOf('cdx', '')}
static int __init foo_module_init(void)
{
	foo_driver.driver_managed_dma = true;
	return cdx_driver_register(&foo_driver);
}
`,
    },
    {
      title: 'A struct that depends on the version',
      kernel: '6.2',
      code: `${FOO}${driverOf(
        'pci',
        `
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 19, 0)
	.driver_managed_dma = true,
#endif`,
      )}`,
    },
    {
      title: 'An emulated device below a device of the bus',
      kernel: '6.2',
      code: `${FOO}${driverOf('auxiliary', '', 'vfio_register_emulated_iommu_dev')}`,
    },
  ],
};
