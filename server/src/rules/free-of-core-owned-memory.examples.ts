/** Drivers that the rule free-of-core-owned-memory reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, FOO, FOO_6_1, OLD_PROBE, OLD_REMOVE, PROBE, REMOVE } from './examples.ts';

function withRelease(body: string): string {
  return `struct foo {
	struct vfio_device vdev;
	void *config;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

${body}}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
`;
}

export const freeOfCoreOwnedMemoryExamples: Rule['examples'] = {
  bad: [
    {
      title: 'kfree() where the reference is dropped',
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
		goto err_free;
	return 0;

err_free:
	kfree(foo);
//      ^^^^^^^^^^ free-of-core-owned-memory
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

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_free;
	return 0;

err_free:
	vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
    },
    {
      title: 'kvfree() in the .release of 6.1',
      kernel: '6.1',
      code: `${withRelease(`	kfree(foo->config);
	kvfree(foo);
//      ^^^^^^^^^^^ free-of-core-owned-memory
`)}${PROBE}${REMOVE}${DRIVER}`,
      fixed: `${withRelease(`	kfree(foo->config);
	vfio_free_device(vdev);
`)}${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'kfree() in the .release of 6.2',
      kernel: '6.2',
      code: `${withRelease(`	kfree(foo->config);
	kfree(foo);
//      ^^^^^^^^^^ free-of-core-owned-memory
`)}${PROBE}${REMOVE}${DRIVER}`,
      fixed: `${withRelease(`	kfree(foo->config);
`)}${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: 'Put and then freed',
      kernel: '6.1',
      code: `${FOO_6_1}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
	kfree(foo);
//      ^^^^^^^^^^ free-of-core-owned-memory
}
${DRIVER}`,
      fixed: `${FOO_6_1}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
    },
  ],
  good: [
    {
      title: "What hangs from the container is the driver's",
      kernel: '6.2',
      code: `${withRelease(`	kfree(foo->config);
`)}${PROBE}${REMOVE}${DRIVER}`,
    },
    {
      title: "Memory of the old model is the driver's",
      kernel: '6.0',
      code: `${FOO}${OLD_PROBE.replace(/^\tvfio_init_group_dev\(.*$/m, (line) => `${line}\n//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev`)}${OLD_REMOVE}${DRIVER}`,
    },
    {
      title: 'Two models in two arms',
      kernel: '6.2',
      code: `${FOO}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
${PROBE}${REMOVE}
#else
${OLD_PROBE}${OLD_REMOVE}
#endif
${DRIVER}`,
    },
  ],
};
