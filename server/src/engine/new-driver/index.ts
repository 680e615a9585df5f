/** A new driver that builds and has nothing to report: source, Makefile and Kconfig. */
import { isKnownKernel, KNOWN_KERNELS } from '../../kernel/known-kernels.ts';
import { compareVersions, formatVersion, parseVersion } from '../../kernel/version.ts';
import { buildFiles } from './build-files.ts';
import { wrapped } from './c-text.ts';
import { mdevDriver } from './mdev.ts';
import { pciDriver } from './pci.ts';
import { platformDriver } from './platform.ts';
import type { DriverNames, NewDriver, NewDriverBus } from './types.ts';

interface Bus {
  readonly id: NewDriverBus;
  /** For a list. */
  readonly label: string;
  readonly detail: string;
  /** What the name of the module ends with. */
  readonly suffix: string;
  source(names: DriverNames): string;
}

const busses: readonly Bus[] = [
  {
    id: 'pci',
    label: 'PCI',
    detail: 'A variant driver over the core of vfio-pci',
    suffix: '_vfio_pci',
    source: pciDriver,
  },
  {
    id: 'mdev',
    label: 'Mediated device',
    detail: 'A driver that emulates its devices, over the mdev bus',
    suffix: '_mdev',
    source: mdevDriver,
  },
  {
    id: 'platform',
    label: 'Platform',
    detail: 'A driver of a platform device, with its memory for user space to map',
    suffix: '_vfio_platform',
    source: platformDriver,
  },
];

/** The busses that there is a new driver for. */
export const NEW_DRIVER_BUSSES: readonly Pick<Bus, 'id' | 'label' | 'detail'>[] = busses.map(
  ({ id, label, detail }) => ({ id, label, detail }),
);

/** The first kernel that a new driver can be for: it has vfio_alloc_device(). */
const FIRST = [6, 1] as const;

/** The kernels that a new driver can be for, the oldest first. */
export const NEW_DRIVER_KERNELS: readonly string[] = KNOWN_KERNELS.slice(
  KNOWN_KERNELS.indexOf(formatVersion(FIRST)),
);

/** A name that a function may begin with. */
const NAME = /^[a-z][a-z0-9_]{0,15}$/;

/** What would take names of the kernel or is no name in C. */
const TAKEN = new Set(
  `auto break bool case char class const continue core default device do double driver else enum
  extern file float for goto if inline int iommu iommufd kernel linux long mdev module pci platform
  register return short signed sizeof static struct switch test typedef union unsigned vfio
  vfio_pci vfio_pci_core vfio_platform void volatile while`.split(/\s+/),
);

/**
 * A driver for a bus and a kernel, or why there is none: a clause. The name may be written as that of
 * a module (`foo-vfio-pci`). Never throws.
 */
export function newDriver(
  busId: string,
  name: string,
  kernel: string,
): NewDriver | { readonly problem: string } {
  const bus = busses.find((one) => one.id === busId);
  if (bus === undefined)
    return { problem: `the bus is one of ${busses.map(({ id }) => id).join(', ')}` };
  const version = parseVersion(kernel);
  if (version === undefined || !isKnownKernel(version))
    return { problem: `${kernel === '' ? 'the kernel' : kernel} is no kernel that is known` };
  if (compareVersions(version, FIRST) < 0)
    return { problem: 'a new driver needs vfio_alloc_device(), which 6.1 is the first to have' };
  const prefix = prefixOf(name, bus);
  if (!NAME.test(prefix))
    return { problem: 'the name has small letters, digits and _, and at most 16 of them' };
  if (TAKEN.has(prefix)) return { problem: `${prefix} is a name of the kernel or of C` };
  const names: DriverNames = {
    name: prefix,
    upper: prefix.toUpperCase(),
    module: prefix + bus.suffix,
    kernel: version,
  };
  const source = { name: `${names.module}.c`, text: wrapped(bus.source(names)) };
  return { module: names.module, files: [source, ...buildFiles(bus.id, names)] };
}

/** `foo` for `foo`, `Foo` and `foo-vfio-pci`. */
function prefixOf(name: string, { suffix }: Bus): string {
  const plain = name.trim().toLowerCase().replaceAll('-', '_');
  return plain.endsWith(suffix) ? plain.slice(0, -suffix.length) : plain;
}
