import { describe, expect, it } from 'vitest';
import { detectTarget, kernelsOfHeader, versionOfMakefile, type TargetOptions } from '../../../server/src/engine/project/target.ts';
import { API_ENTRIES } from '../../../server/src/kernel/lifecycle-api.ts';
import { memoryFileSystem } from '../../support/files.ts';

const MAKEFILE = '# SPDX-License-Identifier: GPL-2.0\nVERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 3\nEXTRAVERSION =\n';
/** Written by us: only the names matter. */
const OPS = 'struct vfio_device_ops { char *name; %s int (*open_device)(struct vfio_device *v); void (*close_device)(struct vfio_device *v); int (*device_feature)(void); void (*dma_unmap)(void); };';
const REGISTER = 'int vfio_register_group_dev(struct vfio_device *d); int vfio_register_emulated_iommu_dev(struct vfio_device *d); void vfio_unregister_group_dev(struct vfio_device *d); int vfio_assign_device_set(struct vfio_device *d, void *id);';
const HEADERS = {
  '6.0': `${OPS.replace('%s', '')} ${REGISTER} void vfio_init_group_dev(struct vfio_device *d); void vfio_uninit_group_dev(struct vfio_device *d);`,
  '6.1': `${OPS.replace('%s', 'int (*init)(void); void (*release)(void);')} ${REGISTER} #define vfio_alloc_device(s, m, d, o) _vfio_alloc_device(0)\nint vfio_init_device(void); void vfio_free_device(void); void vfio_put_device(void);`,
};

const detect = (files: Record<string, string>, options: TargetOptions = {}) => detectTarget(memoryFileSystem(files), '/k/drivers/vfio/x.c', options, API_ENTRIES);

describe('the target kernel', () => {
  it('is the option, then the setting, then the workspace, then 6.1', async () => {
    const files = { '/k/Makefile': MAKEFILE };
    expect(await detect(files, { option: '6.6', setting: '6.2' })).toMatchObject({ text: '6.6', version: [6, 6], source: 'option', reason: 'from --kernel' });
    expect(await detect(files, { setting: '6.2' })).toMatchObject({ text: '6.2', source: 'setting' });
    expect(await detect(files)).toMatchObject({ text: '6.12', source: 'makefile', reason: "from the kernel tree's Makefile" });
    expect(await detect({})).toMatchObject({ text: '6.1', source: 'default' });
  });

  it('passes over a version that does not parse, and says so', async () => {
    const found = await detect({ '/k/Makefile': MAKEFILE }, { setting: 'newest' });
    expect(found).toMatchObject({ text: '6.12', source: 'makefile' });
    expect(found.reason).toBe("from the kernel tree's Makefile; \"newest\" is not a kernel version such as 6.1 or 6.12");
  });

  it('does not take a setting that is empty for a bad one', async () => {
    expect((await detect({}, { setting: '' })).reason).toBe('the default: no kernel tree around the file');
  });

  it.each(['6.0', '6.1'] as const)('knows the header of %s', async (version) => {
    expect(await detect({ '/k/include/linux/vfio.h': HEADERS[version] })).toMatchObject({ text: version, source: 'header' });
  });

  it('believes the header when a distribution took later interfaces into an old kernel', async () => {
    const found = await detect({ '/k/Makefile': MAKEFILE.replace('= 6', '= 5').replace('12', '14'), '/k/include/linux/vfio.h': HEADERS['6.1'] });
    expect(found).toMatchObject({ text: '6.1', source: 'header' });
    expect(found.reason).toContain('although its Makefile says 5.14');
  });

  it('stops at the border', async () => {
    expect(await detect({ '/k/Makefile': MAKEFILE }, { root: '/k/drivers' })).toMatchObject({ source: 'default' });
  });

  it('is not misled by other Makefiles and headers', () => {
    expect(versionOfMakefile('VERSION = 1.2\nobj-m += x.o\n')).toBeUndefined();
    expect(versionOfMakefile('obj-m += x.o\nVERSION = 6\n')).toBeUndefined();
    expect(kernelsOfHeader('', API_ENTRIES)).toBeUndefined();
    expect(kernelsOfHeader('struct vfio_device_ops; /* vfio_alloc_device() */', API_ENTRIES)).toBeUndefined();
  });
});
