/** An element of a list that is a member of another object: what is owed when the element goes. */
import { describe, expect, test } from 'vitest';
import { analyseText } from '../../support/analyse.ts';
import { FOO } from './support.ts';

/** Probe links the device into a list, and does `failing` where the registration fails. */
function found(parent: string, failing: string, removed = ''): string[] {
  const text = `struct shelf { struct mutex lock; struct list_head foos; };
${FOO}static int probe(struct device *dev)
{
	struct shelf *shelf = ${parent};
	struct foo *foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	int ret;

	if (IS_ERR(foo))
		return PTR_ERR(foo);
	list_add(&foo->node, &shelf->foos);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret) {
${failing}		return ret;
	}
	dev_set_drvdata(dev, foo);
	return 0;
}
static void remove(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);

	vfio_unregister_group_dev(&foo->vdev);
${removed}	vfio_put_device(&foo->vdev);
}
static struct foo_driver d = { .probe = probe, .remove = remove };
`;
  return analyseText(text, '6.2')
    .filter((one) => one.severity === 'error' || one.severity === 'warning')
    .map((one) => one.rule);
}

const PUT = '\t\tvfio_put_device(&foo->vdev);\n';
const UNLINK = '\t\tlist_del(&foo->node);\n';

describe.each([
  ['the drvdata of its parent', 'dev_get_drvdata(dev->parent)'],
  ['what a parameter leads to', '((struct board *)dev->platform_data)->shelf'],
])('the list of %s', (_, parent) => {
  test('has the element no more where it is put', () => {
    expect(found(parent, UNLINK + PUT, UNLINK)).toEqual([]);
    expect(found(parent, PUT, UNLINK)).toEqual(['leak-on-error-path']);
  });

  test('may have it for as long as it lives', () => {
    expect(found(parent, '\t\tshelf_drop(shelf, foo);\n', UNLINK)).toEqual([]);
  });
});
