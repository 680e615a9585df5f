import { expect, test } from 'vitest';
import { factsOf } from '../../support/analyse.ts';

const STRUCT =
  'struct foo {\n\tstruct vfio_device vdev;\n\tstruct notifier_block nb;\n\tstruct kref ref;\n};\nstatic const struct vfio_device_ops foo_ops = { .name = "foo" };\n';

/**
 * Whether the put at the end is certain when the helper hands `argument` to a function that nobody
 * knows.
 */
function isCertain(call: string, struct: string = STRUCT): boolean {
  const code = `${struct}static void helper(struct foo *foo)\n{\n\t${call};\n}\nint probe(struct device *dev)\n{\n\tstruct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);\n\n\tif (IS_ERR(foo))\n\t\treturn PTR_ERR(foo);\n\thelper(foo);\n\tvfio_put_device(&foo->vdev);\n\treturn 0;\n}\n`;
  const put = factsOf(code, '6.6').observations.find(
    (one) => one.kind === 'operation' && one.op === 'put',
  );
  return put!.certain;
}

test.each([
  ['the object itself', 'vendor_note(foo)', false],
  ['its device', 'vendor_note(&foo->vdev)', false],
  ['a member of its device', 'vendor_note(&foo->vdev.device)', false],
  ['another member', 'vendor_note(&foo->nb)', true],
  ['a count whose last put may free it', 'kref_put(&foo->ref, foo_free)', false],
] as const)('a helper hands on %s', (_, call, certain) => {
  expect(isCertain(call)).toBe(certain);
});

test('a helper hands on a member of a struct that the module does not define', () => {
  expect(isCertain('vendor_note(&foo->nb)', STRUCT.slice(STRUCT.indexOf('static')))).toBe(false);
});
