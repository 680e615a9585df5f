/**
 * What differs between a path before a fix and the same path after it, and whether that is what the
 * fix is about.
 */
import { isLog } from '../kernel/heuristics.ts';
import { lockReleasedBy, lockTakenBy } from '../kernel/locks.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import type { FileIr } from '../ir/types.ts';
import { calls } from '../ir/visit.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import { lineNumber } from '../text/position.ts';
import { editAt, movedOffset, type EditPlace } from './edit-places.ts';
import type { FunctionPath, PathEvent } from './function-paths.ts';
import {
  doneBeforeUnregister,
  isEnd,
  keptBehind,
  leftBy,
  mayOwe,
  usedBehind,
} from './path-leftovers.ts';
import { doubtOfLocks } from './path-locks.ts';
import {
  callsOf,
  heldAt,
  isLockHeld,
  isUndo,
  takes,
  undoesSame,
  unfollowedIn,
  type Called,
} from './owed.ts';

/** One function before and after a fix. */
export interface Compared {
  readonly before: ModuleFacts;
  readonly after: ModuleFacts;
  readonly places: readonly EditPlace[];
  readonly old: readonly FunctionPath[];
  readonly now: readonly FunctionPath[];
  /** The function is one that brings a device up, so that it lives on where 0 is returned. */
  readonly isBeginning: boolean;
  /** The document after the fix. */
  readonly file: FileIr;
}

interface Difference {
  readonly removed: readonly PathEvent[];
  /** Positions in the events of the path after the fix. */
  readonly added: readonly number[];
}

/**
 * What to look at on a path that the fix changes; null where it does what it did and what the fix
 * is about.
 */
export function doubtOfChange(
  compared: Compared,
  before: FunctionPath,
  after: FunctionPath,
): string | null {
  const { removed, added } = difference(compared, before.events, after.events);
  const isMoved = (event: PathEvent): boolean =>
    added.some(
      (i) => after.events[i]!.text === event.text && isWritten(compared, after.events[i]!),
    );
  for (const event of removed) {
    const passed = isMoved(event) ? doubtOfPassing(compared, before, after, event) : null;
    if (passed !== null) return passed;
    const isIntended = editAt(compared.places, event, 'before') >= 0 || isMoved(event);
    if (!isIntended)
      return `check the path to line ${lineOf(compared, after)}: it no longer does \`${shown(event)}\``;
  }
  if (removed.length + added.length > 0 && after.obstacle !== null)
    return `check the path to line ${lineOf(compared, after)}: ${after.obstacle}`;
  const jump = added.find((i) => !isWritten(compared, after.events[i]!));
  for (const i of added) {
    const event = after.events[i]!;
    const isIntended = isWritten(compared, event);
    if (!isIntended && isLogging(event)) continue;
    const doubt =
      doubtOfRepeat(compared, before, after, i) ??
      (isIntended ? doubtOfRelease(compared, after, i) : doubtOfLadder(compared, after, i, jump!));
    if (doubt !== null) return doubt;
    const isMoving = isIntended && before.events.some(({ text }) => text === event.text);
    const locked = isMoving ? null : doubtOfLocks(compared.after, after, i);
    if (locked !== null) return locked;
    if (!isIntended) continue;
    const ended = doubtOfEnd(compared, before, after, i);
    if (ended !== null) return ended;
    const used = usedBehind(compared.after, after, i);
    if (used !== null) return `check that \`${short(used)}\` does not use what is gone`;
  }
  return added.length === 0 ? null : doubtOfLeft(compared, after);
}

/**
 * A put or free that the fix adds: none on a path on which probe succeeds, and none of what
 * something still keeps.
 */
function doubtOfEnd(
  compared: Compared,
  before: FunctionPath,
  after: FunctionPath,
  at: number,
): string | null {
  const event = after.events[at]!;
  const isMoved = before.events.some(({ text }) => text === event.text);
  const early = isMoved ? null : doneBeforeUnregister(compared.after, after, at);
  if (early !== null) return `check that \`${short(early)}\` may come before the unregister`;
  if (!isEnd(compared.after, event) || isMoved) return null;
  if (compared.isBeginning && after.result === '0')
    return `check the path to line ${lineOf(compared, after)}: it succeeds`;
  const kept = keptBehind(compared.after, after, at);
  return kept === null ? null : `check that ${kept}`;
}

/**
 * What a path that fails, and is changed, leaves although another way out of the function gives it
 * back.
 */
function doubtOfLeft(compared: Compared, path: FunctionPath): string | null {
  if (path.result === null || /^(?:0|NULL|false)$/.test(path.result)) return null;
  const left = leftBy(compared.after, path, compared.old);
  return left === null ? null : `check what is owed there: ${left} is not undone`;
}

/**
 * A statement that the fix moves over code that nobody sees, or into or out of what a lock covers:
 * only a person knows whether the order matters.
 */
function doubtOfPassing(
  compared: Compared,
  before: FunctionPath,
  after: FunctionPath,
  moved: PathEvent,
): string | null {
  const textsUpTo = ({ events }: FunctionPath): readonly string[] => {
    const at = events.findIndex(({ text }) => text === moved.text);
    return events.slice(0, Math.max(0, at)).map(({ text }) => text);
  };
  const then = textsUpTo(before);
  const now = textsUpTo(after);
  const passed = after.events.filter(
    ({ text }) => text !== moved.text && then.includes(text) !== now.includes(text),
  );
  const decisive = passed.find((event) => isUnseen(compared, event) || isLocking(compared, event));
  return decisive === undefined
    ? null
    : `check the order of \`${shown(moved)}\` and \`${shown(decisive)}\``;
}

/**
 * The event takes or releases a lock. What waits for the users of the device must not wait while it
 * holds what they want.
 */
function isLocking({ after }: Compared, event: PathEvent): boolean {
  if (event.kind === 'call' && event.name === null && event.text.includes('guard(')) return true;
  return callsOf(after, event).some(
    ({ name }) => lockTakenBy(name) !== undefined || lockReleasedBy(name) !== undefined,
  );
}

function isUnseen(
  { after: { kernel, module } }: Compared,
  { kind, name, text }: PathEvent,
): boolean {
  if (kind !== 'call') return kind === 'unknown';
  if (name === null) return !text.includes('guard(');
  const isDefined = [...module.sources, ...module.headers].some(
    ({ functions, macros }) =>
      functions.some((one) => one.name === name) || macros.some((one) => one.name === name),
  );
  return (
    !isDefined &&
    !isLog(name) &&
    !isUndo(name) &&
    behaviourOf(name, kernel, module.wrappers) === undefined
  );
}

/** The fix's text says it. */
function isWritten({ places }: Compared, event: PathEvent): boolean {
  return editAt(places, event, 'after') >= 0;
}

function isLogging(event: PathEvent): boolean {
  return event.kind === 'call' && event.name !== null && isLog(event.name);
}

/**
 * The longest common sequence is what stayed. What an edit wrote or took away never did, so that a
 * moved statement is what moves.
 */
function difference(
  { places }: Compared,
  before: readonly PathEvent[],
  after: readonly PathEvent[],
): Difference {
  const gone = new Set(before.filter((one) => editAt(places, one, 'before') >= 0));
  const come = new Set(after.filter((one) => editAt(places, one, 'after') >= 0));
  const isSame = (one: PathEvent, other: PathEvent): boolean =>
    one.kind === other.kind && one.text === other.text && !come.has(one) && !gone.has(other);
  const lengths = after.map(() => before.map(() => 0));
  const at = (i: number, index: number): number => lengths[i]?.[index] ?? 0;
  for (let i = after.length - 1; i >= 0; i--) {
    for (let index = before.length - 1; index >= 0; index--) {
      lengths[i]![index] = isSame(after[i]!, before[index]!)
        ? at(i + 1, index + 1) + 1
        : Math.max(at(i + 1, index), at(i, index + 1));
    }
  }
  const added: number[] = [];
  const removed: PathEvent[] = [];
  let position = 0;
  let i = 0;
  while (i < after.length || position < before.length) {
    const other = before[position];
    if (i < after.length && other !== undefined && isSame(after[i]!, other)) {
      i++;
      position++;
    } else if (
      i < after.length &&
      (other === undefined || at(i + 1, position) >= at(i, position + 1))
    ) {
      added.push(i++);
    } else {
      removed.push(other!);
      position++;
    }
  }
  return { removed, added };
}

/** An undo that the path makes already, itself or in a helper. */
function doubtOfRepeat(
  compared: Compared,
  before: FunctionPath,
  after: FunctionPath,
  at: number,
): string | null {
  const event = after.events[at]!;
  const undos = callsOf(compared.after, event).filter(({ name }) => isUndo(name));
  const unseen =
    undos.length > 0
      ? after.events.find((one) => unfollowedIn(compared.after, one) !== null)
      : undefined;
  if (unseen !== undefined)
    return `check ${unfollowedIn(compared.after, unseen)}(): what it undoes is not followed`;
  for (const [i, other] of after.events.entries()) {
    if (i === at) continue;
    // A function of the driver that undoes: twice is once too often.
    if (
      other.text === event.text &&
      event.name !== null &&
      !isKernelTake(compared, after, at, i, event) &&
      undosOrUnknown(compared, event)
    )
      return repeated(event);
    for (const undo of undos) {
      for (const done of callsOf(compared.after, other).filter(({ name }) => isUndo(name))) {
        const same = undoesSame(undo, done);
        if (same === false || isTakenBetween(compared, after, at, i, undo)) continue;
        if (
          before.events.some((one) => one.text === other.text) &&
          before.events.some((one) => one.text === event.text && isSamePlace(compared, one, event))
        )
          continue;
        return same === true
          ? repeated(event)
          : `check that \`${undo.args.join(', ')}\` and \`${done.args.join(', ')}\` are not the same`;
      }
    }
  }
  return null;
}

function isSamePlace({ places }: Compared, old: PathEvent, now: PathEvent): boolean {
  return movedOffset(places, old.start) === now.start;
}

function undosOrUnknown(compared: Compared, event: PathEvent): boolean {
  const made = callsOf(compared.after, event);
  return made.length > 1 ? made.some(({ name }) => isUndo(name)) : isUndo(event.name!);
}

function isKernelTake(
  compared: Compared,
  path: FunctionPath,
  at: number,
  other: number,
  event: PathEvent,
): boolean {
  return isTakenBetween(compared, path, at, other, {
    name: event.name!,
    args: event.args,
    value: event.value,
  });
}

function isTakenBetween(
  compared: Compared,
  path: FunctionPath,
  one: number,
  other: number,
  undo: Called,
): boolean {
  const between = path.events.slice(Math.min(one, other) + 1, Math.max(one, other));
  return between.some((event) =>
    callsOf(compared.after, event).some((call) => takes(path, call, undo)),
  );
}

function repeated(event: PathEvent): string {
  return `check the path: it calls ${event.name ?? shown(event)}() for the same thing already`;
}

function doubtOfRelease(compared: Compared, path: FunctionPath, at: number): string | null {
  const event = path.events[at]!;
  if (event.name === null || lockReleasedBy(event.name) === undefined) return null;
  const call = { name: event.name, args: event.args, value: event.value };
  return isLockHeld(compared.after, path, at, call)
    ? null
    : `check the lock: ${event.name}() is called where it is not held`;
}

/**
 * Code that stood there before and that the path comes to now: an undo of what the path is known to
 * owe.
 */
function doubtOfLadder(
  compared: Compared,
  path: FunctionPath,
  at: number,
  jump: number,
): string | null {
  const event = path.events[at]!;
  if (event.kind !== 'call' || event.name === null || event.maybe)
    return `check the label: the path comes to \`${shown(event)}\` then`;
  const call = { name: event.name, args: event.args, value: event.value };
  const lock = doubtOfRelease(compared, path, at);
  if (lock !== null) return lock;
  if (lockReleasedBy(event.name) !== undefined) return null;
  const isTaken = path.events
    .slice(0, at)
    .some((one) => callsOf(compared.after, one).some((taking) => takes(path, taking, call)));
  if (isTaken || isOwedElsewhere(compared, path, event, jump)) return null;
  return `check the label: it is not shown that the path owes ${event.name}()`;
}

/**
 * Another path of the function, which had done and decided nothing that this one has not when it
 * came to the ladder, makes the call there:
 * what it owed, this one owes. Its last decision is what sent it there.
 */
function isOwedElsewhere(
  compared: Compared,
  path: FunctionPath,
  event: PathEvent,
  jump: number,
): boolean {
  const ladder = path.events.slice(jump);
  const done = path.events.slice(0, jump).map(({ text }) => text);
  const decided = new Set(path.decisions.map(({ test, holds }) => `${test}=${holds}`));
  return compared.old.some((other) => {
    const first = other.events.findIndex((one) =>
      ladder.some((step) => step.text === one.text && isSamePlace(compared, one, step)),
    );
    if (
      first < 0 ||
      !other.events
        .slice(first)
        .some((one) => one.text === event.text && isSamePlace(compared, one, event))
    )
      return false;
    const ways = other.decisions.filter((one) => one.at <= first && one.end > 0);
    const isPrefix = other.events.slice(0, first).every(({ text }) => done.includes(text));
    return (
      isPrefix && ways.slice(0, -1).every(({ test, holds }) => decided.has(`${test}=${holds}`))
    );
  });
}

/**
 * The value of a call that the fix adds as the last thing of a path, where nothing is owed that its
 * failure would leave; null otherwise.
 */
export function lastAdded(compared: Compared, path: FunctionPath): string | null {
  const last = path.events.at(-1);
  if (last === undefined || last.kind !== 'call' || !isWritten(compared, last)) return null;
  const { kernel, module } = compared.after;
  const behaviour =
    last.name === null ? undefined : behaviourOf(last.name, kernel, module.wrappers);
  const isSure =
    behaviour !== undefined && behaviour !== 'neutral' && behaviour.cannotFail === true;
  return isSure ||
    heldAt(compared.after, path, path.events.length - 1, callNames(compared)) === null
    ? last.value
    : null;
}

function callNames({ after: { module } }: Compared): (name: string) => boolean {
  const functions = [...module.sources, ...module.headers].flatMap((file) => file.functions);
  const names = new Set(functions.flatMap((fn) => calls(fn).flatMap(({ name }) => name ?? [])));
  return (name) => names.has(name);
}

/** A way out that the fix adds: nothing that the path has taken may be left, and no lock held. */
export function doubtOfNewExit(compared: Compared, path: FunctionPath): string | null {
  if (path.obstacle !== null)
    return `check the path to line ${lineOf(compared, path)}: ${path.obstacle}`;
  const held = heldAt(compared.after, path, path.events.length, callNames(compared));
  if (held !== null) return `check what is owed there: ${held} is not undone on the new error path`;
  const tested = path.decisions.at(-1)?.test ?? '';
  const since = path.events.findLast(
    ({ kind, value }) => kind === 'call' && value !== '' && tested.includes(value),
  );
  const owed = since === undefined ? null : mayOwe(path, compared.old, since);
  return owed === null ? null : `check what is owed there: another error path calls ${owed}`;
}

function lineOf({ file }: Compared, path: FunctionPath): number {
  return lineNumber(file.text, path.exit.start);
}

function shown({ text }: PathEvent): string {
  return short(text);
}

function short(text: string): string {
  const plain = text.replace(/#\d+/g, '()');
  return plain.length > 60 ? `${plain.slice(0, 57)}…` : plain;
}
