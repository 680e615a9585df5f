/** Proves on every path what a put needs and a free does not. */
import type {
  AssignExpr,
  CallExpr,
  Expr,
  FileIr,
  FunctionIr,
  GotoStmt,
  MacroIr,
  Stmt,
} from '../../ir/types.ts';
import { isBeingTyped } from '../../ir/visit.ts';
import { storedName, storedValue } from '../../ir/assigned.ts';
import { flowMacroNames, writtenOut } from '../../lifecycle/module/expand.ts';
import type { Defined } from '../../lifecycle/module/module.ts';
import type { Module } from '../../lifecycle/types.ts';
import { rootOf } from './allocation.ts';
import { hiddenJumps } from '../query/hidden-jumps.ts';
import { isAddressOf, isNull, plainTest } from '../query/expressions.ts';
import {
  flowOf,
  State,
  type CallMeaning,
  type ObjectFlow,
  type States,
} from '../query/object-flow.ts';
import {
  allExpressions,
  namesIn,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { lineOf, refuse, RefusedError, textOf } from '../refusal-error.ts';
import { levelOf } from '../query/call-sites.ts';
import { meaningOf, type Teardown } from './teardown.ts';
import type { AllocationPlan, Container } from '../types.ts';
import { memberPath, scopeOf, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

/**
 * Proves on every path what a put needs and a free does not: the object is there (kfree of NULL is
 * nothing, a put of an error
 * pointer is a crash), each uninit is followed by its free, and nothing is freed twice or used when
 * the allocation failed.
 * Returns the allocations, with those marked whose variable must become NULL where they fail.
 * Throws RefusedError.
 */
export function provePaths(
  module: Module,
  file: FileIr,
  container: Container,
  allocations: readonly AllocationPlan[],
  teardown: Teardown,
): AllocationPlan[] {
  const events = meaningOf(teardown);
  const helpers = new HelperSummaries(module, file, container, events, allocations);
  const functions = new Set<FunctionIr>([
    ...allocations.map((item) => item.fn),
    ...teardown.frees.map((item) => item.fn),
    ...teardown.uninits.map((item) => item.fn),
  ]);
  const proved = new Map<AllocationPlan, Pick<AllocationPlan, 'resets' | 'returns'>>();
  const makers = new Set(allocations.map((item) => item.fn.name));
  for (const fn of functions) {
    if (fn.opaque || isBeingTyped(fn))
      refuse(
        'opaque-function',
        `${fn.name}() has code that could not be parsed, so its paths cannot be followed. Simplify it, or convert by hand.`,
        file,
        fn.nameSpan,
      );
    const scope = scopeOf(module, file, fn);
    const allocation = allocations.find((item) => item.fn === fn) ?? null;
    const holders = holdersIn(scope, container, events, allocation);
    // Two objects of the type in one function are beyond what is followed, which is one.
    if (holders === null) continue;
    const prove = ({ resets, returns }: Pick<AllocationPlan, 'resets' | 'returns'>): void => {
      const written = withFlow(module, file, fn);
      const output = flowOf({
        fn: written,
        entry:
          allocation || !fn.params.some((param) => holders.has(param.name))
            ? State.none
            : State.live,
        holders,
        check: allocation?.check ?? null,
        resets,
        returns,
        handed: handedAt(written, holders, makers),
        meaning: helpers.meaningIn(scope, allocation),
        jumps: hiddenJumps(module, file, fn).from,
      });
      if (!output.complete)
        refuse(
          'opaque-function',
          `The paths of ${fn.name}() cannot be followed to the end. Simplify it, or convert by hand.`,
          file,
          fn.nameSpan,
        );
      judge(file, fn, output, allocation, helpers.isCalled(fn), handedOverAt(fn, teardown));
    };
    const refused = refusalOf(() => prove({}));
    if (refused === null) continue;
    const jump = allocation && jumpOf(allocation);
    if (refused.refusal.code !== 'free-of-nothing' || !allocation || !jump) throw refused;
    const isIdle = doesNothing(fn, jump, (call) => helpers.takesNull(scope, allocation, call));
    // Where the ways out ask whether there is an object (`if (p) kfree(p);`), NULL in the variable
    // answers them as before.
    const ways: readonly Pick<AllocationPlan, 'resets' | 'returns'>[] = isIdle
      ? [{ returns: jump }, { resets: true }]
      : [{ resets: true }];
    const way = ways.find((one) => refusalOf(() => prove(one)) === null);
    if (!way) throw refused;
    proved.set(allocation, way);
  }
  return allocations.map((item) => ({ ...item, ...proved.get(item) }));
}

/** The `goto` that the failing branch of an allocation ends in. */
function jumpOf({ check }: AllocationPlan): GotoStmt | null {
  const last =
    check.then.kind === 'block' ? check.then.body[check.then.body.length - 1] : check.then;
  return last?.kind === 'goto' ? last : null;
}

/**
 * Whether a jump leads to nothing but calls that `takesNull`, and the return of a variable; other
 * jumps keep its label in use.
 */
function doesNothing(
  fn: FunctionIr,
  jump: GotoStmt,
  takesNull: (call: CallExpr) => boolean,
): boolean {
  const all = statementsOf(fn);
  const label = all.find(({ stmt }) => stmt.kind === 'label' && stmt.name === jump.label);
  const isUsed = all.some(
    ({ stmt }) => stmt.kind === 'goto' && stmt.label === jump.label && stmt.start !== jump.start,
  );
  if (!label || !isUsed) return false;
  const behind = label.siblings.slice(label.index + 1).filter((stmt) => stmt.kind !== 'label');
  const end = behind.findIndex((stmt) => stmt.kind === 'return');
  const value = behind[end]?.kind === 'return' ? behind[end].value : null;
  return (
    end > 0 &&
    value?.kind === 'name' &&
    behind
      .slice(0, end)
      .every((stmt) => stmt.kind === 'expr' && stmt.expr.kind === 'call' && takesNull(stmt.expr))
  );
}

/** The function with the loops, jumps and returns of the module's macros where they are used. */
function withFlow(module: Module, file: FileIr, fn: FunctionIr): FunctionIr {
  const names = flowMacroNames(module);
  if (names.size === 0) return fn;
  const macros = (_: FileIr, name: string): Defined<MacroIr>[] => {
    for (const one of [file, ...module.headers]) {
      const found = one.macros.filter((each) => each.name === name);
      if (found.length > 0) return found.map((item) => ({ file: one, item }));
    }
    return [];
  };
  return writtenOut({ macros, functions: () => [] }, file, fn, (name) => names.has(name));
}

/**
 * The tests that ask whether a function that allocates has handed out the object: `ret =
 * foo_create(dev, &p); if (ret)`, `if (foo_create(dev, &p))`.
 */
function handedAt(
  fn: FunctionIr,
  holders: ReadonlySet<string>,
  makers: ReadonlySet<string>,
): ReadonlySet<Stmt> {
  const hands = (expr: Expr): boolean =>
    expr.kind === 'call' &&
    expr.name !== null &&
    makers.has(expr.name) &&
    expr.args.some((arg) => [...holders].some((name) => isAddressOf(arg, name)));
  const tests = new Set<Stmt>();
  for (const { stmt, siblings, index } of statementsOf(fn)) {
    if (stmt.kind === 'if' && asksFor(stmt.condition, hands)) tests.add(stmt);
    const value = storedValue(stmt);
    const name = storedName(stmt);
    const next = siblings[index + 1];
    if (
      value &&
      name !== null &&
      hands(uncast(value)) &&
      next?.kind === 'if' &&
      asksFor(next.condition, (expr) => expr.kind === 'name' && expr.name === name)
    )
      tests.add(next);
  }
  return tests;
}

/** A condition that holds where the result is an error: the result itself, `!= 0`, `< 0`. */
function asksFor(condition: Expr, isResult: (expr: Expr) => boolean): boolean {
  const test = plainTest(condition);
  if (test.kind === 'assign') return isResult(uncast(test.value));
  if (test.kind === 'binary' && (test.op === '!=' || test.op === '<'))
    return isResult(uncast(test.left)) && isNull(test.right);
  return isResult(test);
}

function refusalOf(prove: () => void): RefusedError | null {
  try {
    prove();
    return null;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return error;
  }
}

function judge(
  file: FileIr,
  fn: FunctionIr,
  output: ObjectFlow,
  allocation: AllocationPlan | null,
  isHelper: boolean,
  handedOver: number,
): void {
  for (const [call, states] of output.calls) {
    const what = `${call.name ?? 'the call'}() at line ${lineOf(file, call.start)}`;
    if (call === allocation?.call) continue;
    if (states & (State.none | State.failed)) {
      const when =
        states & State.failed ? 'the allocation has failed' : 'nothing has been allocated yet';
      refuse(
        'free-of-nothing',
        `${what} is also reached when ${when}: harmless for kfree(NULL), but a put needs the object. Let that path jump to a label after it.`,
        file,
        call,
      );
    }
    if (states & State.freed)
      refuse(
        'freed-twice',
        `${what} is reached with the object already freed on some path. First free it once on each path.`,
        file,
        call,
      );
  }
  for (const [use, states] of output.uses) {
    if (states & State.failed) {
      refuse(
        'free-of-nothing',
        `\`${textOf(file, use)}\` at line ${lineOf(file, use.start)} is used on the path where its allocation failed: NULL now, but an error pointer once converted. Return before that.`,
        file,
        use,
      );
    }
    if (states === State.freed)
      refuse(
        'used-after-free',
        `\`${textOf(file, use)}\` at line ${lineOf(file, use.start)} is used after it was freed. Fix that first.`,
        file,
        use,
      );
  }
  for (const { stmt, states } of output.exits) {
    const at = stmt ?? { start: fn.body.end - 1, end: fn.body.end };
    if (states & State.undone && !isHelper) {
      refuse(
        'uninit-without-free',
        `${fn.name}() returns at line ${lineOf(file, at.start)} with the object uninitialised but not freed on some path. Free it there, or uninitialise and free in one place, so that one put can do both.`,
        file,
        at,
      );
    }
    if (
      allocation &&
      states === State.live &&
      at.start < handedOver &&
      stmt?.value &&
      isFailure(stmt.value)
    ) {
      refuse(
        'never-freed',
        `${fn.name}() fails at line ${lineOf(file, at.start)} without freeing the object. Fix that leak first.`,
        file,
        at,
      );
    }
  }
}

/**
 * Where an action of devres that frees the object is added, so that every later way out frees it;
 * Infinity when there is none.
 */
function handedOverAt(fn: FunctionIr, teardown: Teardown): number {
  const freeing = new Set(teardown.frees.map((free) => free.fn.name));
  for (const stmt of fn.body.body) {
    const added =
      stmt.kind === 'expr' || stmt.kind === 'if' || stmt.kind === 'decl'
        ? allExpressions(stmt).find(
            (expr) =>
              expr.kind === 'call' &&
              expr.name === 'devm_add_action_or_reset' &&
              expr.args.slice(1).some((arg) => namesIn(arg).some((name) => freeing.has(name))),
          )
        : undefined;
    if (added) return added.end;
  }
  return Infinity;
}

/** `return -ENOMEM;` and its like: certainly a failure. */
function isFailure(value: Expr): boolean {
  const inner = uncast(value);
  return (
    inner.kind === 'unary' &&
    inner.op === '-' &&
    inner.operand.kind === 'name' &&
    /^E[A-Z0-9]+$/.test(inner.operand.name)
  );
}

/**
 * The variables that hold the object in a function; null when there are several objects, or one
 * that is no variable's.
 */
function holdersIn(
  scope: Scope,
  container: Container,
  events: ReadonlyMap<CallExpr, unknown>,
  allocation: AllocationPlan | null,
): ReadonlySet<string> | null {
  const holders = new Set<string>(allocation ? [allocation.variable] : []);
  const holds = (name: string): boolean => {
    const type = scope.locals.has(name)
      ? typeOf(scope, { kind: 'name', name, start: 0, end: 0 })
      : null;
    return type?.pointers === 1 && container.tags.includes(type.tag);
  };
  for (const { stmt } of statementsOf(scope.fn)) {
    for (const expr of allExpressions(stmt)) {
      if (expr.kind !== 'call' || !events.has(expr)) continue;
      const named = expr.args.flatMap((arg) => {
        const direct = memberPath(arg).root;
        const origin = rootOf(scope, arg);
        return [
          ...(direct.kind === 'name' ? [direct.name] : []),
          ...(origin ? [origin.name] : []),
        ].filter(holds);
      });
      if (named.length === 0) return null;
      for (const name of named) holders.add(name);
    }
  }
  const containers = [...holders].filter(
    (name) => typeOf(scope, { kind: 'name', name, start: 0, end: 0 })?.tag === container.tag,
  );
  return containers.length > 1 ? null : holders;
}

function isNamed(expr: Expr, name: string): boolean {
  const inner = uncast(expr);
  return inner.kind === 'name' && inner.name === name;
}

/** `*param = …` */
function isStoreTo(expr: Expr, param: string): expr is AssignExpr {
  if (expr.kind !== 'assign') return false;
  const target = uncast(expr.target);
  return target.kind === 'unary' && target.op === '*' && isNamed(target.operand, param);
}

const MAX_CALL_DEPTH = 40;

/** What the functions of the file do to an object that they are given or find through drvdata. */
class HelperSummaries {
  private readonly module: Module;
  private readonly file: FileIr;
  private readonly container: Container;
  private readonly events: ReadonlyMap<CallExpr, 'free' | 'uninit'>;
  private readonly results = new Map<string, States | null>();
  private readonly idle = new Map<FunctionIr, boolean>();
  private readonly called = new Set<string>();
  /** What they free on failure is the object that they have allocated themselves. */
  private readonly allocating: ReadonlySet<FunctionIr>;
  private readonly made: ReadonlyMap<FunctionIr, AllocationPlan>;
  private depth = 0;

  constructor(
    module: Module,
    file: FileIr,
    container: Container,
    events: ReadonlyMap<CallExpr, 'free' | 'uninit'>,
    allocations: readonly AllocationPlan[],
  ) {
    this.made = new Map(allocations.map((item) => [item.fn, item]));
    this.allocating = new Set(this.made.keys());
    this.module = module;
    this.file = file;
    this.container = container;
    this.events = events;
    for (const fn of file.functions) {
      for (const { stmt } of statementsOf(fn))
        for (const expr of allExpressions(stmt))
          if (expr.kind === 'call' && expr.name !== null) this.called.add(expr.name);
    }
  }

  /** Whether another function of the file calls it. */
  isCalled(fn: FunctionIr): boolean {
    return this.called.has(fn.name);
  }

  /** The meaning of calls inside the function of `scope`. */
  meaningIn(
    scope: Scope,
    allocation: AllocationPlan | null,
  ): (call: CallExpr) => CallMeaning | null {
    return (call) => {
      const event = this.events.get(call);
      if (event) return { op: event };
      if (allocation && call === allocation.call) return { op: 'allocate' };
      const callee = namedFunctions(this.file, call.name)[0];
      if (!callee || callee === scope.fn) return null;
      if (this.allocating.has(callee))
        return this.handsOut(scope.fn, callee, call) ? { op: 'hand-out' } : null;
      const result = this.resultOf(callee);
      if (result === null || result === State.live) return null;
      // A helper that takes the object must be given it; one that finds it through drvdata has it
      // anyway.
      const takes = callee.params.some(
        (param) => this.container.tags.includes(param.type.name) && param.type.pointers === 1,
      );
      const given = call.args.some(
        (arg) =>
          levelOf(scope, this.container, arg) >= 0 ||
          namesIn(arg).some((name) => name === allocation?.variable),
      );
      return takes && !given
        ? null
        : { op: 'helper', result, nullSafe: takes && this.doesNothingToNull(callee) };
    };
  }

  /** Whether a call is a free, or one of a helper, that does nothing when the object is NULL. */
  takesNull(scope: Scope, allocation: AllocationPlan, call: CallExpr): boolean {
    if (this.events.get(call) === 'free') return true;
    const meaning = this.meaningIn(scope, allocation)(call);
    return meaning?.op === 'helper' && meaning.nullSafe;
  }

  private doesNothingToNull(fn: FunctionIr): boolean {
    const known = this.idle.get(fn);
    if (known !== undefined) return known;
    // Of functions that call each other none is taken to do nothing.
    this.idle.set(fn, false);
    const output = this.flowOf(fn, State.none);
    const isIdle = output.complete && output.calls.size === 0;
    this.idle.set(fn, isIdle);
    return isIdle;
  }

  /**
   * `foo_create(dev, &p)`, where `p` has no value before and the callee stores nothing but the
   * object that it has made.
   */
  private handsOut(fn: FunctionIr, callee: FunctionIr, call: CallExpr): boolean {
    const at = call.args.findIndex((arg) => {
      const inner = uncast(arg);
      return inner.kind === 'unary' && inner.op === '&' && inner.operand.kind === 'name';
    });
    const given = at < 0 ? null : uncast(call.args[at]!);
    const param = callee.params[at];
    const made = this.made.get(callee);
    if (given?.kind !== 'unary' || given.operand.kind !== 'name' || !param || !made) return false;
    const { name } = given.operand;
    const declared = statementsOf(fn).some(
      ({ stmt }) => stmt.kind === 'decl' && stmt.name === name && stmt.init === null,
    );
    const isSet = statementsOf(fn).some(({ stmt }) =>
      allExpressions(stmt).some(
        (expr) =>
          expr.kind === 'assign' && expr.target.kind === 'name' && expr.target.name === name,
      ),
    );
    return (
      declared &&
      !isSet &&
      statementsOf(callee).every(({ stmt }) =>
        allExpressions(stmt).every(
          (expr) =>
            !isStoreTo(expr, param.name) ||
            (isNamed(expr.value, made.variable) && expr.start > made.check.end),
        ),
      )
    );
  }

  /** The states in which a function leaves a live object; null when it does nothing to one. */
  private resultOf(fn: FunctionIr): States | null {
    const known = this.results.get(fn.name);
    if (known !== undefined) return known;
    // A cycle of calls is taken to do nothing: the re-analysis of the result has the last word.
    this.results.set(fn.name, null);
    if (this.depth >= MAX_CALL_DEPTH) return null;
    this.depth++;
    const result = this.compute(fn);
    this.depth--;
    this.results.set(fn.name, result);
    return result;
  }

  private holdersOf(fn: FunctionIr): ReadonlySet<string> {
    const holders = holdersIn(
      scopeOf(this.module, this.file, fn),
      this.container,
      this.events,
      null,
    );
    const passed = fn.params
      .filter((param) => this.container.tags.includes(param.type.name) && param.type.pointers === 1)
      .map((param) => param.name);
    return new Set([...(holders ?? []), ...passed]);
  }

  private flowOf(fn: FunctionIr, entry: States): ObjectFlow {
    const scope = scopeOf(this.module, this.file, fn);
    return flowOf({
      fn: withFlow(this.module, this.file, fn),
      entry,
      holders: this.holdersOf(fn),
      check: null,
      meaning: this.meaningIn(scope, null),
      jumps: hiddenJumps(this.module, this.file, fn).from,
    });
  }

  private compute(fn: FunctionIr): States | null {
    const all = this.holdersOf(fn);
    if (all.size === 0) return null;
    const takes = fn.params.some((param) => all.has(param.name));
    const output = this.flowOf(fn, takes ? State.live : State.none);
    const result =
      output.exits.reduce((states, exit) => states | exit.states, 0) & ~(State.none | State.failed);
    return output.calls.size > 0 ? result || State.live : null;
  }
}
