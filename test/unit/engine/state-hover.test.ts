import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { stateAt } from '../../../server/src/engine/state-hover.ts';
import { BAR_H, CLEAN, LEAKY, OLD } from '../../support/drivers.ts';
import { engineWith, kernel, single } from './support.ts';

const MISTAKES = readFileSync(
  new URL('../../../examples/driver/mistakes.c', import.meta.url),
  'utf8',
);
const OLD_ALONE = OLD.replace('#include "bar.h"\n', BAR_H);
const HOLDING = CLEAN.replace(
  '\tret = vfio_register',
  '\tfoo->buffer = kzalloc(64, GFP_KERNEL);\n\tif (!foo->buffer)\n\t\tgoto out;\n\tret = vfio_register',
)
  .replace('\t\tvfio_put_device(&foo->vdev);\n\t\treturn ret;\n\t}', '\t\tgoto out;\n\t}')
  .replace(
    '\treturn 0;\n}',
    '\treturn 0;\nout:\n\tvfio_put_device(&foo->vdev);\n\treturn -ENODEV;\n}',
  )
  .replace(
    '\tvfio_unregister_group_dev(&foo->vdev);\n',
    '\tvfio_unregister_group_dev(&foo->vdev);\n\tkfree(foo->buffer);\n',
  );

/** What is said at the first character of `place`, with the text that it is said of. */
async function state(text: string, place: string, target = '6.1'): Promise<string> {
  const engine = await engineWith([]);
  const input = single(text);
  const offset = text.indexOf(place);
  expect(offset).toBeGreaterThanOrEqual(0);
  const found = stateAt(
    engine.facts(input, kernel(target))!,
    input.file,
    offset,
    ({ start }) => `line ${text.slice(0, start).split('\n').length}`,
  );
  return found === undefined
    ? ''
    : `[${text.slice(found.span.start, found.span.end)}]\n${found.markdown}`;
}

it('tells at a call what the device is before and after it, on each way', async () => {
  expect(await state(CLEAN, 'vfio_alloc_device')).toMatchInlineSnapshot(`
    "[vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops)]
    **State** of the device allocated in line 23 after the call, on different paths:

    - the pointer is an error pointer: the allocation has failed
    - the driver holds the reference, not registered; still owed: \`vfio_put_device()\`"
  `);
  expect(await state(CLEAN, 'vfio_register_emulated')).toMatchInlineSnapshot(`
    "[vfio_register_emulated_iommu_dev(&foo->vdev)]
    **State** of the device allocated in line 23: the driver holds the reference, not registered

    After the call, on different paths:

    - the driver holds the reference, its registration has failed; still owed: \`vfio_put_device()\`
    - the driver holds the reference, registered; still owed: \`vfio_unregister_group_dev()\`, then \`vfio_put_device()\`"
  `);
  expect(await state(CLEAN, 'vfio_put_device(&foo->vdev);\n\t\treturn')).toMatchInlineSnapshot(`
    "[vfio_put_device(&foo->vdev)]
    **State** of the device allocated in line 23: the driver holds the reference, its registration has failed

    After the call: its last reference is dropped, and its memory may be freed"
  `);
});

it('tells in remove what probe has left', async () => {
  expect(await state(CLEAN, 'vfio_unregister_group_dev')).toMatchInlineSnapshot(`
    "[vfio_unregister_group_dev(&foo->vdev)]
    **State** of the device allocated in line 23: the driver holds the reference, registered

    After the call: the driver holds the reference, unregistered; still owed: \`vfio_put_device()\`"
  `);
  expect(await state(CLEAN, 'vfio_put_device(&foo->vdev);\n}')).toMatchInlineSnapshot(`
    "[vfio_put_device(&foo->vdev)]
    **State** of the device allocated in line 23: the driver holds the reference, unregistered

    After the call: its last reference is dropped, and its memory may be freed"
  `);
});

it('tells at a test, an access and a return', async () => {
  expect(await state(LEAKY, 'IS_ERR(foo)')).toMatchInlineSnapshot(`
    "[IS_ERR(foo)]
    **State** of the device allocated in line 23, on different paths:

    - the pointer is an error pointer: the allocation has failed
    - the driver holds the reference, not registered; still owed: \`vfio_put_device()\`"
  `);
  expect(await state(MISTAKES, 'lamp->switched);')).toMatchInlineSnapshot(`
    "[lamp->switched]
    **State** of the device allocated in line 45: its last reference is dropped, and its memory may be freed"
  `);
  expect(await state(LEAKY, 'return ret;')).toMatchInlineSnapshot(`
    "[return ret;]
    **State** of the device allocated in line 23: the driver holds the reference, its registration has failed; still owed: \`vfio_put_device()\`"
  `);
});

it('tells of the old model by its own calls, as far as the kernel has them', async () => {
  expect(await state(OLD_ALONE, 'vfio_register_emulated', '6.0')).toMatchInlineSnapshot(`
    "[vfio_register_emulated_iommu_dev(&bar->vdev)]
    **State** of the device allocated in line 16: initialised, not registered

    After the call, on different paths:

    - initialised, its registration has failed; still owed: \`vfio_uninit_group_dev()\`, then \`kfree()\`
    - initialised, registered; still owed: \`vfio_unregister_group_dev()\`, then \`vfio_uninit_group_dev()\`, then \`kfree()\`"
  `);
  expect(
    await state(
      OLD_ALONE.replaceAll('emulated_iommu', 'group').replaceAll(
        '\tvfio_uninit_group_dev(&bar->vdev);\n',
        '',
      ),
      'vfio_register_group',
      '5.14',
    ),
  ).toMatchInlineSnapshot(`
    "[vfio_register_group_dev(&bar->vdev)]
    **State** of the device allocated in line 16: initialised, not registered

    After the call, on different paths:

    - initialised, its registration has failed; still owed: \`kfree()\`
    - initialised, registered; still owed: \`vfio_unregister_group_dev()\`, then \`kfree()\`"
  `);
});

it('tells at a return what else a path has taken', async () => {
  expect(await state(HOLDING, 'return -ENODEV')).toMatchInlineSnapshot(`
    "[return -ENODEV;]
    **State** of the device allocated in line 23: its last reference is dropped, and its memory may be freed

    Taken on a path to here and not released: \`kzalloc()\` in line 27, which \`kfree()\` undoes"
  `);
});

it('tells at a call that changes nothing only what is', async () => {
  expect(await state(CLEAN, 'dev_set_drvdata')).toMatchInlineSnapshot(`
    "[dev_set_drvdata(&mdev->dev, foo)]
    **State** of the device allocated in line 23: the driver holds the reference, registered; still owed: \`vfio_unregister_group_dev()\`, then \`vfio_put_device()\`"
  `);
});

it.each(['int users', 'struct foo {', 'int ret;', 'static struct mdev_driver'])(
  'says nothing at %s',
  async (place) => {
    expect(await state(CLEAN, place)).toBe('');
  },
);

it('says nothing of a device that came from elsewhere', async () => {
  expect(
    await state(
      CLEAN.replace(
        'static int foo_probe',
        'void foo_other(struct foo *foo)\n{\n\tfoo->users = 2;\n}\n\nstatic int foo_probe',
      ),
      'foo->users = 2',
    ),
  ).toBe('');
});

it('says nothing of memory in a function that no life of a device comes by', async () => {
  const apart = `static int tested(void *data)
{
	return IS_ERR(data) ? PTR_ERR(data) : 0;
}
static int take(struct foo *foo, void __user *from)
{
	struct map *map = memdup_user(from, 4);
	int ret = tested(map);

	if (ret)
		return ret;
	kfree(map);
	return 0;
}
`;
  expect(await state(CLEAN + apart, 'memdup_user')).toBe('');
  expect(await state(CLEAN + apart, 'kfree(map)')).toBe('');
});
