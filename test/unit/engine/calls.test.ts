import { describe, expect, it } from 'vitest';
import {
  countCalls,
  withoutCommentsAndStrings,
} from '../../../server/src/engine/debug/count-calls.ts';
import { engineWith, single } from './support.ts';

describe('the count of life-cycle calls', () => {
  it('agrees between the text and the IR where nothing is lost', async () => {
    const engine = await engineWith([]);
    const text = `
      void vfio_put_device(struct vfio_device *v);
      #define PUT(v) vfio_put_device(v)
      #define TWO(v) do { vfio_put_device(v); vfio_unregister_group_dev(v); } while (0)
      static int f(void) { /* vfio_put_device(x) */ if (a) vfio_put_device("vfio_put_device("); return vfio_register_group_dev(v); }
    `;
    expect(countCalls(engine.lowered(single(text))!)).toEqual([
      { name: 'vfio_put_device', lowered: 4, written: 4 },
      { name: 'vfio_register_group_dev', lowered: 1, written: 1 },
      { name: 'vfio_unregister_group_dev', lowered: 1, written: 1 },
    ]);
  });

  it('differs where the IR lacks a call', async () => {
    const engine = await engineWith([]);
    const file = engine.lowered(single('static void f(void) { vfio_put_device(v); }'))!;
    expect(countCalls({ ...file, functions: [] })).toEqual([
      { name: 'vfio_put_device', lowered: 0, written: 1 },
    ]);
  });

  it('knows where comments and strings end', () => {
    expect(
      withoutCommentsAndStrings('a /* b */ c // d \\\n e\nf "g\\"h" \'\\\'\' i /* open')
        .replace(/\s+/g, ' ')
        .trim(),
    ).toBe('a c f i');
  });
});
