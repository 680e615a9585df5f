import { describe, expect, test } from 'vitest';
import { DRIVER, FOO, probe, states } from './support.ts';

describe('the result of a registration', () => {
  test('if (ret)', () => {
    expect(states(FOO + probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		return ret;
	return 0;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 leaves failure, none: new held register-failed live
  11 leaves success, none: new held registered live
  "
`);
  });
  test('ret < 0', () => {
    expect(states(FOO + probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (ret < 0)
		return ret;
	return 0;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 leaves failure, none: new held register-failed live
  11 leaves success, none: new held registered live
  "
`);
  });
  test('ret != 0, the other way round', () => {
    expect(states(FOO + probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (0 != ret)
		return ret;
	return 0;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 leaves failure, none: new held register-failed live
  11 leaves success, none: new held registered live
  "
`);
  });
  test('!ret', () => {
    expect(states(FOO + probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (!ret)
		return 0;
	vfio_put_device(&foo->vdev);
	return ret;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 leaves success, none: new held registered live
  11 put &foo->vdev: new held register-failed live -> new dropped register-failed freed
  12 leaves failure, none: new dropped register-failed freed
  "
`);
  });
  test('the tail', () => {
    expect(states(FOO + probe(`	return vfio_register_group_dev(&foo->vdev);
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 leaves failure, none: new held register-failed live
  8 leaves success, none: new held registered live
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  "
`);
  });
  test('success ends in return ret', () => {
    expect(states(FOO + probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 put &foo->vdev: new held register-failed live -> new dropped register-failed freed
  11 leaves failure, none: new dropped register-failed freed
  11 leaves success, none: new held registered live
  "
`);
  });
  test('an assignment in the condition', () => {
    expect(states(FOO + probe(`	if ((ret = vfio_register_group_dev(&foo->vdev)))
		return ret;
	return 0;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  9 leaves failure, none: new held register-failed live
  10 leaves success, none: new held registered live
  "
`);
  });
  test('a ternary', () => {
    expect(states(FOO + probe(`	ret = vfio_register_group_dev(&foo->vdev);
	return ret ? ret : 0;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  9 leaves failure, none: new held register-failed live
  9 leaves success, none: new held registered live
  "
`);
  });
  test('a ternary that registers', () => {
    expect(states(FOO + probe(`	ret = foo->up ? vfio_register_group_dev(&foo->vdev) : -EINVAL;
	if (ret)
		return ret;
	return 0;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 leaves failure, none: new held live
  10 leaves failure, none: new held register-failed live
  11 leaves success, none: new held registered live
  "
`);
  });
  test('&& and ||', () => {
    expect(states(FOO + probe(`	if (!foo->up && (ret = vfio_register_group_dev(&foo->vdev)) < 0)
		return ret;
	return 0;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  9 leaves failure, none: new held register-failed live
  10 leaves success, none: new held live
  10 leaves success, none: new held registered live
  "
`);
  });
  test('unlikely, WARN_ON and !!', () => {
    expect(states(FOO + probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (unlikely(WARN_ON(!!ret)))
		return ret;
	return 0;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 leaves failure, none: new held register-failed live
  11 leaves success, none: new held registered live
  "
`);
  });
  test('one error code is treated apart', () => {
    expect(states(FOO + probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (ret == -EBUSY)
		ret = -EAGAIN;
	if (ret)
		return ret;
	return 0;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  12 leaves failure, none: new held register-failed live
  13 leaves success, none: new held registered live
  "
`);
  });
  test('|= of several', () => {
    expect(states(FOO + probe(`	ret = 0;
	ret |= vfio_register_group_dev(&foo->vdev);
	if (ret)
		return ret;
	return 0;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 register &foo->vdev: new held live -> new held register-failed live
  9 register &foo->vdev: new held live -> new held registered live
  11 leaves failure, none: new held register-failed live
  12 leaves success, none: new held registered live
  "
`);
  });
  test('a switch', () => {
    expect(states(FOO + probe(`	switch (vfio_register_group_dev(&foo->vdev)) {
	case 0:
		return 0;
	default:
		return -EIO;
	}
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 leaves success, none: new held registered live
  12 leaves failure, none: new held register-failed live
  "
`);
  });
  test('not tested', () => {
    expect(states(FOO + probe(`	vfio_register_group_dev(&foo->vdev);
	return 0;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  9 leaves success, none: new held register-failed live
  9 leaves success, none: new held registered live
  "
`);
  });
});

describe('aliases and containers', () => {
  test('a pointer to the member', () => {
    expect(states(FOO + probe(`	struct vfio_device *v = &foo->vdev;
	ret = vfio_register_group_dev(v);
	if (ret)
		vfio_put_device(v);
	return ret;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + probe(`	struct vfio_device *v = &foo->vdev;
	struct foo *other = container_of(v, struct foo, vdev);
	vfio_put_device(&other->vdev);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static struct foo *to_foo(struct vfio_device *v)
{
	return container_of(v, struct foo, vdev);
}
` + probe(`	vfio_put_device(&to_foo(&foo->vdev)->vdev);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `#define to_foo(v) container_of(v, struct foo, vdev)
#define foo_vdev(f) (&(f)->vdev)
` + probe(`	void *p = to_foo(foo_vdev(foo));
	vfio_put_device(foo_vdev((struct foo *)p));
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + probe(`	struct foo *old = foo;
	foo = NULL;
	vfio_put_device(&old->vdev);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + 'struct bar { struct foo *foo; };\n' + probe(`	struct bar *bar = dev_get_platdata(dev);
	bar->foo = foo;
	vfio_put_device(&bar->foo->vdev);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  10 put &bar->foo->vdev: new held live -> new dropped freed
  11 leaves failure, none: new dropped freed
  "
`);
  });
  test('an out parameter', () => {
    expect(states(FOO + `static int make(struct device *dev, struct foo **out)
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
`, 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static int probe(struct device *dev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	int ret = PTR_ERR_OR_ZERO(foo);
	if (ret)
		return ret;
	vfio_put_device(&foo->vdev);
	return 0;
}
`, 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static int probe(struct device *dev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR_OR_NULL(foo))
		return -ENODEV;
	vfio_put_device(&foo->vdev);
	return 0;
}
`, 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static int probe(struct device *dev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	int ret = 0;
	if (IS_ERR(foo))
		ret = PTR_ERR(foo);
	if (!ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
`, 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static int probe(struct device *dev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (!foo)
		return -ENOMEM;
	foo->up = true;
	vfio_put_device(&foo->vdev);
	return 0;
}
`, 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 put &foo->vdev: new held live -> new dropped freed
  8 leaves success, none: new dropped freed
  "
`);
  });
  test('ERR_PTR and ERR_CAST through a helper', () => {
    expect(states(FOO + `static struct vfio_device *make(struct device *dev)
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
`, 'probe')).toMatchInlineSnapshot(`
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

describe('helpers', () => {
  test('one that puts', () => {
    expect(states(FOO + `static void drop(struct foo *f)
{
	vfio_put_device(&f->vdev);
}
` + probe(`	drop(foo);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static void drop(struct foo *f)
{
	if (IS_ERR_OR_NULL(f))
		return;
	vfio_put_device(&f->vdev);
}
` + probe(`	drop(NULL);
	drop(foo);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static int up(struct foo *f)
{
	int ret = vfio_register_group_dev(&f->vdev);
	if (ret)
		vfio_put_device(&f->vdev);
	return ret;
}
` + probe(`	return up(foo);
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static void down(struct vfio_device *v)
{
	vfio_unregister_group_dev(v);
}
static void end(struct foo *f)
{
	down(&f->vdev);
	vfio_put_device(&f->vdev);
}
` + probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (!ret)
		end(foo);
	return 0;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static void end(struct foo *f)
{
	if (f->up)
		vfio_unregister_group_dev(&f->vdev);
	vfio_put_device(&f->vdev);
}
` + probe(`	foo->up = false;
	ret = vfio_register_group_dev(&foo->vdev);
	if (!ret)
		foo->up = true;
	end(foo);
	return ret;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static void end(struct foo *f, int n)
{
	if (n > 0)
		return end(f, n - 1);
	vfio_put_device(&f->vdev);
}
` + probe(`	end(foo, 3);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static void odd(struct foo *f, int n);
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
` + probe(`	even(foo, 4);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static void end(struct foo *f)
{
	end(f);
}
` + probe(`	end(foo);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, none: new held live
  "
`);
  });
  test('a macro of statements', () => {
    expect(states(FOO + `#define DROP(f) do { vfio_put_device(&(f)->vdev); (f) = NULL; } while (0)
` + probe(`	DROP(foo);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  8 put foo: new held live -> new dropped freed
  9 leaves failure, none: new dropped freed
  "
`);
  });
  test('a macro that jumps is control flow of the function that uses it', () => {
    expect(states(FOO + `#define TRY(x) do { if (x) goto err; } while (0)
` + probe(`	TRY(vfio_register_group_dev(&foo->vdev));
	return 0;
err:
	vfio_put_device(&foo->vdev);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
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

describe('what cannot be seen', () => {
  test('an unknown function is given the device', () => {
    expect(states(FOO + probe(`	mystery(foo);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, none: new held live escaped ?
  "
`);
  });
  test('an unknown function is given another member', () => {
    expect(states(FOO + probe(`	mystery(&foo->up);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, none: new held live
  "
`);
  });
  test('a known one changes nothing', () => {
    expect(states(FOO + probe(`	dev_info(dev, "%p", foo);
	INIT_LIST_HEAD(&foo->node);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  10 leaves failure, none: new held live
  "
`);
  });
  test('a list keeps it', () => {
    expect(states(FOO + probe(`	list_add(&foo->node, &foos);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, stored: new held live
  "
`);
  });
  test('an array keeps it', () => {
    expect(states(FOO + probe(`	all[3] = foo;
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, none: new held live escaped ?
  "
`);
  });
  test('a function pointer', () => {
    expect(states(FOO + probe(`	ops->take(foo);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, none: new held live escaped ?
  "
`);
  });
  test('inline assembly', () => {
    expect(states(FOO + probe(`	asm volatile("" : : "r"(foo));
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  7 leaves failure, none: new error-pointer
  9 leaves failure, none: new held live escaped ?
  "
`);
  });
  test('an error in the middle: the rest is analysed, without certainty', () => {
    expect(states(FOO + probe(`	foo->up = ] 3;
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		return ret;
	return 0;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static int probe(struct foo **all)
{
	int i;
	for (i = 0; i < 3; i++) {
		vfio_unregister_group_dev(&all[i]->vdev);
		vfio_put_device(&all[i]->vdev);
	}
	return 0;
}
`, 'probe')).toMatchInlineSnapshot(`
  "
  5 unregister &all[i]->vdev: escaped -> escaped ?
  5 unregister &all[i]->vdev: unknown -> escaped
  6 put &all[i]->vdev: escaped -> escaped ?
  "
`);
  });
  test('nor those of a list', () => {
    expect(states(FOO + `static int probe(struct list_head *all)
{
	struct foo *foo;
	list_for_each_entry(foo, all, node)
		vfio_put_device(&foo->vdev);
	return 0;
}
`, 'probe')).toMatchInlineSnapshot(`
  "
  5 put &foo->vdev: escaped -> escaped ?
  5 put &foo->vdev: unknown -> escaped
  "
`);
  });
});

describe('#if', () => {
  test('an undecided test: the arms are never mixed', () => {
    expect(states(FOO + probe(`#ifdef A
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
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + probe(`#if defined(A)
	vfio_put_device(&foo->vdev);
#endif
#ifndef A
	vfio_put_device(&foo->vdev);
#endif
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + probe(`#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	vfio_put_device(&foo->vdev);
#else
	vfio_unregister_group_dev(&foo->vdev);
#endif
	return -EIO;
`), 'probe', '6.4')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `#ifdef A
static void drop(struct foo *f)
{
	vfio_put_device(&f->vdev);
}
#else
static void drop(struct foo *f)
{
}
#endif
` + probe(`	drop(foo);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
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

describe('clean-up', () => {
  test('devm actions run when probe fails, last first', () => {
    expect(states(FOO + `static void put(void *data)
{
	vfio_put_device(data);
}
static void unregister(void *data)
{
	vfio_unregister_group_dev(data);
}
` + probe(`	ret = devm_add_action_or_reset(dev, put, &foo->vdev);
	if (ret)
		return ret;
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, unregister, &foo->vdev);
`) + 'static struct foo_driver d = { .probe = probe };\n', 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `static int probe(struct device *dev)
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
`, 'probe', '6.0')).toMatchInlineSnapshot(`
  "
  3 free foo: old initialised live -> old initialised freed
  3 allocate: unknown -> live
  6 init &foo->vdev: live -> old initialised live
  8 leaves failure, none: old initialised freed
  10 leaves success, drvdata: old initialised live
  "
`);
  });
  test('__free() of the driver\'s own', () => {
    expect(states(FOO + `static int probe(struct device *dev)
{
	struct foo *foo __free(foo_put) = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	return -EIO;
}
`, 'probe')).toMatchInlineSnapshot(`
  "
  3 alloc: unknown -> new error-pointer
  3 alloc: unknown -> new held live
  5 leaves failure, none: new error-pointer
  6 leaves failure, none: new held live escaped ?
  "
`);
  });
  test('references beyond the first', () => {
    expect(states(FOO + probe(`	get_device(&foo->vdev.device);
	vfio_put_device(&foo->vdev);
	put_device(&foo->vdev.device);
	return -EIO;
`), 'probe')).toMatchInlineSnapshot(`
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
    expect(states(FOO + `` + probe(`	dev_set_drvdata(dev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
`) + `static void remove(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);
	vfio_unregister_group_dev(&foo->vdev);
}
` + DRIVER, 'remove')).toMatchInlineSnapshot(`
  "
  4 unregister &foo->vdev: new held registered live -> new held unregistered live
  5 leaves void, drvdata: new held unregistered live
  "
`);
  });
  test('through a helper and the member', () => {
    expect(states(FOO + `static struct foo *foo_of(struct device *dev)
{
	return container_of(dev_get_drvdata(dev), struct foo, vdev);
}
` + probe(`	dev_set_drvdata(dev, &foo->vdev);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
`) + `static void remove(struct device *dev)
{
	struct foo *foo = foo_of(dev);
	vfio_put_device(&foo->vdev);
}
` + DRIVER, 'remove')).toMatchInlineSnapshot(`
  "
  4 put &foo->vdev: new held registered live -> new dropped registered freed
  5 leaves void, drvdata: new dropped registered freed
  "
`);
  });
  test('drvdata set by a helper after the registration', () => {
    expect(states(FOO + `static void keep(struct device *dev, struct foo *foo)
{
	dev_set_drvdata(dev, foo);
}
` + probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		return ret;
	keep(dev, foo);
	return 0;
`) + `static void remove(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);
	vfio_put_device(&foo->vdev);
}
` + DRIVER, 'remove')).toMatchInlineSnapshot(`
  "
  4 put &foo->vdev: new held registered live -> new dropped registered freed
  5 leaves void, drvdata: new dropped registered freed
  "
`);
  });
  test('an early return', () => {
    expect(states(FOO + `` + probe(`	dev_set_drvdata(dev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
`) + `static void remove(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);
	if (!foo)
		return;
	if (foo->up)
		return;
	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
` + DRIVER, 'remove')).toMatchInlineSnapshot(`
  "
  7 leaves void, drvdata: new held registered live
  8 unregister &foo->vdev: new held registered live -> new held unregistered live ?
  9 put &foo->vdev: new held unregistered live -> new dropped unregistered freed
  10 leaves void, drvdata: new dropped unregistered freed
  "
`);
  });
  test('what probe knew of a member', () => {
    expect(states(FOO + `` + probe(`	dev_set_drvdata(dev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	else
		foo->up = true;
	return ret;
`) + `static void remove(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);
	if (foo->up)
		vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
` + DRIVER, 'remove')).toMatchInlineSnapshot(`
  "
  5 unregister &foo->vdev: new held registered live -> new held unregistered live
  6 put &foo->vdev: new held unregistered live -> new dropped unregistered freed
  7 leaves void, drvdata: new dropped unregistered freed
  "
`);
  });
  test('pci', () => {
    expect(states(FOO + `static int probe(struct pci_dev *pdev)
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
`, 'remove')).toMatchInlineSnapshot(`
  "
  4 put &foo->vdev: new held registered live -> new dropped registered freed
  5 leaves void, drvdata: new dropped registered freed
  "
`);
  });
  test('platform', () => {
    expect(states(FOO + `static int probe(struct platform_device *pdev)
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
`, 'remove')).toMatchInlineSnapshot(`
  "
  4 put &foo->vdev: new held registered live -> new dropped registered freed
  5 leaves void, drvdata: new dropped registered freed
  "
`);
  });
  test('mdev of old kernels', () => {
    expect(states(`struct foo { struct vfio_device vdev; };
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
`, 'remove', '5.15')).toMatchInlineSnapshot(`
  "
  4 uninit &foo->vdev: old initialised registered live -> old uninitialised registered live
  5 free foo: old uninitialised registered live -> old uninitialised registered freed
  6 leaves success, drvdata: old uninitialised registered freed
  "
`);
  });
  test('through a global of the module', () => {
    expect(states(FOO + `static struct foo *one;
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
`, 'stop')).toMatchInlineSnapshot(`
  "
  3 put &one->vdev: new held registered live -> new dropped registered freed
  4 leaves void, stored: new dropped registered freed
  "
`);
  });
});

describe('callbacks of the core', () => {
  test('.init begins with memory and without a reference', () => {
    expect(states(FOO.replace('.name', '.init = init, .name') + `static int init(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);
	vfio_put_device(&foo->vdev);
	return -EIO;
}
` + probe(`	return -EIO;
`), 'init')).toMatchInlineSnapshot(`
  "
  4 put &foo->vdev: new live -> new dropped freed
  5 leaves failure, stored: new dropped freed
  "
`);
  });
  test('.release begins after the last put', () => {
    expect(states(FOO.replace('.name', '.release = release, .name') + `static void release(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);
	vfio_free_device(&foo->vdev);
}
` + probe(`	return -EIO;
`), 'release', '6.1')).toMatchInlineSnapshot(`
  "
  4 free-device &foo->vdev: new dropped live -> new dropped freed
  5 leaves void, stored: new dropped freed
  "
`);
  });
  test('.release of vfio-pci frees in 6.1', () => {
    expect(states(FOO.replace('.name', '.release = release, .name') + `static void release(struct vfio_device *vdev)
{
	vfio_pci_core_release_dev(vdev);
}
` + probe(`	return -EIO;
`), 'release', '6.1')).toMatchInlineSnapshot(`
  "
  3 core-release vdev: new dropped live -> new dropped freed
  4 leaves void, stored: new dropped freed
  "
`);
  });
  test('and not in 6.2', () => {
    expect(states(FOO.replace('.name', '.release = release, .name') + `static void release(struct vfio_device *vdev)
{
	vfio_pci_core_release_dev(vdev);
}
` + probe(`	return -EIO;
`), 'release', '6.2')).toMatchInlineSnapshot(`
  "
  3 core-release vdev: new dropped live -> new dropped live
  4 leaves void, stored: new dropped live
  "
`);
  });
});
