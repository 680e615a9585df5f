import { describe, expect, it } from 'vitest';
import { hoverAt } from '../../../server/src/engine/hover.ts';
import { engineWith, single } from './support.ts';

/** `|` marks the cursor. Gives the first line of the signature, or undefined. */
async function hover(marked: string): Promise<string | undefined> {
  const engine = await engineWith([]);
  const offset = marked.indexOf('|');
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  const found = hoverAt(engine.lowered(single(text)), offset, [6, 1]);
  if (found) expect(text.slice(found.span.start, found.span.end)).toMatch(/^\w+$/);
  return found?.markdown.split('\n')[1];
}

describe('hover', () => {
  it.each([
    [
      'a function',
      'void f(void) { vfio_put_|device(v); }',
      'static inline void vfio_put_device(struct vfio_device *device);',
    ],
    [
      'right before the word',
      'void f(void) { |vfio_put_device(v); }',
      'static inline void vfio_put_device(struct vfio_device *device);',
    ],
    [
      'right behind the word',
      'void f(void) { vfio_put_device|(v); }',
      'static inline void vfio_put_device(struct vfio_device *device);',
    ],
    [
      'a macro',
      'void f(void) { p = vfio_alloc|_device(foo, vdev, dev, &ops); }',
      '#define vfio_alloc_device(dev_struct, member, dev, ops)',
    ],
    ['a struct', 'struct foo { struct vfio_|device vdev; };', 'struct vfio_device;'],
    [
      'a tag that is a macro argument',
      'void f(void) { p = vfio_alloc_device(vfio_pci_|core_device, vdev, dev, &ops); }',
      'struct vfio_pci_core_device;',
    ],
    [
      'a member of an ops table',
      'static const struct vfio_device_ops ops = { .rel|ease = foo_release };',
      'void (*release)(struct vfio_device *vdev);',
    ],
    [
      'a member of an ops table with #if in it',
      'static const struct vfio_device_ops ops = {\n#ifdef X\n .name = "x",\n#endif\n .in|it = foo_init,\n};',
      'int (*init)(struct vfio_device *vdev);',
    ],
  ])('knows %s', async (_, text, signature) => {
    const found = await hover(text);
    expect(found).toBeDefined();
    expect(found).toBe(signature);
  });

  it.each([
    [
      'a member of another table',
      'static const struct file_operations ops = { .rel|ease = foo_release };',
    ],
    ['the value of a member', 'static const struct vfio_device_ops ops = { .release = rel|ease };'],
    ['a member of the same name', 'void f(void) { p->vfio_|device = 1; }'],
    ['a variable called as a struct', 'void f(void) { int vfio_|device; }'],
    ['a comment', '/* vfio_put_|device() */ int x;'],
    ['a string', 'char *s = "vfio_put_|device";'],
    ['another word', 'int m|ain;'],
    ['no word', 'int x = | 1;'],
    ['an empty text', '|'],
  ])('says nothing on %s', async (_, text) => expect(await hover(text)).toBeUndefined());
});
