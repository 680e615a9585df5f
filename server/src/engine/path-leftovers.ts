/**
 * What a path that a fix changes still uses of what it has given back, and what it leaves that the
 * function gives back elsewhere.
 */
import { calls } from '../ir/visit.ts';
import { behaviourOf, isView, retainsArgument } from '../kernel/lookup.ts';
import { isLog } from '../kernel/heuristics.ts';
import { isQuery } from '../kernel/touches.ts';
import { lockTakenBy } from '../kernel/locks.ts';
import { takenBy } from '../kernel/resource-pairs.ts';
import { namesAnUndo, opposites } from '../kernel/heuristics.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { FunctionPath, PathEvent } from './function-paths.ts';
import { callsOf, hasFailed, isUndo, takes, type Called } from './owed.ts';

/**
 * What an event uses that the put or free at `at` has given back; null for none. What the path
 * returns is used too.
 */
export function usedBehind(facts: ModuleFacts, path: FunctionPath, at: number): string | null {
  const object = endedBy(facts, path.events[at]!);
  if (object === null) return null;
  const later = path.events.slice(at + 1).find(({ text }) => mentions(text, object));
  if (later !== undefined) return later.text;
  return path.result !== null && mentions(path.result, object) ? path.result : null;
}

/**
 * What a path has made keep an object that the put or free at `at` may end, and that it does not take
 * out again: a list, a table, a work, a variable. A clause that a person has to check; null where
 * it is in none, and where `.release` takes it out.
 */
export function keptBehind(facts: ModuleFacts, path: FunctionPath, at: number): string | null {
  const object = endedBy(facts, path.events[at]!);
  if (object === null) return null;
  for (const [i, event] of path.events.slice(0, at).entries()) {
    const { name, args } = event;
    const place = placeThatKeeps(event, object);
    if (place !== null && !isStoredAgain(path, i, at))
      return `what \`${place}\` points to is not used then`;
    if (name === null || !retainsArgument(name) || !args.some((arg) => mentions(arg, object)))
      continue;
    const rest = path.events.slice(i + 1).flatMap((one) => callsOf(facts, one));
    const isOut = rest.some(
      (one) => namesAnUndo(one.name) && one.args.some((arg) => args.includes(arg)),
    );
    if (!isOut && !isTakenOutByRelease(facts, args))
      return `what ${name}() has linked is taken out before`;
  }
  return null;
}

/** The place outside of an object to which an event stores a pointer to it; null for all else. */
function placeThatKeeps({ kind, text, value }: PathEvent, object: string): string | null {
  if (kind !== 'store' || mentions(value, object)) return null;
  const stored = text.slice(text.indexOf(' = ') + ' = '.length);
  const isPointer =
    stored === object ||
    (stored.startsWith(`container_of(${object},`) && stored.endsWith(')')) ||
    (stored.startsWith('&') && mentions(stored, object));
  return isPointer ? value : null;
}

function isStoredAgain({ events }: FunctionPath, from: number, to: number): boolean {
  return events
    .slice(from + 1, to)
    .some(({ kind, value }) => kind === 'store' && value === events[from]!.value);
}

/** Whether `.release` undoes something of a member that one of the arguments names. */
function isTakenOutByRelease({ roles, module }: ModuleFacts, args: readonly string[]): boolean {
  const fields = new Set(args.flatMap((arg) => /->(\w+)$/.exec(arg)?.[1] ?? []));
  const releases = module.sources
    .flatMap((file) => file.functions)
    .filter((fn) => roles.get(fn) === 'release');
  return releases
    .flatMap((fn) => calls(fn))
    .some(
      (one) =>
        namesAnUndo(one.name ?? '') &&
        one.args.some((arg) => {
          const inner = arg.kind === 'unary' ? arg.operand : arg;
          return inner.kind === 'member' && fields.has(inner.field);
        }),
    );
}

/**
 * What a path does in front of the unregister at `at` that user space may still need, as a person
 * calls it: anything but messages and
 * lookups. Null where there is nothing, and where the event is no unregister.
 */
export function doneBeforeUnregister(
  facts: ModuleFacts,
  path: FunctionPath,
  at: number,
): string | null {
  const { kernel, module } = facts;
  const opsOf = (name: string | null): readonly string[] => {
    const behaviour = name === null ? undefined : behaviourOf(name, kernel, module.wrappers);
    return behaviour === undefined || behaviour === 'neutral'
      ? []
      : behaviour.success.map(({ op }) => op);
  };
  if (!opsOf(path.events[at]!.name).includes('unregister')) return null;
  const isQuiet = ({ name }: Called): boolean =>
    isLog(name) || isQuery(name) || isView(name) || opsOf(name).includes('get-drvdata');
  const loud = path.events.slice(0, at).find((event) => {
    if (event.kind !== 'call') return true;
    const [own, ...inside] = callsOf(facts, event);
    return own === undefined || !(inside.length > 0 ? inside : [own]).every(isQuiet);
  });
  return loud === undefined ? null : loud.text;
}

/** Whether a call may free an object or drop the reference that keeps it. */
export function isEnd(facts: ModuleFacts, event: PathEvent): boolean {
  return endedBy(facts, event) !== null;
}

/** `p` of `p->vdev`, of `p->core.vdev` and of `p.vdev`; what has no member as it is. */
function holderOf(written: string): string {
  let at = written.length;
  while (at > 0 && /[\w.]/.test(written[at - 1]!)) at--;
  if (at < written.length && written.endsWith('->', at)) return written.slice(0, at - '->'.length);
  const dot = written.indexOf('.', at);
  return dot < 0 || dot === written.length - 1 ? written : written.slice(0, dot);
}

/** What drops a reference or frees. */
const ENDS: ReadonlySet<string> = new Set(['put', 'free', 'free-device', 'core-release']);

/** The object that a call may be the end of: `p` of `vfio_put_device(&p->vdev)`. */
function endedBy({ kernel, module }: ModuleFacts, { kind, name, args }: PathEvent): string | null {
  const behaviour =
    kind !== 'call' || name === null ? undefined : behaviourOf(name, kernel, module.wrappers);
  if (behaviour === undefined || behaviour === 'neutral') return null;
  if (!behaviour.success.some(({ op }) => ENDS.has(op))) return null;
  const object = holderOf((args[0] ?? '').replace(/^&/, ''));
  return object === '' ? null : object;
}

/** Whether a value stands in a text as a whole: `foo#1` is not in `foo#12`. */
function mentions(text: string, value: string): boolean {
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    const around = `${text[at - 1] ?? ''} ${text[at + value.length] ?? ''}`;
    if (!/\w/.test(around)) return true;
  }
  return false;
}

/**
 * What a failing path has taken and leaves although another way out of the function gives it back,
 * as a person calls it; null for nothing.
 * @param others the paths of the function before the fix.
 */
export function leftBy(
  facts: ModuleFacts,
  path: FunctionPath,
  others: readonly FunctionPath[],
): string | null {
  const undone = others
    .flatMap((one) => one.events)
    .filter(({ name }) => name !== null && isUndo(name));
  for (const [i, event] of path.events.entries()) {
    if (event.kind !== 'call' || event.name === null || !isTaking(event.name)) continue;
    const taking: Called = { name: event.name, args: event.args, value: event.value };
    const isOwed = undone.some((one) =>
      takes(path, taking, { name: one.name!, args: one.args, value: one.value }),
    );
    if (!isOwed || hasFailed(path, taking)) continue;
    const later = path.events.slice(i + 1).flatMap((one) => callsOf(facts, one));
    if (!later.some((one) => takes(path, taking, one))) return `${event.name}()`;
  }
  return null;
}

function isTaking(name: string): boolean {
  return lockTakenBy(name) !== undefined || takenBy(name) !== undefined;
}

/**
 * A call that another failing path makes on its way out and that a new way out behind `since` may
 * owe as well: of code that no table
 * knows, about anything but the object that was made there. Null where there is none.
 */
export function mayOwe(
  path: FunctionPath,
  others: readonly FunctionPath[],
  since: PathEvent,
): string | null {
  const before = path.events.slice(
    0,
    path.events.findIndex(({ value }) => value === since.value) + 1,
  );
  for (const other of others) {
    if (other.result === '0' || (other.result === null && other.decisions.length === 0)) continue;
    const last = other.decisions.at(-1);
    const way = other.events.slice(last?.at ?? 0);
    for (const { kind, name, text } of way) {
      if (
        kind !== 'call' ||
        name === null ||
        isUndo(name) ||
        isLog(name) ||
        mentions(text, since.value)
      )
        continue;
      const isOfLater =
        opposites(name).some((one) => other.events.some((event) => event.name === one)) &&
        !opposites(name).some((one) => before.some((event) => event.name === one));
      if (!isOfLater && !before.some((event) => event.text === text)) return `${name}()`;
    }
  }
  return null;
}
