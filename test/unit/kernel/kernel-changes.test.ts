import { describe, expect, it } from 'vitest';
import { describeKernels } from '../../../server/src/kernel/kernel-changes.ts';
import { KNOWN_KERNELS } from '../../../server/src/kernel/known-kernels.ts';

describe('what a kernel brings', () => {
  const lines = new Map(describeKernels().map(({ version, brings }) => [version, brings]));

  it('is said of every known kernel, the newest first', () => {
    expect([...lines.keys()]).toEqual([...KNOWN_KERNELS].reverse());
  });

  it('is what comes and what goes, by name', () => {
    expect(lines.get('6.1')).toMatchInlineSnapshot(
      `"vfio_alloc_device(), vfio_put_device(), vfio_free_device(), vfio_init_device(), .init, .release and 3 more; without vfio_init_group_dev(), vfio_uninit_group_dev(), vfio_pci_core_init_device() and 1 more"`,
    );
    expect(lines.get('6.2')).toMatchInlineSnapshot(
      `".bind_iommufd, .unbind_iommufd, .attach_ioas, .migration_get_data_size; without vfio_free_device(), vfio_init_device()"`,
    );
    expect(lines.get('6.6')).toBe('.detach_ioas');
    expect(lines.get('5.15')).toMatchInlineSnapshot(
      `"vfio_uninit_group_dev(), vfio_assign_device_set(), vfio_pci_core_init_device(), vfio_pci_core_uninit_device(), .open_device, .close_device and 14 more; without .open"`,
    );
  });

  it('is the interface of an older kernel where nothing changed', () => {
    expect(lines.get('6.12')).toBe('the interface of 6.6');
    expect(lines.get('5.10')).toBe('the oldest known interface');
  });

  it('leaves out what only has another meaning', () => {
    expect(lines.get('6.0')).not.toContain('.migration_set_state');
  });
});
