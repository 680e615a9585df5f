/** What one path has taken and undone, by the kernel's tables of pairs and locks. */
import { opposites } from '../kernel/opposites.ts';
import { lockReleasedBy, lockTakenBy } from '../kernel/locks.ts';
import { givenBackBy, LIFE_CYCLE_PAIRS, outcomeOfTaking, takenBy } from '../kernel/pairs.ts';
import { calls } from '../ir/visit.ts';
import { printExpr } from '../ir/print.ts';
import { indexModule } from '../lifecycle/module.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { FunctionPath, PathEvent } from './function-paths.ts';

/** A call as the tables see it. */
export interface Called { readonly name: string; readonly args: readonly string[]; readonly value: string }

/** Whether a call undoes or lets go something that a table knows. */
export function isUndo(name: string): boolean {
  return givenBackBy(name).length > 0 || lockReleasedBy(name) !== undefined || LIFE_CYCLE_PAIRS.some((row) => row.undo === name);
}

/** The calls that a path's event makes: itself, and what the module's function or macro does that it calls, on whichever path. */
export function callsOf(facts: ModuleFacts, event: PathEvent): Called[] {
  if (event.kind !== 'call' || event.name === null) return [];
  return expanded(facts, { name: event.name, args: event.args, value: event.value }, 0);
}

const MAX_DEPTH = 4;

function expanded(facts: ModuleFacts, call: Called, depth: number): Called[] {
  if (depth >= MAX_DEPTH) return [call];
  const index = indexModule(facts.module, facts.kernel);
  const defined = facts.module.sources.map((file) => index.functions(file, call.name)[0] ?? index.macroFunction(file, call.name)).find((one) => one);
  if (!defined) return [call];
  const values = new Map(defined.item.params.map(({ name }, i) => [name, call.args[i] ?? name]));
  const inside = calls(defined.item).flatMap((one): Called[] => {
    if (one.name === null) return [];
    const args = one.args.map((arg) => substituted(printExpr(arg), values));
    return expanded(facts, { name: one.name, args, value: `${call.value}.${one.name}` }, depth + 1);
  });
  return [call, ...inside];
}

/** Text with the parameters of a helper replaced; the parentheses that the printer sets are taken out. */
function substituted(text: string, values: ReadonlyMap<string, string>): string {
  const plain = text.replace(/^\((&.*)\)$/, '$1');
  return plain.replace(/(?<![\w.>])[A-Za-z_]\w*/g, (name) => values.get(name) ?? name);
}

/** What a call names: the argument by which it undoes. */
function resourceOf({ name, args }: Called): string {
  const [row] = givenBackBy(name);
  return args[row === undefined ? 0 : row.given] ?? '';
}

/** Whether two undoing calls undo the same thing, or may: `unknown` where two names may mean one thing. */
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

/** Members of one object, results of two calls, or the same kind of name: never one thing by accident of writing. */
function areDistinct(left: string, right: string): boolean {
  const base = (text: string): string => text.replace(/^&/, '').replace(/(?:->|\.)\w+$/, '');
  if (/->|\./.test(left) && /->|\./.test(right) && base(left) === base(right)) return true;
  return /#\d+$/.test(left) && /#\d+$/.test(right);
}

/** Whether an event takes what an undoing call undoes. */
export function takes(path: FunctionPath, taking: Called, undo: Called): boolean {
  const lock = lockTakenBy(taking.name);
  if (lock !== undefined) return lock === lockReleasedBy(undo.name) && taking.args[0] === undo.args[0];
  const life = LIFE_CYCLE_PAIRS.find((row) => row.take === taking.name && row.undo === undo.name);
  if (life !== undefined) return life.byResult ? undo.args[0]?.includes(taking.value) === true : taking.args[0] === undo.args[0];
  const row = givenBackBy(undo.name).find((one) => one.take.includes(taking.name));
  if (row === undefined) return false;
  const given = undo.args[row.given] ?? '';
  if (row.taken !== 'return') return taking.args[row.taken] === given;
  return given === taking.value || path.memory.get(given) === taking.value;
}

/** Whether a path knows that a call has failed, so that it has taken nothing. */
function hasFailed(path: FunctionPath, { name, value }: Called): boolean {
  const outcome = takenBy(name) === undefined ? 'zero' : outcomeOfTaking(name);
  return path.decisions.some(({ test, holds }) => {
    if (test === `IS_ERR(${value})`) return holds;
    if (test === `(${value} < 0)`) return holds;
    if (test !== value) return false;
    return outcome === 'pointer' || outcome === 'true' ? !holds : outcome === 'zero' && holds;
  });
}

/** What the path holds when it comes to the event at `end`: the first thing that it took and did not undo, as a person calls it; null for nothing. */
export function heldAt(facts: ModuleFacts, path: FunctionPath, end: number, isCalled: (name: string) => boolean): string | null {
  const events = path.events.slice(0, end);
  const done = events.flatMap((event) => callsOf(facts, event));
  for (const [i, event] of events.entries()) {
    if (event.name === null || event.kind !== 'call') continue;
    const taking = { name: event.name, args: event.args, value: event.value };
    if (!isTaking(taking.name, isCalled) || hasFailed(path, taking)) continue;
    const later = events.slice(i + 1).flatMap((one) => callsOf(facts, one));
    const isUndone = later.some((one) => takes(path, taking, one) || opposites(taking.name).includes(one.name));
    if (!isUndone && done.length > 0) return `${taking.name}()`;
  }
  return null;
}

function isTaking(name: string, isCalled: (name: string) => boolean): boolean {
  if (lockTakenBy(name) !== undefined) return true;
  const row = takenBy(name);
  if (row !== undefined) return !/_init$/.test(name);
  if (LIFE_CYCLE_PAIRS.some((one) => one.take === name && one.take !== 'vfio_alloc_device')) return true;
  return opposites(name).some(isCalled);
}

/** Whether a lock is held where the event at `at` lets it go. */
export function isLockHeld(facts: ModuleFacts, path: FunctionPath, at: number, release: Called): boolean {
  let count = 0;
  for (const one of path.events.slice(0, at).flatMap((event) => callsOf(facts, event))) {
    if (takes(path, one, release)) count++;
    if (lockReleasedBy(one.name) === lockReleasedBy(release.name) && one.args[0] === release.args[0]) count--;
  }
  return count > 0;
}
