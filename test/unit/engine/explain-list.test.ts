import { describe, expect, it } from 'vitest';
import {
  explainableList,
  explainableNames,
  explainKind,
  explainName,
} from '../../../server/src/engine/explain.ts';
import type { KernelVersion } from '../../../server/src/kernel/types.ts';

const explain = (name: string, version: KernelVersion = [6, 1]) =>
  explainKind(name) ??
  explainName(name, { version, text: version.join('.'), source: 'option', reason: '' });

describe('the names that can be explained', () => {
  it.each([...explainableNames(), ...explainableList().map(({ name }) => name)])('%s', (name) =>
    expect(explain(name)).toBeDefined(),
  );

  it('are listed with what they are', () => {
    const list = new Map(explainableList().map(({ name, what }) => [name, what]));
    expect(list.get('missing-put')).toBe('rule');
    expect(list.get('vfio_free_device')).toBe('function, v6.1 only');
    expect(list.get('vfio_device_ops.release')).toBe('member, up to v5.14; since v6.1');
    expect(list.get('vfio_init_group_dev')).toBe(
      'function, v5.13 – v6.0, in v5.10 since v5.10.137',
    );
    expect(list.get('mdev_parent_ops.create')).toBe('member, up to v5.18');
  });

  it('have the text of one kernel', () => {
    expect(explain('vfio_pin_pages', [5, 15])).toContain('unsigned long *user_pfn');
    expect(explain('vfio_pin_pages', [6, 1])).toContain('struct page **pages');
    expect(explain('vfio_init_group_dev', [5, 10, 198])).toContain('void *device_data');
    expect(explain('struct mdev_driver', [6, 1])).toContain('`.get_available`');
    expect(explain('mdev_driver.get_available', [6, 1])).toContain('## mdev_driver.get_available');
    expect(explain('vdev->mig_ops', [6, 1])).toBe(undefined);
    expect(explain('mig_ops', [6, 1])).toContain('## vfio_device.mig_ops');
  });
});
