/**
 * Follows one path of a function as texts: what locals are worth, what was done, what was decided.
 */
import { printExpr } from '../ir/print.ts';
import type { AsmStmt, CallExpr, DeclStmt, Expr, GuardStmt, UnknownStmt } from '../ir/types.ts';
import { apiEntry } from '../kernel/lifecycle-api.ts';
import { behaviourOf, isNoReturn, isView, testedArgument } from '../kernel/lookup.ts';
import { isComputation, isValueOrTest } from '../kernel/macros.ts';
import { isQuery } from '../kernel/touches.ts';
import { callOfGuard } from '../lifecycle/interpret/guards.ts';
import { indexModule } from '../lifecycle/module/module.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { Span } from '../text/span.ts';
import type { Decision, FunctionPath, PathEvent } from './function-paths.ts';
import { spend } from '../budget/work.ts';

/** One path on its way through a function. */
export interface Evaluator {
  /** Does what an expression does, and gives its value. */
  evaluate(expr: Expr): string;
  declare(decl: DeclStmt): void;
  /** The value of a return statement. */
  giveBack(value: Expr | null): void;
  /** A __free() variable goes out of scope. */
  cleanUp(decl: DeclStmt): void;
  /** A guard()'s scope begins, or is left. */
  guard(stmt: GuardStmt, isEntry: boolean): void;
  /** A loop gives these another value. */
  forget(args: readonly Expr[]): void;
  /** Code that was not understood. */
  stumble(stmt: UnknownStmt | AsmStmt): void;
  /** Takes the way on which a condition is `holds`; false where the path has decided otherwise. */
  decide(condition: Expr, holds: boolean): boolean;
  note(test: string, holds: boolean, at: Span): void;
  assumeConfig(test: string, holds: boolean): boolean;
  /** A call that does not come back was made. */
  hasEnded(): boolean;
  fork(): Evaluator;
  finish(exit: Span): FunctionPath;
}

interface State {
  readonly locals: Map<string, string>;
  readonly memory: Map<string, string>;
  readonly events: PathEvent[];
  readonly decisions: Decision[];
  readonly config: Map<string, boolean>;
  /** How often each function was called, each local set: a value is named after that. */
  readonly counts: Map<string, number>;
  readonly decided: Map<string, boolean>;
  result: string | null;
  obstacle: string | null;
  ended: boolean;
  /** How many operators around that may leave out what they hold. */
  maybe: number;
}

/** A value that is written longer than this has a name instead. */
const MAX_VALUE = 160;

/** An evaluator at a function's entry. `names` are the locals whose values are followed. */
export function createEvaluator(facts: ModuleFacts, names: ReadonlySet<string>): Evaluator {
  return over(facts, names, {
    locals: new Map(),
    memory: new Map(),
    events: [],
    decisions: [],
    config: new Map(),
    counts: new Map(),
    decided: new Map(),
    result: null,
    obstacle: null,
    ended: false,
    maybe: 0,
  });
}

function copied(state: State): State {
  spend(
    state.locals.size +
      state.memory.size +
      state.events.length +
      state.decisions.length +
      state.decided.size,
  );
  return {
    ...state,
    locals: new Map(state.locals),
    memory: new Map(state.memory),
    events: [...state.events],
    decisions: [...state.decisions],
    config: new Map(state.config),
    counts: new Map(state.counts),
    decided: new Map(state.decided),
  };
}

function over(facts: ModuleFacts, names: ReadonlySet<string>, state: State): Evaluator {
  const evaluate = (expr: Expr): string => valueOf({ facts, names, state }, expr);
  return {
    evaluate(expr) {
      // A name that stands alone does nothing, unless it is a macro that nobody has seen.
      if (expr.kind === 'name' && /^[A-Z][A-Z0-9_]*$/.test(expr.name))
        state.obstacle ??= `${expr.name}: what it does is not known`;
      return evaluate(expr);
    },
    declare({ name, init }) {
      const value = init === null ? null : evaluate(init);
      if (value === null) state.locals.delete(name);
      else if (names.has(name)) set(state, name, value);
    },
    giveBack(value) {
      state.result = value === null ? null : evaluate(value);
    },
    cleanUp({ name, cleanup, cleansAddress, start, end }) {
      const value = state.locals.get(name) ?? name;
      add(state, {
        kind: 'call',
        name: null,
        text: `${cleansAddress ? '__cleanup' : '__free'}(${cleanup})(${value})`,
        args: [value],
        value: '',
        start,
        end,
      });
    },
    guard(stmt, isEntry) {
      const call = callOfGuard(stmt, isEntry);
      if (call !== null) {
        evaluate(call);
        return;
      }
      const args = stmt.args.map(evaluate);
      const text = `${isEntry ? '' : 'end of '}${stmt.macro}(${args.join(', ')})`;
      add(state, {
        kind: 'call',
        name: null,
        text,
        args,
        value: '',
        start: stmt.start,
        end: stmt.body?.start ?? stmt.end,
      });
    },
    forget(args) {
      for (const arg of args)
        if (arg.kind === 'name' && names.has(arg.name))
          set(state, arg.name, numbered(state, `${arg.name}#`));
    },
    stumble({ start, end, names: inside }) {
      state.obstacle ??= 'code that is not understood';
      add(state, {
        kind: 'unknown',
        name: null,
        text: `unknown ${inside.join(' ')}`,
        args: [],
        value: '',
        start,
        end,
      });
    },
    decide: (condition, holds) => decide({ facts, names, state }, condition, holds),
    note: (test, holds, at) =>
      void state.decisions.push({
        test,
        holds,
        start: at.start,
        end: at.end,
        at: state.events.length,
      }),
    assumeConfig(test, holds) {
      const known = state.config.get(test);
      state.config.set(test, holds);
      return known === undefined || known === holds;
    },
    hasEnded: () => state.ended,
    fork: () => over(facts, names, copied(state)),
    finish: (exit) => ({
      events: state.events,
      exit,
      result: state.result,
      memory: state.memory,
      obstacle: state.obstacle,
      decisions: [
        ...[...state.config].map(([test, holds]): Decision => ({
          test: `#if ${test}`,
          holds,
          start: 0,
          end: 0,
          at: 0,
        })),
        ...state.decisions,
      ],
    }),
  };
}

interface Context {
  readonly facts: ModuleFacts;
  readonly names: ReadonlySet<string>;
  readonly state: State;
}

function set(state: State, name: string, value: string): void {
  state.locals.set(name, value.length > MAX_VALUE ? numbered(state, `${name}#`) : value);
}

function numbered(state: State, stem: string): string {
  const count = (state.counts.get(stem) ?? 0) + 1;
  state.counts.set(stem, count);
  return `${stem}${count}`;
}

function add(state: State, event: Omit<PathEvent, 'maybe'>): void {
  state.events.push({ ...event, maybe: state.maybe > 0 });
}

function valueOf(context: Context, expr: Expr): string {
  const { state } = context;
  const value = (one: Expr): string => valueOf(context, one);
  switch (expr.kind) {
    case 'name':
      return state.locals.get(expr.name) ?? expr.name;
    case 'number':
      return expr.value === null ? expr.text : String(expr.value);
    case 'string':
      return expr.text;
    case 'member':
      return `${value(expr.base)}${expr.arrow ? '->' : '.'}${expr.field}`;
    case 'index':
      return `${value(expr.base)}[${value(expr.index)}]`;
    case 'unary':
      return expr.op === '&' && expr.operand.kind === 'name'
        ? `&${expr.operand.name}`
        : `${expr.op}${value(expr.operand)}`;
    case 'cast':
      return value(expr.operand);
    case 'binary':
      return binary(context, expr);
    case 'update':
      return assign(context, expr.operand, `(${value(expr.operand)}${expr.op})`, expr);
    case 'assign':
      return assigned(context, expr);
    case 'conditional':
      return conditional(context, expr);
    case 'comma':
      return expr.items.map(value).at(-1) ?? '';
    case 'initializer':
      return `{ ${expr.entries.map((entry) => `${entry.designators.join('.')}=${value(entry.value)}`).join(', ')} }`;
    case 'call':
      return call(context, expr);
    case 'statement-expression':
      return block(context, expr);
    case 'sizeof':
    case 'type':
      return printExpr(expr);
    case 'unknown':
      state.obstacle ??= 'code that is not understood';
      add(state, {
        kind: 'unknown',
        name: null,
        text: printExpr(expr),
        args: [],
        value: '',
        start: expr.start,
        end: expr.end,
      });
      return printExpr(expr);
  }
}

function binary(context: Context, expr: Extract<Expr, { kind: 'binary' }>): string {
  const left = valueOf(context, expr.left);
  const isLogical = expr.op === '&&' || expr.op === '||';
  const right = isLogical ? perhaps(context, expr.right) : valueOf(context, expr.right);
  return `(${left} ${expr.op} ${right})`;
}

function perhaps(context: Context, expr: Expr): string {
  context.state.maybe++;
  const value = valueOf(context, expr);
  context.state.maybe--;
  return value;
}

function conditional(context: Context, expr: Extract<Expr, { kind: 'conditional' }>): string {
  const test = valueOf(context, expr.condition);
  const then = expr.then === null ? test : perhaps(context, expr.then);
  return `(${test} ? ${then} : ${perhaps(context, expr.otherwise)})`;
}

function block(context: Context, expr: Extract<Expr, { kind: 'statement-expression' }>): string {
  let value = '';
  for (const stmt of expr.body) {
    if (stmt.kind === 'expr') value = valueOf(context, stmt.expr);
    else if (stmt.kind === 'decl' && stmt.init !== null)
      set(context.state, stmt.name, valueOf(context, stmt.init));
    else if (stmt.kind !== 'decl')
      context.state.obstacle ??= 'control flow inside of an expression';
  }
  return value;
}

function assigned(context: Context, expr: Extract<Expr, { kind: 'assign' }>): string {
  const value = valueOf(context, expr.value);
  if (expr.op === '=') return assign(context, expr.target, value, expr);
  return assign(
    context,
    expr.target,
    `(${valueOf(context, expr.target)} ${expr.op.slice(0, -1)} ${value})`,
    expr,
  );
}

function assign(context: Context, target: Expr, value: string, at: Span): string {
  const { state, names } = context;
  if (target.kind === 'name' && names.has(target.name)) {
    set(state, target.name, value);
    return state.locals.get(target.name)!;
  }
  const place = valueOf(context, target);
  add(state, {
    kind: 'store',
    name: null,
    text: `${place} = ${value}`,
    args: [],
    value: place,
    start: at.start,
    end: at.end,
  });
  state.memory.set(place, value);
  return value;
}

function call(context: Context, expr: CallExpr): string {
  const { state, names } = context;
  const name = expr.name !== null && !names.has(expr.name) ? expr.name : null;
  const args = expr.args.map((one) => valueOf(context, one));
  if (name === null) return called(context, expr, valueOf(context, expr.callee), null, args);
  if (isNoReturn(name)) {
    state.ended = true;
    return '';
  }
  if (definitions(context, name)) return called(context, expr, name, name, args);
  const passed = testedArgument(name);
  if (passed !== undefined && args[passed] !== undefined) return args[passed];
  if (isComputation(name) || isValueOrTest(name) || isView(name) || isQuery(name))
    return `${name}(${args.join(', ')})`;
  if (isUnknownMacro(context, name)) state.obstacle ??= `${name}(): what it does is not known`;
  // A function that was only renamed is the same one.
  const lasting = apiEntry(name)?.replacement?.rename ?? name;
  return called(context, expr, lasting, lasting, args);
}

function definitions({ facts }: Context, name: string): boolean {
  const index = indexModule(facts.module, facts.kernel);
  return facts.module.sources.some(
    (file) => index.functions(file, name).length > 0 || index.macro(file, name) !== null,
  );
}

/**
 * A macro by its name that neither the module nor the kernel's tables know: it may do anything, and
 * leave.
 */
function isUnknownMacro({ facts }: Context, name: string): boolean {
  return (
    /^[A-Z][A-Z0-9_]*$/.test(name) &&
    behaviourOf(name, facts.kernel, facts.module.wrappers) === undefined
  );
}

function called(
  { state, names }: Context,
  expr: CallExpr,
  callee: string,
  name: string | null,
  args: readonly string[],
): string {
  const value = numbered(state, `${callee}#`);
  add(state, {
    kind: 'call',
    name,
    text: `${callee}(${args.join(', ')})`,
    args,
    value,
    start: expr.start,
    end: expr.end,
  });
  for (const arg of expr.args) {
    if (
      arg.kind === 'unary' &&
      arg.op === '&' &&
      arg.operand.kind === 'name' &&
      names.has(arg.operand.name)
    ) {
      set(state, arg.operand.name, `${value}:${arg.operand.name}`);
    }
  }
  return value;
}

/** What the truth of a value says of another: `x == 0` is `!x`. */
interface Test {
  readonly value: string;
  readonly holds: boolean;
}

function decide(context: Context, condition: Expr, holds: boolean): boolean {
  const { state } = context;
  const at = state.events.length;
  const { value, holds: truth } = testOf(context, condition, holds);
  state.decisions.push({
    test: value,
    holds: truth,
    start: condition.start,
    end: condition.end,
    at,
  });
  const constant = truthOf(value);
  if (constant !== null) return constant === truth;
  const known = state.decided.get(value);
  if (known !== undefined && known !== truth) return false;
  if (isSettled(value) || context.names.has(value)) {
    if (!agrees(state.decided, value, truth)) return false;
    state.decided.set(value, truth);
  }
  return true;
}

function testOf(context: Context, condition: Expr, holds: boolean): Test {
  if (condition.kind === 'call' && condition.name !== null && condition.args.length > 0) {
    const passed = testedArgument(condition.name);
    const inner = passed === undefined ? undefined : condition.args[passed];
    if (inner !== undefined && !definitions(context, condition.name))
      return testOf(context, inner, holds);
  }
  if (condition.kind === 'unary' && condition.op === '!')
    return testOf(context, condition.operand, !holds);
  if (condition.kind === 'binary' && (condition.op === '==' || condition.op === '!=')) {
    const left = valueOf(context, condition.left);
    const right = valueOf(context, condition.right);
    const same = condition.op === '==' ? holds : !holds;
    if (truthOf(right) === false) return { value: left, holds: !same };
    if (truthOf(left) === false) return { value: right, holds: !same };
    return { value: `(${left} == ${right})`, holds: same };
  }
  return { value: valueOf(context, condition), holds };
}

/** Whether a value is known to be zero or not: of constants only. */
function truthOf(value: string): boolean | null {
  if (/^(0|NULL|false)$/.test(value)) return false;
  return /^(-?[1-9]\d*|-E[A-Z0-9]+|true)$/.test(value) ? true : null;
}

const RESULT = String.raw`\w+#\d+(?::\w+)?`;
const SETTLED = new RegExp(
  String.raw`^(?:${RESULT}|[A-Z_]+\(${RESULT}\)|\(${RESULT} [<>=]+ -?\w+\))$`,
);

/**
 * A value that cannot have changed since it was tested: the result of a call, or what is worked out
 * from it.
 */
function isSettled(value: string): boolean {
  return SETTLED.test(value);
}

/**
 * An error pointer is not NULL, a negative number is not 0, and PTR_ERR_OR_ZERO() is not 0 exactly
 * for error pointers.
 */
function agrees(decided: ReadonlyMap<string, boolean>, value: string, holds: boolean): boolean {
  const inner =
    new RegExp(String.raw`^(?:IS_ERR|PTR_ERR_OR_ZERO)\((.*)\)$`).exec(value)?.[1] ??
    /^\((.*) [<>] 0\)$/.exec(value)?.[1];
  if (inner !== undefined) {
    if (holds && decided.get(inner) === false) return false;
    const other = value.startsWith('IS_ERR(') ? `PTR_ERR_OR_ZERO(${inner})` : `IS_ERR(${inner})`;
    const known = /^[IP]/.test(value) ? decided.get(other) : undefined;
    return known === undefined || known === holds;
  }
  if (holds) return true;
  return ![
    `IS_ERR(${value})`,
    `PTR_ERR_OR_ZERO(${value})`,
    `(${value} < 0)`,
    `(${value} > 0)`,
  ].some((one) => decided.get(one) === true);
}
