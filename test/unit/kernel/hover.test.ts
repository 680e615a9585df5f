import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderApiDocs } from '../../../server/src/kernel/api-docs.ts';
import { rangeText } from '../../../server/src/kernel/describe-entry.ts';
import { explainApi, findEntries, renderApiHover } from '../../../server/src/kernel/hover.ts';
import { API_ENTRIES } from '../../../server/src/kernel/lifecycle-api.ts';
import { parseVersion } from '../../../server/src/kernel/version.ts';

const hover = (name: string, kernel: string) =>
  renderApiHover(findEntries(name).at(-1)!, parseVersion(kernel)!);

describe('hover', () => {
  it('of a function that the kernel has', () => {
    expect(hover('vfio_init_group_dev', '6.0')).toMatchInlineSnapshot(`
      "\`\`\`c
      void vfio_init_group_dev(struct vfio_device *device, struct device *dev,
      			 const struct vfio_device_ops *ops);
      \`\`\`

      **Contract**: Prepares a vfio_device that the driver has embedded in its own memory for registration.

      - The memory must be zeroed: the core reads members that this call does not set.
      - Every exit path must call \`vfio_uninit_group_dev()\` once, after unregister and before the memory is freed.

      **After the call:** The driver owns the memory before and after the call.  
      **Kernels:** v5.13 – v6.0, in v5.10 since v5.10.137, removed in v6.1; use \`vfio_alloc_device()\` and \`vfio_put_device()\`

      [0bfc6a4ea63c](https://git.kernel.org/linus/0bfc6a4ea63c) splits it from registration (v5.13)  
      [ebb72b765fb4](https://git.kernel.org/linus/ebb72b765fb4) removes it with its last user, vfio-ccw (v6.1)"
    `);
  });
  it('of the same function in a kernel that asks for less', () => {
    expect(hover('vfio_init_group_dev', '5.14')).not.toContain('vfio_uninit_group_dev');
    expect(hover('vfio_init_group_dev', '5.15')).toContain('vfio_uninit_group_dev');
  });
  it('of a function that is gone', () => {
    expect(hover('vfio_init_group_dev', '6.1')).toMatchInlineSnapshot(`
      "\`\`\`c
      void vfio_init_group_dev(struct vfio_device *device, struct device *dev,
      			 const struct vfio_device_ops *ops);
      \`\`\`

      **Removed in v6.1. Use \`vfio_alloc_device()\` and \`vfio_put_device()\`.**

      **Contract**: Prepares a vfio_device that the driver has embedded in its own memory for registration.

      - The memory must be zeroed: the core reads members that this call does not set.
      - Every exit path must call \`vfio_uninit_group_dev()\` once, after unregister and before the memory is freed.

      **After the call:** The driver owns the memory before and after the call.  
      **Kernels:** v5.13 – v6.0, in v5.10 since v5.10.137, removed in v6.1

      [0bfc6a4ea63c](https://git.kernel.org/linus/0bfc6a4ea63c) splits it from registration (v5.13)  
      [ebb72b765fb4](https://git.kernel.org/linus/ebb72b765fb4) removes it with its last user, vfio-ccw (v6.1)"
    `);
  });
  it('of a function that is to come', () => {
    expect(hover('vfio_alloc_device', '5.15')).toMatchInlineSnapshot(`
      "\`\`\`c
      #define vfio_alloc_device(dev_struct, member, dev, ops)
      \`\`\`

      **Not yet in v5.15: added in v6.1.**

      **Contract**: Allocates a container, \`struct dev_struct\`, and initialises the vfio_device at \`member\` in it.

      - \`dev_struct\` is a struct tag without the word \`struct\`; \`member\` may be dotted (\`core_device.vdev\`).
      - The core allocates zeroed memory with \`kvzalloc()\`, sets \`dev\` and \`ops\`, and calls \`ops->init()\` if there is one.
      - The vfio_device must be at offset 0 of the container, through every level of embedding.
      - If \`ops->init()\` fails, the core frees the memory and returns the error. \`ops->release()\` does not run.
      - \`ops->release\` is mandatory, and must free the memory with \`vfio_free_device()\`.

      **After the call:** The caller holds one reference and drops it with \`vfio_put_device()\`. The core owns the memory: never \`kfree()\` it.  
      **Result:** Returns a pointer, or an ERR_PTR; never NULL. Test it with \`IS_ERR()\` and return \`PTR_ERR()\`.  
      **Kernels:** since v6.1

      [cb9ff3f3b84c](https://git.kernel.org/linus/cb9ff3f3b84c) adds the allocation helpers (v6.1)"
    `);
  });
  it('of a macro', () => {
    expect(hover('vfio_alloc_device', '6.2')).toMatchInlineSnapshot(`
      "\`\`\`c
      #define vfio_alloc_device(dev_struct, member, dev, ops)
      \`\`\`

      **Contract**: Allocates a container, \`struct dev_struct\`, and initialises the vfio_device at \`member\` in it.

      - \`dev_struct\` is a struct tag without the word \`struct\`; \`member\` may be dotted (\`core_device.vdev\`).
      - The core allocates zeroed memory with \`kvzalloc()\`, sets \`dev\` and \`ops\`, and calls \`ops->init()\` if there is one.
      - The vfio_device must be at offset 0 of the container, through every level of embedding.
      - If \`ops->init()\` fails, the core frees the memory and returns the error. \`ops->release()\` does not run.
      - \`ops->release\` is optional. The core frees the memory after the callback.

      **After the call:** The caller holds one reference and drops it with \`vfio_put_device()\`. The core owns the memory: never \`kfree()\` it.  
      **Result:** Returns a pointer, or an ERR_PTR; never NULL. Test it with \`IS_ERR()\` and return \`PTR_ERR()\`.  
      **Kernels:** since v6.1

      [cb9ff3f3b84c](https://git.kernel.org/linus/cb9ff3f3b84c) adds the allocation helpers (v6.1)"
    `);
  });
  it('of a call that frees in one kernel only', () => {
    expect(hover('vfio_pci_core_release_dev', '6.1')).toMatchInlineSnapshot(`
      "\`\`\`c
      void vfio_pci_core_release_dev(struct vfio_device *core_vdev);
      \`\`\`

      **Contract**: Releases what vfio_pci_core_init_dev() set up; use it as the \`.release\` of the ops table, or call it from there.

      - It ends with \`vfio_free_device()\`: call it as the last statement of \`.release\`, and do not touch the device afterwards.
      - Do not call it when \`.init\` fails: the core frees the memory itself, and the call would be a double free.

      **After the call:** In 6.1 the memory is freed. Since 6.2 the core still owns the memory.  
      **Kernels:** since v6.1

      [63d7c77989de](https://git.kernel.org/linus/63d7c77989de) adds it with the conversion of vfio-pci (v6.1)  
      [913447d06f03](https://git.kernel.org/linus/913447d06f03) no longer frees the device (v6.2)"
    `);
    expect(hover('vfio_pci_core_release_dev', '6.12')).toMatchInlineSnapshot(`
      "\`\`\`c
      void vfio_pci_core_release_dev(struct vfio_device *core_vdev);
      \`\`\`

      **Contract**: Releases what vfio_pci_core_init_dev() set up; use it as the \`.release\` of the ops table, or call it from there.

      - It does not free the container; the core does that after \`.release\`.
      - It may also be called when \`.init\` fails after \`vfio_pci_core_init_dev()\`.

      **After the call:** In 6.1 the memory is freed. Since 6.2 the core still owns the memory.  
      **Kernels:** since v6.1

      [63d7c77989de](https://git.kernel.org/linus/63d7c77989de) adds it with the conversion of vfio-pci (v6.1)  
      [913447d06f03](https://git.kernel.org/linus/913447d06f03) no longer frees the device (v6.2)"
    `);
  });
  it('of a register call and of the ops that it requires', () => {
    const lines = (kernel: string) =>
      hover('vfio_register_group_dev', kernel)
        .split('\n')
        .filter((line) => line.includes('iommufd'));
    expect(lines('6.1')).toEqual([]);
    expect(lines('6.2')).toMatchInlineSnapshot(`
      [
        "- It returns \`-EINVAL\` for a table with \`.bind_iommufd\` but without \`.unbind_iommufd\` or \`.attach_ioas\`.",
      ]
    `);
    expect(lines('6.6')).toMatchInlineSnapshot(`
      [
        "- With CONFIG_IOMMUFD it returns \`-EINVAL\` for a table without \`.bind_iommufd\`, \`.unbind_iommufd\`, \`.attach_ioas\` and \`.detach_ioas\`.",
      ]
    `);
  });
  it('of a register call says only what that call asks for', () => {
    const refusal = 'does not keep caches coherent';
    expect(hover('vfio_register_group_dev', '6.6')).toContain(refusal);
    expect(hover('vfio_register_group_dev', '6.4')).not.toContain(refusal);
    expect(hover('vfio_register_emulated_iommu_dev', '6.6')).not.toContain(refusal);
  });
  it.each([
    ['mdev_dev', '7.1'],
    ['mdev_from_dev', '6.0'],
    ['mdev_get_drvdata', '5.18'],
    ['mdev_set_drvdata', '5.18'],
    ['mdev_set_iommu_device', '5.15'],
    ['mdev_uuid', '5.19'],
  ])('of %s, which the header defines since 5.13', (name, last) => {
    expect(hover(name, '5.12')).not.toContain('static inline');
    expect(hover(name, '5.14')).toContain('static inline');
    expect(hover(name, last)).toContain('static inline');
  });
  it('of what vfio-pci core tests and asserts', () => {
    expect(hover('vfio_pci_core_match', '6.17')).toContain('the table must have it');
    expect(hover('vfio_pci_core_match', '6.14')).not.toContain('match_token_uuid');
    expect(hover('vfio_pci_core_disable', '6.12')).toContain('`vdev->vdev.dev_set->lock`');
    expect(hover('vfio_pci_core_match_token_uuid', '7.0')).toContain('the token of its PF');
  });
  it.each(['create', 'remove'])('of mdev_parent_ops.%s before and with .device_driver', (name) => {
    const text = (kernel: string) => explainApi(`mdev_parent_ops.${name}`, parseVersion(kernel));
    expect(text('5.12')).toContain('It is mandatory.\n');
    expect(text('5.15')).toContain('It is mandatory without `.device_driver`.\n');
  });
  it('of the limits of a mediated driver, one of which it must have', () => {
    expect(explainApi('mdev_driver.max_instances', [6, 12])).toContain('-EUSERS');
    expect(explainApi('mdev_driver.get_available', [6, 12])).toContain('`.max_instances`');
  });
  it('shows the source of every function of vfio-pci core', () => {
    const silent = API_ENTRIES.filter(
      ({ name, kind, sources = [] }) =>
        kind === 'function' && name.startsWith('vfio_pci_core_') && sources.length === 0,
    );
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
  it('of a member', () => {
    expect(hover('.release', '6.6')).toMatchInlineSnapshot(`
      "\`\`\`c
      void (*release)(struct vfio_device *vdev);
      \`\`\`

      **Contract**: Releases the driver's part of a device after the last reference is dropped.

      - It is optional. The core frees the memory after \`.release\`: do not free the container here.
      - It may run after \`remove()\`: do not use the drvdata of the parent, nor anything that \`remove()\` frees.
      - \`vdev->dev_set\` is already gone.
      - It does not run when \`.init\` failed.

      **Ownership:** Nothing else holds a reference to the device.  
      **Context:** It may sleep.  
      **Kernels:** since v6.1  
      **Another meaning:** up to v5.14: Called when a file descriptor of the device is closed. It is not the end of the object.

      [cb9ff3f3b84c](https://git.kernel.org/linus/cb9ff3f3b84c) adds it (v6.1)  
      [913447d06f03](https://git.kernel.org/linus/913447d06f03) makes it optional and moves the free into the core (v6.2)"
    `);
  });

  it('of every entry in every kernel is whole', () => {
    for (const entry of API_ENTRIES) {
      for (const kernel of [
        '5.10',
        '5.13',
        '5.15',
        '5.19',
        '6.0',
        '6.1',
        '6.2',
        '6.6',
        '6.12',
        '6.19',
      ]) {
        const text = renderApiHover(entry, parseVersion(kernel)!);
        expect(text).toMatch(/^```c\n[^`]+\n```\n\n/);
        expect(text).not.toMatch(/undefined|NaN|\[object|\n\n\n|\.\.(?!\.)/);
        expect((text.match(/```/g) ?? []).length).toBe(2);
        expect(((text.split('```')[2] ?? '').match(/`/g) ?? []).length % 2, text).toBe(0);
      }
    }
  });
});

describe('kernel ranges in words', () => {
  it.each([
    [{}, 'all kernels'],
    [{ since: [6, 1] }, 'since v6.1'],
    [{ until: [5, 13] }, 'up to v5.12'],
    [{ since: [6, 1], until: [6, 2] }, 'v6.1 only'],
    [{ since: [5, 18], until: [6, 0] }, 'v5.18 – v5.19'],
    [{ until: [5, 0] }, 'up to v4.20'],
    [{ since: [6, 19], until: [7, 0] }, 'v6.19 only'],
  ] as const)('%j is %s', (range, text) => expect(rangeText(range)).toBe(text));
});

describe('explain', () => {
  it('takes names as people write them', () => {
    for (const name of [
      'vfio_put_device',
      'vfio_put_device()',
      ' vfio_put_device ( ) '.replace(' (', '('),
    ])
      expect(explainApi(name), name).toContain('## vfio_put_device()');
    expect(explainApi('struct vfio_device')).toContain('## struct vfio_device\n');
    expect(explainApi('vfio_device')).toBe(explainApi('struct vfio_device'));
    expect(explainApi('.release')).toBe(explainApi('vfio_device_ops.release'));
    expect(explainApi('.migration_get_data_size')).toContain('vfio_migration_ops');
  });
  it('tells both lives of a member, and one for a kernel', () => {
    expect(explainApi('.release')!.match(/^## /gm)).toHaveLength(2);
    expect(explainApi('.release', [6, 1])!.match(/^## /gm)).toHaveLength(1);
    expect(explainApi('.release', [6, 1])).toContain('vfio_free_device');
    expect(explainApi('.release', [5, 14])).toContain('file descriptor');
  });
  it.each([
    '',
    '.',
    'kfree',
    'release',
    'toString',
    '__proto__',
    '.constructor',
    'a.b.c',
    'struct',
  ])('knows nothing of %j', (name) => expect(explainApi(name)).toBeUndefined());
});

describe('docs/api', () => {
  const folder = new URL('../../../docs/api/', import.meta.url);
  const pages = renderApiDocs();
  it('has the pages that the tables make, and no other', () => {
    expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort());
  });
  // `npx vitest run --project unit test/unit/kernel/hover.test.ts -u` writes them.
  it.each([...pages])('%s is up to date', async (file, text) => {
    await expect(text).toMatchFileSnapshot(new URL(file, folder).pathname);
  });

  it('links to headings that exist', () => {
    const anchors = new Map(
      [...pages].map(([file, text]) => [
        file,
        new Set(
          [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
            match[1]!
              .toLowerCase()
              .replace(/[^\p{L}\p{N}_ -]/gu, '')
              .replaceAll(' ', '-'),
          ),
        ),
      ]),
    );
    const links = [...pages.get('README.md')!.matchAll(/\]\(([\w-]+\.md)#([^)]+)\)/g)];
    expect(links.length).toBe(API_ENTRIES.length);
    for (const [, file, target] of links)
      expect(anchors.get(file!)?.has(target!), target).toBe(true);
  });
});
