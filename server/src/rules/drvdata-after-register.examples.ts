/** Drivers that the rule drvdata-after-register reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, FOO, PROBE, REMOVE } from './examples.ts';

const CORE = `struct foo {
	struct vfio_pci_core_device core_device;
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo-vfio-pci",
	.init = vfio_pci_core_init_dev,
	.release = vfio_pci_core_release_dev,
};
`;

const CORE_PROBE = `
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
		goto out_put;
	return 0;

out_put:
	vfio_put_device(&foo->core_device.vdev);
	return ret;
}
`;

/** With the setter behind the registration. */
const LATE_CORE_PROBE = CORE_PROBE.replace(
  '\tdev_set_drvdata(&pdev->dev, &foo->core_device);\n',
  '',
).replace(
  '\treturn 0;\n',
  `\tdev_set_drvdata(&pdev->dev, &foo->core_device);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ drvdata-after-register
	return 0;
`,
);

const SET = '\tdev_set_drvdata(&mdev->dev, foo);\n';
const LATE_PROBE = PROBE.replace(SET, '').replace('\treturn 0;\n', `${SET}\treturn 0;\n`);

const READER = `struct foo {
	struct vfio_device vdev;
	void *config;
};

static ssize_t foo_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	struct foo *foo = dev_get_drvdata(vdev->dev);

	return simple_read_from_buffer(buf, count, ppos, foo->config, 256);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.read = foo_read,
};
`;

export const drvdataAfterRegisterExamples: Rule['examples'] = {
  bad: [
    {
      title: 'vfio-pci core, and drvdata is never set',
      kernel: '6.2',
      code: `struct foo {
	struct vfio_pci_core_device core;
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = vfio_pci_core_init_dev,
	.release = vfio_pci_core_release_dev,
};

static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, core.vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	ret = vfio_pci_core_register_device(&foo->core);
//            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ drvdata-after-register
	if (ret)
		vfio_put_device(&foo->core.vdev);
	return ret;
}
`,
    },
    {
      title: 'vfio-pci core compares it',
      kernel: '6.2',
      code: `${CORE}${LATE_CORE_PROBE}`,
      fixed: `${CORE}${CORE_PROBE}`,
    },
    {
      title: 'vfio-pci core of 5.19',
      kernel: '5.19',
      code: `struct foo {
	struct vfio_pci_core_device core_device;
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo-vfio-pci",
};

static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_pci_core_init_device(&foo->core_device, pdev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
	ret = vfio_pci_core_register_device(&foo->core_device);
	if (ret) {
		vfio_pci_core_uninit_device(&foo->core_device);
		kfree(foo);
		return ret;
	}
	pci_set_drvdata(to_pci_dev(dev), foo);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ drvdata-after-register
	return 0;
}
`,
    },
    {
      title: 'A callback reads it',
      kernel: '6.2',
      code: `${READER}${LATE_PROBE.replace(SET, `${SET}//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ drvdata-after-register warning\n`)}${REMOVE}${DRIVER}`,
      fixed: `${READER}${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'A helper of a callback reads it',
      kernel: '6.2',
      code: `struct foo {
	struct vfio_device vdev;
	void *config;
};

static void *foo_config(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);

	return foo->config;
}

static int foo_open_device(struct vfio_device *vdev)
{
	return foo_config(vdev->dev) ? 0 : -ENODEV;
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.open_device = foo_open_device,
};
${LATE_PROBE.replace(SET, `${SET}//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ drvdata-after-register warning\n`)}${REMOVE}${DRIVER}`,
    },
  ],
  good: [
    { title: 'Before the registration', kernel: '6.2', code: `${CORE}${CORE_PROBE}` },
    {
      title: 'After it, where only remove reads it',
      kernel: '6.2',
      code: `${FOO}${LATE_PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'vfio-pci core of 5.18 does not look',
      kernel: '5.18',
      code: `struct foo {
	struct vfio_pci_core_device core_device;
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo-vfio-pci",
};

static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_pci_core_init_device(&foo->core_device, pdev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
	ret = vfio_pci_core_register_device(&foo->core_device);
	if (ret) {
		vfio_pci_core_uninit_device(&foo->core_device);
		kfree(foo);
		return ret;
	}
	dev_set_drvdata(&pdev->dev, foo);
	return 0;
}
`,
    },
    {
      title: 'The drvdata of another device',
      kernel: '6.2',
      code: `${READER}${PROBE.replace('\treturn 0;\n', '\tdev_set_drvdata(mdev->dev.parent, foo);\n\treturn 0;\n').replace(SET, '')}${REMOVE.replace('&mdev->dev', 'mdev->dev.parent')}${DRIVER}`,
    },
    {
      title: 'A callback reads that of a device it has found',
      kernel: '6.2',
      code: `${READER.replace(
        '	struct foo *foo = dev_get_drvdata(vdev->dev);\n',
        `	struct foo *foo = container_of(vdev, struct foo, vdev);
	struct device *queue = driver_find_device(foo_queue_driver, NULL, NULL, foo_match);

	if (!queue || !dev_get_drvdata(queue))
		return -ENODEV;
`,
      )}${LATE_PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'Set before, and once more',
      kernel: '6.2',
      code: `${READER}${PROBE.replace('\treturn 0;\n', `${SET}\treturn 0;\n`)}${REMOVE}${DRIVER}`,
    },
    {
      title: 'The allocating helper has set it',
      kernel: '6.2',
      code: `${CORE}
static struct foo *foo_alloc(struct pci_dev *pdev)
{
	struct foo *foo;

	foo = vfio_alloc_device(foo, core_device.vdev, &pdev->dev, &foo_ops);
	if (!IS_ERR(foo))
		pci_set_drvdata(pdev, &foo->core_device);
	return foo;
}

static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct foo *foo = foo_alloc(pdev);
	int ret;

	if (IS_ERR(foo))
		return PTR_ERR(foo);

	ret = vfio_pci_core_register_device(&foo->core_device);
	if (ret) {
		vfio_put_device(&foo->core_device.vdev);
		return ret;
	}
	dev_set_drvdata(&pdev->dev, foo);
	return 0;
}
`,
    },
    {
      title: 'Cleared on the error path',
      kernel: '6.2',
      code: `${CORE}${CORE_PROBE}
static void foo_remove(struct pci_dev *pdev)
{
	struct foo *foo = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(&foo->core_device);
	dev_set_drvdata(&pdev->dev, NULL);
	vfio_put_device(&foo->core_device.vdev);
}

static struct pci_driver foo_driver = {
	.driver_managed_dma = true,
	.probe = foo_probe,
	.remove = foo_remove,
};
`,
    },
  ],
};
