import { describe, expect, test } from 'vitest';
import { FOO, probe, states } from '../support.ts';

describe('what cannot be seen', () => {
  test('an unknown function is given the device', () => {
    expect(
      states(
        FOO +
          probe(`	mystery(foo);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, none: new held live escaped ?
  "
`);
  });
  test('an unknown function is given another member', () => {
    expect(
      states(
        FOO +
          probe(`	mystery(&foo->up);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, none: new held live
  "
`);
  });
  test('a known one changes nothing', () => {
    expect(
      states(
        FOO +
          probe(`	dev_info(dev, "%p", foo);
	INIT_LIST_HEAD(&foo->node);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  10 leaves failure, none: new held live
  "
`);
  });
  test('a list keeps it', () => {
    expect(
      states(
        FOO +
          probe(`	list_add(&foo->node, &foos);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, stored: new held live
  "
`);
  });
  test('an array keeps it', () => {
    expect(
      states(
        FOO +
          probe(`	all[3] = foo;
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, stored: new held live escaped ?
  "
`);
  });
  test('a function pointer', () => {
    expect(
      states(
        FOO +
          probe(`	ops->take(foo);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, none: new held live escaped ?
  "
`);
  });
  test('inline assembly', () => {
    expect(
      states(
        FOO +
          probe(`	asm volatile("" : : "r"(foo));
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, none: new held live escaped ?
  "
`);
  });
  test('an error in the middle: the rest is analysed, without certainty', () => {
    expect(
      states(
        FOO +
          probe(`	foo->up = ] 3;
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		return ret;
	return 0;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 register &foo->vdev: new held live escaped -> new held register-failed live escaped ?
  9 register &foo->vdev: new held live escaped -> new held registered live escaped ?
  11 leaves failure, none: new held register-failed live escaped ?
  12 leaves success, none: new held registered live escaped ?
  "
`);
  });
  test('elements of an array are not told apart', () => {
    expect(
      states(
        FOO +
          `static int probe(struct foo **all)
{
	int i;
	for (i = 0; i < 3; i++) {
		vfio_unregister_group_dev(&all[i]->vdev);
		vfio_put_device(&all[i]->vdev);
	}
	return 0;
}
`,
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  5 unregister &all[i]->vdev: escaped -> escaped ?
  5 unregister &all[i]->vdev: unknown -> escaped
  6 put &all[i]->vdev: escaped -> escaped ?
  "
`);
  });
  test('nor those of a list', () => {
    expect(
      states(
        FOO +
          `static int probe(struct list_head *all)
{
	struct foo *foo;
	list_for_each_entry(foo, all, node)
		vfio_put_device(&foo->vdev);
	return 0;
}
`,
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  5 put &foo->vdev: escaped -> escaped ?
  5 put &foo->vdev: unknown -> escaped
  "
`);
  });
});

describe('#if', () => {
  test('an undecided test: the arms are never mixed', () => {
    expect(
      states(
        FOO +
          probe(`#ifdef A
	vfio_put_device(&foo->vdev);
	return -EIO;
#endif
	ret = vfio_register_group_dev(&foo->vdev);
#ifdef A
	vfio_put_device(&foo->vdev);
#else
	if (!ret)
		vfio_unregister_group_dev(&foo->vdev);
#endif
	return ret;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 put &foo->vdev: new held live -> new dropped freed [A]
  10 leaves failure, none: new dropped freed [A]
  12 register &foo->vdev: new held live -> new held register-failed live [!A]
  12 register &foo->vdev: new held live -> new held registered live [!A]
  17 unregister &foo->vdev: new held registered live -> new held unregistered live [!A]
  19 leaves failure, none: new held register-failed live [!A]
  19 leaves success, none: new held unregistered live [!A]
  "
`);
  });
  test('one test written in two ways', () => {
    expect(
      states(
        FOO +
          probe(`#if defined(A)
	vfio_put_device(&foo->vdev);
#endif
#ifndef A
	vfio_put_device(&foo->vdev);
#endif
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 put &foo->vdev: new held live -> new dropped freed [A]
  12 put &foo->vdev: new held live -> new dropped freed [!A]
  14 leaves failure, none: new dropped freed [A]
  "
`);
  });
  test('a test of the version is decided by the target', () => {
    expect(
      states(
        FOO +
          probe(`#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	vfio_put_device(&foo->vdev);
#else
	vfio_unregister_group_dev(&foo->vdev);
#endif
	return -EIO;
`),
        'probe',
        '6.4',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  11 unregister &foo->vdev: new held live -> new held unregistered live
  13 leaves failure, none: new held unregistered live
  "
`);
  });
  test('two definitions of one helper', () => {
    expect(
      states(
        FOO +
          `#ifdef A
static void drop(struct foo *f)
{
	vfio_put_device(&f->vdev);
}
#else
static void drop(struct foo *f)
{
}
#endif
` +
          probe(`	drop(foo);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 put foo: new held live -> new dropped freed [A]
  9 leaves failure, none: new dropped freed [A]
  9 leaves failure, none: new held live [!A]
  "
`);
  });
});
