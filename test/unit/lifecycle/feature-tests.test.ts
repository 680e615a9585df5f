/** A test of a feature is what the arms of the driver say that it is in the target kernel. */
import { describe, expect, test } from 'vitest';
import { macrosOf } from '../../../server/src/lifecycle/module/preprocessor.ts';
import { parseVersion } from '../../../server/src/kernel/version.ts';
import { analyseText, factsOf } from '../../support/analyse.ts';

/** What a macro is in the target kernel for a driver with this code. */
function truthOf(name: string, code: string, kernel: string): string {
  const { module } = factsOf(code, kernel);
  return macrosOf(module, parseVersion(kernel)!)(name)?.value ?? 'unknown';
}

const uninit = (name: string) => `void undo(struct vfio_device *v)
{
#ifdef ${name}
	vfio_uninit_group_dev(v);
#endif
}
`;

const make = (name: string) => `int make(struct device *d)
{
	struct foo *foo;
#ifdef ${name}
	foo = vfio_alloc_device(foo, vdev, d, &ops);
#else
	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	vfio_init_group_dev(&foo->vdev, d, &ops);
#endif
	return foo ? 0 : -ENOMEM;
}
`;

const members = (name: string) => `static const struct vfio_device_ops ops = {
#if defined(${name})
	.open_device = f,
	.close_device = g,
#else
	.open = f,
	.release = g,
#endif
};
`;

describe('a feature test', () => {
  test.each([
    ['HAVE_VFIO_UNINIT_GROUP_DEV', uninit, '6.0', 'true'],
    ['HAVE_VFIO_UNINIT_GROUP_DEV', uninit, '5.14', 'false'],
    ['NV_VFIO_UNINIT_GROUP_DEV_PRESENT', uninit, '6.12', 'false'],
    ['FOO_HAS_UNINIT', uninit, '6.0', 'true'],
    // Nothing says that it is about the kernel, and the other arm is empty.
    ['FOO_HAS_UNINIT', uninit, '6.12', 'unknown'],
    ['FOO_MDEV', uninit, '6.0', 'unknown'],
    ['CONFIG_HAVE_VFIO_UNINIT_GROUP_DEV', uninit, '6.0', 'unknown'],
    ['FOO_NEW_VFIO', make, '6.1', 'true'],
    ['FOO_NEW_VFIO', make, '6.0', 'false'],
    ['FOO_OPS', members, '6.6', 'true'],
    ['FOO_OPS', members, '5.14', 'false'],
  ] as const)('%s for %o on %s', (name, code, kernel, expected) => {
    expect(truthOf(name, code(name), kernel)).toBe(expected);
  });

  test('by which the driver defines what older kernels lack tells too', () => {
    const code =
      '#ifndef HAVE_VFIO_PUT_DEVICE\nstatic inline void vfio_put_device(struct vfio_device *v)\n{\n}\n#endif\n';
    expect(truthOf('HAVE_VFIO_PUT_DEVICE', code, '6.1')).toBe('true');
    expect(truthOf('HAVE_VFIO_PUT_DEVICE', code, '6.0')).toBe('false');
  });

  test('leaves out a member that the target does not have, without a word', () => {
    const code = `static const struct vfio_device_ops ops = {
	.name = "foo",
#ifdef HAVE_MATCH_TOKEN_UUID
	.match_token_uuid = foo_match,
#endif
};
`;
    expect(analyseText(code, '6.12').map(({ rule }) => rule)).toEqual([]);
  });
});
