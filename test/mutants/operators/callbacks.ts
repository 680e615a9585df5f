/**
 * Operators on ops tables, `.init` and `.release`, and on the kernel that a driver is built for.
 */
import type { Defect, Operator, Subject } from '../types.ts';
import {
  callsIn,
  dropEntry,
  entriesOf,
  membersOf,
  placesOf,
  replace,
  usersOf,
  drop,
} from '../places.ts';
import { ALLOC, INIT, OPS_TABLE } from './names.ts';
import { defect, onCall, unnamed } from './plant.ts';

const NEW = { since: [6, 1] } as const;
const CHAIN = ['release-does-not-chain', 'release-without-free', 'missing-release-op'];

export const callbacks: readonly Operator[] = [
  {
    id: "drop the core's part of .release",
    rules: CHAIN,
    kernels: NEW,
    // Where .init undoes its own work the call is another thing.
    plant: onCall(
      ['vfio_pci_core_release_dev'],
      ({ place }) => [drop(place.stmt)],
      ({ place }, subject) =>
        membersOf(subject, OPS_TABLE, /^release$/).some(({ fn }) =>
          usersOf(subject, place.fn.name).includes(fn.name),
        ),
    ),
  },
  {
    id: "drop the core's part of .init",
    rules: CHAIN,
    kernels: NEW,
    plant: (subject) =>
      placesOf(subject).flatMap((place) =>
        callsIn(place.stmt)
          .filter((call) => call.name === 'vfio_pci_core_init_dev')
          .map((call) => defect(subject, place, [replace(call, '0')])),
      ),
  },
  {
    id: "drop the core's .release",
    rules: CHAIN,
    kernels: NEW,
    plant: (subject) => entries(subject, /^release$/, /^vfio_pci_core_release_dev$/),
  },
  {
    id: "drop the core's .init",
    rules: CHAIN,
    kernels: NEW,
    plant: (subject) => entries(subject, /^init$/, /^vfio_pci_core_init_dev$/),
  },
  {
    id: 'drop an iommufd member',
    rules: ['ops-table-incomplete'],
    kernels: { since: [6, 4] },
    plant: (subject) =>
      entries(
        subject,
        subject.kernel[1] >= 6 || subject.kernel[0] > 6
          ? /^(?:un)?bind_iommufd$|^(?:at|de)tach_ioas$/
          : /^(?:un)?bind_iommufd$|^attach_ioas$/,
        /./,
      ),
  },
  {
    id: 'drop .driver_managed_dma',
    rules: ['managed-dma'],
    kernels: { since: [5, 19] },
    plant: (subject) =>
      entriesOf(subject, /_driver$/)
        .filter(({ member, isDead }) => member === 'driver_managed_dma' && !isDead)
        .map((one) => ({
          path: one.file.path,
          edits: [dropEntry(one)],
          at: one.span.start,
          functions: null,
        })),
  },
  {
    id: "free the device in place of the core's .release",
    rules: CHAIN,
    kernels: { since: [6, 1], until: [6, 2] },
    plant: (subject) =>
      entriesOf(subject, OPS_TABLE)
        .filter(({ value, isDead }) => value === 'vfio_pci_core_release_dev' && !isDead)
        .map(({ file, span, value }) => {
          const start = span.end - value.length;
          return {
            path: file.path,
            edits: [replace({ start, end: span.end }, 'vfio_free_device')],
            at: start,
            functions: null,
          };
        }),
  },
  {
    id: 'put the device in .init',
    rules: ['init-callback-contract', 'double-put'],
    kernels: NEW,
    plant: (subject) => inCallback(subject, /^init$/, (device) => `vfio_put_device(${device});`),
  },
  {
    id: 'take a reference in .init',
    rules: ['init-callback-contract'],
    kernels: NEW,
    plant: (subject) =>
      inCallback(subject, /^init$/, (device) => `get_device(&${device}->device);`),
  },
  {
    id: "read the parent's drvdata in .release",
    rules: ['release-uses-parent-state'],
    kernels: NEW,
    plant: (subject) =>
      inCallback(
        subject,
        /^release$/,
        (device) => `pr_debug("%p", dev_get_drvdata(${device}->dev));`,
      ),
  },
  {
    id: 'an old driver for 6.1',
    rules: ['removed-api'],
    also: [
      'mixed-models',
      'release-without-free',
      'missing-release-op',
      'drvdata-after-register',
      'wrong-register',
    ],
    kernels: { since: [5, 13], until: [6, 1] },
    plant: (subject) => forKernel(subject, INIT, [6, 1]),
  },
  {
    id: 'a new driver for 6.0',
    rules: ['unavailable-api'],
    also: ['removed-api'],
    kernels: NEW,
    plant: (subject) => forKernel(subject, ALLOC, [6, 0]),
  },
  {
    id: 'a driver of 6.1 for 6.6',
    rules: ['removed-api'],
    also: ['ops-table-incomplete'],
    kernels: { since: [6, 1], until: [6, 2] },
    plant: (subject) => forKernel(subject, ['vfio_free_device'], [6, 6]),
  },
];

/** Takes entries of ops tables away. */
function entries(subject: Subject, member: RegExp, value: RegExp): Defect[] {
  return entriesOf(subject, OPS_TABLE)
    .filter((one) => member.test(one.member) && value.test(one.value) && !one.isDead)
    .map((one) => ({
      path: one.file.path,
      edits: [dropEntry(one)],
      at: one.span.start,
      functions: null,
      ...unnamed(subject, one),
    }));
}

/** Writes a statement behind the declarations of a callback of the object's own life. */
function inCallback(subject: Subject, member: RegExp, text: (device: string) => string): Defect[] {
  return membersOf(subject, OPS_TABLE, member).flatMap(({ file, fn }) => {
    const device = fn.params.length === 1 ? fn.params[0]!.name : '';
    const first = fn.body.body.find((stmt) => stmt.kind !== 'decl');
    if (device === '') return [];
    const at = first?.start ?? fn.body.end - 1;
    return [
      {
        path: file.path,
        edits: [replace({ start: at, end: at }, `${text(device)}\n`)],
        at,
        functions: usersOf(subject, fn.name),
      },
    ];
  });
}

/** Analyses a driver for a kernel that does not have what it calls: no edit. */
function forKernel(
  subject: Subject,
  names: readonly string[],
  kernel: Subject['kernel'],
): Defect[] {
  // A driver with an arm for each kernel is built for both.
  const versions = [...subject.sources, ...subject.headers].some((file) =>
    /LINUX_VERSION_CODE|__has_include|\bHAVE_/.test(file.text),
  );
  const place = placesOf(subject).find(
    (one) => !one.isDead && callsIn(one.stmt).some((call) => names.includes(call.name ?? '')),
  );
  return place
    ? [
        {
          ...defect(subject, place, []),
          functions: null,
          kernel,
          ...(versions ? { equivalent: 'the source has an arm for each kernel' } : {}),
        },
      ]
    : [];
}
