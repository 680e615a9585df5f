import { describe, expect, test } from 'vitest';
import { FOO, probe, states } from '../support.ts';

describe('the result of a registration', () => {
  test('if (ret)', () => {
    expect(
      states(
        FOO +
          probe(`	ret = vfio_register_group_dev(&foo->vdev);
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
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 leaves failure, none: new held register-failed live
  11 leaves success, none: new held registered live
  "
`);
  });
  test('ret < 0', () => {
    expect(
      states(
        FOO +
          probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (ret < 0)
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
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 leaves failure, none: new held register-failed live
  11 leaves success, none: new held registered live
  "
`);
  });
  test('ret != 0, the other way round', () => {
    expect(
      states(
        FOO +
          probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (0 != ret)
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
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 leaves failure, none: new held register-failed live
  11 leaves success, none: new held registered live
  "
`);
  });
  test('!ret', () => {
    expect(
      states(
        FOO +
          probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (!ret)
		return 0;
	vfio_put_device(&foo->vdev);
	return ret;
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
  10 leaves success, none: new held registered live
  11 put &foo->vdev: new held register-failed live -> new dropped register-failed freed
  12 leaves failure, none: new dropped register-failed freed
  "
`);
  });
  test('the tail', () => {
    expect(
      states(
        FOO +
          probe(`	return vfio_register_group_dev(&foo->vdev);
`),
        'probe',
      ),
    ).toMatchInlineSnapshot(`
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
    expect(
      states(
        FOO +
          probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
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
  10 put &foo->vdev: new held register-failed live -> new dropped register-failed freed
  11 leaves failure, none: new dropped register-failed freed
  11 leaves success, none: new held registered live
  "
`);
  });
  test('an assignment in the condition', () => {
    expect(
      states(
        FOO +
          probe(`	if ((ret = vfio_register_group_dev(&foo->vdev)))
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
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  9 leaves failure, none: new held register-failed live
  10 leaves success, none: new held registered live
  "
`);
  });
  test('a ternary', () => {
    expect(
      states(
        FOO +
          probe(`	ret = vfio_register_group_dev(&foo->vdev);
	return ret ? ret : 0;
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
  9 leaves failure, none: new held register-failed live
  9 leaves success, none: new held registered live
  "
`);
  });
  test('a ternary that registers', () => {
    expect(
      states(
        FOO +
          probe(`	ret = foo->up ? vfio_register_group_dev(&foo->vdev) : -EINVAL;
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
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 leaves failure, none: new held live
  10 leaves failure, none: new held register-failed live
  11 leaves success, none: new held registered live
  "
`);
  });
  test('&& and ||', () => {
    expect(
      states(
        FOO +
          probe(`	if (!foo->up && (ret = vfio_register_group_dev(&foo->vdev)) < 0)
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
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  9 leaves failure, none: new held register-failed live
  10 leaves success, none: new held live
  10 leaves success, none: new held registered live
  "
`);
  });
  test('unlikely, WARN_ON and !!', () => {
    expect(
      states(
        FOO +
          probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (unlikely(WARN_ON(!!ret)))
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
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  10 leaves failure, none: new held register-failed live
  11 leaves success, none: new held registered live
  "
`);
  });
  test('one error code is treated apart', () => {
    expect(
      states(
        FOO +
          probe(`	ret = vfio_register_group_dev(&foo->vdev);
	if (ret == -EBUSY)
		ret = -EAGAIN;
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
  8 register &foo->vdev: new held live -> new held register-failed live
  8 register &foo->vdev: new held live -> new held registered live
  12 leaves failure, none: new held register-failed live
  13 leaves success, none: new held registered live
  "
`);
  });
  test('|= of several', () => {
    expect(
      states(
        FOO +
          probe(`	ret = 0;
	ret |= vfio_register_group_dev(&foo->vdev);
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
  9 register &foo->vdev: new held live -> new held register-failed live
  9 register &foo->vdev: new held live -> new held registered live
  11 leaves failure, none: new held register-failed live
  12 leaves success, none: new held registered live
  "
`);
  });
  test('a switch', () => {
    expect(
      states(
        FOO +
          probe(`	switch (vfio_register_group_dev(&foo->vdev)) {
	case 0:
		return 0;
	default:
		return -EIO;
	}
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
  10 leaves success, none: new held registered live
  12 leaves failure, none: new held register-failed live
  "
`);
  });
  test('not tested', () => {
    expect(
      states(
        FOO +
          probe(`	vfio_register_group_dev(&foo->vdev);
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
  9 leaves success, none: new held register-failed live
  9 leaves success, none: new held registered live
  "
`);
  });
});
