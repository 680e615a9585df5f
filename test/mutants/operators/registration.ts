/** Operators on what register and unregister owe. */
import type { ReturnStmt, Stmt } from '../../../server/src/ir/types.ts';
import type { Operator } from '../types.ts';
import {
  assignedCalls,
  baseName,
  callOf,
  callsIn,
  callsOf,
  callbacksOf,
  drop,
  dropEntry,
  entriesOf,
  functionOf,
  insertBefore,
  insertInto,
  isUsedByCallbacks,
  membersOf,
  mentions,
  namesMember,
  placesOf,
  replace,
  statementSpan,
  testOfResult,
  textOf,
  usersOf,
  insertAfter,
  type Place,
} from '../places.ts';
import {
  ALLOC,
  DRIVER_TABLE,
  GET_DRVDATA,
  INIT,
  REGISTER,
  SET_DRVDATA,
  UNREGISTER,
  fieldOf,
  unregisterFor,
} from './names.ts';
import { defect, onCall } from './plant.ts';

const ANY = { since: [5, 13] } as const;
const LOCKS = [
  'mutex_init',
  'spin_lock_init',
  'INIT_LIST_HEAD',
  'init_completion',
  'init_waitqueue_head',
  'init_rwsem',
  'xa_init',
  'idr_init',
  'ida_init',
  'rwlock_init',
];

export const registration: readonly Operator[] = [
  {
    id: 'drop the unregister',
    rules: ['remove-without-unregister', 'put-while-registered'],
    kernels: ANY,
    plant: onCall(UNREGISTER, ({ place }) => [drop(place.stmt)]),
  },
  {
    id: 'unregister with an argument too many',
    rules: ['wrong-arguments'],
    kernels: ANY,
    plant: onCall(['vfio_unregister_group_dev'], ({ call }) => [
      replace({ start: call.end - 1, end: call.end }, ', 0)'),
    ]),
  },
  {
    id: 'register an mdev as a physical device',
    rules: ['wrong-register'],
    kernels: { since: [5, 16] },
    plant: (subject) =>
      assignedCalls(subject, ['vfio_register_emulated_iommu_dev'])
        // The rule asks for a parent that is seen to be one.
        .filter(({ place: { fn } }) =>
          /vfio_(?:alloc_device|init_group_dev)\(.*&mdev->dev\b/s.test(fn.text),
        )
        .map(({ place, call }) =>
          defect(subject, place, [replace(call.callee, 'vfio_register_group_dev')]),
        ),
  },
  {
    id: 'unregister twice',
    rules: ['double-unregister'],
    also: ['use-after-put'],
    kernels: ANY,
    plant: onCall(UNREGISTER, ({ place }) => insertAfter(place, textOf(place.file, place.stmt))),
  },
  {
    id: 'unregister where register failed',
    rules: ['double-unregister'],
    kernels: ANY,
    plant: (subject) =>
      assignedCalls(subject, REGISTER).flatMap(({ place, target, call }) => {
        const failing = testOfResult(place, target)?.failing;
        if (!failing) return [];
        return [
          defect(subject, place, [
            insertInto(
              place.file,
              failing,
              `${unregisterFor(call.name!)}(${textOf(place.file, call.args[0]!)});`,
            ),
          ]),
        ];
      }),
  },
  {
    id: 'return early from remove',
    rules: ['remove-without-unregister'],
    also: ['missing-put', 'missing-uninit'],
    kernels: ANY,
    plant: (subject) =>
      membersOf(subject, DRIVER_TABLE, /^(?:remove|remove_new|unbind)$/).flatMap(({ fn }) =>
        callsOf(subject, UNREGISTER)
          .filter(({ place }) => place.fn === fn && place.list === fn.body.body)
          .map(({ place }) =>
            defect(
              subject,
              place,
              insertBefore(
                place,
                `if (signal_pending(current)) return${fn.returnType.name === 'void' ? '' : ' 0'};`,
              ),
            ),
          ),
      ),
  },
  {
    id: 'drop the .remove',
    rules: ['remove-without-unregister'],
    kernels: ANY,
    plant: (subject) =>
      entriesOf(subject, DRIVER_TABLE)
        .filter((one) => /^(?:remove|remove_new)$/.test(one.member) && !one.isDead)
        .flatMap((one) => {
          const remove = functionOf(subject, one.value);
          const isSafe =
            remove &&
            callsOf(subject, UNREGISTER).some(({ place }) =>
              usersOf(subject, place.fn.name).includes(remove.fn.name),
            );
          if (
            !remove ||
            entriesOf(subject, DRIVER_TABLE).some(
              (other) => other.span.start !== one.span.start && other.value === one.value,
            )
          )
            return [];
          return [
            {
              path: one.file.path,
              edits: [dropEntry(one)],
              at: one.span.start,
              functions: null,
              ...(isSafe ? {} : { equivalent: 'this remove does not unregister' }),
            },
          ];
        }),
  },
  {
    id: "ignore register's result",
    rules: ['register-result-ignored'],
    also: ['missing-put', 'missing-uninit', 'double-unregister', 'put-while-registered'],
    kernels: ANY,
    plant: (subject) =>
      assignedCalls(subject, REGISTER).flatMap(({ place, target, call, isDeclaration }) => {
        const test = isDeclaration ? null : testOfResult(place, target)?.test;
        if (!test || test.otherwise) return [];
        return [
          defect(subject, place, [replace(place.stmt, `${textOf(place.file, call)};`), drop(test)]),
        ];
      }),
  },
  {
    id: 'return register() as the tail',
    rules: ['missing-put', 'missing-uninit'],
    kernels: ANY,
    plant: (subject) =>
      assignedCalls(subject, REGISTER).flatMap(({ place, target, call, isDeclaration }) => {
        const test = isDeclaration ? null : testOfResult(place, target)?.test;
        const rest = place.list.slice(place.index + 2);
        const end = rest.findIndex((stmt) => stmt.kind === 'return');
        if (
          !test ||
          test.otherwise ||
          end < 0 ||
          rest
            .slice(0, end)
            .some(
              (stmt) => !SET_DRVDATA.includes(callOf(stmt)?.name ?? '') || callsIn(stmt).length > 1,
            )
        )
          return [];
        const value = (rest[end] as ReturnStmt).value;
        if (value?.kind !== 'number' && value?.kind !== 'name') return [];
        if (!owes(test.then, place)) return [];
        return [
          defect(subject, place, [
            replace(
              { start: place.stmt.start, end: rest[end]!.end },
              `return ${textOf(place.file, call)};`,
            ),
          ]),
        ];
      }),
  },
  {
    id: 'register twice',
    rules: ['register-before-init'],
    also: ['register-result-ignored', 'put-while-registered'],
    kernels: ANY,
    plant: (subject) =>
      assignedCalls(subject, REGISTER).flatMap(({ place, isDeclaration }) =>
        isDeclaration
          ? []
          : [defect(subject, place, insertBefore(place, textOf(place.file, place.stmt)))],
      ),
  },
  {
    id: 'drop the init',
    rules: ['register-before-init'],
    also: ['missing-uninit', 'mixed-models'],
    kernels: { since: [5, 13], until: [6, 1] },
    plant: onCall(INIT, ({ place }) => [drop(place.stmt)]),
  },
  {
    id: 'ops assigned by hand',
    rules: ['mixed-models'],
    kernels: { since: [6, 1] },
    plant: (subject) =>
      assignedCalls(subject, REGISTER).flatMap(({ place, call, isDeclaration }) => {
        const alloc = assignedCalls(subject, ALLOC).find((one) => one.place.fn === place.fn);
        if (!alloc || isDeclaration || call.name!.startsWith('vfio_pci_core')) return [];
        return [
          defect(
            subject,
            place,
            insertBefore(
              place,
              `${fieldOf(textOf(place.file, call.args[0]!), 'ops')} = ${textOf(place.file, alloc.call.args[3]!)};`,
            ),
          ),
        ];
      }),
  },
  {
    id: 'initialise a lock behind register',
    rules: ['init-after-register'],
    kernels: ANY,
    plant: (subject) =>
      moves(subject, (stmt, place) => {
        const call = callOf(stmt);
        const lock = call?.name && LOCKS.includes(call.name) ? call.args[0] : undefined;
        const member = lock?.kind === 'unary' ? lock.operand : null;
        return member?.kind === 'member' &&
          member.base.kind === 'name' &&
          member.base.name === place &&
          isUsedByCallbacks(subject, member.field)
          ? member.field
          : null;
      }),
  },
  {
    id: 'set a field behind register',
    rules: ['init-after-register'],
    kernels: ANY,
    plant: (subject) =>
      moves(subject, (stmt, place) => {
        const target =
          stmt.kind === 'expr' && stmt.expr.kind === 'assign' && stmt.expr.op === '='
            ? stmt.expr.target
            : null;
        return target?.kind === 'member' &&
          target.base.kind === 'name' &&
          target.base.name === place &&
          target.arrow &&
          isUsedByCallbacks(subject, target.field)
          ? target.field
          : null;
      }),
  },
  {
    id: 'set drvdata behind register',
    rules: ['drvdata-after-register'],
    kernels: ANY,
    plant: (subject) =>
      moves(subject, (stmt, _, register) => {
        if (!SET_DRVDATA.includes(callOf(stmt)?.name ?? '')) return null;
        const byCore =
          register.startsWith('vfio_pci_core') &&
          (subject.kernel[0] > 5 || subject.kernel[1] >= 19);
        return byCore ||
          callbacksOf(subject).some(({ fn }) =>
            mentions(fn.body, (name) => GET_DRVDATA.includes(name)),
          )
          ? ''
          : null;
      }),
  },
];

/**
 * Whether the failing branch of a register call leads, by its own statements or those of its label,
 * to an end of the device that a plain return leaves out.
 */
function owes(failing: Stmt, place: Place): boolean {
  const ends = /^vfio_(?:put_device|uninit_group_dev|pci_core_uninit_device)$/;
  const has = (list: readonly Stmt[]): boolean =>
    list.some((stmt) => callsIn(stmt).some((call) => ends.test(call.name ?? '')));
  const inside = failing.kind === 'block' ? failing.body : [failing];
  if (has(inside)) return true;
  const jump = inside.find((stmt) => stmt.kind === 'goto');
  const label = jump
    ? place.fn.body.body.findIndex((stmt) => stmt.kind === 'label' && stmt.name === jump.label)
    : -1;
  if (label < 0) return false;
  const rest = place.fn.body.body.slice(label);
  return has(rest.slice(0, rest.findIndex((stmt) => stmt.kind === 'return') + 1));
}

/**
 * Moves a statement in front of a register call of the same list behind the test of its result.
 * `what` says which member it sets, '' for none, or null.
 */
function moves(
  subject: Parameters<Operator['plant']>[0],
  what: (stmt: Stmt, device: string, register: string) => string | null,
): ReturnType<Operator['plant']> {
  return assignedCalls(subject, REGISTER).flatMap(({ place, target, call }) => {
    const test = testOfResult(place, target)?.test;
    const device = baseName(call.args[0]);
    // Where the failing branch goes on, the statement would run on it too.
    const leaves = test?.then.kind === 'block' ? test.then.body.at(-1) : test?.then;
    if (
      !test ||
      test.otherwise ||
      device === null ||
      (leaves?.kind !== 'goto' && leaves?.kind !== 'return')
    )
      return [];
    return placesOf(subject)
      .filter((one) => one.list === place.list && one.index < place.index)
      .flatMap((one) => {
        const field = what(one.stmt, device, call.name!);
        if (field === null) return [];
        // What uses it on the way to the registration would be another defect.
        const between = place.list.slice(one.index + 1, place.index);
        if (field !== '' && between.some((stmt) => namesMember(stmt, field))) return [];
        const text = textOf(place.file, one.stmt);
        return [
          {
            ...defect(subject, one, [
              drop(one.stmt),
              replace({ start: test.end, end: test.end }, ` ${text}`),
            ]),
            at: statementSpan(one.stmt).start,
          },
        ];
      });
  });
}
