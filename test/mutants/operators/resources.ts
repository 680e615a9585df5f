/** Operators on what a driver takes beside the device: memory, registrations, work, counts. */
import type { CallExpr, Expr, FunctionIr } from '../../../server/src/ir/types.ts';
import { sameExpr, walkExpr } from '../../../server/src/ir/visit.ts';
import { ASYNC_KINDS } from '../../../server/src/kernel/async.ts';
import { counterChange } from '../../../server/src/kernel/counters.ts';
import { givenBackBy } from '../../../server/src/kernel/resource-pairs.ts';
import { compareVersions } from '../../../server/src/kernel/version.ts';
import type { Operator, Subject } from '../types.ts';
import {
  assignedCalls,
  baseName,
  callOf,
  callsIn,
  callsOf,
  drop,
  isUsedByCallbacks,
  membersOf,
  placesOf,
  replace,
  testOfResult,
  textOf,
  type Place,
} from '../places.ts';
import { ALLOC, INIT, OPS_TABLE, REGISTER, UNREGISTER } from './names.ts';
import { defect } from './plant.ts';

const ANY = { since: [5, 13] } as const;
/** What these end holds nothing: not to call them changes nothing but what lockdep knows. */
const NOTHING_HELD = /^(?:mutex|xa|idr|ida)_destroy$/;
const CANCELS = [
  'cancel_work_sync',
  'cancel_delayed_work_sync',
  'del_timer_sync',
  'timer_delete_sync',
  'timer_shutdown_sync',
  'hrtimer_cancel',
  'free_irq',
  'bus_unregister_notifier',
  'blocking_notifier_chain_unregister',
  'unregister_reboot_notifier',
];

export const resources: readonly Operator[] = [
  {
    id: 'drop an undo where probe fails',
    rules: ['leak-on-error-path'],
    kernels: ANY,
    plant: (subject) =>
      undos(subject, (fn) => bringsUp(subject, fn)).map((place) =>
        defect(subject, place, [drop(place.stmt)]),
      ),
  },
  {
    id: 'drop an undo where .init fails',
    rules: ['init-leaks-on-error'],
    kernels: { since: [6, 1] },
    plant: (subject) => {
      const inits = new Set(membersOf(subject, OPS_TABLE, /^init$/).map(({ fn }) => fn));
      return undos(subject, (fn) => inits.has(fn)).map((place) => ({
        ...defect(subject, place, [drop(place.stmt)]),
        ...(isForCoreAlone(subject, place)
          ? { equivalent: 'vfio_pci_core_init_dev() cannot fail before 6.19' }
          : {}),
      }));
    },
  },
  {
    id: 'drop an undo where .open_device fails',
    rules: ['open-leaks-on-error'],
    kernels: ANY,
    plant: (subject) => {
      const opens = new Set(membersOf(subject, OPS_TABLE, /^open(_device)?$/).map(({ fn }) => fn));
      return undos(subject, (fn) => opens.has(fn)).map((place) =>
        defect(subject, place, [drop(place.stmt)]),
      );
    },
  },
  {
    id: 'drop an undo where the device is closed',
    rules: ['close-leaks'],
    kernels: ANY,
    plant: (subject) => {
      const closes = new Set(
        membersOf(subject, OPS_TABLE, /^close_device$/).flatMap(({ fn }) => [
          fn,
          ...calledOnlyBy(subject, fn),
        ]),
      );
      return placesOf(subject)
        .filter(({ fn, stmt }) => closes.has(fn) && givesBackResult(callOf(stmt)))
        .map((place) => ({ ...defect(subject, place, [drop(place.stmt)]), functions: null }));
    },
  },
  {
    id: 'the lock of an opening',
    rules: ['lock-outside-lifetime'],
    kernels: ANY,
    plant: (subject) => {
      const [open] = membersOf(subject, OPS_TABLE, /^open_device$/);
      const used = new Set(
        membersOf(subject, /^pci_error_handlers$/, /^reset_done$/)
          .flatMap(({ fn }) =>
            placesOf(subject).flatMap((one) => (one.fn === fn ? (callOf(one.stmt) ?? []) : [])),
          )
          .flatMap(({ name, args: [lock] }) =>
            name === 'mutex_lock' && lock?.kind === 'unary' && lock.operand.kind === 'member'
              ? [lock.operand.field]
              : [],
          ),
      );
      return callsOf(subject, ['mutex_init']).flatMap(
        ({
          place,
          call: {
            args: [lock],
          },
        }) => {
          const first = open?.fn.body.body.find((stmt) => stmt.kind !== 'decl');
          const isUsed =
            lock?.kind === 'unary' &&
            lock.operand.kind === 'member' &&
            used.has(lock.operand.field);
          if (!isUsed || first === undefined || open?.file !== place.file) return [];
          const at = first.start;
          return [
            {
              ...defect(subject, place, [
                drop(place.stmt),
                replace({ start: at, end: at }, `${textOf(place.file, place.stmt)} `),
              ]),
              functions: [open.fn.name],
            },
          ];
        },
      );
    },
  },
  {
    id: 'a teardown before the unregister',
    rules: ['teardown-before-unregister'],
    kernels: ANY,
    plant: (subject) =>
      callsOf(subject, UNREGISTER).flatMap(({ place, call }) => {
        const device = baseName(call.args[0]);
        // Up to the next label or jump all statements are on one path.
        const rest = place.list.slice(place.index + 1);
        const end = rest.findIndex((stmt) => stmt.kind === 'label' || stmt.kind === 'case');
        return placesOf(subject)
          .filter(
            (one) =>
              one.list === place.list &&
              one.index > place.index &&
              (end < 0 || one.index <= place.index + end),
          )
          .flatMap((one) => {
            const undo = callOf(one.stmt);
            const member = undo?.args[0];
            const isMember =
              undo?.name != null &&
              givenBackBy(undo.name).length > 0 &&
              !NOTHING_HELD.test(undo.name) &&
              member?.kind === 'member' &&
              member.arrow &&
              baseName(member) === device;
            if (!isMember || !isUsedByCallbacks(subject, member.field)) return [];
            const at = place.stmt.start;
            return [
              defect(subject, one, [
                replace({ start: at, end: at }, `${textOf(one.file, one.stmt)} `),
                drop(one.stmt),
              ]),
            ];
          });
      }),
  },
  {
    id: 'drop the end of asynchronous work',
    rules: ['async-work-outlives-object'],
    kernels: ANY,
    plant: (subject) =>
      (devices(subject)
        ? callsOf(subject, CANCELS).filter(
            ({ place, call }) => isOfContainer(call) && !requests(subject, place.fn),
          )
        : []
      ).map(({ place, call }, _, all) => {
        const same = all.filter(
          (one) => one.call.name === call.name && argumentOf(one.call) === argumentOf(call),
        );
        const equivalent =
          same.length > 1 ? 'another call stops it too' : unneededEnd(subject, call);
        // The finding is where the memory goes, which need not be where it was stopped.
        return {
          ...defect(subject, place, [drop(place.stmt)]),
          functions: null,
          ...(equivalent !== null ? { equivalent } : {}),
        };
      }),
  },
  {
    id: 'drop the return of a count',
    rules: ['unbalanced-accounting'],
    kernels: ANY,
    plant: (subject) =>
      placesOf(subject)
        .filter(
          (place) =>
            isUnwinding(place) && bringsUp(subject, place.fn) && changesBack(subject, place),
        )
        .map((place) => defect(subject, place, [drop(place.stmt)])),
  },
];

/** The functions that one function calls and no other does. */
function calledOnlyBy(subject: Subject, fn: FunctionIr): FunctionIr[] {
  const callers = new Map<string, Set<FunctionIr>>();
  for (const { fn: caller, stmt } of placesOf(subject))
    for (const { name } of callsIn(stmt))
      if (name !== null) callers.set(name, (callers.get(name) ?? new Set()).add(caller));
  return placesOf(subject)
    .map((place) => place.fn)
    .filter((one, i, all) => all.indexOf(one) === i)
    .filter(({ name }) => callers.get(name)?.has(fn) === true && callers.get(name)?.size === 1);
}

function walkParts(expr: Expr): readonly Expr[] {
  const parts: Expr[] = [];
  walkExpr(expr, (one) => void parts.push(one));
  return parts;
}

/** A call that gives back what another has returned. */
function givesBackResult(call: CallExpr | null): boolean {
  return (
    call?.name != null &&
    !call.name.startsWith('debugfs_') &&
    // What an array has in its elements is no member of the device.
    call.args.every((arg) => walkParts(arg).every(({ kind }) => kind !== 'index')) &&
    givenBackBy(call.name).some(({ taken, isOut }) => taken === 'return' || isOut === true)
  );
}

/** Why nothing can run although this call does not stop it; null when it can. */
function unneededEnd(subject: Subject, call: CallExpr): string | null {
  const kind = ASYNC_KINDS.find((one) => one.stop.has(call.name ?? ''));
  if (kind === undefined) return null;
  if (callsOf(subject, [...kind.stopAll]).length > 0) return 'the whole queue is ended';
  const isStarted =
    kind.start.size === 0 ||
    callsOf(subject, [...kind.start.keys()]).some((one) =>
      argumentOf(one.call)
        .split(',')
        .some((field) => field !== '' && argumentOf(call).split(',').includes(field)),
    );
  return isStarted ? null : 'nothing starts it';
}

/** Whether a driver makes devices: a library leaves their end to others. */
function devices(subject: Subject): boolean {
  return placesOf(subject).some((place) =>
    callsIn(place.stmt).some((call) => [...ALLOC, ...INIT].includes(call.name ?? '')),
  );
}

/**
 * `&p->member`, or for an interrupt `p` itself: what belongs to another object does not end with
 * the device.
 */
function isOfContainer(call: CallExpr): boolean {
  const arg = call.args.at(-1);
  if (call.name === 'free_irq') return arg?.kind === 'name';
  const member = arg?.kind === 'unary' && arg.op === '&' ? arg.operand : null;
  return member?.kind === 'member' && member.arrow && member.base.kind === 'name';
}

/** A function that changes the handler of an interrupt while the device is open ends nothing. */
function requests(subject: Subject, fn: FunctionIr): boolean {
  return (
    placesOf(subject).some(
      (place) =>
        place.fn === fn &&
        !isUnwinding(place) &&
        callsIn(place.stmt).some((call) =>
          /^request_(?:threaded_|any_context_)?irq$/.test(call.name ?? ''),
        ),
    ) && !bringsUp(subject, fn)
  );
}

/** The field or name that a call is about, whatever the variable. */
function argumentOf(call: CallExpr): string {
  return call.args
    .map((arg) => {
      const named = arg.kind === 'unary' ? arg.operand : arg;
      return named.kind === 'member' ? named.field : '';
    })
    .join();
}

/** Whether a function allocates, initialises or registers a device. */
function bringsUp(subject: Subject, fn: FunctionIr): boolean {
  const names = new Set([...ALLOC, ...INIT, ...REGISTER]);
  return placesOf(subject).some(
    (place) => place.fn === fn && callsIn(place.stmt).some((call) => names.has(call.name ?? '')),
  );
}

/** Whether a statement stands behind a label of the function's own list. */
function isUnwinding({ fn, stmt }: Place): boolean {
  const label = fn.body.body.find((one) => one.kind === 'label');
  return (
    label !== undefined &&
    stmt.start > label.end &&
    !fn.body.body.some(
      (one) =>
        one.kind === 'return' &&
        one.value?.kind === 'number' &&
        one.start > label.end &&
        stmt.start < one.start,
    )
  );
}

/**
 * The calls behind a label that give back what the same function has taken, by the tables of pairs.
 */
function undos(subject: Subject, isWanted: (fn: FunctionIr) => boolean): Place[] {
  return placesOf(subject).filter((place) => {
    const undo = callOf(place.stmt);
    if (
      undo?.name == null ||
      NOTHING_HELD.test(undo.name) ||
      !isUnwinding(place) ||
      !isWanted(place.fn)
    )
      return false;
    return givenBackBy(undo.name).some((pair) =>
      placesOf(subject).some(
        (one) =>
          one.fn === place.fn &&
          one.stmt.start < place.stmt.start &&
          callsIn(one.stmt).some((take) => {
            if (!pair.take.includes(take.name ?? '')) return false;
            const given = undo.args[pair.given];
            if (given === undefined) return false;
            if (pair.taken !== 'return')
              return take.args[pair.taken] !== undefined && sameExpr(take.args[pair.taken]!, given);
            const { stmt } = one;
            if (stmt.kind === 'decl') return given.kind === 'name' && given.name === stmt.name;
            return (
              stmt.kind === 'expr' &&
              stmt.expr.kind === 'assign' &&
              sameExpr(stmt.expr.target, given)
            );
          }),
      ),
    );
  });
}

/**
 * Whether a statement behind a label runs only where vfio_pci_core_init_dev() failed, in a kernel
 * in which it does not (it can since 6.19).
 */
function isForCoreAlone(subject: Subject, { fn, list, index }: Place): boolean {
  if (compareVersions(subject.kernel, [6, 19]) >= 0) return false;
  const at = list.findLastIndex((one, i) => i < index && one.kind === 'label');
  const label = list[at],
    before = list[at - 1];
  if (label?.kind !== 'label' || (before?.kind !== 'return' && before?.kind !== 'goto'))
    return false;
  const failing = assignedCalls(subject, ['vfio_pci_core_init_dev']).flatMap((one) =>
    one.place.fn === fn ? (testOfResult(one.place, one.target)?.failing ?? []) : [],
  );
  const jumps = placesOf(subject).filter(
    (one) => one.fn === fn && one.stmt.kind === 'goto' && one.stmt.label === label.name,
  );
  return (
    jumps.length > 0 &&
    jumps.every(({ stmt }) =>
      failing.some((branch) => branch.start <= stmt.start && stmt.end <= branch.end),
    )
  );
}

/** Whether a statement changes a count that the same function changed the other way before. */
function changesBack(subject: Subject, place: Place): boolean {
  const count = countOf(place);
  return (
    count !== null &&
    placesOf(subject).some((one) => {
      const before = one.fn === place.fn && one.stmt.start < place.stmt.start ? countOf(one) : null;
      return before !== null && before.sign === -count.sign && before.text === count.text;
    })
  );
}

function countOf({ stmt, file }: Place): { readonly text: string; readonly sign: number } | null {
  if (stmt.kind === 'expr' && stmt.expr.kind === 'update')
    return { text: textOf(file, stmt.expr.operand), sign: stmt.expr.op === '++' ? 1 : -1 };
  if (stmt.kind === 'expr' && stmt.expr.kind === 'assign' && /^[+-]=$/.test(stmt.expr.op))
    return { text: textOf(file, stmt.expr.target), sign: stmt.expr.op === '+=' ? 1 : -1 };
  for (const call of callsIn(stmt)) {
    const change = counterChange(call.name ?? '');
    const counter = change && change.sign !== 0 ? call.args[change.counter] : undefined;
    if (change && counter)
      return { text: textOf(file, counter).replace(/^&/, ''), sign: change.sign };
  }
  return null;
}
