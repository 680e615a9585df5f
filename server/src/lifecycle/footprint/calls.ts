/** What a call does: by the kernel's tables, or by the body of a function of the module. */
import { storesFunction } from '../../kernel/name-forms.ts';
import type { CallExpr, Expr, FunctionIr } from '../../ir/types.ts';
import { walkExpr } from '../../ir/visit.ts';
import type { Effect } from '../../kernel/types.ts';
import { behaviourOf, retainsArgument } from '../../kernel/lookup.ts';
import { LAST_OF_OLD_MODEL } from '../../kernel/known-kernels.ts';
import { atomicChange } from '../../kernel/locks.ts';
import { maySleep } from '../../kernel/sleeping.ts';
import { isNoReturn } from '../../kernel/macros.ts';
import { byteRangesOf } from '../../kernel/memory-uses.ts';
import {
  assignedArguments,
  isFixedLook,
  isQuery,
  touchOf,
  type Touch,
} from '../../kernel/touches.ts';
import { functionsNamed, namedFunctions, type FunctionIn } from '../module/named-functions.ts';
import { designators, namesIn, uncast } from '../module/statements.ts';
import { scopeOf, type Scope } from '../module/types-of.ts';
import { assign, evaluate, type Collector } from './collect.ts';
import { footprintOfBody, type Footprint } from './footprint.ts';
import { pointeesOf } from './lvalues.ts';
import { ANY_MEMORY, type Memory, type Place } from './places.ts';

/**
 * Adds what a call and the evaluation of its arguments do.
 * @returns 'unknown', with nothing added, when neither the module nor a table has the function.
 */
export function callEffects(scope: Scope, call: CallExpr, out: Collector): 'known' | 'unknown' {
  const { name } = call;
  if (name === null || scope.locals.has(name)) return 'unknown';
  const callees = functionsNamed(scope.module, scope.file, name);
  if (callees.length > 0) {
    argumentsOf(scope, call, [], out);
    for (const callee of callees) enter(scope, call, callee, out);
    return 'known';
  }
  if (kernelCall(scope, call, name, out) === 'unknown') return 'unknown';
  out.maySleep ||= maySleep(name, call.args.flatMap(namesIn)) || givesCode(scope, call);
  const change = atomicChange(name);
  if (change !== undefined) out.atomic(change);
  return 'known';
}

/**
 * The value of each argument is read, but of those that only name a member or a tag, and of
 * `skipped`.
 */
function argumentsOf(
  scope: Scope,
  call: CallExpr,
  skipped: readonly number[],
  out: Collector,
): void {
  const named = designators(call);
  for (const [index, arg] of call.args.entries())
    if (!named.includes(arg) && !skipped.includes(index)) evaluate(scope, arg, out);
}

function kernelCall(
  scope: Scope,
  call: CallExpr,
  name: string,
  out: Collector,
): 'known' | 'unknown' {
  if (isNoReturn(name)) {
    argumentsOf(scope, call, [], out);
    out.leaves = true;
    return 'known';
  }
  const touch = touchOf(name);
  const behaviour =
    touch === 'looks' || touch === 'logs' ? undefined : behaviourOf(name, LAST_OF_OLD_MODEL);
  if (behaviour !== undefined && behaviour !== 'neutral') {
    argumentsOf(scope, call, [], out);
    out.mayFail = true;
    for (const effect of [...behaviour.success, ...(behaviour.failure ?? [])])
      tableEffect(scope, call, effect, out);
    escapeArguments(scope, call, out);
    return 'known';
  }
  if (touch === undefined) return 'unknown';
  const assigned = assignedArguments(name);
  argumentsOf(scope, call, assigned, out);
  for (const index of assigned) {
    const arg = call.args[index];
    if (!arg) continue;
    evaluate(scope, arg, out);
    assign(scope, arg, out);
  }
  touched(scope, call, name, touch, out);
  if (retainsArgument(name) || touch === 'kernel' || touch === 'everything')
    escapeArguments(scope, call, out);
  return 'known';
}

function escapeArguments(scope: Scope, call: CallExpr, out: Collector): void {
  for (const arg of call.args) out.escape(scope, arg);
}

/** What a row of the tables says that a call does, beside reading what it is given. */
function tableEffect(scope: Scope, call: CallExpr, effect: Effect, out: Collector): void {
  switch (effect.op) {
    case 'allocate':
      readArguments(scope, call, out);
      if (effect.managed === true) out.both({ kind: 'kernel' }, call);
      return;
    case 'free': {
      const arg = call.args[effect.target];
      for (const place of arg ? pointeesOf(scope, arg) : [])
        out.write(
          place.kind === 'memory' || place.kind === 'argument'
            ? { kind: 'freed', leaf: place.kind === 'memory' ? place.leaf : null }
            : place,
          call,
        );
      return;
    }
    case 'set-drvdata':
      out.write({ kind: 'drvdata' }, call);
      return;
    case 'get-drvdata':
      out.read({ kind: 'drvdata' }, call);
      return;
    case 'get':
    case 'assign-set':
      onArguments(scope, call, out);
      out.both({ kind: 'kernel' }, call);
      return;
    default:
      out.unseen(call);
  }
}

function touched(scope: Scope, call: CallExpr, name: string, touch: Touch, out: Collector): void {
  switch (touch) {
    case 'logs':
      out.prints = true;
      readArguments(scope, call, out);
      return;
    case 'looks':
      // What only computes from its arguments has been given their values.
      if (isFixedLook(name) || !isQuery(name)) return;
      readArguments(scope, call, out);
      if (call.args.some((arg) => pointeesOf(scope, arg).length > 0))
        out.read({ kind: 'kernel' }, call);
      return;
    case 'arguments':
      if (givesCode(scope, call)) out.unseen(call);
      onWritten(scope, call, name, out);
      return;
    case 'kernel':
      out.mayFail = true;
      if (givesCode(scope, call)) out.unseen(call);
      onArguments(scope, call, out);
      out.both({ kind: 'kernel' }, call);
      return;
    case 'everything':
      onArguments(scope, call, out);
      out.unseen(call);
  }
}

function readArguments(scope: Scope, call: CallExpr, out: Collector): void {
  for (const arg of call.args) for (const place of pointeesOf(scope, arg)) out.read(place, arg);
}

function onArguments(scope: Scope, call: CallExpr, out: Collector): void {
  out.mayFail = true;
  for (const arg of call.args) for (const place of pointeesOf(scope, arg)) out.both(place, call);
}

/** What works on the bytes of some arguments only reads what the others point to. */
function onWritten(scope: Scope, call: CallExpr, name: string, out: Collector): void {
  const written = byteRangesOf(name).filter((range) => range.writes);
  if (written.length === 0) {
    onArguments(scope, call, out);
    return;
  }
  out.mayFail = true;
  readArguments(scope, call, out);
  for (const { pointer, size } of written) {
    for (const place of call.args[pointer] ? pointeesOf(scope, call.args[pointer]) : [])
      out.write(place, call);
    if (size !== null && goesPast(call.args[pointer], call.args[size])) out.write(ANY_MEMORY, call);
  }
}

/**
 * Whether a length is that of the rest of an object, and not of the member that a pointer begins
 * at: `memset(&foo->flags, 0, sizeof(*foo) - offsetof(struct foo, flags))`.
 */
function goesPast(pointer: Expr | undefined, length: Expr | undefined): boolean {
  if (pointer === undefined || length === undefined) return false;
  const bases = new Set<string>();
  walkExpr(pointer, (expr) => {
    if (expr.kind === 'member' && expr.base.kind === 'name') bases.add(expr.base.name);
  });
  let isRest = false;
  walkExpr(length, (expr) => {
    const isDifference = expr.kind === 'binary' && expr.op === '-';
    const isOffset = expr.kind === 'call' && /^offsetof/.test(expr.name ?? '');
    const whole = expr.kind === 'sizeof' && expr.operand?.kind === 'unary' ? expr.operand : null;
    const isWhole =
      whole?.op === '*' && whole.operand.kind === 'name' && bases.has(whole.operand.name);
    isRest ||= isDifference || isOffset || isWhole;
  });
  return isRest;
}

/** A function of the module is handed on, which may be run before the call returns. */
function givesCode(scope: Scope, call: CallExpr): boolean {
  if (storesFunction(call.name ?? '')) return false;
  return call.args.some((arg) => {
    const inner = uncast(arg);
    const target = inner.kind === 'unary' && inner.op === '&' ? uncast(inner.operand) : inner;
    return (
      target.kind === 'name' &&
      !scope.locals.has(target.name) &&
      namedFunctions(scope.file, target.name).length > 0
    );
  });
}

/**
 * Functions whose effects are being collected: one that comes back to itself is taken for unseen
 * code.
 */
const entered = new Set<FunctionIr>();
/** Calls in calls, deeper than this, are taken for unseen code as well. */
const MAX_CALLS = 60;
const summaries = new WeakMap<
  FunctionIr,
  { readonly module: Scope['module']; readonly footprint: Footprint }
>();

/** What the body of a function does, but for its own variables. */
function enter(scope: Scope, call: CallExpr, callee: FunctionIn, out: Collector): void {
  const { fn } = callee;
  const summary =
    entered.has(fn) || entered.size > MAX_CALLS ? null : summaryOf(scope.module, callee);
  if (fn.opaque || summary === null) {
    out.unseen(call);
    out.maySleep = true;
    escapeArguments(scope, call, out);
    return;
  }
  for (const access of summary.reads)
    for (const place of outside(scope, call, access.place)) out.read(place, call);
  for (const access of summary.writes)
    for (const place of outside(scope, call, access.place)) out.write(place, call);
  for (const access of summary.escapes)
    for (const place of outside(scope, call, access.place))
      out.escapes.push({ place, value: argumentOf(call, access.place) ?? call });
  out.mayFail ||= summary.mayFail;
  out.prints ||= summary.prints;
  out.maySleep ||= summary.maySleep;
  out.changesAtomic ||= summary.changesAtomic;
}

function summaryOf(module: Scope['module'], { file, fn }: FunctionIn): Footprint {
  const known = summaries.get(fn);
  if (known?.module === module) return known.footprint;
  entered.add(fn);
  try {
    const { reads, writes, escapes, mayFail, prints, ...body } = footprintOfBody(
      scopeOf(module, file, fn),
    );
    const footprint: Footprint = {
      reads: lasting(reads),
      writes: lasting(writes),
      escapes: lasting(escapes),
      leaves: false,
      mayFail,
      prints,
      maySleep: body.maySleep,
      changesAtomic: body.changesAtomic,
    };
    summaries.set(fn, { module, footprint });
    return footprint;
  } finally {
    entered.delete(fn);
  }
}

/** The accesses that others can notice, each once. */
function lasting<T extends { readonly place: Place }>(accesses: readonly T[]): T[] {
  const seen = new Map<string, T>();
  for (const access of accesses) {
    if (access.place.kind === 'local' || access.place.kind === 'locals') continue;
    const key = JSON.stringify(access.place);
    if (!seen.has(key)) seen.set(key, access);
  }
  return [...seen.values()];
}

/** The position of the parameter that the way to a place of a called function begins with. */
function parameterOf(place: Place): number | undefined {
  if (place.kind === 'argument') return place.index;
  return place.kind === 'memory' ? place.root : undefined;
}

function argumentOf(call: CallExpr, place: Place): Expr | undefined {
  const index = parameterOf(place);
  return index === undefined ? undefined : call.args[index];
}

/** A place of a called function as its caller knows it. */
function outside(scope: Scope, call: CallExpr, place: Place): readonly Place[] {
  if (parameterOf(place) === undefined) return [place];
  const arg = argumentOf(call, place);
  if (!arg) return [{ kind: 'everything' }];
  return place.kind === 'memory'
    ? pointeesOf(scope, arg).map((base) => placedIn(base, place))
    : pointeesOf(scope, arg);
}

/** A member behind a parameter, where it is known what the parameter points to. */
function placedIn(base: Place, member: Memory): Place {
  const inside: Memory = {
    kind: 'memory',
    steps: member.steps,
    leaf: member.leaf,
    ...(member.fixed && { fixed: member.fixed }),
  };
  if (base.kind === 'local') {
    const isThat =
      base.exposed?.leaf?.kind === 'struct' && base.exposed.leaf.tag === member.steps[0]?.tag;
    return {
      ...base,
      path: isThat ? [...base.path, ...member.steps.map((step) => step.field)] : base.path,
      exposed: inside,
    };
  }
  if (base.kind === 'global') return { ...base, exposed: inside };
  if (base.kind !== 'memory') return inside;
  const root = base.root === undefined ? {} : { root: base.root };
  // A cast may have led from one struct to another.
  const fits =
    base.steps.length === 0 ||
    (base.leaf?.kind === 'struct' && base.leaf.tag === member.steps[0]?.tag);
  return fits ? { ...inside, steps: [...base.steps, ...member.steps], ...root } : inside;
}
