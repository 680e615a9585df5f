import { describe, expect, test } from 'vitest';
import { FOO, probe, states } from '../support.ts';

describe('helpers', () => {
  test('one that puts', () => {
    expect(
      states(
        FOO +
          `static void drop(struct foo *f)
{
	vfio_put_device(&f->vdev);
}
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
  8 put foo: new held live -> new dropped freed
  9 leaves failure, none: new dropped freed
  "
`);
  });
  test('one that puts only what is there', () => {
    expect(
      states(
        FOO +
          `static void drop(struct foo *f)
{
	if (IS_ERR_OR_NULL(f))
		return;
	vfio_put_device(&f->vdev);
}
` +
          probe(`	drop(NULL);
	drop(foo);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 put foo: new held live -> new dropped freed
  10 leaves failure, none: new dropped freed
  "
`);
  });
  test('one that registers and undoes itself', () => {
    expect(
      states(
        FOO +
          `static int up(struct foo *f)
{
	int ret = vfio_register_group_dev(&f->vdev);
	if (ret)
		vfio_put_device(&f->vdev);
	return ret;
}
` +
          probe(`	return up(foo);
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 leaves failure, none: new dropped register-failed freed
  8 leaves success, none: new held registered live
  8 put foo: new held register-failed live -> new dropped register-failed freed
  8 register foo: new held live -> new held register-failed live
  8 register foo: new held live -> new held registered live
  "
`);
  });
  test('one that a helper calls', () => {
    expect(
      states(
        FOO +
          `static void down(struct vfio_device *v)
{
	vfio_unregister_group_dev(v);
}
static void end(struct foo *f)
{
	down(&f->vdev);
	vfio_put_device(&f->vdev);
}
` +
          probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (!ret)
		end(foo);
	return 0;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 put foo: new held unregistered live -> new dropped unregistered freed
  10 unregister foo: new held registered live -> new held unregistered live
  11 leaves success, none: new dropped unregistered freed
  11 leaves success, none: new held register-failed live
  "
`);
  });
  test('one that decides by a state of the object', () => {
    expect(
      states(
        FOO +
          `static void end(struct foo *f)
{
	if (f->up)
		vfio_unregister_group_dev(&f->vdev);
	vfio_put_device(&f->vdev);
}
` +
          probe(`	foo->up = false;
	ret = vfio_register_group_dev(&foo->vdev);
	if (!ret)
		foo->up = true;
	end(foo);
	return ret;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 register &foo->vdev: new held live -> new held register-failed live
  9 register &foo->vdev: new held live -> new held registered live
  12 put foo: new held register-failed live -> new dropped register-failed freed
  12 put foo: new held unregistered live -> new dropped unregistered freed
  12 unregister foo: new held registered live -> new held unregistered live
  13 leaves failure, none: new dropped register-failed freed
  13 leaves success, none: new dropped unregistered freed
  "
`);
  });
  test('recursion', () => {
    expect(
      states(
        FOO +
          `static void end(struct foo *f, int n)
{
	if (n > 0)
		return end(f, n - 1);
	vfio_put_device(&f->vdev);
}
` +
          probe(`	end(foo, 3);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 put foo: new held live -> new dropped freed
  9 leaves failure, none: new dropped freed
  "
`);
  });
  test('mutual recursion', () => {
    expect(
      states(
        FOO +
          `static void odd(struct foo *f, int n);
static void even(struct foo *f, int n)
{
	if (n == 0)
		vfio_put_device(&f->vdev);
	else
		odd(f, n - 1);
}
static void odd(struct foo *f, int n)
{
	if (n == 0)
		return;
	even(f, n - 1);
}
` +
          probe(`	even(foo, 4);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 put foo: new held live -> new dropped freed
  9 leaves failure, none: new dropped freed
  9 leaves failure, none: new held live
  "
`);
  });
  test('recursion without an end', () => {
    expect(
      states(
        FOO +
          `static void end(struct foo *f)
{
	end(f);
}
` +
          probe(`	end(foo);
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
  test('a macro of statements', () => {
    expect(
      states(
        FOO +
          `#define DROP(f) do { vfio_put_device(&(f)->vdev); (f) = NULL; } while (0)
` +
          probe(`	DROP(foo);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
      "
      3 alloc: unknown -> new error-pointer
      3 alloc: unknown -> new held live
      7 leaves failure, none: new error-pointer
      8 put &foo->vdev: new held live -> new dropped freed
      9 leaves failure, none: new dropped freed
      "
    `);
  });
  test('a macro that jumps is control flow of the function that uses it', () => {
    expect(
      states(
        FOO +
          `#define TRY(x) do { if (x) goto err; } while (0)
` +
          probe(`	TRY(vfio_register_group_dev(&foo->vdev));
	return 0;
err:
	vfio_put_device(&foo->vdev);
	return -EIO;
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  9 leaves success, none: new held registered live
  11 put &foo->vdev: new held register-failed live -> new dropped register-failed freed
  12 leaves failure, none: new dropped register-failed freed
  "
`);
  });
});
