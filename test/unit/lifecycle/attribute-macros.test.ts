/** Attribute macros of the driver on a local variable: what they say of the end of its scope. */
import { describe, expect, test } from 'vitest';
import { analyseText } from '../../support/analyse.ts';
import { FOO } from './support.ts';

const HELPER =
  'static void foo_end(struct foo **f)\n{\n\tif (*f)\n\t\tvfio_put_device(&(*f)->vdev);\n}\n';

/** A driver whose probe declares its device so, and what it does where the registration fails. */
function driver(macros: string, declaration: string, onFailure = ''): string {
  return `${FOO}${HELPER}${macros}
static int probe(struct device *dev)
{
	${declaration}
	int ret;

	foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(no_free_ptr(foo));
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret) {
${onFailure}		return ret;
	}
	dev_set_drvdata(dev, foo);
	foo = NULL;
	return 0;
}
static void remove(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
static struct foo_driver d = { .probe = probe, .remove = remove };
`;
}

const found = (text: string): string[] =>
  analyseText(text, '6.2')
    .filter((one) => one.severity === 'error' || one.severity === 'warning')
    .map((one) => one.rule);

const ATTRIBUTE = '#define auto_foo __attribute__((cleanup(foo_end)))';
const PUT = '\t\tvfio_put_device(&foo->vdev);\n';

describe.each([
  ['before the type', ATTRIBUTE, 'auto_foo struct foo *foo = NULL;'],
  ['after the name', ATTRIBUTE, 'struct foo *foo auto_foo = NULL;'],
  ['by another macro', '#define auto_foo __cleanup(foo_end)', 'auto_foo struct foo *foo = NULL;'],
  [
    'with arguments, through a second macro',
    '#define __end(f) __attribute__((__cleanup__(f)))\n#define auto_of(name) __end(name##_end)\n#define auto_foo __end(foo_end) __maybe_unused',
    'auto_foo struct foo *foo = NULL;',
  ],
  [
    'with arguments',
    '#define ends(f) __attribute__((cleanup(f)))',
    'ends(foo_end) struct foo *foo = NULL;',
  ],
])('an attribute %s', (_, macros, declaration) => {
  test('puts the device on every path', () => {
    expect(found(driver(macros, declaration))).toEqual([]);
  });

  test('and a put beside it is one too many', () => {
    expect(found(driver(macros, declaration, PUT))).toEqual(['double-put']);
  });
});

test('an attribute that ends nothing leaves the leak', () => {
  const macros = '#define quiet __attribute__((unused))';
  expect(found(driver(macros, 'quiet struct foo *foo = NULL;'))).toEqual(['missing-put']);
  expect(found(driver(macros, 'quiet struct foo *foo = NULL;', PUT))).toEqual([]);
});

test('one that is not seen may end it, as a call that is given its address may', () => {
  const text = driver('', 'auto_foo struct foo *foo = NULL;');
  const leaks = analyseText(text, '6.2').filter((one) => one.rule === 'missing-put');
  expect(leaks.map((one) => one.severity)).toEqual(['hint']);
  const call = driver('', 'struct foo *foo = NULL;', '\t\tfoo_drop(&foo);\n');
  expect(found(call)).toEqual([]);
});
