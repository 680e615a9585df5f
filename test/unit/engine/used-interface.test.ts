import { describe, expect, it } from 'vitest';
import { detectTarget } from '../../../server/src/engine/project/target.ts';
import { neededKernel } from '../../../server/src/engine/project/used-interface.ts';
import { API_ENTRIES } from '../../../server/src/kernel/lifecycle-api.ts';
import { memoryFileSystem } from '../../support/files.ts';

const table = (members: string): string =>
  `static const struct vfio_device_ops foo_ops = {\n\t.name = "foo",\n${members}};\n`;
const IOMMUFD = '\t.bind_iommufd = a,\n\t.unbind_iommufd = b,\n\t.attach_ioas = c,\n';
const needed = (...texts: string[]): string | undefined => {
  const found = neededKernel(texts, API_ENTRIES, [6, 1]);
  return found && `${found.version.join('.')} ${found.name}`;
};

describe('the kernel that a driver needs', () => {
  it.each([
    ['the members of 6.2', [table(IOMMUFD)], '6.2 .bind_iommufd'],
    ['the newest member decides', [table(`${IOMMUFD}\t.detach_ioas = d,\n`)], '6.6 .detach_ioas'],
    [
      'the table is in another source',
      ['static int foo_probe(void) { return 0; }', table('\t.match_token_uuid = a,\n')],
      '6.17 .match_token_uuid',
    ],
    [
      'a migration table',
      ['static const struct vfio_migration_ops m = { .migration_get_data_size = a };'],
      '6.2 .migration_get_data_size',
    ],
    [
      'a function',
      ['void f(struct vfio_device *v, void *u) { vfio_pci_core_match_token_uuid(v, u); }'],
      '6.17 vfio_pci_core_match_token_uuid()',
    ],
    ['the interface of 6.1', [table('\t.init = a,\n\t.release = b,\n')], undefined],
    [
      'members under #if',
      [table(`#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)\n${IOMMUFD}#endif\n`)],
      undefined,
    ],
    [
      'members under a nested #if',
      [`#ifdef A\n#if B\n#endif\n${table(IOMMUFD)}#endif\n`],
      undefined,
    ],
    [
      'a comment and a string',
      [
        `/* ${table(IOMMUFD)} */ const char *s = "vfio_pci_core_match_token_uuid()"; // ${'.detach_ioas ='}\n`,
      ],
      undefined,
    ],
    ['another struct', ['static const struct foo_ops x = { .detach_ioas = a };'], undefined],
    [
      'names of no one kernel',
      [`${table(IOMMUFD)}void r(struct vfio_device *v) { vfio_free_device(v); }`],
      undefined,
    ],
    [
      'the old model beside it',
      [`${table(IOMMUFD)}void r(struct vfio_device *v) { vfio_init_group_dev(v, 0, 0); }`],
      undefined,
    ],
    [
      "a name of the driver's own",
      [
        `#if A\n#define vfio_free_device(v) do { } while (0)\n#endif\n${table(IOMMUFD)}void r(struct vfio_device *v) { vfio_free_device(v); }`,
      ],
      '6.2 .bind_iommufd',
    ],
    ['nothing', ['', '#endif\n#endif\n"'], undefined],
  ])('%s', (_title, texts, expected) => expect(needed(...texts)).toBe(expected));
});

describe('the target kernel of a driver without a kernel tree', () => {
  const detect = (files: Record<string, string>, text: string, setting?: string) =>
    detectTarget(
      memoryFileSystem(files),
      '/d/x.c',
      { setting, sources: async () => [text] },
      API_ENTRIES,
    );

  it('is the first that has what the driver uses', async () => {
    expect(await detect({}, table(`${IOMMUFD}\t.detach_ioas = d,\n`))).toMatchObject({
      text: '6.6',
      source: 'driver',
      reason: 'the first with .detach_ioas, which the driver uses; no kernel tree around the file',
    });
    expect(await detect({}, table(''))).toMatchObject({ text: '6.1', source: 'default' });
  });

  it('comes after what anybody says', async () => {
    expect(await detect({}, table(IOMMUFD), '6.1')).toMatchObject({
      text: '6.1',
      source: 'setting',
    });
    expect(
      await detect(
        {
          '/d/Makefile': 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\n',
          '/d/arch/x': '',
          '/d/scripts/x': '',
        },
        table(IOMMUFD),
      ),
    ).toMatchObject({ text: '6.1', source: 'makefile' });
  });
});
