/** The paths through one function, block by block, up to a bound. */
import { identityOf } from '../../ir/node-identity.ts';
import type { CallExpr, CodeNode, DeclStmt, Expr, GuardStmt, UnknownStmt } from '../../ir/types.ts';
import type { Span } from '../../text/span.ts';
import { freeFunction } from '../../kernel/cleanup.ts';
import { behaviourOf } from '../../kernel/lookup.ts';
import { loopCursors } from '../../kernel/loop-macros.ts';
import { callOfGuard, callOfOwnGuard } from './guards.ts';
import {
  blocksInLoops,
  type Block,
  type Cfg,
  type Instr,
  type Terminator,
} from '../../flow/cfg.ts';
import { applySummary } from './apply-summary.ts';
import { runCallback } from './known-calls.ts';
import { compareValues, decide } from './branch-conditions.ts';
import { assumeConfig } from '../module/config.ts';
import { escapeNames, evaluate, fresh, storePlace } from './evaluate.ts';
import { beginTurn } from './elements.ts';
import { createJoined, joinAll, type Joined } from './join.ts';
import { escape, loseCertainty } from './device-operations.ts';
import { setVariable, site, type Run } from './run.ts';
import { cursor, localVariable, undefinedValue } from '../domain/objects.ts';
import { fingerprints } from '../domain/fingerprint.ts';
import {
  addStep,
  assume,
  fork,
  maskOf,
  prune,
  type PathState,
  HIDDEN_CALL,
  HIDDEN_TEST,
} from '../domain/path-state.ts';
import { NEGATIVE, POSITIVE, ZERO, sameValue, type Value } from '../domain/values.ts';
import { withinShare, workDone, type Steps } from '../../budget/work.ts';

/** A path's end: its state, and the return statement or the closing brace. */
export interface Exit {
  readonly state: PathState;
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
  const seen = cfg.blocks.map(() => ({ all: new Set<number>(), apart: new Set<number>() }));
  const queue: { block: Block; state: PathState }[] = [];
  const exits: Exit[] = [],
    loops = blocksInLoops(cfg);
  const apart = Math.max(
    MIN_STATES,
    Math.min(MAX_STATES, Math.floor(MAX_STEPS / 2 / cfg.blocks.length)),
  );
  const joined = new Map<number, Joined>(),
    isAskedLater = (test: string) => run.index.comesAgain(test);
  const add = (id: number, state: PathState): boolean => {
    if (state.hasEnded) return true;
    prune(state, live[id]!);
    const at = seen[id]!;
    if (at.all.size - at.apart.size >= MAX_STATES_HELD) state.held = null;
    const [key, whole] = fingerprints(state);
    if (at.all.has(whole)) return true;
    at.all.add(whole);
    at.apart.add(key);
    let next: PathState | null = state;
    if (at.apart.size > apart) {
      let item = joined.get(id);
      if (!item) joined.set(id, (item = createJoined(String(id), isAskedLater)));
      next = item.add(state);
    }
    if (next) queue.push({ block: cfg.blocks[id]!, state: next });
    return at.apart.size <= MAX_STATES_JOINED;
  };
  for (const entry of entries) {
    const next = fork(entry);
    if (run.resources === null) next.held = null;
    add(0, next);
  }
  let pause = workDone() + STEP;
  for (let i = 0; i < queue.length; i++) {
    if (i > MAX_STEPS) return 'too many paths';
    const { block, state: branch } = queue[i]!;
    branch.looping = loops.has(block.id);
    let states: PathState[] = [branch];
    for (let count = 0; count < block.instrs.length; count++) {
      const instr = block.instrs[count]!,
        next: PathState[] = [];
      for (const state of states) {
        for (const after of withinShare(STATEMENT_BUDGET, () => step(run, state, instr, live)))
          if (!after.hasEnded) next.push(after);
        if (workDone() < pause) continue;
        yield;
        pause = workDone() + STEP;
      }
      states = next.length > apart ? joinAll(next, `${block.id}.${count}`, isAskedLater) : next;
    }
    const goOn = (id: number, next: PathState): boolean => {
      if (id <= block.id && loops.has(id)) beginTurn(next);
      return add(id, next);
    };
    for (const next of states) {
      if (!withinShare(STATEMENT_BUDGET, () => leaveBlock(run, next, block, exits, goOn)))
        return 'too many different states at one place';
    }
  }
  return exits;
}

function leaveBlock(
  run: Run,
  next: PathState,
  block: Block,
  exits: Exit[],
  add: (id: number, state: PathState) => boolean,
): boolean {
  const terminator = block.terminator;
  switch (terminator.kind) {
    case 'return':
      exits.push({ state: next, at: terminator.site });
      return true;
    case 'jump':
      return add(terminator.to, next);
    case 'choice':
      return terminator.to.every((index, i) =>
        add(index, i < terminator.to.length - 1 ? fork(next) : next),
      );
    case 'branch': {
      const { yes, no } = decide(run, next, terminator.condition);
      return (
        yes.every((branch) => add(terminator.then, branch)) &&
        no.every((branch) => add(terminator.otherwise, branch))
      );
    }
    case 'switch':
      return evaluate(run, next, terminator.value).every(({ state: branch, value: operand }) =>
        enterCases(run, branch, operand, terminator, add),
      );
  }
}

/**
 * Enters each case that the value may be, knowing that it is; the default knowing that it is none
 * of them. Labels of one switch differ in value.
 */
function enterCases(
  run: Run,
  state: PathState,
  value: Value,
  terminator: Extract<Terminator, { kind: 'switch' }>,
  add: (id: number, next: PathState) => boolean,
): boolean {
  const labels = terminator.cases.map((label) => ({
    block: label.block,
    value: label.to === null ? (evaluate(run, fork(state), label.from)[0]?.value ?? null) : null,
  }));
  const exact = labels.find((label) => label.value !== null && sameValue(label.value, value));
  if (exact) return add(exact.block, state);
  for (const label of labels) {
    const next = fork(state);
    if (
      (label.value === null || compareValues(next, '==', value, label.value, true)) &&
      !add(label.block, next)
    )
      return false;
  }
  return (
    !labels.every(
      (label) => label.value === null || compareValues(state, '==', value, label.value, false),
    ) || add(terminator.otherwise, state)
  );
}

function step(
  run: Run,
  next: PathState,
  instr: Instr,
  live: readonly ReadonlySet<string>[],
): PathState[] {
  switch (instr.kind) {
    case 'expr':
      return evaluate(run, next, instr.expr).map((result) => result.state);
    case 'decl': {
      const decl = instr.decl;
      if (!decl.init) {
        next.env.delete(decl.name);
        return [next];
      }
      if (decl.init.kind === 'initializer') {
        const own: PathState[] = evaluate(run, next, decl.init).map((result) => result.state);
        for (const state of own)
          state.masks.set(localVariable(state.interner, decl.name), POSITIVE);
        return own;
      }
      return evaluate(run, next, decl.init).map(({ state: after, value: operand }) => {
        setVariable(
          run,
          after,
          decl.name,
          decl.isStatic ? fresh(after, identityOf(decl)) : operand,
        );
        return after;
      });
    }
    case 'result':
      if (!instr.value) {
        next.result = null;
        return [next];
      }
      return evaluate(run, next, instr.value).map(({ state: after, value: operand }) => {
        after.result = operand;
        return after;
      });
    case 'guard':
      return guard(run, next, instr);
    case 'cleanup':
      return cleanup(run, next, instr.decl);
    case 'cursor':
      for (const name of cursorsOf(run, instr, live[instr.exit]!)) {
        const element = cursor(next.interner, name, identityOf(instr.site));
        next.masks.delete(element);
        storePlace(run, next, localVariable(next.interner, name).start, element.start);
      }
      return [next];
    case 'config':
      return instr.conditions.every((condition) => assumeConfig(run, next, condition))
        ? [next]
        : [];
    case 'goto':
      addStep(next, {
        site: site(run, instr.stmt),
        kind: 'goto',
        text: `goto ${instr.stmt.label}`,
      });
      return [next];
    case 'unknown':
      escapeNames(run, next, instr.stmt.names, instr.stmt.start, instr.stmt.end);
      if (instr.stmt.kind === 'asm' ? instr.stmt.isGoto : instr.stmt.opaque) loseCertainty(next);
      if (instr.stmt.kind === 'unknown') {
        next.hidden |= hiddenBy(instr.stmt);
        if (instr.stmt.mayWrite) forgetVariables(run, next, instr.stmt);
      }
      return [next];
  }
}

/** A macro that was not understood may have set the variables that it names. */
function forgetVariables(run: Run, state: PathState, stmt: UnknownStmt): void {
  for (const name of stmt.names) {
    const type = run.locals.get(name);
    if (type === undefined || type.arrays > 0 || (type.keyword !== null && type.pointers === 0))
      continue;
    setVariable(run, state, name, undefinedValue(state.interner, name, [identityOf(stmt)]).start);
  }
}

/** What nobody can miss after a statement that is being typed, as PathState.hidden. */
function hiddenBy({ hides }: UnknownStmt): number {
  if (hides === 'test') return HIDDEN_TEST;
  return hides === 'call' ? HIDDEN_CALL : 0;
}

/**
 * The locals that a loop macro sets. Of a macro that nobody knows, those that are not read behind
 * the loop before they are set again: what is
 * read there is what the loop was given, as `foo` in `for_each_port_of(foo, i)`.
 */
function cursorsOf(
  run: Run,
  instr: Extract<Instr, { kind: 'cursor' }>,
  after: ReadonlySet<string>,
): string[] {
  const known = loopCursors(instr.macro);
  return instr.args.flatMap((arg, at) =>
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
  state: PathState,
  { stmt, isEntry }: Extract<Instr, { kind: 'guard' }>,
): PathState[] {
  const call = callOfGuard(stmt, isEntry) ?? ownGuard(run, stmt, isEntry);
  if (call !== null) return evaluate(run, state, call).map((one) => one.state);
  let states: PathState[] = [state];
  if (isEntry)
    for (const arg of stmt.args)
      states = states.flatMap((one) => evaluate(run, one, arg).map((each) => each.state));
  return states;
}

/** What the module itself says of a guard of a class of its own. */
function ownGuard(run: Run, stmt: GuardStmt, isEntry: boolean): CallExpr | null {
  const call = callOfOwnGuard(stmt, isEntry);
  return call?.name != null && run.index.macroFunctions(run.file, call.name).length > 0
    ? call
    : null;
}

/**
 * The scope of a variable with `__free(x)` or `__cleanup(f)` is left: the first calls what the
 * module or the kernel has for x with the variable's value, unless that is NULL or an error pointer,
 * the second f with its address.
 */
function cleanup(run: Run, state: PathState, decl: DeclStmt): PathState[] {
  const by = decl.cleanup ?? '';
  const variable: Expr = { kind: 'name', name: decl.name, ...decl.nameSpan };
  if (decl.cleansAddress)
    return evaluate(
      run,
      state,
      callOn(by, decl, [{ ...variable, kind: 'unary', op: '&', operand: variable }]),
    ).map((one) => one.state);
  const value = state.env.get(decl.name);
  if (value?.kind !== 'pointer') return [state];
  const [own] = run.index.macroFunctions(run.file, `__free_${by}`);
  if (own)
    return applySummary(run, state, callOn(null, decl), own, [value]).map((one) => one.state);
  if ((maskOf(state, value) & POSITIVE) === 0) return [state];
  const name = freeFunction(by);
  // A DEFINE_FREE() that cannot be seen.
  if (
    behaviourOf(name, run.kernel, run.index.module.wrappers) === undefined &&
    !run.index.functions(run.file, name).length
  ) {
    escape(run, state, value, decl, by);
    return [state];
  }
  const none = fork(state);
  const isNone = assume(none, value, ZERO | NEGATIVE);
  if (!assume(state, value, POSITIVE)) return isNone ? [none] : [];
  const ended = evaluate(run, state, callOn(name, decl, [variable])).map((one) => one.state);
  return isNone ? [...ended, none] : ended;
}

/** A call that nobody has written, where a variable is declared. */
function callOn(name: string | null, at: CodeNode, args: readonly Expr[] = []): CallExpr {
  const { start, end } = at;
  const callee: Expr =
    name === null
      ? { kind: 'unknown', names: [], calls: [], start, end }
      : { kind: 'name', name, start, end };
  const place = at.expansion ? { start, end, expansion: at.expansion } : { start, end };
  return { kind: 'call', callee, name, args, argsSpan: { start, end }, ...place };
}

/** Runs what devm actions left behind, last first, at the place where the function returns. */
export function runDeferred(run: Run, state: PathState, at: Span): PathState[] {
  const pending = [...state.deferred].reverse();
  state.deferred = [];
  const call = callOn(null, at);
  let out: PathState[] = [state];
  for (const deferred of pending)
    out = out.flatMap((next) => runCallback(run, next, call, deferred.callback, deferred.data));
  return out;
}

/**
 * Whether a path succeeded, by what it returns: 0 for an int, a valid pointer for a pointer. The
 * driver core takes any other int from probe for a failure.
 */
export function outcomeOf(
  run: Pick<Run, 'fn' | 'role'>,
  state: PathState,
): 'success' | 'failure' | 'void' | 'unknown' {
  const type = run.fn.returnType;
  if (type.name === 'void' && type.pointers === 0) return 'void';
  if (state.result === null) return 'unknown';
  const mask = maskOf(state, state.result);
  if (type.pointers > 0) {
    if (mask === POSITIVE) return 'success';
    return (mask & POSITIVE) === 0 ? 'failure' : 'unknown';
  }
  if (mask === ZERO || (mask === POSITIVE && run.role !== 'probe' && run.role !== 'init'))
    return 'success';
  return (mask & ZERO) === 0 ? 'failure' : 'unknown';
}
