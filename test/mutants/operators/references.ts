/** Operators on the reference that an allocation takes, and on the memory behind it. */
import type { Operator, Subject } from '../types.ts';
import {
  baseName,
  callsIn,
  callsOf,
  drop,
  dropEntry,
  entriesOf,
  functionOf,
  insertAfter,
  membersOf,
  placesOf,
  replace,
  textOf,
  usersOf,
} from '../places.ts';
import { FREE, OPS_TABLE, PUT, UNREGISTER, fieldOf } from './names.ts';
import { onCall, defect, unnamed } from './plant.ts';

const NEW = { since: [6, 1] } as const;
const SIX_ONE = { since: [6, 1], until: [6, 2] } as const;

/** After vfio_init_device() the memory is the driver's, and a put frees nothing. */
function ownsMemory(subject: Subject): boolean {
  return placesOf(subject).some((place) =>
    callsIn(place.stmt).some((call) => call.name === 'vfio_init_device'),
  );
}

export const references: readonly Operator[] = [
  {
    id: 'drop the put',
    rules: ['missing-put'],
    kernels: NEW,
    plant: onCall(PUT, ({ place }) => [drop(place.stmt)]),
  },
  {
    id: 'put twice',
    rules: ['double-put'],
    also: ['use-after-put'],
    kernels: NEW,
    plant: onCall(PUT, ({ place }) => insertAfter(place, textOf(place.file, place.stmt))),
  },
  {
    id: 'read a field after the put',
    rules: ['use-after-put'],
    kernels: NEW,
    plant: onCall(
      PUT,
      ({ place, call }) =>
        insertAfter(
          place,
          `dev_info(${fieldOf(textOf(place.file, call.args[0]!), 'dev')}, "gone");`,
        ),
      (_, subject) => !ownsMemory(subject),
    ),
  },
  {
    id: 'kfree() instead of the put',
    rules: ['free-of-core-owned-memory'],
    also: ['missing-put', 'use-after-put'],
    kernels: NEW,
    plant: onCall(
      PUT,
      ({ call }) => [replace(call, `kfree(${baseName(call.args[0])})`)],
      ({ call }, subject) => baseName(call.args[0]) !== null && !ownsMemory(subject),
    ),
  },
  {
    id: 'vfio_free_device() instead of the put',
    rules: ['free-device-outside-release'],
    also: ['missing-put'],
    kernels: SIX_ONE,
    plant: onCall(
      PUT,
      ({ call }) => [replace(call.callee, 'vfio_free_device')],
      (_, subject) => !ownsMemory(subject),
    ),
  },
  {
    id: 'vfio_device_put() instead of the put',
    rules: ['put-name-confusion', 'removed-api'],
    also: ['missing-put'],
    kernels: NEW,
    plant: onCall(PUT, ({ call }) => [replace(call.callee, 'vfio_device_put')]),
  },
  {
    id: 'uninit instead of the put',
    rules: ['removed-api', 'mixed-models'],
    also: ['missing-put'],
    kernels: NEW,
    plant: onCall(PUT, ({ call }) => [replace(call.callee, 'vfio_uninit_group_dev')]),
  },
  {
    id: 'the put before the unregister',
    rules: ['put-while-registered', 'use-after-put'],
    also: ['remove-without-unregister'],
    kernels: NEW,
    plant: (subject) =>
      callsOf(subject, UNREGISTER).flatMap(({ place }) => {
        const put = callsOf(subject, PUT).find(
          ({ place: other }) => other.list === place.list && other.index > place.index,
        )?.place;
        // Behind a label the statements would be on other paths than before.
        const isOnOnePath =
          put &&
          !place.list
            .slice(place.index, put.index)
            .some((stmt) => stmt.kind === 'label' || stmt.kind === 'case');
        return isOnOnePath
          ? [
              defect(subject, place, [
                replace(place.stmt, textOf(place.file, put.stmt)),
                replace(put.stmt, textOf(place.file, place.stmt)),
              ]),
            ]
          : [];
      }),
  },
  {
    id: 'drop vfio_free_device()',
    rules: ['release-without-free'],
    kernels: SIX_ONE,
    plant: onCall(['vfio_free_device'], ({ place }) => [drop(place.stmt)]),
  },
  {
    id: 'kfree() instead of vfio_free_device()',
    rules: ['free-of-core-owned-memory'],
    also: ['release-without-free'],
    kernels: SIX_ONE,
    plant: onCall(['vfio_free_device'], ({ call }) => [replace(call.callee, 'kfree')]),
  },
  {
    id: 'kfree() at the end of .release',
    rules: ['free-of-core-owned-memory'],
    also: ['use-after-put'],
    kernels: NEW,
    plant: (subject) =>
      membersOf(subject, OPS_TABLE, /^release$/).flatMap(({ file, fn }) => {
        const device = fn.params[0]?.name;
        const at = { start: fn.body.end - 1, end: fn.body.end - 1 };
        return device
          ? [
              {
                path: file.path,
                edits: [replace(at, `kfree(${device}); `)],
                at: at.start,
                functions: usersOf(subject, fn.name),
              },
            ]
          : [];
      }),
  },
  {
    id: 'drop the .release',
    rules: ['missing-release-op', 'release-does-not-chain'],
    kernels: SIX_ONE,
    plant: (subject) =>
      entriesOf(subject, OPS_TABLE)
        .filter(
          (one) =>
            one.member === 'release' &&
            !one.isDead &&
            (functionOf(subject, one.value) || one.value.startsWith('vfio_')),
        )
        .map((one) => ({
          path: one.file.path,
          edits: [dropEntry(one)],
          at: one.span.start,
          functions: null,
          ...unnamed(subject, one),
        })),
  },
  {
    id: 'read a field after kfree()',
    rules: ['use-after-put'],
    kernels: { since: [5, 13], until: [6, 1] },
    plant: (subject) =>
      callsOf(subject, FREE).flatMap(({ place, call }) => {
        const expr = call.args[0];
        // Only the container: what else is freed is no matter of the life cycle.
        const uninit = place.list
          .slice(0, place.index)
          .some(
            (stmt) =>
              stmt.kind === 'expr' &&
              stmt.expr.kind === 'call' &&
              /^vfio_(?:pci_core_)?uninit/.test(stmt.expr.name ?? '') &&
              baseName(stmt.expr.args[0]) === (expr?.kind === 'name' ? expr.name : null),
          );
        if (expr?.kind !== 'name' || !uninit) return [];
        return [defect(subject, place, insertAfter(place, `pr_info("%p", ${expr.name}->gone);`))];
      }),
  },
];
