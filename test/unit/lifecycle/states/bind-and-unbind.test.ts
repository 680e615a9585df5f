import { describe, expect, test } from 'vitest';
import { DRIVER, FOO, probe, states } from '../support.ts';

describe('clean-up', () => {
  test('devm actions run when probe fails, last first', () => {
    expect(
      states(
        FOO +
          `static void put(void *data)
{
	vfio_put_device(data);
}
static void unregister(void *data)
{
	vfio_unregister_group_dev(data);
}
` +
          probe(`	ret = devm_add_action_or_reset(dev, put, &foo->vdev);
	if (ret)
		return ret;
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, unregister, &foo->vdev);
`) +
          'static struct foo_driver d = { .probe = probe };\n',
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 put foo: new held live -> new dropped freed
  10 leaves failure, none: new dropped freed
  11 register &foo->vdev: new held live -> new held register-failed live
  11 register &foo->vdev: new held live -> new held registered live
  13 leaves failure, none: new dropped register-failed freed
  13 put foo: new held register-failed live -> new dropped register-failed freed
  14 leaves failure, none: new dropped unregistered freed
  14 leaves success, none, deferred unregister put: new held registered live
  14 put foo: new held unregistered live -> new dropped unregistered freed
  14 unregister foo: new held registered live -> new held unregistered live
  "
`);
  });
  test('__free() of a kernel function', () => {
    expect(
      states(
        FOO +
          `static int probe(struct device *dev)
{
	struct foo *foo __free(kfree) = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, dev, &foo_ops);
	if (foo->up)
		return -EIO;
	dev_set_drvdata(dev, no_free_ptr(foo));
	return 0;
}
`,
        'probe',
        '6.0',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 free foo: old initialised live -> old initialised freed
  3 allocate: unknown -> live
  6 init &foo->vdev: live -> old initialised live
  8 leaves failure, none: old initialised freed
  10 leaves success, drvdata: old initialised live
  "
`);
  });
  test("__free() of the driver's own", () => {
    expect(
      states(
        FOO +
          `static int probe(struct device *dev)
{
	struct foo *foo __free(foo_put) = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	return -EIO;
}
`,
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  5 leaves failure, none: new error-pointer
  6 leaves failure, none: new held live escaped ?
  "
`);
  });
  test('references beyond the first', () => {
    expect(
      states(
        FOO +
          probe(`	get_device(&foo->vdev.device);
	vfio_put_device(&foo->vdev);
	put_device(&foo->vdev.device);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 get &foo->vdev.device: new held live -> new held live +1
  9 put &foo->vdev: new held live +1 -> new held live
  10 put &foo->vdev.device: new held live -> new dropped freed
  11 leaves failure, none: new dropped freed
  "
`);
  });
});

describe('probe and remove meet', () => {
  test('through drvdata', () => {
    expect(
      states(
        FOO +
          `` +
          probe(`	dev_set_drvdata(dev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
`) +
          `static void remove(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);
	vfio_unregister_group_dev(&foo->vdev);
}
` +
          DRIVER,
        'remove',
      ),
    ).toMatchInlineSnapshot(`
  "
  4 unregister &foo->vdev: new held registered live -> new held unregistered live
  5 leaves void, drvdata: new held unregistered live
  "
`);
  });
  test('through a helper and the member', () => {
    expect(
      states(
        FOO +
          `static struct foo *foo_of(struct device *dev)
{
	return container_of(dev_get_drvdata(dev), struct foo, vdev);
}
` +
          probe(`	dev_set_drvdata(dev, &foo->vdev);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
`) +
          `static void remove(struct device *dev)
{
	struct foo *foo = foo_of(dev);
	vfio_put_device(&foo->vdev);
}
` +
          DRIVER,
        'remove',
      ),
    ).toMatchInlineSnapshot(`
  "
  4 put &foo->vdev: new held registered live -> new dropped registered freed
  5 leaves void, drvdata: new dropped registered freed
  "
`);
  });
  test('drvdata set by a helper after the registration', () => {
    expect(
      states(
        FOO +
          `static void keep(struct device *dev, struct foo *foo)
{
	dev_set_drvdata(dev, foo);
}
` +
          probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		return ret;
	keep(dev, foo);
	return 0;
`) +
          `static void remove(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);
	vfio_put_device(&foo->vdev);
}
` +
          DRIVER,
        'remove',
      ),
    ).toMatchInlineSnapshot(`
  "
  4 put &foo->vdev: new held registered live -> new dropped registered freed
  5 leaves void, drvdata: new dropped registered freed
  "
`);
  });
  test('an early return', () => {
    expect(
      states(
        FOO +
          `` +
          probe(`	dev_set_drvdata(dev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
`) +
          `static void remove(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);
	if (!foo)
		return;
	if (foo->up)
		return;
	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
` +
          DRIVER,
        'remove',
      ),
    ).toMatchInlineSnapshot(`
  "
  7 leaves void, drvdata: new held registered live
  8 unregister &foo->vdev: new held registered live -> new held unregistered live ?
  9 put &foo->vdev: new held unregistered live -> new dropped unregistered freed
  10 leaves void, drvdata: new dropped unregistered freed
  "
`);
  });
  test('what probe knew of a member', () => {
    expect(
      states(
        FOO +
          `` +
          probe(`	dev_set_drvdata(dev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	else
		foo->up = true;
	return ret;
`) +
          `static void remove(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);
	if (foo->up)
		vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
` +
          DRIVER,
        'remove',
      ),
    ).toMatchInlineSnapshot(`
  "
  5 unregister &foo->vdev: new held registered live -> new held unregistered live
  6 put &foo->vdev: new held unregistered live -> new dropped unregistered freed
  7 leaves void, drvdata: new dropped unregistered freed
  "
`);
  });
  test('pci', () => {
    expect(
      states(
        FOO +
          `static int probe(struct pci_dev *pdev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	pci_set_drvdata(pdev, foo);
	return vfio_register_group_dev(&foo->vdev);
}
static void remove(struct pci_dev *pdev)
{
	struct foo *foo = dev_get_drvdata(&pdev->dev);
	vfio_put_device(&foo->vdev);
}
static struct pci_driver d = { .probe = probe, .remove = remove };
`,
        'remove',
      ),
    ).toMatchInlineSnapshot(`
  "
  4 put &foo->vdev: new held registered live -> new dropped registered freed
  5 leaves void, drvdata: new dropped registered freed
  "
`);
  });
  test('platform', () => {
    expect(
      states(
        FOO +
          `static int probe(struct platform_device *pdev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	platform_set_drvdata(pdev, foo);
	return vfio_register_group_dev(&foo->vdev);
}
static void remove(struct platform_device *pdev)
{
	struct foo *foo = platform_get_drvdata(pdev);
	vfio_put_device(&foo->vdev);
}
static struct platform_driver d = { .probe = probe, .remove_new = remove };
`,
        'remove',
      ),
    ).toMatchInlineSnapshot(`
  "
  4 put &foo->vdev: new held registered live -> new dropped registered freed
  5 leaves void, drvdata: new dropped registered freed
  "
`);
  });
  test('mdev of old kernels', () => {
    expect(
      states(
        `struct foo { struct vfio_device vdev; };
static const struct vfio_device_ops foo_ops = { .name = "foo" };
static int create(struct mdev_device *mdev)
{
	struct foo *foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, mdev_dev(mdev), &foo_ops);
	mdev_set_drvdata(mdev, foo);
	return vfio_register_group_dev(&foo->vdev);
}
static int remove(struct mdev_device *mdev)
{
	struct foo *foo = mdev_get_drvdata(mdev);
	vfio_uninit_group_dev(&foo->vdev);
	kfree(foo);
	return 0;
}
static const struct mdev_parent_ops p = { .create = create, .remove = remove };
`,
        'remove',
        '5.15',
      ),
    ).toMatchInlineSnapshot(`
  "
  4 uninit &foo->vdev: old initialised registered live -> old uninitialised registered live
  5 free foo: old uninitialised registered live -> old uninitialised registered freed
  6 leaves success, drvdata: old uninitialised registered freed
  "
`);
  });
  test('through a global of the module', () => {
    expect(
      states(
        FOO +
          `static struct foo *one;
static int __init start(void)
{
	one = vfio_alloc_device(foo, vdev, parent, &foo_ops);
	if (IS_ERR(one))
		return PTR_ERR(one);
	return vfio_register_group_dev(&one->vdev);
}
static void __exit stop(void)
{
	vfio_put_device(&one->vdev);
}
module_init(start);
module_exit(stop);
`,
        'stop',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 put &one->vdev: new held registered live -> new dropped registered freed
  4 leaves void, stored: new dropped registered freed
  "
`);
  });
});
