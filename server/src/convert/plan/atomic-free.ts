/** Proves that no free which becomes a put runs where nothing may sleep. */
import {
  ATOMIC_STRUCTS,
  notifiesSleeping,
  onlyNames,
  registersNotifier,
  runsSleeping,
} from '../../kernel/async.ts';
import { functionRow } from '../../kernel/functions/table.ts';
import { lockTakenBy } from '../../kernel/locks.ts';
import type { FileIr, FunctionIr } from '../../ir/types.ts';
import { macrosNamed } from '../../lifecycle/module/preprocessor.ts';
import { findStruct, scopeOf } from '../../lifecycle/module/types-of.ts';
import type { Module } from '../../lifecycle/types.ts';
import { lineOf, refuse } from '../refusal-error.ts';
import {
  callerIndex,
  callersOf,
  givenNamed,
  type CallerIndex,
  type CallPlace,
  type Given,
} from '../query/callers.ts';
import type { StructWith } from '../query/pointers.ts';
import type { FreePlan } from '../types.ts';
import {
  changeText,
  leftAfter,
  locksOf,
  UNSEEN,
  regionsBefore,
  type Change,
  type Locks,
  type Region,
} from './atomic-regions.ts';

const WHERE_NOTHING_SLEEPS =
  'where nothing may sleep, as vfio_put_device() may. Let work free it first';

/** Left more often than this on the way to a free counts as left this often. */
const MAX_LEFT = 8;

/**
 * Refuses a free where a spinlock is held or preemption is off: vfio_put_device() frees by kvfree() and calls .release, both
 * of which may sleep
 * (drivers/vfio/vfio_main.c, 6.1 to 6.12), and kfree() does not.
 */
export function refuseAtomicFrees(module: Module, frees: readonly FreePlan[]): void {
  if (frees.length === 0) return;
  const index = callerIndex(module),
    locks = locksOf(index);
  for (const free of frees) {
    const held = heldAt(locks, index, free);
    if (!held) continue;
    refuse(
      'unsuitable-statement',
      `${held.fn.name}() frees the object${held.why}.`,
      held.file,
      held.at.stmt,
    );
  }
}

/** A statement that runs where nothing may sleep, or may do so. */
interface Held extends Pick<CallPlace, 'file' | 'fn' | 'at'> {
  readonly why: string;
}

function insideOf(file: FileIr, change: Change, region: Region): string {
  if (region === UNSEEN)
    return ` after ${changeText(change)} of line ${lineOf(file, change.start)}, which is not in the files that were read: it may let nothing sleep, and vfio_put_device() may. Free it after the end of that first`;
  const line = lineOf(file, change.start);
  const isLock = change.kind === 'call' && lockTakenBy(change.name ?? '') === region;
  return isLock
    ? ` with the lock of line ${line} held, ${changeText(change)}: vfio_put_device() may sleep. Free it after the unlock first`
    : ` after ${changeText(change)} of line ${line}: vfio_put_device() may sleep. Free it where sleeping is allowed again first`;
}

/** Where a call that frees runs under a lock: in its own function, or in one that calls that. */
function heldAt(locks: Locks, index: CallerIndex, free: CallPlace): Held | null {
  // What is left on the way from a call to the free, and those that were looked at with that.
  const pending: { readonly place: CallPlace; readonly left: ReadonlyMap<Region, number> }[] = [
    { place: free, left: new Map() },
  ];
  const seen = new Map<FunctionIr, Set<string>>();
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { place, left } = next;
    const { file, fn, at, call } = place;
    const regions = regionsBefore(locks, scopeOf(locks.module, file, fn), at.stmt, call.name);
    if (regions === null) continue;
    for (const [region, calls] of regions.held) {
      const held = calls[calls.length - 1 - (left.get(region) ?? 0)];
      if (held) return { file, fn, at, why: insideOf(file, held, region) };
    }
    const before = leftAfter(left, regions);
    if (isSeen(seen, fn, before)) continue;
    const { places, given, storedIn } = callersOf(index, fn);
    const late = given.find(runsAtomic);
    if (late) return { file, fn, at, why: lateIn(late) };
    const unknown = given.find((one) => isUnseen(index, one));
    if (unknown) return { file, fn, at, why: unseenIn(unknown) };
    const notified = notifiedBy(index, storedIn);
    if (notified !== null) return { file, fn, at, why: notified };
    const timer = storedIn.find(({ tag }) => ATOMIC_STRUCTS.has(tag))?.tag;
    if (timer !== undefined)
      return { file, fn, at, why: `, and a \`struct ${timer}\` runs it ${WHERE_NOTHING_SLEEPS}` };
    const kept = storedIn.find(({ tag }) => !isReadOrSleeps(index, file, tag))?.tag;
    if (kept !== undefined) return { file, fn, at, why: keptIn(kept) };
    for (const caller of [...places].reverse()) pending.push({ place: caller, left: before });
  }
  return null;
}

/** Why a notifier may run where nothing may sleep; null for what is none, or runs where code may. */
function notifiedBy(index: CallerIndex, storedIn: readonly StructWith[]): string | null {
  for (const { tag, holder } of storedIn) {
    if (tag !== 'notifier_block') continue;
    const calls = holder === undefined ? [] : givenNamed(index, holder);
    const registers = calls.filter(({ call }) => registersNotifier(call.name ?? ''));
    if (registers.length === 0)
      return ', and is a notifier that no call in the files that were read registers: it may run where vfio_put_device() may not sleep. Name the file that registers it too, or let work free it first';
    const late = registers.find(({ call }) => !notifiesSleeping(call.name ?? ''));
    if (late)
      return `, and ${late.call.name}() of line ${lineOf(late.file, late.call.start)} may run it ${WHERE_NOTHING_SLEEPS}`;
  }
  return null;
}

/** Whether the callers of a function were looked at with that left behind them. */
function isSeen(
  seen: Map<FunctionIr, Set<string>>,
  fn: FunctionIr,
  left: ReadonlyMap<Region, number>,
): boolean {
  const key = [...left]
    .map(([region, times]) => `${region} ${Math.min(times, MAX_LEFT)}`)
    .sort()
    .join();
  const keys = seen.get(fn) ?? new Set();
  seen.set(fn, keys);
  if (keys.has(key)) return true;
  keys.add(key);
  return false;
}

function lateIn({ file, to }: Given): string {
  return `, and ${to.name}() of line ${lineOf(file, to.start)} runs it ${WHERE_NOTHING_SLEEPS}`;
}

function unseenIn({ file, to }: Given): string {
  return `, and is given to ${to.name}() of line ${lineOf(file, to.start)}, which is not in the files that were read: it may run where vfio_put_device() may not sleep. Name the file of ${to.name}() too, or let work free it first`;
}

function keptIn(tag: string): string {
  return `, and a \`struct ${tag}\` keeps it, which is not in the files that were read: it may run where vfio_put_device() may not sleep. Name the file of that struct too, or let work free it first`;
}

/** Given to what is neither in the tables nor in the module, and may call it at any time. */
function isUnseen({ module }: CallerIndex, { to: { name }, isInCode }: Given): boolean {
  if (functionRow(name) !== undefined) return false;
  if (isInCode) return true;
  const files = [...module.sources, ...module.headers];
  return !onlyNames(name) && !files.some((one) => macrosNamed(one, name).length > 0);
}

/** A struct of the module, or one whose functions run where code may sleep. */
function isReadOrSleeps({ module }: CallerIndex, file: FileIr, tag: string): boolean {
  return runsSleeping(tag) || findStruct(module, file, tag) !== undefined;
}

/** The kernel calls the one at a position of the arguments where nothing may sleep. */
function runsAtomic({ to, position }: Given): boolean {
  return functionRow(to.name)?.runsAtomic === position;
}
