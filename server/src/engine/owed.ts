/** What one path has taken and undone, by the kernel's tables of pairs and locks. */
import { opposites } from '../kernel/heuristics.ts';
import { lockReleasedBy, lockTakenBy } from '../kernel/locks.ts';
import {
  givenBackBy,
  givenTo,
  LIFE_CYCLE_PAIRS,
  outcomeOfTaking,
  takenBy,
} from '../kernel/resource-pairs.ts';
import type { FunctionIr } from '../ir/types.ts';
import { calls } from '../ir/visit.ts';
import { printExpr } from '../ir/print.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import { indexModule } from '../lifecycle/module/module.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { FunctionPath, PathEvent } from './function-paths.ts';

/** A call as the tables see it. */
export interface Called {
  readonly name: string;
  readonly args: readonly string[];
  readonly value: string;
}

/** Whether a call undoes or lets go something that a table knows. */
export function isUndo(name: string): boolean {
  return (
    givenBackBy(name).length > 0 ||
    lockReleasedBy(name) !== undefined ||
    LIFE_CYCLE_PAIRS.some((row) => row.undo === name)
  );
}

/** What an event does, as far as it is followed into the functions and macros of the module. */
interface Followed {
  readonly calls: readonly Called[];
  /** The function behind which not everything was followed; null where all was. */
  readonly obstacle: string | null;
}

const followed = new WeakMap<ModuleFacts, Map<string, Followed>>();

/**
 * The calls that a path's event makes: itself, and what the module's function or macro does that it
 * calls, on whichever path.
 */
export function callsOf(facts: ModuleFacts, event: PathEvent): readonly Called[] {
  return follow(facts, event).calls;
}

/**
 * The function behind which an event's calls are not all followed, because of its depth or because
 * it calls itself; null where they are.
 */
export function unfollowedIn(facts: ModuleFacts, event: PathEvent): string | null {
  return follow(facts, event).obstacle;
}

const NOTHING: Followed = { calls: [], obstacle: null };

function follow(facts: ModuleFacts, event: PathEvent): Followed {
  if (event.kind !== 'call' || event.name === null) return NOTHING;
  const known = followed.get(facts) ?? new Map<string, Followed>();
  followed.set(facts, known);
  const key = `${event.value} ${event.text}`;
  let found = known.get(key);
  if (found === undefined) {
    const trail: Trail = { facts, met: new Set(), calls: [], obstacle: null };
    expand(trail, { name: event.name, args: event.args, value: event.value }, []);
    known.set(key, (found = { calls: trail.calls, obstacle: trail.obstacle }));
  }
  return found;
}

/** No helper of a driver lies deeper, and none does more. */
const MAX_DEPTH = 24;
const MAX_CALLS = 2000;

interface Trail {
  readonly facts: ModuleFacts;
  /** What was followed already, with its arguments: once is enough. */
  readonly met: Set<string>;
  readonly calls: Called[];
  obstacle: string | null;
}

/** @param around the functions that the call stands in, the outermost first. */
function expand(trail: Trail, call: Called, around: readonly string[]): void {
  trail.calls.push(call);
  const defined = definitionOf(trail.facts, call.name);
  if (defined === undefined) return;
  const key = `${call.name}(${call.args.join()})`;
  if (trail.met.has(key)) return;
  trail.met.add(key);
  if (around.includes(call.name) || around.length >= MAX_DEPTH || trail.calls.length > MAX_CALLS) {
    trail.obstacle ??= call.name;
    return;
  }
  const values = new Map([
    // What a helper calls by a name of its own is nothing that its caller calls so.
    ...scanOf(defined).decls.map(({ name }) => [name, `${call.value}:${name}`] as const),
    ...defined.params.map(({ name }, i) => [name, call.args[i] ?? name] as const),
  ]);
  for (const { name, args } of calls(defined)) {
    if (name === null) continue;
    const inside = {
      name,
      args: args.map((arg) => substituted(printExpr(arg), values)),
      value: `${call.value}.${name}`,
    };
    expand(trail, inside, [...around, call.name]);
  }
}

function definitionOf({ module, kernel }: ModuleFacts, name: string): FunctionIr | undefined {
  const index = indexModule(module, kernel);
  for (const file of module.sources) {
    const defined = index.functions(file, name)[0] ?? index.macroFunctions(file, name, Infinity)[0];
    if (defined) return defined.item;
  }
  return undefined;
}

/**
 * Text with the parameters of a helper replaced; the parentheses that the printer sets are taken
 * out.
 */
function substituted(text: string, values: ReadonlyMap<string, string>): string {
  const plain = text.replace(/^\((&.*)\)$/, '$1');
  return plain.replace(/(?<![\w.>])[A-Za-z_]\w*/g, (name) => values.get(name) ?? name);
}

/** What a call names: the argument by which it undoes. */
function resourceOf({ name, args }: Called): string {
  const [row] = givenBackBy(name);
  return args[row === undefined ? 0 : givenTo(row, name)] ?? '';
}

/**
 * Whether two undoing calls undo the same thing, or may: `unknown` where two names may mean one
 * thing.
 */
export function undoesSame(one: Called, other: Called): boolean | 'unknown' {
  const isPair = one.name === other.name || haveCommonTaking(one.name, other.name);
  if (!isPair) return false;
  const left = resourceOf(one);
  const right = resourceOf(other);
  if (left === right) return true;
  return areDistinct(left, right) ? false : 'unknown';
}

function haveCommonTaking(one: string, other: string): boolean {
  if (lockReleasedBy(one) !== undefined) return lockReleasedBy(one) === lockReleasedBy(other);
  const takes = new Set(givenBackBy(one).flatMap((row) => row.take));
  return givenBackBy(other).some((row) => row.take.some((name) => takes.has(name)));
}

/**
 * Members of one object, results of two calls, or the same kind of name: never one thing by
 * accident of writing.
 */
function areDistinct(left: string, right: string): boolean {
  const base = (text: string): string => text.replace(/^&/, '').replace(/(?:->|\.)\w+$/, '');
  if (/->|\./.test(left) && /->|\./.test(right) && base(left) === base(right)) return true;
  return isFresh(left) && isFresh(right);
}

/**
 * Whether a value is what a call took, which gives another one each time: a lookup gives the same.
 */
function isFresh(value: string): boolean {
  const name = /^(\w+)#\d+$/.exec(value)?.[1];
  return name !== undefined && takenBy(name)?.taken === 'return';
}

/** Whether an event takes what an undoing call undoes. */
export function takes(path: FunctionPath, taking: Called, undo: Called): boolean {
  const lock = lockTakenBy(taking.name);
  if (lock !== undefined)
    return lock === lockReleasedBy(undo.name) && taking.args[0] === undo.args[0];
  const life = LIFE_CYCLE_PAIRS.find((row) => row.take === taking.name && row.undo === undo.name);
  if (life !== undefined)
    return life.byResult
      ? undo.args[0]?.includes(taking.value) === true
      : taking.args[0] === undo.args[0];
  const row = givenBackBy(undo.name).find((one) => one.take.includes(taking.name));
  if (row === undefined) return false;
  const given = undo.args[givenTo(row, undo.name)] ?? '';
  if (row.taken !== 'return') return taking.args[row.taken] === given;
  return given === taking.value || path.memory.get(given) === taking.value;
}

/** Whether a path knows that a call has failed, so that it has taken nothing. */
export function hasFailed(path: FunctionPath, { name, value }: Called): boolean {
  const outcome = takenBy(name) === undefined ? 'zero' : outcomeOfTaking(name);
  return path.decisions.some(({ test, holds }) => {
    if (test === `IS_ERR(${value})`) return holds;
    if (test === `(${value} < 0)`) return holds;
    if (test !== value) return false;
    return outcome === 'pointer' || outcome === 'true' ? !holds : outcome === 'zero' && holds;
  });
}

/**
 * What the path holds when it comes to the event at `end`: the first thing that it took and did not
 * undo, as a person calls it; null for nothing.
 */
export function heldAt(
  facts: ModuleFacts,
  path: FunctionPath,
  end: number,
  isCalled: (name: string) => boolean,
): string | null {
  const events = path.events.slice(0, end);
  const done = events.flatMap((event) => callsOf(facts, event));
  for (const [i, event] of events.entries()) {
    if (event.name === null || event.kind !== 'call') continue;
    const taking = { name: event.name, args: event.args, value: event.value };
    if (!isTaking(taking.name, isCalled) || hasFailed(path, taking)) continue;
    const later = events.slice(i + 1).flatMap((one) => callsOf(facts, one));
    const isUndone = later.some(
      (one) => takes(path, taking, one) || opposites(taking.name).includes(one.name),
    );
    if (!isUndone && done.length > 0) return `${taking.name}()`;
  }
  return null;
}

function isTaking(name: string, isCalled: (name: string) => boolean): boolean {
  if (lockTakenBy(name) !== undefined) return true;
  const row = takenBy(name);
  if (row !== undefined) return !/_init$/.test(name);
  if (LIFE_CYCLE_PAIRS.some((one) => one.take === name && one.take !== 'vfio_alloc_device'))
    return true;
  return opposites(name).some(isCalled);
}

/** Whether a lock is held where the event at `at` lets it go. */
export function isLockHeld(
  facts: ModuleFacts,
  path: FunctionPath,
  at: number,
  release: Called,
): boolean {
  let count = 0;
  for (const one of path.events.slice(0, at).flatMap((event) => callsOf(facts, event))) {
    if (takes(path, one, release)) count++;
    if (
      lockReleasedBy(one.name) === lockReleasedBy(release.name) &&
      one.args[0] === release.args[0]
    )
      count--;
  }
  return count > 0;
}
