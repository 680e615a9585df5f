/** Drivers that the rule missing-put reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, FOO, FOO_6_1, PROBE, REMOVE } from './examples.ts';

const PCI_DRIVER = DRIVER.replace(
  'mdev_driver foo_driver = {',
  'pci_driver foo_driver = {\n\t.driver_managed_dma = true,',
);

export const missingPutExamples: Rule['examples'] = {
  bad: [
    {
      title: 'Registration fails and the reference stays',
      kernel: '6.2',
      code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config) {
		ret = -ENOMEM;
		goto err_put;
	}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		return ret;
//              ^^^^^^^^^^^ missing-put
	return 0;

err_put:
	vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
      fixed: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config) {
		ret = -ENOMEM;
		goto err_put;
	}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_put;
	return 0;

err_put:
	vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
    },
    {
      title: 'Registration as the tail of probe',
      kernel: '6.1',
      code: `${FOO_6_1}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	return vfio_register_emulated_iommu_dev(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ missing-put
}
${REMOVE}${DRIVER}`,
      fixed: `${FOO_6_1}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
    },
    {
      title: 'Remove unregisters and forgets the put',
      kernel: '6.2',
      code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
//          ^^^^^^^^^^ missing-put
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
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
      title: 'A step after the registration fails',
      kernel: '6.2',
      code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_put;
	ret = sysfs_create_group(&mdev->dev.kobj, &foo_group);
	if (ret)
		return ret;
//              ^^^^^^^^^^^ missing-put
	return 0;

err_put:
	vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
    },
    {
      title: 'The work that would put is never queued',
      kernel: '6.2',
      code: `${FOO.replace('void *config;', 'struct work_struct bye;')}
static void foo_bye(struct work_struct *work)
{
	struct foo *foo = container_of(work, struct foo, bye);

	vfio_put_device(&foo->vdev);
}
${PROBE.replace('\n\tdev_set_drvdata', '\n\tINIT_WORK(&foo->bye, foo_bye);\n\tdev_set_drvdata')}
static void foo_remove(struct mdev_device *mdev)
//          ^^^^^^^^^^ missing-put
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	cancel_work_sync(&foo->bye);
}
${DRIVER}`,
    },
    {
      title: 'What the device needs is released last: the put goes before it',
      kernel: '6.2',
      code: `${FOO}
static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct foo *foo;
	int ret;

	ret = pci_enable_device(pdev);
	if (ret)
		return ret;
	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo)) {
		pci_disable_device(pdev);
		return PTR_ERR(foo);
	}
	pci_set_drvdata(pdev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret) {
		pci_disable_device(pdev);
		return ret;
//              ^^^^^^^^^^^ missing-put
	}
	return 0;
}

static void foo_remove(struct pci_dev *pdev)
//          ^^^^^^^^^^ missing-put
{
	struct foo *foo = pci_get_drvdata(pdev);

	vfio_unregister_group_dev(&foo->vdev);
	pci_disable_device(pdev);
}
${PCI_DRIVER}`,
      fixed: `${FOO}
static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct foo *foo;
	int ret;

	ret = pci_enable_device(pdev);
	if (ret)
		return ret;
	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo)) {
		pci_disable_device(pdev);
		return PTR_ERR(foo);
	}
	pci_set_drvdata(pdev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret) {
		vfio_put_device(&foo->vdev);
		pci_disable_device(pdev);
		return ret;
	}
	return 0;
}

static void foo_remove(struct pci_dev *pdev)
{
	struct foo *foo = pci_get_drvdata(pdev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
	pci_disable_device(pdev);
}
${PCI_DRIVER}`,
    },
    {
      title: 'The exit is in a macro of the file: the use of it is the place',
      kernel: '6.2',
      code: `${FOO}
#define FOO_CHECK(code) do { if (code) return code; } while (0)

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	FOO_CHECK(ret);
//      ^^^^^^^^^^^^^^ missing-put
	return 0;
}
${REMOVE}${DRIVER}`,
      fixed: `${FOO}
#define FOO_CHECK(code) do { if (code) return code; } while (0)

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
		vfio_put_device(&foo->vdev);
		return ret;
	}
	return 0;
}
${REMOVE}${DRIVER}`,
    },
    {
      title: 'A macro that takes a step and returns: nothing is edited inside of it',
      kernel: '6.2',
      code: `${FOO}
#define FOO_CHECK(code)			\\
	do {				\\
		if ((code) < 0)		\\
			return (code);	\\
	} while (0)
#define FOO_STEP(result, step) do { result = step; FOO_CHECK(result); } while (0)

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	FOO_STEP(ret, vfio_register_emulated_iommu_dev(&foo->vdev));
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ missing-put
	return 0;
}
${REMOVE}${DRIVER}`,
    },
  ],
  good: [
    {
      title: 'Queued work makes the last put',
      kernel: '6.2',
      code: `${FOO.replace('void *config;', 'struct work_struct bye;')}
static void foo_bye(struct work_struct *work)
{
	struct foo *foo = container_of(work, struct foo, bye);

	vfio_put_device(&foo->vdev);
}
${PROBE.replace('\n\tdev_set_drvdata', '\n\tINIT_WORK(&foo->bye, foo_bye);\n\tdev_set_drvdata')}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	schedule_work(&foo->bye);
}
${DRIVER}`,
    },
    {
      title: 'A timer whose function is assigned makes the last put',
      kernel: '6.2',
      code: `${FOO.replace('void *config;', 'struct hrtimer grace;')}
static enum hrtimer_restart foo_expire(struct hrtimer *timer)
{
	struct foo *foo = container_of(timer, struct foo, grace);

	vfio_put_device(&foo->vdev);
	return HRTIMER_NORESTART;
}
${PROBE.replace('\n\tdev_set_drvdata', '\n\thrtimer_init(&foo->grace, CLOCK_MONOTONIC, HRTIMER_MODE_REL);\n//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ async-work-outlives-object\n\tfoo->grace.function = foo_expire;\n\tdev_set_drvdata')}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	hrtimer_start(&foo->grace, ms_to_ktime(5), HRTIMER_MODE_REL);
}
${DRIVER}`,
    },
    {
      title: 'The release of a reference count makes the last put',
      kernel: '6.2',
      code: `${FOO.replace('void *config;', 'struct kref users;')}
static void foo_last(struct kref *users)
{
	struct foo *foo = container_of(users, struct foo, users);

	vfio_put_device(&foo->vdev);
}
${PROBE.replace('\n\tdev_set_drvdata', '\n\tkref_init(&foo->users);\n\tdev_set_drvdata')}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	kref_put(&foo->users, foo_last);
}
${DRIVER}`,
    },
    { title: 'Both ends are right', kernel: '6.2', code: `${FOO}${PROBE}${REMOVE}${DRIVER}` },
    {
      title: 'A helper drops the reference',
      kernel: '6.1',
      code: `${FOO_6_1}
static void foo_destroy(struct foo *foo)
{
	kfree(foo->config);
	foo->config = NULL;
	vfio_put_device(&foo->vdev);
}

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		foo_destroy(foo);
	return ret;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	if (!foo)
		return;
	vfio_unregister_group_dev(&foo->vdev);
	foo_destroy(foo);
}
${DRIVER}`,
    },
    {
      title: 'A devm action unregisters and puts; there is no remove on purpose',
      kernel: '6.2',
      code: `${FOO}
static void foo_put(void *data)
{
	struct foo *foo = data;

	vfio_put_device(&foo->vdev);
}

static void foo_unregister(void *data)
{
	struct foo *foo = data;

	vfio_unregister_group_dev(&foo->vdev);
}

static int foo_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	ret = devm_add_action_or_reset(dev, foo_put, foo);
	if (ret)
		return ret;

	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, foo_unregister, foo);
}

static struct platform_driver foo_driver = {
	.driver_managed_dma = true,
	.probe = foo_probe,
};
`,
    },
    {
      title: 'An alias of the device, and the result tested in another form',
      kernel: '6.2',
      code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct vfio_device *vdev;
	struct foo *foo;
	int err;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	vdev = &foo->vdev;
	dev_set_drvdata(&mdev->dev, foo);
	err = vfio_register_emulated_iommu_dev(vdev);
	if (!err)
		return 0;
	vfio_put_device(vdev);
	return err;
}
${REMOVE}${DRIVER}`,
    },
    {
      title: 'A helper that hands the device to its caller',
      kernel: '6.2',
      code: `${FOO}
static struct foo *foo_create(struct device *dev)
{
	struct foo *foo;

	foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR(foo))
		return foo;
	foo->wq = NULL;
	return foo;
}

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = foo_create(&mdev->dev);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret < 0) {
		vfio_put_device(&foo->vdev);
		return ret;
	}
	return 0;
}
${REMOVE}${DRIVER}`,
    },
  ],
};
