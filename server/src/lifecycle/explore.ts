import type { CallExpr, DeclStmt, Expr, GuardStmt } from '../ir/types.ts';
import type { Span } from '../text/span.ts';
import { freeFunction } from '../kernel/cleanup.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import { loopCursors } from '../kernel/loop-macros.ts';
import { callOfGuard } from './guards.ts';
import { blocksInLoops, type Block, type Cfg, type Instr, type Terminator } from '../flow/cfg.ts';
import { applySummary } from './apply.ts';
import { runCallback } from './calls.ts';
import { compareValues, decide } from './conditions-flow.ts';
import { assumeConfig } from './config.ts';
import { escapeNames, evaluate, fresh, storePlace } from './evaluate.ts';
import { heldKey } from './held.ts';
import { createJoined, joinAll, type Joined } from './join.ts';
import { escape, loseCertainty } from './operate.ts';
import { setVariable, site, type Run } from './run.ts';
import { cursor, localVariable } from './domain/objects.ts';
import {
  addStep,
  assume,
  fork,
  maskOf,
  prune,
  stateKey,
  type PathState,
} from './domain/path-state.ts';
import { NEGATIVE, POSITIVE, ZERO, sameValue, type Value } from './domain/values.ts';
import { withinShare, workDone, type Steps } from '../budget/work.ts';

/** A path's end: its state, and the return statement or the closing brace. */
export interface Exit {
  readonly s: PathState;
  readonly at: Span;
}

/**
 * Where what paths hold has told so many states apart that are one otherwise, it no longer does.
 */
const MAX_STATES_HELD = 12;
/**
 * States kept apart at one program point, fewer in a large function; from then on those that agree
 * on the devices are joined.
 */
const MAX_STATES = 32,
  MIN_STATES = 8;
/** Above these the function is given up, and said to be. */
const MAX_STATES_JOINED = 400,
  MAX_STEPS = 8_000;

/**
 * The most work that one statement may be on one path: a call with all that is in its arguments. No
 * driver of Linux 6.0 has one of a tenth of it.
 */
const STATEMENT_BUDGET = 250_000;
/** So much work is done without a pause. */
const STEP = 2_000;

/**
 * Explores the paths of one function from its entry states. Bounded: when even joined states are
 * too many the result is a reason
 * instead of exits. Throws where the budget around it is spent.
 */
export function* explore(
  run: Run,
  cfg: Cfg,
  live: readonly ReadonlySet<string>[],
  entries: readonly PathState[],
): Steps<Exit[] | string> {
  const seen = cfg.blocks.map(() => ({ all: new Set<string>(), apart: new Set<string>() }));
  const queue: { block: Block; s: PathState }[] = [];
  const exits: Exit[] = [],
    loops = blocksInLoops(cfg);
  const apart = Math.max(
    MIN_STATES,
    Math.min(MAX_STATES, Math.floor(MAX_STEPS / 2 / cfg.blocks.length)),
  );
  const joined = new Map<number, Joined>(),
    isAskedLater = (test: string) => run.index.comesAgain(test);
  const add = (id: number, s: PathState): boolean => {
    if (s.hasEnded) return true;
    prune(s, live[id]!);
    const at = seen[id]!;
    if (at.all.size - at.apart.size >= MAX_STATES_HELD) s.held = null;
    const key = stateKey(s),
      whole = key + heldKey(s);
    if (at.all.has(whole)) return true;
    at.all.add(whole);
    at.apart.add(key);
    let next: PathState | null = s;
    if (at.apart.size > apart) {
      let j = joined.get(id);
      if (!j) joined.set(id, (j = createJoined(String(id), isAskedLater)));
      next = j.add(s);
    }
    if (next) queue.push({ block: cfg.blocks[id]!, s: next });
    return at.apart.size <= MAX_STATES_JOINED;
  };
  for (const s of entries) {
    const t = fork(s);
    if (run.resources === null) t.held = null;
    add(0, t);
  }
  let pause = workDone() + STEP;
  for (let i = 0; i < queue.length; i++) {
    if (i > MAX_STEPS) return 'too many paths';
    const { block, s } = queue[i]!;
    s.looping = loops.has(block.id);
    let states: PathState[] = [s];
    for (const [n, instr] of block.instrs.entries()) {
      const next: PathState[] = [];
      for (const t of states) {
        for (const after of withinShare(STATEMENT_BUDGET, () => step(run, t, instr, live)))
          if (!after.hasEnded) next.push(after);
        if (workDone() < pause) continue;
        yield;
        pause = workDone() + STEP;
      }
      states = next.length > apart ? joinAll(next, `${block.id}.${n}`, isAskedLater) : next;
    }
    for (const t of states) {
      if (!withinShare(STATEMENT_BUDGET, () => leaveBlock(run, t, block, exits, add)))
        return 'too many different states at one place';
    }
  }
  return exits;
}

function leaveBlock(
  run: Run,
  s: PathState,
  block: Block,
  exits: Exit[],
  add: (id: number, s: PathState) => boolean,
): boolean {
  const t = block.terminator;
  switch (t.kind) {
    case 'return':
      exits.push({ s, at: t.site });
      return true;
    case 'jump':
      return add(t.to, s);
    case 'choice':
      return t.to.every((b, i) => add(b, i < t.to.length - 1 ? fork(s) : s));
    case 'branch':
      return (
        decide(run, fork(s), t.condition, true).every((u) => add(t.then, u)) &&
        decide(run, s, t.condition, false).every((u) => add(t.otherwise, u))
      );
    case 'switch':
      return evaluate(run, s, t.value).every(({ s: u, v }) => enterCases(run, u, v, t, add));
  }
}

/**
 * Enters each case that the value may be, knowing that it is; the default knowing that it is none
 * of them. Labels of one switch differ in value.
 */
function enterCases(
  run: Run,
  s: PathState,
  v: Value,
  t: Extract<Terminator, { kind: 'switch' }>,
  add: (id: number, s: PathState) => boolean,
): boolean {
  const labels = t.cases.map((c) => ({
    block: c.block,
    value: c.to === null ? (evaluate(run, fork(s), c.from)[0]?.v ?? null) : null,
  }));
  const exact = labels.find((l) => l.value !== null && sameValue(l.value, v));
  if (exact) return add(exact.block, s);
  for (const l of labels) {
    const w = fork(s);
    if ((l.value === null || compareValues(w, '==', v, l.value, true)) && !add(l.block, w))
      return false;
  }
  return (
    !labels.every((l) => l.value === null || compareValues(s, '==', v, l.value, false)) ||
    add(t.otherwise, s)
  );
}

function step(run: Run, s: PathState, i: Instr, live: readonly ReadonlySet<string>[]): PathState[] {
  switch (i.kind) {
    case 'expr':
      return evaluate(run, s, i.expr).map((r) => r.s);
    case 'decl': {
      const d = i.decl;
      if (!d.init) {
        s.env.delete(d.name);
        return [s];
      }
      if (d.init.kind === 'initializer') {
        const own: PathState[] = evaluate(run, s, d.init).map((r) => r.s);
        for (const t of own) t.masks.set(localVariable(t.interner, d.name), POSITIVE);
        return own;
      }
      return evaluate(run, s, d.init).map(({ s: t, v }) => {
        setVariable(run, t, d.name, d.isStatic ? fresh(t, d.start) : v);
        return t;
      });
    }
    case 'result':
      if (!i.value) {
        s.result = null;
        return [s];
      }
      return evaluate(run, s, i.value).map(({ s: t, v }) => {
        t.result = v;
        return t;
      });
    case 'guard':
      return guard(run, s, i);
    case 'cleanup':
      return cleanup(run, s, i.decl);
    case 'cursor':
      for (const name of cursorsOf(run, i, live[i.exit]!)) {
        const element = cursor(s.interner, name, i.site.start);
        s.masks.delete(element);
        storePlace(run, s, localVariable(s.interner, name).start, element.start);
      }
      return [s];
    case 'config':
      return i.conditions.every((c) => assumeConfig(run, s, c)) ? [s] : [];
    case 'goto':
      addStep(s, { site: site(run, i.stmt), kind: 'goto', text: `goto ${i.stmt.label}` });
      return [s];
    case 'unknown':
      escapeNames(run, s, i.stmt.names, i.stmt.start, i.stmt.end);
      if (i.stmt.kind === 'asm' ? i.stmt.isGoto : i.stmt.opaque) loseCertainty(s);
      return [s];
  }
}

/**
 * The locals that a loop macro sets. Of a macro that nobody knows, those that are not read behind
 * the loop before they are set again: what is
 * read there is what the loop was given, as `foo` in `for_each_port_of(foo, i)`.
 */
function cursorsOf(
  run: Run,
  i: Extract<Instr, { kind: 'cursor' }>,
  after: ReadonlySet<string>,
): string[] {
  const known = loopCursors(i.macro);
  return i.args.flatMap((arg, at) =>
    arg.kind === 'name' &&
    run.locals.has(arg.name) &&
    (known ? known.includes(at) : !after.has(arg.name))
      ? [arg.name]
      : [],
  );
}

/** A guard is the calls that it makes; of one that nobody knows what it is given is looked at. */
function guard(
  run: Run,
  s: PathState,
  { stmt, isEntry }: Extract<Instr, { kind: 'guard' }>,
): PathState[] {
  const call = callOfGuard(stmt, isEntry) ?? ownGuard(run, stmt, isEntry);
  if (call !== null) return evaluate(run, s, call).map((one) => one.s);
  let states: PathState[] = [s];
  if (isEntry)
    for (const arg of stmt.args)
      states = states.flatMap((one) => evaluate(run, one, arg).map((each) => each.s));
  return states;
}

/** What DEFINE_GUARD() of the module says of a guard. */
function ownGuard(run: Run, stmt: GuardStmt, isEntry: boolean): CallExpr | null {
  const [kind, ...args] = stmt.args;
  if (kind?.kind !== 'name' || args.length !== 1) return null;
  const name = `guard_${kind.name}_${isEntry ? 'take' : 'release'}`;
  const at = { start: stmt.start, end: stmt.body?.start ?? stmt.end };
  return run.index.macroFunction(run.file, name) ? callOn(name, at, args) : null;
}

/**
 * The scope of a variable with `__free(x)` or `__cleanup(f)` is left: the first calls what the
 * module or the kernel has for x with the variable's value, unless that is NULL or an error pointer,
 * the second f with its address.
 */
function cleanup(run: Run, s: PathState, decl: DeclStmt): PathState[] {
  const by = decl.cleanup ?? '';
  const variable: Expr = { kind: 'name', name: decl.name, ...decl.nameSpan };
  if (decl.cleansAddress)
    return evaluate(
      run,
      s,
      callOn(by, decl, [{ ...variable, kind: 'unary', op: '&', operand: variable }]),
    ).map((one) => one.s);
  const v = s.env.get(decl.name);
  if (v?.kind !== 'pointer') return [s];
  const own = run.index.macroFunction(run.file, `__free_${by}`);
  if (own) return applySummary(run, s, callOn(null, decl), own, [v]).map((one) => one.s);
  if ((maskOf(s, v) & POSITIVE) === 0) return [s];
  const name = freeFunction(by);
  // A DEFINE_FREE() that cannot be seen.
  if (
    behaviourOf(name, run.kernel, run.index.module.wrappers) === undefined &&
    !run.index.functions(run.file, name).length
  ) {
    escape(run, s, v, decl, by);
    return [s];
  }
  const none = fork(s);
  const isNone = assume(none, v, ZERO | NEGATIVE);
  if (!assume(s, v, POSITIVE)) return isNone ? [none] : [];
  const ended = evaluate(run, s, callOn(name, decl, [variable])).map((one) => one.s);
  return isNone ? [...ended, none] : ended;
}

/** A call that nobody has written, where a variable is declared. */
function callOn(name: string | null, { start, end }: Span, args: readonly Expr[] = []): CallExpr {
  const callee: Expr =
    name === null
      ? { kind: 'unknown', names: [], calls: [], start, end }
      : { kind: 'name', name, start, end };
  return { kind: 'call', callee, name, args, argsSpan: { start, end }, start, end };
}

/** Runs what devm actions left behind, last first, at the place where the function returns. */
export function runDeferred(run: Run, s: PathState, at: Span): PathState[] {
  const pending = [...s.deferred].reverse();
  s.deferred = [];
  const call = callOn(null, at);
  let out: PathState[] = [s];
  for (const d of pending) out = out.flatMap((t) => runCallback(run, t, call, d.callback, d.data));
  return out;
}

/**
 * Whether a path succeeded, by what it returns: 0 for an int, a valid pointer for a pointer. The
 * driver core takes any other int from probe for a failure.
 */
export function outcomeOf(
  run: Pick<Run, 'fn' | 'role'>,
  s: PathState,
): 'success' | 'failure' | 'void' | 'unknown' {
  const type = run.fn.returnType;
  if (type.name === 'void' && type.pointers === 0) return 'void';
  if (s.result === null) return 'unknown';
  const m = maskOf(s, s.result);
  if (type.pointers > 0)
    return m === POSITIVE ? 'success' : (m & POSITIVE) === 0 ? 'failure' : 'unknown';
  if (m === ZERO || (m === POSITIVE && run.role !== 'probe' && run.role !== 'init'))
    return 'success';
  return (m & ZERO) === 0 ? 'failure' : 'unknown';
}
