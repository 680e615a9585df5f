/** Where a function runs with a spinlock held, preemption off or the like, over its graph. */
import { buildCfg, type Block, type Cfg, type Instr } from '../../flow/cfg.ts';
import { solve, type Lattice } from '../../flow/dataflow.ts';
import {
  atomicChange,
  atomicRegions,
  entersIfTrue,
  guardClass,
  isSleepingGuard,
} from '../../kernel/locks.ts';
import type { CallExpr, DeclStmt, Expr, FunctionIr, GuardStmt } from '../../ir/types.ts';
import { macrosAt, writtenOutBody } from '../../lifecycle/footprint/macros.ts';
import { callOfGuard } from '../../lifecycle/interpret/guards.ts';
import { functionsNamed } from '../../lifecycle/module/named-functions.ts';
import { expressionsIn } from '../../lifecycle/module/statements.ts';
import { expansionOf } from '../../lifecycle/module/module.ts';
import { scopeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import type { Module } from '../../lifecycle/types.ts';
import type { Span } from '../../text/span.ts';
import { calledByPointer, type CallerIndex } from '../query/callers.ts';
import type { Target } from '../query/pointers.ts';
import { calledName, changeOfUnseen, unseenLocks } from './unseen-locks.ts';

/** Calls in calls, deeper than this, are not followed: a lock may be taken there. */
const MAX_CALLS = 40;
/** Entered more often than this without a way out is entered for ever. */
const MAX_HELD = 8;

/** The kind of the lock, or the like: each is entered as often as it is left. */
export type Region = string;

/** A guard of a class that is seen nowhere may let nothing sleep: its begin, or its end. */
interface UnseenGuard extends Span {
  readonly kind: 'unseen-guard';
  readonly name: string;
  readonly isEntry: boolean;
}

/** What may enter or leave a region. */
export type Change = CallExpr | UnseenGuard;

/** What code enters and leaves. */
export interface Regions {
  /** What some path enters and does not leave, with what enters it. */
  readonly held: ReadonlyMap<Region, readonly Change[]>;
  /** How often every path leaves what was entered before. */
  readonly left: ReadonlyMap<Region, number>;
}

const NOTHING: Regions = { held: new Map(), left: new Map() };

/** A function with the macros of the module written out, and the regions at the entry of its blocks. */
interface Flow {
  readonly scope: Scope;
  readonly cfg: Cfg;
  /** Null where nothing comes to the block. */
  readonly entries: readonly (Regions | null)[];
  /** Where it comes back. */
  readonly end: Regions | null;
}

/** What is known of the functions of a module. */
export interface Locks {
  readonly module: Module;
  readonly index: CallerIndex;
  /** Locks that were not read. */
  readonly unseen: ReadonlySet<string>;
  readonly flows: Map<FunctionIr, Flow>;
  /** The functions that are followed now. */
  readonly open: Set<FunctionIr>;
  /** With what functions that call each other come back, as far as they have been followed. */
  readonly ends: Map<FunctionIr, Regions | null>;
  /** One that is followed was asked for, and what was said of it has changed. */
  hasChanged: boolean;
  /** Those that were asked for while they were followed. */
  readonly asked: Set<FunctionIr>;
}

export function locksOf(index: CallerIndex): Locks {
  return {
    module: index.module,
    index,
    unseen: unseenLocks(index),
    flows: new Map(),
    open: new Set(),
    ends: new Map(),
    hasChanged: false,
    asked: new Set(),
  };
}

/**
 * The regions before the calls of `name` at a place of a function; null where nothing comes to it.
 * What macros bring there is at that place too.
 */
export function regionsBefore(
  locks: Locks,
  scope: Scope,
  place: Span,
  name: string | null,
): Regions | null {
  const flow = flowOf(locks, scope);
  let before: Regions | null = null,
    around: Regions | null = null;
  for (const block of flow.cfg.blocks) {
    let regions = flow.entries[block.id] ?? null;
    for (const { code, calls } of stepsOf(flow.scope, block)) {
      if (code.start < place.end && place.start < code.end) {
        around = joined(around, regions);
        for (const [at, call] of calls.entries())
          if (call.kind === 'call' && call.name === name)
            before = joined(before, followed(locks, flow.scope, regions, calls.slice(0, at)));
      }
      regions = followed(locks, flow.scope, regions, calls);
    }
  }
  return before ?? around;
}

/** What is left where `later` is left behind code: what that holds makes up for some of it. */
export function leftAfter(
  later: ReadonlyMap<Region, number>,
  { held, left }: Regions,
): ReadonlyMap<Region, number> {
  const sum = new Map(left);
  for (const [region, times] of later) {
    const more = times - (held.get(region)?.length ?? 0);
    if (more > 0) sum.set(region, (sum.get(region) ?? 0) + more);
  }
  return sum;
}

/** Functions that call each other are followed until what they come back with is the same again. */
function flowOf(locks: Locks, scope: Scope): Flow {
  const known = locks.flows.get(scope.fn);
  if (known) return known;
  if (locks.open.size > 0) return followedOnce(locks, scope);
  for (;;) {
    locks.hasChanged = false;
    const before = new Set(locks.flows.keys());
    const flow = followedOnce(locks, scope);
    if (!locks.hasChanged) return flow;
    for (const fn of locks.flows.keys()) if (!before.has(fn)) locks.flows.delete(fn);
  }
}

function followedOnce(locks: Locks, scope: Scope): Flow {
  const { fn } = scope;
  locks.open.add(fn);
  const { code, scope: inside } = writtenOutBody(scope);
  const cfg = buildCfg({ ...fn, conditions: [], body: code });
  const entries = solve<Regions | null>(cfg, latticeOf(locks, inside, cfg), 'forward', NOTHING);
  const end = cfg.blocks
    .filter(({ terminator }) => terminator.kind === 'return')
    .map((block) => afterBlock(locks, inside, block, entries[block.id]!))
    .reduce(joined, null);
  locks.open.delete(fn);
  const flow = { scope: inside, cfg, entries, end };
  locks.flows.set(fn, flow);
  if (locks.asked.has(fn)) {
    const said = locks.ends.get(fn) ?? null,
      now = joined(said, end);
    locks.hasChanged ||= !areSame(said, now);
    locks.ends.set(fn, now);
  }
  return flow;
}

/** What a call of a function enters and leaves; null where it does not come back. */
function endOf(locks: Locks, scope: Scope, call: CallExpr): Regions | null {
  if (locks.open.has(scope.fn)) {
    locks.asked.add(scope.fn);
    return locks.ends.get(scope.fn) ?? null;
  }
  if (locks.open.size > MAX_CALLS) return { ...NOTHING, held: new Map([['unknown', [call]]]) };
  return flowOf(locks, scope).end;
}

function latticeOf(locks: Locks, scope: Scope, { blocks }: Cfg): Lattice<Regions | null> {
  return {
    bottom: null,
    join: joined,
    equal: areSame,
    transfer: (block, regions) => afterBlock(locks, scope, blocks[block]!, regions),
    along(block, way, regions) {
      const tried = triedBy(blocks[block]!);
      return tried !== null && way === 0 ? followed(locks, scope, regions, [tried]) : regions;
    },
  };
}

function areSame(one: Regions | null, other: Regions | null): boolean {
  if (one === null || other === null) return one === other;
  return (
    one === other ||
    (one.held.size === other.held.size &&
      [...one.held].every(([region, { length }]) => length === other.held.get(region)?.length) &&
      one.left.size === other.left.size &&
      [...one.left].every(([region, times]) => times === other.left.get(region)))
  );
}

/** Of two ways to one place. Only ever more is held, and less left, than before. */
function joined(one: Regions | null, other: Regions | null): Regions | null {
  if (one === null || other === null) return one ?? other;
  const held = new Map(one.held);
  for (const [region, calls] of other.held)
    if (calls.length > (held.get(region)?.length ?? 0)) held.set(region, calls);
  const left = new Map<Region, number>();
  for (const [region, times] of one.left) {
    const least = Math.min(times, other.left.get(region) ?? 0);
    if (least > 0) left.set(region, least);
  }
  return { held, left };
}

function afterBlock(
  locks: Locks,
  scope: Scope,
  block: Block,
  regions: Regions | null,
): Regions | null {
  return stepsOf(scope, block).reduce(
    (before, { calls }) => followed(locks, scope, before, calls),
    regions,
  );
}

/** The regions after calls, one after the other. */
function followed(
  locks: Locks,
  scope: Scope,
  regions: Regions | null,
  calls: readonly Change[],
): Regions | null {
  if (regions === null) return null;
  return calls.reduce<Regions | null>((before, call) => {
    const effect = before && effectOf(locks, scope, call);
    if (before === null || effect === null) return null;
    const held = new Map(before.held);
    for (const [region, times] of effect.left) {
      const calls = (held.get(region) ?? []).slice(0, -times);
      if (calls.length > 0) held.set(region, calls);
      else held.delete(region);
    }
    for (const [region, { length }] of effect.held) {
      const calls = [...(held.get(region) ?? []), ...Array.from({ length }, () => call)];
      held.set(region, calls.slice(0, MAX_HELD));
    }
    return { held, left: leftAfter(effect.left, before) };
  }, regions);
}

/** What a call enters and leaves; null where it does not come back. */
function effectOf(locks: Locks, scope: Scope, call: Change): Regions | null {
  if (call.kind === 'unseen-guard')
    return changed(call, call.isEntry ? 'enters' : 'leaves', [changeText(call)]);
  const pointed = calledByPointer(locks.index, scope, call);
  if (pointed !== null) return effectOfPointer(locks, scope, call, pointed);
  const name = call.name!;
  const change = atomicChange(name);
  if (change !== undefined) return changed(call, change, atomicRegions(name));
  const { module, file } = scope;
  const functions = functionsNamed(module, file, name).map((one) =>
    scopeOf(module, one.file, one.fn),
  );
  // A macro that could not be written out, because another configuration has another one.
  const macros = functions.length > 0 ? [] : macrosAt(scope, call);
  const expansions = macros.flatMap((macro) => expansionOf(macro) ?? []);
  const inside = [...functions, ...expansions.map((fn) => scopeOf(module, file, fn))];
  if (inside.length === 0) return unseenChange(locks, scope, call);
  return inside.map((one) => endOf(locks, one, call)).reduce(joined, null);
}

/** Ends the names of regions that a call through a pointer may enter or leave. */
const BY_POINTER = ' by pointer';

/**
 * What a call through a pointer enters and leaves. Where not all that it may call do the same, what
 * one of them enters is left by what one of them leaves: a driver has one pointer for each end.
 */
function effectOfPointer(
  locks: Locks,
  scope: Scope,
  call: CallExpr,
  targets: ReadonlySet<Target>,
): Regions | null {
  if (targets.size === 0) return unseenChange(locks, scope, call);
  const { module, index } = locks;
  const effects = [...targets].map((target) => {
    if (typeof target === 'string')
      return changed(call, atomicChange(target)!, atomicRegions(target));
    const { file } = index.functions.get(target)!.scope;
    return endOf(locks, scopeOf(module, file, target), call);
  });
  if (effects.every((one) => areSame(one, effects[0]!))) return effects[0]!;
  const byPointer = (region: Region): Region =>
    region.endsWith(BY_POINTER) ? region : `${region}${BY_POINTER}`;
  const held = new Map<Region, readonly Change[]>(),
    left = new Map<Region, number>();
  for (const effect of effects) {
    for (const [region, calls] of effect?.held ?? [])
      held.set(byPointer(region), calls.slice(0, 1));
    for (const region of effect?.left.keys() ?? []) left.set(byPointer(region), 1);
  }
  return { held, left };
}

/** A region of a lock that was not read: it may be one that spins. */
export const UNSEEN: Region = 'unseen';

function unseenChange({ unseen }: Locks, scope: Scope, call: CallExpr): Regions {
  const change = changeOfUnseen(unseen, scope, call);
  return change === undefined ? NOTHING : changed(call, change, [UNSEEN]);
}

function changed(by: Change, change: 'enters' | 'leaves', regions: readonly Region[]): Regions {
  return change === 'enters'
    ? { ...NOTHING, held: new Map(regions.map((region) => [region, [by]])) }
    : { ...NOTHING, left: new Map(regions.map((region) => [region, 1])) };
}

/** The lock that a block ends with trying: it is taken where the test holds. */
function triedBy({ terminator }: Block): CallExpr | null {
  if (terminator.kind !== 'branch') return null;
  const { condition } = terminator;
  if (condition.kind !== 'call' || condition.name === null) return null;
  const { name } = condition;
  return atomicChange(name) === 'enters' && entersIfTrue(name) ? condition : null;
}

/** Code, and the calls and guards in it in the order of the source. */
interface Step {
  readonly code: Span;
  readonly calls: readonly Change[];
}

/** The code of a block in its order, each with the calls in it. */
function stepsOf(scope: Scope, block: Block): readonly Step[] {
  const steps = block.instrs.flatMap((instr) => stepOf(scope, instr));
  const { terminator } = block;
  if (terminator.kind === 'switch')
    steps.push({ code: terminator.value, calls: callsIn(terminator.value) });
  if (terminator.kind === 'branch') {
    const tried = triedBy(block);
    const calls = callsIn(terminator.condition).filter((call) => call !== tried);
    steps.push({ code: terminator.condition, calls });
  }
  return steps;
}

function stepOf(scope: Scope, instr: Instr): readonly Step[] {
  switch (instr.kind) {
    case 'expr':
      return [{ code: instr.expr, calls: callsIn(instr.expr) }];
    case 'decl':
      return instr.decl.init === null
        ? []
        : [
            {
              code: instr.decl.init,
              calls: callsIn(instr.decl.init).map((call) => asMaker(scope, call)),
            },
          ];
    case 'result':
      return instr.value === null ? [] : [{ code: instr.value, calls: callsIn(instr.value) }];
    case 'guard': {
      const call = guardCall(scope, instr.stmt, instr.isEntry);
      return call === null ? [] : [{ code: call, calls: [call] }];
    }
    case 'cleanup': {
      const call = cleanupCall(scope, instr.decl);
      return call === null ? [] : [{ code: call, calls: [call] }];
    }
    default:
      return [];
  }
}

function callsIn(code: Expr): CallExpr[] {
  return expressionsIn(code).filter((expr) => expr.kind === 'call');
}

/** What enters a region, in words. */
export function changeText(change: Change): string {
  if (change.kind === 'unseen-guard') return `guard(${change.name})`;
  return `${calledName(change) ?? 'a lock'}()`;
}

/** The call that a guard makes where its scope begins or is left. */
function guardCall(scope: Scope, guard: GuardStmt, isEntry: boolean): Change | null {
  const known = callOfGuard(guard, isEntry);
  if (known) return known;
  const [kind, ...args] = guard.args;
  const name = kind?.kind === 'name' ? kind.name : '';
  const { start, end } = guard.body ? { start: guard.start, end: guard.body.start } : guard;
  const own = ownCall(scope, isEntry ? makersOf(name) : endersOf(name), { start, end }, args);
  if (own !== null || isSleepingGuard(name)) return own;
  return { kind: 'unseen-guard', name, isEntry, start, end };
}

/** What makes and ends a value of a class, by DEFINE_GUARD() and the like, or by DEFINE_CLASS(). */
const makersOf = (name: string) => [`guard_${name}_take`, `class_${name}_constructor`];
const endersOf = (name: string) => [`guard_${name}_release`, `__free_class_${name}`];

/** A call of the first of these that the module has as a macro. */
function ownCall(
  scope: Scope,
  names: readonly string[],
  at: Span,
  args: readonly Expr[],
): CallExpr | null {
  return (
    names
      .map((name) => callNamed(name, at, args))
      .find((call) => macrosAt(scope, call).length > 0) ?? null
  );
}

/** `CLASS(foo, p)(args)` makes what `guard(foo)(args)` makes. */
function asMaker(scope: Scope, call: CallExpr): CallExpr {
  const name = /^class_(\w+)_constructor$/.exec(call.name ?? '')?.[1];
  if (name === undefined) return call;
  const kernel = guardClass(name)?.take;
  return kernel === undefined
    ? (ownCall(scope, makersOf(name), call, call.args) ?? call)
    : callNamed(kernel, call, call.args);
}

/** What ends a variable that carries a `__free(x)` or `__cleanup(x)`, or that CLASS() has made. */
function cleanupCall(
  scope: Scope,
  { cleanup, cleansAddress, name, nameSpan }: DeclStmt,
): CallExpr | null {
  if (cleanup === null) return null;
  const variable: Expr = { kind: 'name', name, ...nameSpan };
  if (cleansAddress) return callNamed(cleanup, nameSpan, [variable]);
  const ofClass = /^class_(\w+)$/.exec(cleanup)?.[1];
  const kernel = ofClass === undefined ? undefined : guardClass(ofClass)?.release;
  if (kernel !== undefined) return callNamed(kernel, nameSpan, [variable]);
  const names = ofClass === undefined ? [`__free_${cleanup}`] : endersOf(ofClass);
  return ownCall(scope, names, nameSpan, [variable]);
}

function callNamed(name: string, { start, end }: Span, args: readonly Expr[]): CallExpr {
  const callee = { kind: 'name', name, start, end } as const;
  return { kind: 'call', callee, name, args, argsSpan: { start, end }, start, end };
}
