import { describe, expect, it } from 'vitest';
import type { ApiEntry, KernelRange, KernelVersion } from '../../../server/src/kernel/types.ts';
import {
  API_ENTRIES,
  API_FUNCTIONS,
  API_HELPERS,
  apiEntry,
  apiMember,
  apiMemberHistory,
  apiStruct,
} from '../../../server/src/kernel/lifecycle-api.ts';
import {
  compareVersions,
  formatVersion,
  inRange,
  parseVersion,
} from '../../../server/src/kernel/version.ts';

/** The releases that the tables speak of, and the first and last of what lies around them. */
const RELEASES: readonly KernelVersion[] = [
  ...[4, 9, 19].map((minor): KernelVersion => [4, minor]),
  ...Array.from({ length: 20 }, (_, minor): KernelVersion => [5, minor]),
  [5, 10, 136],
  [5, 10, 137],
  [5, 10, 245],
  ...Array.from({ length: 20 }, (_, minor): KernelVersion => [6, minor]),
  [7, 0],
  [7, 1],
];

const label = (entry: ApiEntry) =>
  `${entry.kind} ${entry.owner ? `${entry.owner}.` : ''}${entry.name} ${JSON.stringify(entry.kernels)}`;

/** Each release of `whole` is in exactly one part, and no part holds another release. */
function expectPartition(
  whole: KernelRange,
  parts: readonly { readonly kernels: KernelRange }[],
): void {
  for (const release of RELEASES) {
    const count = parts.filter((part) => inRange(release, part.kernels)).length;
    expect(count, formatVersion(release)).toBe(inRange(release, whole) ? 1 : 0);
  }
}

describe.each(API_ENTRIES.map((entry) => [label(entry), entry] as const))('%s', (_label, entry) => {
  it('has one signature for each of its kernels', () => {
    expectPartition(entry.kernels, entry.signatures);
    for (const signature of entry.signatures) {
      expect(signature.text).toMatch(new RegExp(`\\b${entry.name}\\b`));
      expect(signature.text).toMatch(
        entry.kind === 'macro' || entry.kind === 'constant' ? /^#define / : /;$/,
      );
    }
  });

  it('has one behaviour for each of its kernels, if it is called', () => {
    // What has no effect on the life of a device has none: its calls are neutral.
    if (API_FUNCTIONS.includes(entry)) expectPartition(entry.kernels, entry.behaviours);
    else expect(entry.behaviours).toEqual([]);
  });

  it('has behaviours that fit its signatures', () => {
    for (const behaviour of entry.behaviours) {
      for (const release of RELEASES.filter((one) => inRange(one, behaviour.kernels))) {
        const text = entry.signatures.find((one) => inRange(release, one.kernels))!.text;
        const returnsVoid = /^(static )?(inline )?void [^*]/.test(text);
        const returnsInt = /^int /.test(text);
        const returnsPointer =
          /^(static inline |extern )?(struct \w+|void) \*/.test(text) || entry.kind === 'macro';
        expect(behaviour.errors === 'void').toBe(returnsVoid);
        if (behaviour.errors === 'errno') expect(returnsInt).toBe(true);
        if (behaviour.errors === 'err-ptr' || behaviour.errors === 'null-ptr')
          expect(returnsPointer).toBe(true);
        const parameters = text
          .slice(text.indexOf('(') + 1, text.lastIndexOf(')'))
          .split(',').length;
        for (const effect of [...behaviour.success, ...(behaviour.failure ?? [])]) {
          if ('target' in effect && typeof effect.target === 'number')
            expect(effect.target).toBeLessThan(parameters);
        }
      }
      if (behaviour.cannotFail) expect(behaviour.errors).toBe('errno');
      if (behaviour.errors === 'void') expect(behaviour.failure).toBeUndefined();
      if (behaviour.success.some((effect) => effect.op === 'alloc'))
        expect(behaviour.errors).toBe('err-ptr');
    }
  });

  it('speaks in sentences about its own kernels', () => {
    for (const text of [
      entry.summary,
      entry.ownership,
      entry.errors,
      ...entry.contract.map((line) => line.text),
    ]) {
      if (text !== undefined) expect(text).toMatch(/^(?:[`A-Z]|vfio-pci ).*\.$/s);
    }
    for (const line of entry.contract) {
      if (line.kernels)
        expect(
          RELEASES.some((one) => inRange(one, line.kernels!) && inRange(one, entry.kernels)),
        ).toBe(true);
    }
    // It completes `use …`.
    if (entry.replacement) expect(entry.replacement.text).toMatch(/^[^A-Z.].*[^.]$/);
  });

  it('names commits and replacements that exist', () => {
    for (const commit of entry.commits) {
      expect(commit.id).toMatch(/^[0-9a-f]{12}$/);
      expect(KNOWN_COMMITS).toContain(commit.id);
      expect(parseVersion(commit.kernel)).toBeDefined();
    }
    for (const name of entry.replacement?.names ?? []) {
      const known = apiEntry(name) ?? apiStruct(name) ?? apiMember('vfio_device_ops', name, [6, 1]);
      if (name !== 'dev_get_drvdata' && name !== 'dev_set_drvdata')
        expect(known, name).toBeDefined();
    }
    if (entry.replacement?.rename)
      expect(entry.replacement.names).toContain(entry.replacement.rename);
    // What goes away says what to do instead.
    if (entry.kernels.until) expect(entry.replacement).toBeDefined();
    for (const { kernel, file, shows } of entry.sources ?? []) {
      expect(parseVersion(kernel)).toBeDefined();
      expect(file).toMatch(/^drivers\/vfio\/.+\.[ch]$/);
      expect(shows).toMatch(/^\w+$/);
    }
  });
});

describe('names', () => {
  it('are unique among functions, and lives of a member do not overlap', () => {
    const named = [...API_FUNCTIONS, ...API_HELPERS].map((entry) => entry.name);
    expect(new Set(named).size).toBe(named.length);
    for (const entry of API_ENTRIES.filter((one) => one.kind === 'member')) {
      const lives = apiMemberHistory(entry.owner!, entry.name);
      for (const release of RELEASES)
        expect(lives.filter((one) => inRange(release, one.kernels)).length).toBeLessThanOrEqual(1);
      for (let i = 1; i < lives.length; i++)
        expect(
          compareVersions(lives[i - 1]!.kernels.until!, lives[i]!.kernels.since!),
        ).toBeLessThanOrEqual(0);
    }
  });

  it('of members are not those of functions', () => {
    expect(apiEntry('release')).toBeUndefined();
    expect(apiEntry('vfio_device')).toBeUndefined();
    expect(apiEntry('constructor')).toBeUndefined();
    expect(apiMember('vfio_device_ops', 'toString', [6, 1])).toBeUndefined();
  });

  it('with two lives give the one of the kernel', () => {
    expect(apiMember('vfio_device_ops', 'release', [5, 14])?.model).toBe('old');
    expect(apiMember('vfio_device_ops', 'release', [5, 15])?.model).toBe('old');
    expect(apiMember('vfio_device_ops', 'release', [6, 1])?.model).toBe('new');
  });
});

/** Which release has which function: typed here a second time, from the headers of the releases. */
const EXISTENCE: Record<string, string> = {
  vfio_add_group_dev: '5.12',
  vfio_del_group_dev: '5.12',
  vfio_device_data: '5.12',
  vfio_init_group_dev: '5.14 5.15 5.17 5.19 6.0',
  vfio_uninit_group_dev: '5.15 5.17 5.19 6.0',
  vfio_register_group_dev: '5.14 5.15 5.17 5.19 6.0 6.1 6.2 6.12 6.19',
  vfio_unregister_group_dev: '5.14 5.15 5.17 5.19 6.0 6.1 6.2 6.12 6.19',
  vfio_register_emulated_iommu_dev: '5.17 5.19 6.0 6.1 6.2 6.12 6.19',
  vfio_assign_device_set: '5.15 5.17 5.19 6.0 6.1 6.2 6.12 6.19',
  vfio_alloc_device: '6.1 6.2 6.12 6.19',
  _vfio_alloc_device: '6.1 6.2 6.12 6.19',
  vfio_put_device: '6.1 6.2 6.12 6.19',
  vfio_init_device: '6.1',
  vfio_free_device: '6.1',
  vfio_device_put: '5.12 5.14 5.15 5.17',
  vfio_device_get_from_dev: '5.12 5.14 5.15 5.17',
  vfio_pci_core_init_device: '5.15 5.17 5.19 6.0',
  vfio_pci_core_uninit_device: '5.15 5.17 5.19 6.0',
  vfio_pci_core_init_dev: '6.1 6.2 6.12 6.19',
  vfio_pci_core_release_dev: '6.1 6.2 6.12 6.19',
  vfio_pci_core_register_device: '5.15 5.17 5.19 6.0 6.1 6.2 6.12 6.19',
  vfio_pci_core_unregister_device: '5.15 5.17 5.19 6.0 6.1 6.2 6.12 6.19',
  vfio_pci_core_aer_err_detected: '5.19 6.0 6.1 6.2 6.12 6.19',
  vfio_pci_core_register_dev_region: '6.1 6.2 6.12 6.19',
  vfio_platform_probe_common: '5.12 5.14 5.15 5.17 5.19 6.0',
  vfio_platform_init_common: '6.1 6.2 6.12 6.19',
  mdev_register_device: '5.12 5.14 5.15 5.17 5.19 6.0',
  mdev_register_parent: '6.1 6.2 6.12 6.19',
  to_mdev_device: '5.14 5.15 5.17 5.19 6.0 6.1 6.2 6.12 6.19',
  mdev_get_drvdata: '5.12 5.14 5.15 5.17',
  mdev_set_iommu_device: '5.12 5.14 5.15',
  mdev_parent_dev: '5.12 5.14 5.15 5.17 5.19 6.0',
};

describe('existence', () => {
  const seen = ['5.12', '5.14', '5.15', '5.17', '5.19', '6.0', '6.1', '6.2', '6.12', '6.19'];
  it.each(Object.entries(EXISTENCE))('%s', (name, releases) => {
    const kernels = apiEntry(name)!.kernels;
    expect(seen.filter((release) => inRange(parseVersion(release)!, kernels)).join(' ')).toBe(
      releases,
    );
  });
});

const KNOWN_COMMITS = `
  0bfc6a4ea63c 5e42c999445b 66873b5fa738 cb6164586814 2b1fe162e584 0ca78666fa06 4aeec3984ddc 6b018e203d5e 1ae1b20f6f2c 6df62c5b05f4 1e04ec14204d
  ae03c3771b8c 2fd585f4ed9d eb24c1007e68 2cd8b14aaa66 da119f387e94 ff53edf6d6ab 7fa005caa35e de5494af4815 42de956ca7e5 eb0feefd4c02 c68ea0d00ad8
  91be0bd6c6cf 9c799c224d6e cb9ff3f3b84c 63d7c77989de d3966e305ac4 27aeb915595b 603c09f2873d 67c5a1814f4c 3d5d18e1f899 a5ddd2a99a7a 7cb5a82eb162
  7566692c571d 5f6c7e0831a1 ac1237912fbd ebb72b765fb4 4a725b8de4cc 3c28a76124b2 ca5f21b25749 f423fa1bc9fe 89345d5177aa 2815fe149ffa cbf3bb28aaea
  062e720cd209 c7c1f38f6cba d1104f9327df 913447d06f03 704f3384f322 c4b850d1f448 168a9c91fe0a fe24d5bc635e 493c7eff3c2f 70a6cf63232c
`
  .trim()
  .split(/\s+/);
