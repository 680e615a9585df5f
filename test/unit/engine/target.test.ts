import { describe, expect, it } from 'vitest';
import {
  kernelsOfHeader,
  versionOfMakefile,
} from '../../../server/src/engine/project/kernel-tree.ts';
import { detectTarget, type TargetOptions } from '../../../server/src/engine/project/target.ts';
import { API_ENTRIES } from '../../../server/src/kernel/lifecycle-api.ts';
import { memoryFileSystem } from '../../support/files.ts';

const MAKEFILE =
  '# SPDX-License-Identifier: GPL-2.0\nVERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 3\nEXTRAVERSION =\n';
/** Written by us: only the names matter. */
const OPS =
  'struct vfio_device_ops { char *name; %s int (*open_device)(struct vfio_device *v); void (*close_device)(struct vfio_device *v); int (*device_feature)(void); void (*dma_unmap)(void); };';
const REGISTER =
  'int vfio_register_group_dev(struct vfio_device *d); int vfio_register_emulated_iommu_dev(struct vfio_device *d); void vfio_unregister_group_dev(struct vfio_device *d); int vfio_assign_device_set(struct vfio_device *d, void *id);';
const HEADERS = {
  '6.0': `${OPS.replace('%s', '')} ${REGISTER} void vfio_init_group_dev(struct vfio_device *d); void vfio_uninit_group_dev(struct vfio_device *d);`,
  '6.1': `${OPS.replace('%s', 'int (*init)(void); void (*release)(void);')} ${REGISTER} #define vfio_alloc_device(s, m, d, o) _vfio_alloc_device(0)\nint vfio_init_device(void); void vfio_free_device(void); void vfio_put_device(void);`,
};

const detect = (files: Record<string, string>, options: TargetOptions = {}) =>
  detectTarget(memoryFileSystem(files), '/k/drivers/vfio/x.c', options, API_ENTRIES);

describe('the target kernel', () => {
  it('is the option, then the setting, then the workspace, then 6.1', async () => {
    const files = { '/k/Makefile': MAKEFILE };
    expect(await detect(files, { option: '6.6', setting: '6.2' })).toMatchObject({
      text: '6.6',
      version: [6, 6],
      source: 'option',
      reason: 'from --kernel',
    });
    expect(await detect(files, { setting: '6.2' })).toMatchObject({
      text: '6.2',
      source: 'setting',
    });
    expect(await detect(files)).toMatchObject({
      text: '6.12',
      source: 'makefile',
      reason: "from the kernel tree's Makefile",
    });
    expect(await detect({})).toMatchObject({ text: '6.1', source: 'default' });
  });

  it('passes over a version that does not parse, and says so', async () => {
    const found = await detect({ '/k/Makefile': MAKEFILE }, { setting: 'newest' });
    expect(found).toMatchObject({ text: '6.12', source: 'makefile' });
    expect(found.reason).toBe(
      'from the kernel tree\'s Makefile; "newest" is not a kernel version such as 6.1 or 6.12',
    );
  });

  it('does not take a setting that is empty for a bad one', async () => {
    expect((await detect({}, { setting: '' })).reason).toBe(
      'the default: no kernel tree around the file',
    );
  });

  it.each(['6.0', '6.1'] as const)('knows the header of %s', async (version) => {
    expect(await detect({ '/k/include/linux/vfio.h': HEADERS[version] })).toMatchObject({
      text: version,
      source: 'header',
    });
  });

  it('believes the header when a distribution took later interfaces into an old kernel', async () => {
    const found = await detect({
      '/k/Makefile': MAKEFILE.replace('= 6', '= 5').replace('12', '14'),
      '/k/include/linux/vfio.h': HEADERS['6.1'],
    });
    expect(found).toMatchObject({ text: '6.1', source: 'header' });
    expect(found.reason).toContain('although its Makefile says 5.14');
  });

  it('stops at the border', async () => {
    expect(await detect({ '/k/Makefile': MAKEFILE }, { root: '/k/drivers' })).toMatchObject({
      source: 'default',
    });
  });

  it('is not misled by other Makefiles and headers', () => {
    expect(versionOfMakefile('VERSION = 1.2\nobj-m += x.o\n')).toBeUndefined();
    expect(versionOfMakefile('obj-m += x.o\nVERSION = 6\n')).toBeUndefined();
    expect(kernelsOfHeader('', API_ENTRIES)).toBeUndefined();
    expect(
      kernelsOfHeader('struct vfio_device_ops; /* vfio_alloc_device() */', API_ENTRIES),
    ).toBeUndefined();
  });
});

const OWN = 'VERSION = 2\nPATCHLEVEL = 4\n';
const uses = (text: string): TargetOptions => ({ sources: async () => [text] });
const NEW = uses('void f(struct vfio_device *v) { vfio_put_device(v); }');
const SUBLEVEL = 'SUBLEVEL = 0\nEXTRAVERSION =\n';

describe('a Makefile with a version', () => {
  it.each([
    ['a version alone', { Makefile: 'VERSION = 6\nPATCHLEVEL = 12\n' }, NEW, '6.1'],
    ['the version of a driver', { Makefile: OWN, 'scripts/x': '' }, NEW, '6.1'],
    [
      'a driver that counts like a kernel',
      { Makefile: OWN + SUBLEVEL, Kbuild: '', 'scripts/x': '' },
      NEW,
      '6.1',
    ],
    [
      'a known kernel that lacks what the driver uses',
      { Makefile: `VERSION = 5\nPATCHLEVEL = 15\n${SUBLEVEL}`, 'include/linux/x.h': '' },
      NEW,
      '6.1',
    ],
    [
      'that kernel with its folders',
      {
        Makefile: `VERSION = 5\nPATCHLEVEL = 15\n${SUBLEVEL}`,
        'include/linux/x.h': '',
        'drivers/x': '',
      },
      NEW,
      '5.15',
    ],
    [
      'an old kernel with its folders',
      { Makefile: `VERSION = 4\nPATCHLEVEL = 19\n${SUBLEVEL}`, 'arch/x': '', 'scripts/x': '' },
      {},
      '4.19',
    ],
    ['a kernel that has all', { Makefile: `VERSION = 6\nPATCHLEVEL = 6\n${SUBLEVEL}` }, NEW, '6.6'],
    [
      'headers of a kernel',
      { Makefile: 'VERSION = 6\nPATCHLEVEL = 6\n', 'include/linux/x.h': '' },
      NEW,
      '6.6',
    ],
  ])('%s', async (_title, files, options, expected) => {
    const found = await detect(
      Object.fromEntries(Object.entries(files).map(([name, text]) => [`/k/${name}`, text])),
      options,
    );
    expect(found.text).toBe(expected);
  });
});

describe('what a module is built with out of tree', () => {
  it.each([
    [
      'a folder of modules',
      { Makefile: 'KDIR ?= /lib/modules/6.8.0-31-generic/build\n' },
      NEW,
      '6.8',
    ],
    [
      'headers of a distribution',
      { Makefile: 'KERNELDIR := /usr/src/linux-headers-6.12.30-amd64\n' },
      NEW,
      '6.12',
    ],
    [
      'a version of its own',
      { Makefile: 'KVER ?= 6.6.30\nKDIR := /lib/modules/$(KVER)/build\n' },
      NEW,
      '6.6',
    ],
    [
      'the running kernel',
      { Makefile: 'KDIR := /lib/modules/$(shell uname -r)/build\n' },
      NEW,
      '6.1',
    ],
    [
      'a tree beside it',
      {
        Makefile: 'KDIR := $(PWD)/../linux\n',
        '../linux/Makefile': 'VERSION = 6\nPATCHLEVEL = 4\n',
      },
      NEW,
      '6.4',
    ],
    [
      'a kernel that lacks what the driver uses',
      { Makefile: 'KDIR := /lib/modules/5.15.0-91-generic/build\n' },
      NEW,
      '6.1',
    ],
    [
      'an old kernel for an old driver',
      { GNUmakefile: 'KDIR := /lib/modules/5.15.0-91-generic/build\n' },
      uses('void f(void) { vfio_init_group_dev(0, 0, 0); }'),
      '5.15',
    ],
    ['a release candidate', { Makefile: 'KDIR := /usr/src/linux-6.9-rc3\n' }, NEW, '6.9'],
    [
      'headers that were configured',
      {
        Makefile: 'KERNEL_SRC ?= ../headers\n',
        '../headers/Makefile': 'include ../common/Makefile\n',
        '../headers/include/config/kernel.release': '6.6.30-rpi\n',
      },
      NEW,
      '6.6',
    ],
    [
      'make -C of a folder',
      { Makefile: 'all:\n\t$(MAKE) -C /lib/modules/6.8.0-31-generic/build M=$(PWD) modules\n' },
      NEW,
      '6.8',
    ],
    [
      'make -C of a variable',
      { Makefile: 'TREE = /usr/src/linux-6.4\nall:\n\tmake -j8 -C ${TREE} M=`pwd` modules\n' },
      NEW,
      '6.4',
    ],
    ['make -C of itself', { Makefile: 'all:\n\t$(MAKE) -C sub\n' }, NEW, '6.1'],
    ['a folder in the driver', { Makefile: 'KDIR := ./kernel-6\n' }, NEW, '6.1'],
    [
      'dkms: from 6.6',
      { 'dkms.conf': 'BUILD_EXCLUSIVE_KERNEL="^6\\.([6-9]|1[0-2])\\..*"\n' },
      NEW,
      '6.6',
    ],
    [
      'dkms: several',
      { 'dkms.conf': 'BUILD_EXCLUSIVE_KERNEL="^(5\\.15|6\\.[1-9])\\..*"\n' },
      NEW,
      '6.1',
    ],
    [
      'dkms: old ones',
      { 'dkms.conf': 'BUILD_EXCLUSIVE_KERNEL=^5.1[5-9]\n' },
      uses('void f(void) { vfio_init_group_dev(0, 0, 0); }'),
      '5.19',
    ],
    ['dkms: at least', { 'dkms.conf': 'BUILD_EXCLUSIVE_KERNEL_MIN="6.9"\n' }, NEW, '6.9'],
    ['dkms: all', { 'dkms.conf': 'BUILD_EXCLUSIVE_KERNEL=".*"\n' }, NEW, '6.1'],
    ['dkms: nonsense', { 'dkms.conf': 'BUILD_EXCLUSIVE_KERNEL="6\\.[9-1]|6.((("\n' }, NEW, '6.1'],
  ])('%s', async (_title, files, options, expected) => {
    const paths = Object.entries(files).map(([name, text]): [string, string] => [
      name.startsWith('../') ? `/k/drivers/${name.slice(3)}` : `/k/drivers/vfio/${name}`,
      text,
    ]);
    expect((await detect(Object.fromEntries(paths), options)).text).toBe(expected);
  });

  it('is said', async () => {
    expect(
      await detect({ '/k/Makefile': 'KDIR := /lib/modules/6.8.0-31-generic/build\n' }, NEW),
    ).toMatchObject({ source: 'build', reason: "from KDIR in the module's Makefile" });
    expect(await detect({ '/k/dkms.conf': 'BUILD_EXCLUSIVE_KERNEL_MIN=6.9\n' }, NEW)).toMatchObject(
      {
        source: 'build',
        reason: 'the first that dkms.conf allows from 6.1 on, or the last before it',
      },
    );
  });
});
