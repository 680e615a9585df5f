/**
 * Work, a timer, a notifier or an interrupt that uses the container of the device is not stopped
 * before the container is freed.
 */
import type { Finding, Rule, RuleContext } from './types.ts';
import type { Expr, FileIr, FunctionIr } from '../ir/types.ts';
import type { ModuleFacts, OperationObservation, Site } from '../lifecycle/types.ts';
import type { Defined, ModuleIndex } from '../lifecycle/module/module.ts';
import type { Outline } from '../lifecycle/module/outline.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import { ASYNC_KINDS, ASYNC_STRUCTS, usualStop, type AsyncKind } from '../kernel/async.ts';
import { isSmallStruct } from '../kernel/fixed-members.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import { namesAnUndo } from '../kernel/heuristics.ts';
import { flawOf, handlerOf, type Flaw, type Named } from './async-stops.ts';
import { asyncWorkOutlivesObjectExamples } from './async-work-outlives-object.examples.ts';
import { callersOf, callsOneOf, keptByFunction } from './function-traits.ts';
import { contains, declaredType, documentsOf, siteOfCall, spanOfToday, walk } from './locate.ts';
import { reachedFrom, reachedFromRoles } from './call-graph.ts';
import { accessesOf, indexOf, resolvedMembers } from './members.ts';
import { beginningsOf } from './resource-leaks.ts';
import { listedShortly, quoted, say, written } from './wording.ts';

const messages = {
  neverStopped: '{what} may run on freed memory; call {stop} after the unregister',
  doesNotWait: '{what} may run on freed memory: {flawed}() does not wait; call {stop}',
  startsItself: '{what} may run on freed memory: it restarts after {flawed}(); call {stop}',
  startedAgain: '{what} may be started again after {flawed}(); call it after the unregister',
} as const;

export const asyncWorkOutlivesObject: Rule = {
  id: 'async-work-outlives-object',
  severity: 'warning',
  isAbsence: true,
  kernels: {},
  fixable: 'none',
  docs: {
    what: 'Work, a timer, a notifier or an interrupt that uses the container of the device is not stopped before the container is freed.',
    why: 'The last put frees the container. Work that is still queued, a timer that still runs, a notifier or an interrupt handler that is still registered then uses freed memory.',
    instead:
      'Stop it in `.remove`, after the unregister and before the put, with a function that waits for a running instance: `cancel_work_sync()`, `timer_delete_sync()`, `hrtimer_cancel()`, `free_irq()`, `kthread_stop()`. If only an open device starts it, stop it in `.close_device`; from 6.1 on, `.release` is possible too.',
    knownProblems:
      'One stop outside of probe is enough; the rule does not check every path. A function that does not wait counts as a stop if its result is used, or if the same function waits for something. Nothing is reported if the driver passes the object to unknown functions whose names suggest a stop, if the handler puts a reference of its own, or if a whole work queue is flushed or destroyed.',
    references: [
      'v6.1 drivers/s390/cio/vfio_ccw_ops.c, vfio_ccw_mdev_release_dev(): completes without cancelling its work',
    ],
  },
  examples: asyncWorkOutlivesObjectExamples,
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  const index = indexOf(facts.module, facts.kernel);
  const containers = ownContainers(facts);
  if (containers.size === 0) return [];
  const arming = callersOf(index, ARMS);
  if (arming.length === 0) return [];
  let ends: ReadonlySet<FunctionIr> | undefined;
  const left = ASYNC_KINDS.flatMap((kind): Left[] => {
    const armers = arming.filter(({ item }) => callsOneOf(item, kind.arm));
    const armed = callsOf(index, armers, kind.arm, ({ argument }) => argument).filter(
      ({ key }) => key !== null && isInside(index, containers, key),
    );
    if (armed.length === 0) return [];
    const ending = (ends ??= endingFunctions(facts, index));
    if (callsAny(ending, kind.stopAll)) return [];
    if (isStoppedUnseen(facts, index, ending, kind, containers)) return [];
    const argumentIsPosition = (argument: number): number => argument;
    const started = callsOf(index, callersOf(index, kind.start), kind.start, argumentIsPosition);
    const stoppers = callersOf(index, kind.stop).filter(({ item }) => ending.has(item));
    const stopped = callsOf(index, stoppers, kind.stop, argumentIsPosition);
    if (stopped.some(({ key }) => key === null)) return [];
    return armed
      .filter((one, i) => armed.findIndex((other) => other.key === one.key) === i)
      .filter((one) => !isHandedOn(index, kind, one, ending))
      .flatMap((one): Left[] => {
        const starts = started.filter(({ key }) => key === one.key);
        const start = kind.start.size === 0 ? one : starts[0];
        if (start === undefined || holdsReference(facts, index, kind, one)) return [];
        if (!outlives(facts, index, kind, one)) return [];
        const stops = stopped.filter(({ key }) => key === one.key);
        const flaws = stops.map((stop) => flawOf({ facts, index, kind, one, starts, stop }));
        return flaws.includes(null) ? [] : [{ kind, one, start, flaw: flaws[0] ?? null }];
      });
  });
  return left.length === 0 ? [] : findingsOf(facts, left);
}

/** Whether something unknown in an ending function is given the address of what runs. */
function isHandedOn(
  index: ModuleIndex,
  kind: AsyncKind,
  one: Named,
  ending: ReadonlySet<FunctionIr>,
): boolean {
  return [...ending].some((fn) =>
    accessesOf(index, fn, one.key ?? '').some(
      ({ form, lowered: { call } }) =>
        form === 'address' && (call === null || !isKnown(kind, call.name)),
    ),
  );
}

/** Whether what was started is still there when the memory ends, unless something stops it. */
function outlives(facts: ModuleFacts, index: ModuleIndex, kind: AsyncKind, one: Named): boolean {
  if (kind.lives === 'until-stopped') return true;
  // The driver core frees what is managed after remove, in the reverse order of its making.
  if (kind.lives === 'until-unbound') return endOf(facts)?.role === 'remove';
  const handler = handlerOf(index, kind, one);
  return handler != null && callsAny(new Set(reachedFrom(index, [handler]).functions), SHOULD_STOP);
}

/** A thread that asks these runs until it is told to stop. */
const SHOULD_STOP: ReadonlySet<string> = new Set([
  'kthread_should_stop',
  'kthread_freezable_should_stop',
]);

/** All that arms something. */
const ARMS: ReadonlySet<string> = new Set(ASYNC_KINDS.flatMap(({ arm }) => [...arm.keys()]));

interface Left {
  readonly kind: AsyncKind;
  readonly one: Named;
  readonly start: Named;
  /** What is wrong with the first of the calls that stop it; null when there is none. */
  readonly flaw: Flaw | null;
}

/**
 * Where the memory ends, all of it at once that lacks the same; where the end is not seen, at each
 * beginning.
 */
function findingsOf(facts: ModuleFacts, left: readonly Left[]): Finding[] {
  const end = endOf(facts);
  if (end === null)
    return left.map((one) => findingOf(facts, [one], one.one.site, one.one.fn.name));
  const alike = new Map<string, Left[]>();
  for (const one of left) {
    const key = one.flaw === null ? '' : `${one.flaw.kind} ${one.flaw.stop.call.name}`;
    alike.set(key, [...(alike.get(key) ?? []), one]);
  }
  return [...alike.values()].map((some) => findingOf(facts, some, end.site, end.function.name));
}

function findingOf(
  facts: ModuleFacts,
  left: readonly Left[],
  site: Site,
  functionName: string,
): Finding {
  const what = listedShortly(
    left.map(({ kind, one }) => (one.text === '' ? kind.what : `${kind.what} ${quoted(one.text)}`)),
  );
  return {
    rule: asyncWorkOutlivesObject.id,
    severity: asyncWorkOutlivesObject.severity,
    message: messageOf(facts, left, what),
    site,
    functionName,
    related: left.flatMap(placesOf).slice(0, 6),
    fix: null,
    owed: left.map(({ one }) => one.site),
  };
}

function messageOf(facts: ModuleFacts, left: readonly Left[], what: string): string {
  const stop = listedShortly(
    left.map(({ kind, one }) => `${usualStop(kind, one.call.name ?? '', facts.kernel)}()`),
  );
  const flaw = left[0]!.flaw;
  if (flaw === null) return say(messages.neverStopped, { what, stop });
  const flawed = flaw.stop.call.name ?? '';
  switch (flaw.kind) {
    case 'does-not-wait':
      return say(messages.doesNotWait, { what, flawed, stop });
    case 'starts-itself':
      return say(messages.startsItself, { what, flawed, stop });
    case 'before-unregister':
      return say(messages.startedAgain, { what, flawed });
  }
}

/** The places that a finding leads to: what prepares it, starts it and does not stop it. */
function placesOf({ one, start, flaw }: Left): Finding['related'][number][] {
  const place = ({ call, site }: Named, does: string): Finding['related'][number] => ({
    site,
    message: `${call.name}() ${does}`,
  });
  return [
    place(one, 'prepares it here'),
    ...(start === one ? [] : [place(start, 'starts it here')]),
    ...(flaw === null ? [] : [place(flaw.stop, 'is not enough here')]),
    ...(flaw?.start == null ? [] : [place(flaw.start, 'starts it again here')]),
  ];
}

/** The put or the free that ends the device in remove. */
function endOf(facts: ModuleFacts): OperationObservation | null {
  return (
    facts.observations.find(
      (one): one is OperationObservation =>
        one.kind === 'operation' &&
        (one.op === 'put' || (one.op === 'free' && one.before.model !== 'none')) &&
        (one.role === 'remove' || one.role === 'action'),
    ) ?? null
  );
}

/**
 * The structs of the devices whose memory ends with them: allocated by the core, or freed by the
 * driver where they end.
 */
function ownContainers(facts: ModuleFacts): Set<string> {
  const tags = new Set<string>();
  for (const { op, device } of beginningsOf(facts))
    if (op === 'alloc' && device.container !== null) tags.add(device.container);
  for (const one of facts.observations) {
    if (
      one.kind === 'operation' &&
      one.op === 'free' &&
      one.before.model === 'old' &&
      (one.role === 'remove' || one.role === 'action') &&
      one.device.container !== null
    )
      tags.add(one.device.container);
  }
  return tags;
}

/** Whether a member's struct is one of the containers, or embedded in one. */
function isInside(index: ModuleIndex, containers: ReadonlySet<string>, key: string): boolean {
  const owner = key.split('.')[0]!;
  return containers.has(owner) || embeddedIn(index, containers).has(owner);
}

const embedded = new WeakMap<Outline, Map<string, ReadonlySet<string>>>();

/** The structs that are embedded in the containers. */
function embeddedIn(index: ModuleIndex, containers: ReadonlySet<string>): ReadonlySet<string> {
  let byContainers = embedded.get(index.outline);
  if (byContainers === undefined) embedded.set(index.outline, (byContainers = new Map()));
  const tags = [...containers].join();
  const known = byContainers.get(tags);
  if (known !== undefined) return known;
  const seen = new Set<string>();
  const [file] = index.module.sources;
  for (let level = [...containers]; level.length > 0 && seen.size < 64;) {
    level = level.flatMap((tag) =>
      (file === undefined ? [] : (index.struct(file, tag)?.item.fields ?? []))
        .filter(
          ({ type }) => type.pointers === 0 && type.keyword === 'struct' && !seen.has(type.name),
        )
        .map(({ type }) => type.name),
    );
    for (const tag of level) seen.add(tag);
  }
  byContainers.set(tags, seen);
  return seen;
}

/**
 * The calls of the named functions in those that call one, with the member that the given argument
 * is the address of.
 */
function callsOf<T>(
  index: ModuleIndex,
  callers: readonly Defined<FunctionIr>[],
  names: ReadonlyMap<string, T>,
  argumentOf: (value: T) => number,
): Named[] {
  return callers.flatMap(({ file, item: fn }) =>
    scanOf(fn).calls.flatMap((call): Named[] => {
      const found = call.name === null ? undefined : names.get(call.name);
      if (found === undefined || index.functions(file, call.name!).length > 0) return [];
      const value = call.args[argumentOf(found)];
      const access =
        value === undefined
          ? undefined
          : resolvedMembers(index, file, fn).find(
              (one) => one.form === 'address' && one.call === call && contains(value, one.node),
            );
      const whole = value === undefined ? null : containerOf(fn, value);
      return [
        {
          file,
          fn,
          call,
          site: siteOfCall(file, { call, fn }),
          key: access?.key ?? whole,
          text: access === undefined ? '' : written(file.text, spanOfToday(fn, access.node)),
        },
      ];
    }),
  );
}

/** The struct that a plain variable points to. */
function containerOf(fn: FunctionIr, value: Expr): string | null {
  const type = value.kind === 'name' ? declaredType(fn, value.name) : null;
  return type !== null &&
    type.pointers === 1 &&
    type.keyword === 'struct' &&
    !ASYNC_STRUCTS.has(type.name)
    ? type.name
    : null;
}

/**
 * Functions that may run when the device ends: all but those that only probe and `.init` lead to.
 */
function endingFunctions(facts: ModuleFacts, index: ModuleIndex): Set<FunctionIr> {
  const roleOf = (fn: FunctionIr): string => facts.roles.get(fn) ?? 'helper';
  const begins = reachedFromRoles(facts, index, 'probe', 'init');
  const others = reachedFrom(
    index,
    index.allFunctions
      .map(({ item }) => item)
      .filter(
        (fn) =>
          (roleOf(fn) !== 'probe' && roleOf(fn) !== 'init' && !begins.has(fn)) ||
          roleOf(fn) === 'remove' ||
          roleOf(fn) === 'release' ||
          roleOf(fn) === 'action' ||
          roleOf(fn) === 'callback',
      ),
  );
  return new Set(others.functions);
}

function callsAny(functions: ReadonlySet<FunctionIr>, names: ReadonlySet<string>): boolean {
  return [...functions].some((fn) => callsOneOf(fn, names));
}

/**
 * Whether something that cannot be matched may stop it: an unknown function that ends things, a
 * macro.
 */
function isStoppedUnseen(
  facts: ModuleFacts,
  index: ModuleIndex,
  ending: ReadonlySet<FunctionIr>,
  kind: AsyncKind,
  containers: ReadonlySet<string>,
): boolean {
  const names = [...kind.stop.keys(), ...kind.stopAll];
  const mention = new RegExp(`\\b(?:${names.join('|')})\\b`);
  const removing = reachedFromRoles(facts, index, 'remove', 'release', 'action');
  if (documentsOf(facts.module).some((file) => mention.test(textOfMacros(file)))) return true;
  for (const fn of ending) {
    const file = index.fileOf(fn);
    if (file === undefined) continue;
    if (hasUnknown(fn)) return true;
    for (const { name, args } of undoingCalls(fn)) {
      if (name === null) {
        if (ENDING_ROLES.has(facts.roles.get(fn) ?? '')) return true;
        continue;
      }
      if (isKnown(kind, name) || index.functions(file, name).length > 0) continue;
      if (
        behaviourOf(name, facts.kernel, facts.module.wrappers) === undefined &&
        // Without an argument it may know the object from elsewhere where the object ends.
        (args.length === 0
          ? removing.has(fn)
          : args.some((arg) => mayReach(index, containers, fn, arg)))
      )
        return true;
    }
  }
  return false;
}

const hasUnknown = keptByFunction((root) =>
  [...walk(root.body)].some(({ kind }) => kind === 'unknown'),
);

/** The calls of a function, as it was lowered, that undo something by their names, or have none. */
const undoingCalls = keptByFunction((root) =>
  scanOf(root).calls.filter(({ name }) => name === null || namesAnUndo(name)),
);

const macroTexts = new WeakMap<FileIr, string>();

/** What a document defines as macros, understood or not. */
function textOfMacros(file: FileIr): string {
  let text = macroTexts.get(file);
  if (text === undefined) {
    const found = file.text.includes('define') ? file.text.match(DEFINITION) : null;
    macroTexts.set(file, (text = (found ?? []).join('\n')));
  }
  return text;
}

const DEFINITION = /^[ \t]*#[ \t]*define\b(?:.*\\\r?\n)*.*$/gm;

const ENDING_ROLES: ReadonlySet<string> = new Set(['remove', 'release', 'action']);

function isKnown(kind: AsyncKind, name: string | null): boolean {
  return (
    name !== null &&
    (kind.arm.has(name) ||
      kind.start.has(name) ||
      kind.stop.has(name) ||
      ASYNC_KINDS.some((other) => other.stop.has(name)))
  );
}

/** Whether a function may come to a device by this argument. */
function mayReach(
  index: ModuleIndex,
  containers: ReadonlySet<string>,
  fn: FunctionIr,
  arg: Expr,
): boolean {
  if (arg.kind === 'number' || arg.kind === 'string' || arg.kind === 'sizeof') return false;
  const isAddress = arg.kind === 'unary' && arg.op === '&';
  const named = isAddress ? arg.operand : arg;
  if (named.kind !== 'name') return true;
  const type = declaredType(fn, named.name);
  // A variable of the module that is no device of its own.
  if (type === null) return !isAddress;
  if (type.pointers === 0 && !isAddress) return type.keyword === 'struct';
  const isDevice = containers.has(type.name) || isInside(index, containers, type.name);
  return isDevice || type.keyword !== 'struct' || !isSmallStruct(type.name);
}

/** The function that runs drops a reference: whoever started it has taken one for it. */
function holdsReference(
  facts: ModuleFacts,
  index: ModuleIndex,
  kind: AsyncKind,
  one: Named,
): boolean {
  const handler = handlerOf(index, kind, one);
  if (handler === null) return false;
  if (handler === undefined) return true;
  return reachedFrom(index, [handler]).functions.some((fn) =>
    scanOf(fn).calls.some(({ name }) => {
      if (name === null) return false;
      const behaviour = behaviourOf(name, facts.kernel, facts.module.wrappers);
      return (
        /kref_put|refcount_dec/.test(name) ||
        (behaviour !== undefined &&
          behaviour !== 'neutral' &&
          behaviour.success.some(({ op }) => op === 'put' || op === 'put-registration'))
      );
    }),
  );
}
