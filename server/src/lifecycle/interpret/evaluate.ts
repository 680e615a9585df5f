/** The value of an expression on a path, and what its evaluation does. */
import { identityOf } from '../../ir/node-identity.ts';
import type { Expr, Stmt } from '../../ir/types.ts';
import { combine } from './arithmetic.ts';
import { evaluateCall } from './calls.ts';
import { decide } from './branch-conditions.ts';
import { joinAll } from './join.ts';
import { escape, loseCertainty, use } from './device-operations.ts';
import { isLifecycleName } from '../module/relevance.ts';
import { learnType } from './held-resource.ts';
import { noteCleared, operatorCount } from './give-back.ts';
import { declaredType, setVariable, site, sourceText, type Run } from './run.ts';
import { elementOf, fieldOf, isDrvdata, keptElement } from '../domain/access-path.ts';
import {
  computed,
  globalVariable,
  literal,
  localVariable,
  resultAt,
  symbol,
  undefinedValue,
  type AbstractObject,
  type Origin,
  type Place,
} from '../domain/objects.ts';
import { forgetMembers, load, maskOf, store, type PathState } from '../domain/path-state.ts';
import {
  ANY,
  NEGATIVE,
  NULL,
  POSITIVE,
  ZERO,
  int,
  type Mask,
  type Value,
} from '../domain/values.ts';
import { spend } from '../../budget/work.ts';

/** A path after an expression, with its value. Forks of one expression share nothing. */
export interface Evaluated {
  readonly state: PathState;
  readonly value: Value;
}

/** More ways than this through one expression are not told apart. */
const MAX_WAYS = 64;

/**
 * Evaluates an expression for value and effects. Takes over `s`; the caller goes on with what is
 * returned.
 */
export function evaluate(run: Run, state: PathState, expr: Expr): Evaluated[] {
  spend(1);
  const ways = evaluateEach(run, state, expr);
  if (ways.length <= MAX_WAYS) return ways;
  return fewer(
    ways.map((result) => result.state),
    expr.start,
  ).map((next) => ({ state: next, value: fresh(next, identityOf(expr)) }));
}

/**
 * The paths after a part of an expression at `start`: where they are more than are told apart,
 * joined, and none of them certain.
 */
export function fewer(states: PathState[], start: number): PathState[] {
  if (states.length <= MAX_WAYS) return states;
  const few = joinAll(states, `e${start}`, () => true).slice(0, MAX_WAYS);
  for (const state of few) loseCertainty(state);
  return few;
}

function evaluateEach(run: Run, next: PathState, expr: Expr): Evaluated[] {
  switch (expr.kind) {
    case 'name':
      return [{ state: next, value: nameValue(run, next, expr.name, expr.start) }];
    case 'number':
      return [
        {
          state: next,
          value: expr.value === null ? literal(next.interner, expr.text).start : int(expr.value),
        },
      ];
    case 'string':
      return [{ state: next, value: known(next, literal(next.interner, 'string'), POSITIVE) }];
    case 'member':
    case 'index':
      return places(run, next, expr, 'read').map(({ state: after, place }) => ({
        state: after,
        value: loadPlace(run, after, place, expr.start),
      }));
    case 'unary':
      return unary(run, next, expr);
    case 'update':
      return places(run, next, expr.operand, 'write').map(({ state: after, place }) => {
        operatorCount(run, after, place, expr.op, expr);
        const value = counted(run, after, expr, place);
        storePlace(run, after, place, value);
        return { state: after, value };
      });
    case 'binary':
      return binary(run, next, expr);
    case 'assign':
      return assignment(run, next, expr);
    case 'conditional': {
      const { yes, no } = decide(run, next, expr.condition);
      return [
        ...yes.flatMap((state) => evaluate(run, state, expr.then ?? expr.condition)),
        ...no.flatMap((state) => evaluate(run, state, expr.otherwise)),
      ];
    }
    case 'call':
      return evaluateCall(run, next, expr);
    case 'cast':
      return evaluate(run, next, expr.operand);
    case 'comma': {
      let out: PathState[] = [next];
      for (const item of expr.items.slice(0, -1))
        out = fewer(
          out.flatMap((state) => evaluate(run, state, item).map((result) => result.state)),
          item.start,
        );
      const last = expr.items.at(-1);
      return out.flatMap((state) => (last ? evaluate(run, state, last) : [{ state, value: NULL }]));
    }
    case 'initializer': {
      let out: PathState[] = [next];
      for (const entry of expr.entries)
        out = fewer(
          out.flatMap((state) => evaluate(run, state, entry.value).map((result) => result.state)),
          entry.value.start,
        );
      return out.map((state) => ({ state, value: fresh(state, identityOf(expr)) }));
    }
    case 'statement-expression':
      return statements(run, next, expr.body, identityOf(expr));
    case 'sizeof':
    case 'type':
      return [
        {
          state: next,
          value: known(next, literal(next.interner, sourceText(run, expr).slice(0, 80)), POSITIVE),
        },
      ];
    case 'unknown':
      escapeNames(run, next, expr.names, expr.start, expr.end);
      return [{ state: next, value: fresh(next, identityOf(expr)) }];
  }
}

/** What was not understood may do anything with the objects that it names. */
export function escapeNames(
  run: Run,
  state: PathState,
  names: readonly string[],
  start: number,
  end: number,
): void {
  for (const name of names) {
    const value = state.env.get(name);
    if (value?.kind === 'pointer') escape(run, state, value, { start, end }, '');
  }
}

/**
 * A value about which nothing is known, named after the place of its expression. What an earlier
 * round of a loop knew of its name is forgotten.
 */
export function fresh(state: PathState, start: number, of: Origin = 'value'): Place {
  const object = resultAt(state.interner, of, start);
  state.masks.delete(object);
  if (state.devices.delete(object)) forgetMembers(state, object);
  return object.start;
}

/** What a constant, or what was computed, is known to be. */
export function known(state: PathState, object: AbstractObject, mask: Mask): Place {
  if (mask !== ANY) state.masks.set(object, mask);
  return object.start;
}

/** An error code of which only the sign is known. */
export function someErrno(state: PathState, start: number): Place {
  return known(state, resultAt(state.interner, 'errno', start), NEGATIVE);
}

export function loadPlace(run: Run, state: PathState, place: Place, at: number): Value {
  const value = loadValue(run, state, place, at);
  nameAfterGlobal(run, place, value);
  return value;
}

/** A global variable gives its name to what it holds. */
function nameAfterGlobal(run: Run, { object, parent }: Place, value: Value): void {
  if (object.kind !== 'global' || parent !== null) return;
  if (value.kind === 'pointer' && !run.names.has(value.object))
    run.names.set(value.object, object.name);
}

function loadValue(run: Run, state: PathState, place: Place, at: number): Value {
  if (place.object.kind === 'local' && place.parent === null)
    return localValue(state, place.object.name);
  const value = load(state, place);
  if (
    value.kind === 'pointer' &&
    value.object.kind === 'load' &&
    !run.objects.has(value.object.id)
  ) {
    run.objects.set(value.object.id, {
      origin: site(run, { start: at, end: at }),
      kind: isDrvdata(place) ? 'drvdata' : 'load',
      container: null,
      member: null,
    });
  }
  return value;
}

function localValue(state: PathState, name: string): Value {
  return state.env.get(name) ?? undefinedValue(state.interner, name).start;
}

export function storePlace(run: Run, state: PathState, place: Place, value: Value): void {
  if (place.object.kind === 'local' && place.parent === null)
    setVariable(run, state, place.object.name, value);
  else store(state, place, value);
  nameAfterGlobal(run, place, value);
}

/**
 * The places an lvalue may denote. Reading through a pointer on the way counts as a use of what it
 * points to.
 */
export function places(
  run: Run,
  next: PathState,
  expr: Expr,
  form: 'read' | 'write' | 'address',
): { state: PathState; place: Place }[] {
  switch (expr.kind) {
    case 'name':
      return [{ state: next, place: namePlace(run, next, expr.name) }];
    case 'member':
      if (!expr.arrow)
        return places(run, next, expr.base, form).map(({ state: after, place }) => ({
          state: after,
          place: fieldOf(place, expr.field),
        }));
      return evaluate(run, next, expr.base).map(({ state: after, value: operand }) => {
        // `&p->m` is arithmetic
        if (operand.kind === 'pointer' && form !== 'address')
          use(run, after, operand, expr, form, expr.field);
        return { state: after, place: fieldOf(pointed(after, operand, expr), expr.field) };
      });
    case 'index':
      return evaluate(run, next, expr.base).flatMap(({ state: after, value: operand }) =>
        evaluate(run, after, expr.index).map(({ state: branch }) => {
          if (operand.kind !== 'pointer')
            return { state: branch, place: pointed(branch, operand, expr) };
          if (form !== 'address') use(run, branch, operand, expr, form, null);
          return { state: branch, place: elementOf(operand) };
        }),
      );
    case 'unary':
      if (expr.op === '*')
        return evaluate(run, next, expr.operand).map(({ state: after, value: operand }) => {
          if (operand.kind === 'pointer' && form !== 'address')
            use(run, after, operand, expr, form, null);
          return { state: after, place: pointed(after, operand, expr) };
        });
      break;
    case 'cast':
      return places(run, next, expr.operand, form);
    default:
  }
  return evaluate(run, next, expr).map(({ state: after, value: operand }) => ({
    state: after,
    place: pointed(after, operand, expr),
  }));
}

/** What a value points to; of what is no pointer, something unknown. */
function pointed(state: PathState, value: Value, expr: Expr): Place {
  return value.kind === 'pointer'
    ? value
    : resultAt(state.interner, 'value', identityOf(expr)).start;
}

function namePlace(run: Run, state: PathState, name: string): Place {
  const variable = run.locals.has(name) ? localVariable : globalVariable;
  return variable(state.interner, name).start;
}

function nameValue(run: Run, state: PathState, name: string, at: number): Value {
  const local = state.env.get(name);
  if (local) return local;
  const type = run.locals.get(name);
  if (type)
    return type.arrays > 0 || (type.keyword === 'struct' && type.pointers === 0)
      ? localVariable(state.interner, name).start
      : undefinedValue(state.interner, name).start;
  if (name === 'NULL' || name === 'false') return NULL;
  if (name === 'true') return int(1);
  if (isErrnoName(name)) return namedConstant(state, name, true);
  if (
    run.index.functions(run.file, name).length ||
    isLifecycleName(name, run.kernel, run.index.module.wrappers)
  )
    return { kind: 'function', name };
  const variable = run.index.variable(run.file, name);
  if (!variable) {
    const value = run.index.constant(run.file, name);
    return value === null ? namedConstant(state, name, false) : int(value);
  }
  const typeName = variable.item.type;
  if (typeName.arrays > 0 || (typeName.pointers === 0 && typeName.keyword !== null)) {
    return known(state, globalVariable(state.interner, name), POSITIVE);
  }
  return loadPlace(run, state, globalVariable(state.interner, name).start, at);
}

/** The kernel's error codes, but for one without an underscore. */
function isErrnoName(name: string): boolean {
  return /^E[A-Z0-9]+$/.test(name) || name === 'EPROBE_DEFER';
}

/** A name that the module does not define: what starts with E and is in capitals is an errno. */
function namedConstant({ interner }: PathState, name: string, isErrno: boolean): Place {
  return symbol(interner, name, { isErrno, isNegated: false }).start;
}

function unary(run: Run, expr: PathState, item: Extract<Expr, { kind: 'unary' }>): Evaluated[] {
  if (item.op === '&') {
    if (
      item.operand.kind === 'name' &&
      run.index.functions(run.file, item.operand.name).length &&
      !run.locals.has(item.operand.name)
    )
      return [{ state: expr, value: { kind: 'function', name: item.operand.name } }];
    return places(run, expr, item.operand, 'address').map(({ state: next, place }) => {
      if (place.object.kind === 'local' || place.object.kind === 'global')
        next.masks.set(place.object, POSITIVE);
      return { state: next, value: place };
    });
  }
  if (item.op === '*')
    return places(run, expr, item, 'read').map(({ state: next, place }) => ({
      state: next,
      value: loadPlace(run, next, place, item.start),
    }));
  return evaluate(run, expr, item.operand).map(({ state: next, value: operand }) => {
    if (operand.kind === 'int')
      return {
        state: next,
        value: int(appliedTo(item.op, operand.value)),
      };
    return { state: next, value: inverse(next, item.op, operand) ?? fresh(next, identityOf(item)) };
  });
}

/** The value of a unary operator for a number; other operators keep it. */
function appliedTo(op: string, value: number): number {
  switch (op) {
    case '-':
      return -value;
    case '!':
      return Number(value === 0);
    case '~':
      return ~value;
    default:
      return value;
  }
}

/** `!value` and `-value`; null for the other operators. */
function inverse(
  state: PathState,
  op: string,
  value: Exclude<Value, { kind: 'int' }>,
): Value | null {
  const index = maskOf(state, value);
  if (op === '!') {
    if (index === ZERO) return int(1);
    if ((index & ZERO) === 0) return int(0);
    return computedValue(state, op, [value], ZERO | POSITIVE);
  }
  if (op !== '-' || value.kind !== 'pointer') return null;
  const mask =
    (index & ZERO) | (index & POSITIVE ? NEGATIVE : 0) | (index & NEGATIVE ? POSITIVE : 0);
  const { object } = value;
  if (object.kind !== 'symbol') return computedValue(state, op, [value], mask);
  return symbol(state.interner, object.name, { ...object, isNegated: !object.isNegated }).start;
}

function computedValue(
  state: PathState,
  op: string,
  operands: readonly Value[],
  mask: Mask,
): Place | null {
  const object = computed(state.interner, op, operands);
  return object && known(state, object, mask);
}

/** The truth of a condition as a value: each is a path. */
export function truthOf(run: Run, state: PathState, condition: Expr): Evaluated[] {
  const { yes, no } = decide(run, state, condition);
  return [
    ...yes.map((next) => ({ state: next, value: int(1) })),
    ...no.map((next) => ({ state: next, value: NULL })),
  ];
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '>', '<=', '>=', '&&', '||']);

function binary(run: Run, expr: PathState, item: Extract<Expr, { kind: 'binary' }>): Evaluated[] {
  if (COMPARISONS.has(item.op)) return truthOf(run, expr, item);
  return evaluate(run, expr, item.left).flatMap((result) =>
    evaluate(run, result.state, item.right).map((outcome) => {
      const sum = combine(outcome.state, item.op, result.value, outcome.value);
      if (sum !== null)
        return {
          state: outcome.state,
          value: sum === 'negative' ? someErrno(outcome.state, identityOf(item)) : sum,
        };
      const place = computedValue(outcome.state, item.op, [result.value, outcome.value], ANY);
      return { state: outcome.state, value: place ?? fresh(outcome.state, identityOf(item)) };
    }),
  );
}

function assignment(
  run: Run,
  next: PathState,
  assign: Extract<Expr, { kind: 'assign' }>,
): Evaluated[] {
  return evaluate(run, next, assign.value).flatMap(({ state: after, value: operand }) =>
    places(run, after, assign.target, 'write').map(({ state: branch, place }) => {
      const value = assign.op === '=' ? operand : compound(run, branch, assign, place, operand);
      if (assign.op === '=') {
        if (assign.value.kind === 'name' && assign.value.name === 'NULL')
          noteCleared(run, branch, place, assign);
      } else operatorCount(run, branch, place, assign.op, assign);
      if (value.kind === 'pointer' && value.object.kind === 'result')
        learnFromTarget(run, branch, assign.target, value.object);
      storePlace(run, branch, place, value);
      // Put among others (an array, a list), it can be reached there in ways that are not followed.
      if (value.kind === 'pointer' && (place.object.isWeak || place.hasElement)) {
        escape(run, branch, value, assign, '');
        if (branch.devices.has(value.object)) store(branch, keptElement(branch.interner), value);
      }
      return { state: branch, value };
    }),
  );
}

/** The type of what a result is stored in says what the result is. */
function learnFromTarget(run: Run, state: PathState, target: Expr, result: AbstractObject): void {
  if (!state.held?.size) return;
  const type = declaredType(run, target);
  if (type !== null) learnType(state, result, type.pointers > 0);
}

/** The value after `level++`. */
function counted(
  run: Run,
  state: PathState,
  update: Extract<Expr, { kind: 'update' }>,
  place: Place,
): Value {
  const sum = combine(
    state,
    update.op === '++' ? '+' : '-',
    loadPlace(run, state, place, update.operand.start),
    int(1),
  );
  return sum === null || sum === 'negative' ? fresh(state, identityOf(update)) : sum;
}

/** The value after `err |= v` and its like. */
function compound(
  run: Run,
  state: PathState,
  assignment: Extract<Expr, { kind: 'assign' }>,
  place: Place,
  value: Value,
): Value {
  const sum = combine(
    state,
    assignment.op.slice(0, -1),
    loadPlace(run, state, place, assignment.target.start),
    value,
  );
  return sum === 'negative'
    ? someErrno(state, identityOf(assignment))
    : (sum ?? fresh(state, identityOf(assignment)));
}

function statements(run: Run, state: PathState, body: readonly Stmt[], at: number): Evaluated[] {
  let out: Evaluated[] = [{ state, value: fresh(state, at) }];
  for (const stmt of body) {
    if (out.length > MAX_WAYS)
      out = fewer(
        out.map((outcome) => outcome.state),
        stmt.start,
      ).map((next) => ({ state: next, value: fresh(next, at) }));
    if (stmt.kind === 'expr')
      out = out.flatMap((outcome) => evaluate(run, outcome.state, stmt.expr));
    else if (stmt.kind === 'decl')
      out = out.flatMap((outcome) =>
        stmt.init
          ? evaluate(run, outcome.state, stmt.init).map((result) => {
              setVariable(run, result.state, stmt.name, result.value);
              return result;
            })
          : [outcome],
      );
    else for (const outcome of out) loseCertainty(outcome.state); // control flow inside an expression
  }
  return out;
}
