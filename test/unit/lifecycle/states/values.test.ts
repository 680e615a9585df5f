import { describe, expect, test } from 'vitest';
import { FOO, probe, states } from '../support.ts';

describe('aliases and containers', () => {
  test('a pointer to the member', () => {
    expect(
      states(
        FOO +
          probe(`	struct vfio_device *v = &foo->vdev;
	ret = vfio_register_group_dev(v);
	if (ret)
		vfio_put_device(v);
	return ret;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 register v: new held live -> new held register-failed live
  9 register v: new held live -> new held registered live
  11 put v: new held register-failed live -> new dropped register-failed freed
  12 leaves failure, none: new dropped register-failed freed
  12 leaves success, none: new held registered live
  "
`);
  });
  test('container_of and back', () => {
    expect(
      states(
        FOO +
          probe(`	struct vfio_device *v = &foo->vdev;
	struct foo *other = container_of(v, struct foo, vdev);
	vfio_put_device(&other->vdev);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  10 put &other->vdev: new held live -> new dropped freed
  11 leaves failure, none: new dropped freed
  "
`);
  });
  test('a helper with container_of', () => {
    expect(
      states(
        FOO +
          `static struct foo *to_foo(struct vfio_device *v)
{
	return container_of(v, struct foo, vdev);
}
` +
          probe(`	vfio_put_device(&to_foo(&foo->vdev)->vdev);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 put: new held live -> new dropped freed
  9 leaves failure, none: new dropped freed
  "
`);
  });
  test('a macro with container_of, a macro with &, a cast', () => {
    expect(
      states(
        FOO +
          `#define to_foo(v) container_of(v, struct foo, vdev)
#define foo_vdev(f) (&(f)->vdev)
` +
          probe(`	void *p = to_foo(foo_vdev(foo));
	vfio_put_device(foo_vdev((struct foo *)p));
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 put: new held live -> new dropped freed
  10 leaves failure, none: new dropped freed
  "
`);
  });
  test('the variable is given another value', () => {
    expect(
      states(
        FOO +
          probe(`	struct foo *old = foo;
	foo = NULL;
	vfio_put_device(&old->vdev);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  10 put &old->vdev: new held live -> new dropped freed
  11 leaves failure, none: new dropped freed
  "
`);
  });
  test('a member of another struct', () => {
    expect(
      states(
        FOO +
          'struct bar { struct foo *foo; };\n' +
          probe(`	struct bar *bar = dev_get_platdata(dev);
	bar->foo = foo;
	vfio_put_device(&bar->foo->vdev);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  10 put &bar->foo->vdev: new held live -> new dropped freed
  11 leaves failure, stored: new dropped freed
  "
`);
  });
  test('an out parameter', () => {
    expect(
      states(
        FOO +
          `static int make(struct device *dev, struct foo **out)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	*out = foo;
	return 0;
}
static int probe(struct device *dev)
{
	struct foo *foo;
	int ret = make(dev, &foo);
	if (ret)
		return ret;
	vfio_put_device(&foo->vdev);
	return -EIO;
}
`,
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  4 alloc the device: unknown -> new held live
  7 put &foo->vdev: new held live -> new dropped freed
  8 leaves failure, none: new dropped freed
  "
`);
  });
});

describe('error pointers', () => {
  test('PTR_ERR_OR_ZERO', () => {
    expect(
      states(
        FOO +
          `static int probe(struct device *dev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	int ret = PTR_ERR_OR_ZERO(foo);
	if (ret)
		return ret;
	vfio_put_device(&foo->vdev);
	return 0;
}
`,
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  6 leaves failure, none: new error-pointer
  7 put &foo->vdev: new held live -> new dropped freed
  8 leaves success, none: new dropped freed
  "
`);
  });
  test('IS_ERR_OR_NULL', () => {
    expect(
      states(
        FOO +
          `static int probe(struct device *dev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR_OR_NULL(foo))
		return -ENODEV;
	vfio_put_device(&foo->vdev);
	return 0;
}
`,
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  5 leaves failure, none: new error-pointer
  6 put &foo->vdev: new held live -> new dropped freed
  7 leaves success, none: new dropped freed
  "
`);
  });
  test('the code in a variable, tested later', () => {
    expect(
      states(
        FOO +
          `static int probe(struct device *dev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	int ret = 0;
	if (IS_ERR(foo))
		ret = PTR_ERR(foo);
	if (!ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
`,
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  8 put &foo->vdev: new held live -> new dropped freed
  9 leaves failure, none: new error-pointer
  9 leaves success, none: new dropped freed
  "
`);
  });
  test('a NULL test does not split', () => {
    expect(
      states(
        FOO +
          `static int probe(struct device *dev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (!foo)
		return -ENOMEM;
	foo->up = true;
	vfio_put_device(&foo->vdev);
	return 0;
}
`,
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 put &foo->vdev: new held live -> new dropped freed
  8 leaves success, none: new dropped freed
  "
`);
  });
  test('ERR_PTR and ERR_CAST through a helper', () => {
    expect(
      states(
        FOO +
          `static struct vfio_device *make(struct device *dev)
{
	struct foo *foo;
	if (!dev)
		return ERR_PTR(-EINVAL);
	foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR(foo))
		return ERR_CAST(foo);
	return &foo->vdev;
}
static int probe(struct device *dev)
{
	struct vfio_device *v = make(dev);
	if (IS_ERR(v))
		return PTR_ERR(v);
	vfio_put_device(v);
	return 0;
}
`,
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc the device: unknown -> new error-pointer
  3 alloc the device: unknown -> new held live
  5 leaves failure, returned: new error-pointer
  6 put v: new held live -> new dropped freed
  7 leaves success, none: new dropped freed
  "
`);
  });
});

describe('a constant that no header shows', () => {
  test('is the same for two tests of it', () => {
    const puts = states(
      FOO +
        probe(`	if (FOO_EARLY)
		vfio_put_device(&foo->vdev);
	if (!FOO_EARLY)
		vfio_put_device(&foo->vdev);
	return -EIO;
`),
      'probe',
    )
      .split('\n')
      .filter((line) => line.includes(' put '));
    expect(puts.map((line) => line.replace(/ ->.*/, ''))).toEqual([
      '9 put &foo->vdev: new held live',
      '11 put &foo->vdev: new held live',
    ]);
  });
});

describe('the states of a migration', () => {
  const STEP =
    FOO +
    probe(`	u32 state = foo_state(dev);

	if (state == VFIO_DEVICE_STATE_STOP)
		ret = vfio_register_group_dev(&foo->vdev);
	if (state == VFIO_DEVICE_STATE_RUNNING)
		vfio_put_device(&foo->vdev);
	return 0;
`);
  const putsOf = (kernel: string, source = STEP) =>
    states(source, 'probe', kernel)
      .split('\n')
      .filter((line) => line.includes(' put '))
      .map((line) => line.replace(/^\d+ put .*?: (.*) ->.*$/, '$1'));

  test('are different numbers: a path that is through one arm is not through another', () => {
    expect(putsOf('6.2')).toEqual(['new held live']);
    expect(putsOf('5.18')).toEqual(['new held live']);
  });
  test('are what the driver says where it defines them itself', () => {
    const own = `#define VFIO_DEVICE_STATE_STOP 2\n#define VFIO_DEVICE_STATE_RUNNING 2\n${STEP}`;
    expect(putsOf('6.2', own)).toContain('new held registered live');
  });
  test.each([
    [
      'one of them in an arm that the kernel leaves out',
      '#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 18, 0)\n#define VFIO_DEVICE_STATE_RUNNING (1 << 0)\n#endif',
    ],
    ['another of them', '#define VFIO_DEVICE_STATE_PRE_COPY 5'],
    ['one of them to what is not read', '#define VFIO_DEVICE_STATE_RUNNING (1 + 1)'],
    [
      'them in an enum of what is not read',
      'enum { VFIO_DEVICE_STATE_STOP = FOO_BASE + 3, VFIO_DEVICE_STATE_RUNNING = FOO_BASE + 3 };',
    ],
    [
      'them in an enum with arms',
      'enum {\n#ifdef FOO\n\tVFIO_DEVICE_STATE_STOP,\n#endif\n\tVFIO_DEVICE_STATE_RUNNING };',
    ],
  ])('are names of which nothing is known where the driver sets %s', (_, own) => {
    expect(putsOf('6.2', `${own}\n${STEP}`)).toContain('new held registered live');
  });
  test('were flags before there was a second protocol, and are names of which nothing is known', () => {
    expect(putsOf('5.17')).toContain('new held registered live');
  });
});
