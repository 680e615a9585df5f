/**
 * What a path knows after a condition: comparisons, tests of pointers and results, configuration.
 */
import { type PointerTest, pointerTestOf } from '../../kernel/macros.ts';
import type { CallExpr, Expr } from '../../ir/types.ts';
import { walkExpr, walkStmt } from '../../ir/visit.ts';
import type { Span } from '../../text/span.ts';
import { behaviourOf, testedArgument } from '../../kernel/lookup.ts';
import { guessedTest } from '../../kernel/heuristics.ts';
import { resultsOf } from './answering.ts';
import { combine } from './arithmetic.ts';
import { evaluate } from './evaluate.ts';
import { loseCertainty, test, testNull } from './device-operations.ts';
import { site, sourceText, type Run } from './run.ts';
import { computed, type AbstractObject, type ObjectOf } from '../domain/objects.ts';
import { addStep, assume, fork, holdersOf, maskOf, type PathState } from '../domain/path-state.ts';
import {
  ANY,
  NEGATIVE,
  POSITIVE,
  ZERO,
  isZero,
  sameValue,
  type Mask,
  type Value,
} from '../domain/values.ts';

/** The paths behind a condition: where it holds, and where it does not. */
export interface Arms {
  readonly yes: readonly PathState[];
  readonly no: readonly PathState[];
}

/**
 * The paths of both arms of a condition, which is evaluated once. Takes over `next`. Splits at `&&`
 * and `||`, narrows what is compared.
 */
export function decide(run: Run, next: PathState, expr: Expr, whole: Span = expr): Arms {
  if (expr.kind === 'unary' && expr.op === '!') {
    const { yes, no } = decide(run, next, expr.operand, whole);
    return { yes: no, no: yes };
  }
  if (expr.kind === 'cast') return decide(run, next, expr.operand, whole);
  if (expr.kind === 'comma' && expr.items.length > 0) {
    let out: PathState[] = [next];
    for (const operand of expr.items.slice(0, -1))
      out = out.flatMap((state) => evaluate(run, state, operand).map((result) => result.state));
    return allArms(out.map((state) => decide(run, state, expr.items.at(-1)!, whole)));
  }
  if (expr.kind === 'binary') {
    if (expr.op === '&&' || expr.op === '||') {
      const left = decide(run, next, expr.left, whole),
        isAnd = expr.op === '&&',
        goesOn = isAnd ? left.yes : left.no;
      const right = allArms(goesOn.map((state) => decide(run, state, expr.right, whole)));
      return isAnd
        ? { yes: right.yes, no: [...left.no, ...right.no] }
        : { yes: [...left.yes, ...right.yes], no: right.no };
    }
    if (expr.op in FLIPPED) return compare(run, next, expr.op, expr.left, expr.right, whole);
  }
  if (expr.kind === 'call' && expr.name !== null) {
    const form = pointerTestOf(expr.name);
    if (form && expr.args[0]) return errorTest(run, next, expr, expr.args[0], form, whole);
    const tested = expr.args[testedArgument(expr.name) ?? expr.args.length];
    if (tested) return decide(run, next, tested, whole);
    const result = isUnseen(run, expr.name) ? resultAmong(run, next, expr.args) : null;
    if (result) return unseenTest(run, next, expr, result, whole);
  }
  return allArms(
    evaluate(run, next, expr).map(({ state: after, value: operand }) => {
      if (operand.kind === 'pointer' && expr.kind !== 'call')
        test(run, after, operand.object, expr, whole, 'null');
      else if (isZero(operand) && isPointer(run, expr)) testNull(run, after, expr, whole, 'null');
      noteUndecided(after, operand, ZERO);
      return armsWhere(after, (state, truth) =>
        assume(state, operand, truth ? POSITIVE | NEGATIVE : ZERO),
      );
    }),
  );
}

function allArms(list: readonly Arms[]): Arms {
  return list.length === 1
    ? list[0]!
    : { yes: list.flatMap(({ yes }) => yes), no: list.flatMap(({ no }) => no) };
}

/** The arms of one path. `narrow` says whether a state can be in an arm, and narrows it to that. */
function armsWhere(state: PathState, narrow: (state: PathState, truth: boolean) => boolean): Arms {
  const other = fork(state);
  return { yes: narrow(other, true) ? [other] : [], no: narrow(state, false) ? [state] : [] };
}

/** What a pointer is for which the test holds. */
const HOLDS_FOR: Readonly<Record<PointerTest, Mask>> = {
  'is-err': NEGATIVE,
  'is-err-or-null': NEGATIVE | ZERO,
  null: ZERO,
};

function errorTest(
  run: Run,
  next: PathState,
  expr: Expr,
  tested: Expr,
  form: PointerTest,
  whole: Span,
): Arms {
  const yes = HOLDS_FOR[form];
  return allArms(
    evaluate(run, next, tested).map(({ state: after, value: operand }) => {
      if (operand.kind === 'pointer') test(run, after, operand.object, expr, whole, form);
      else if (form !== 'null' && isZero(operand)) testNull(run, after, expr, whole, form);
      return armsWhere(after, (state, truth) => assume(state, operand, truth ? yes : 7 & ~yes));
    }),
  );
}

/** Neither the module nor the kernel's tables know a function or macro of this name. */
function isUnseen(run: Run, name: string): boolean {
  return (
    !run.locals.has(name) &&
    run.index.functions(run.file, name).length === 0 &&
    run.index.macroFunctions(run.file, name).length === 0 &&
    behaviourOf(name, run.kernel, run.index.module.wrappers) === undefined
  );
}

/**
 * The variable among the arguments that has what a call answered, whether it could; null where the
 * others may be more than a message.
 */
function resultAmong(run: Run, state: PathState, args: readonly Expr[]): NamedResult | null {
  const others = args.filter((arg) => arg.kind !== 'string' && arg.kind !== 'number');
  const [expr] = others;
  if (others.length !== 1 || expr?.kind !== 'name') return null;
  const value = state.env.get(expr.name);
  if (!value) return null;
  const isResult = isZero(value) ? resultsOf(run.fn).has(expr.name) : isOutcome(state, value);
  return isResult ? { expr, value } : null;
}

interface NamedResult {
  readonly expr: Expr;
  readonly value: Value;
}

function isOutcome(state: PathState, value: Value): boolean {
  if (value.kind !== 'pointer' || value.parent !== null) return false;
  const { object } = value;
  if (object.kind === 'allocation') return state.devices.get(object)?.state.checked === false;
  return object.kind === 'result' && (object.of === 'errno' || object.of === 'error');
}

/**
 * A test of a result by a macro or function that cannot be seen. It most likely tells success from
 * failure; which it holds for is guessed from its name, or else from the arm that leaves. Nothing
 * after it is certain.
 */
function unseenTest(
  run: Run,
  state: PathState,
  call: CallExpr,
  { expr, value }: NamedResult,
  whole: Span,
): Arms {
  const byName = guessedTest(call.name!);
  const guess = byName ?? guessedByArm(run, call, whole);
  const basis = byName === null ? 'the arm that returns' : 'its name';
  const isPointed = value.kind === 'pointer' && state.devices.has(value.object);
  const failure = isPointed ? NEGATIVE | ZERO : NEGATIVE | POSITIVE;
  const holds = guess === 'failure' ? failure : ANY & ~failure;
  return armsWhere(state, (arm, truth) => {
    addStep(arm, {
      site: site(run, call),
      kind: 'branch',
      text: `${sourceText(run, call)} taken as ${truth} by ${basis}: ${call.name!} was not found`,
    });
    loseCertainty(arm);
    if (isPointed) test(run, arm, value.object, expr, whole, 'is-err');
    return assume(arm, value, truth ? holds : ANY & ~holds);
  });
}

/** `if (test) goto err;`: what leaves is the failure, but for a `return 0`. */
function guessedByArm({ fn }: Run, call: CallExpr, whole: Span): 'failure' | 'success' {
  let leavesWell = false;
  let isNegated = false;
  walkStmt(fn.body, (stmt) => {
    if (stmt.kind !== 'if' || whole.start < stmt.condition.start || whole.end > stmt.condition.end)
      return;
    const last = stmt.then.kind === 'block' ? stmt.then.body.at(-1) : stmt.then;
    leavesWell = last?.kind === 'return' && last.value?.kind === 'number' && last.value.value === 0;
    walkExpr(stmt.condition, (part) => {
      isNegated ||= part.kind === 'unary' && part.op === '!' && part.operand.start === call.start;
    });
  });
  return leavesWell === isNegated ? 'failure' : 'success';
}

/** A pointer variable of the function. */
function isPointer(run: Run, expr: Expr): boolean {
  return expr.kind === 'name' && (run.locals.get(expr.name)?.pointers ?? 0) > 0;
}

/** `0 < x` is `x > 0`. */
const FLIPPED: Readonly<Record<string, string>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
};
const NEGATED: Readonly<Record<string, string>> = {
  '==': '!=',
  '!=': '==',
  '<': '>=',
  '>': '<=',
  '<=': '>',
  '>=': '<',
};
/** The classes for which `x OP 0` holds. */
const AGAINST_ZERO: Readonly<Record<string, Mask>> = {
  '==': ZERO,
  '!=': POSITIVE | NEGATIVE,
  '<': NEGATIVE,
  '<=': NEGATIVE | ZERO,
  '>': POSITIVE,
  '>=': POSITIVE | ZERO,
};

function compare(
  run: Run,
  state: PathState,
  op: string,
  left: Expr,
  right: Expr,
  whole: Span,
): Arms {
  const arms = evaluate(run, state, left).flatMap((result) =>
    evaluate(run, result.state, right).map((outcome) => {
      const next = outcome.state,
        equality = op === '==' || op === '!=';
      if (equality && isZero(outcome.value) && result.value.kind === 'pointer')
        test(run, next, result.value.object, left, whole, 'null');
      if (equality && isZero(outcome.value) && isZero(result.value) && isPointer(run, left))
        testNull(run, next, left, whole, 'null');
      if (equality && isZero(result.value) && isZero(outcome.value) && isPointer(run, right))
        testNull(run, next, right, whole, 'null');
      if (equality && isZero(result.value) && outcome.value.kind === 'pointer')
        test(run, next, outcome.value.object, right, whole, 'null');
      const areNames = isConstantName(left, result.value) && isConstantName(right, outcome.value);
      if (
        !areNames &&
        ((isUnknownConstant(next, result.value) && isResult(next, right, outcome.value)) ||
          (isUnknownConstant(next, outcome.value) && isResult(next, left, result.value)))
      )
        loseCertainty(next);
      return armsWhere(next, (arm, truth) =>
        compareValues(arm, op, result.value, outcome.value, truth, areNames),
      );
    }),
  );
  return allArms(arms);
}

/**
 * Whether the path can go on where `l OP r` is `truth`. By number, by identity, else remembered as
 * a value that is computed from the two so that the next comparison agrees.
 * @param areNames both stand there as names of constants, which may be equal or not.
 */
export function compareValues(
  state: PathState,
  op: string,
  left: Value,
  right: Value,
  truth: boolean,
  areNames = false,
): boolean {
  if (left.kind === 'int' && right.kind === 'int')
    return holds(op, left.value, right.value) === truth;
  if (isZero(right)) return againstZero(state, op, left, truth);
  if (isZero(left)) return againstZero(state, FLIPPED[op]!, right, truth);
  if (sameValue(left, right)) return (op === '==' || op === '<=' || op === '>=') === truth;
  const effective = truth ? op : NEGATED[op]!;
  // Result codes of an unseen header: a result that is the one is most likely not the other.
  if (
    effective === '==' &&
    !areNames &&
    isUnknownConstant(state, left) &&
    isUnknownConstant(state, right)
  )
    return false;
  if (effective === '==') {
    const common = maskOf(state, left) & maskOf(state, right);
    if (common === 0) return false;
    if (isErrno(left) && isErrno(right)) return false;
    if (isOlderThan(state, left, right) || isOlderThan(state, right, left)) return false;
    if (!assume(state, left, common) || !assume(state, right, common)) return false;
  }
  if (
    effective === '>' &&
    (maskOf(state, right) & NEGATIVE) === 0 &&
    !assume(state, left, POSITIVE)
  )
    return false;
  if (
    effective === '<' &&
    (maskOf(state, right) & POSITIVE) === 0 &&
    !assume(state, left, NEGATIVE)
  )
    return false;
  noteUndecided(state, left, ANY);
  noteUndecided(state, right, ANY);
  const fact = computed(state.interner, op, [left, right]);
  if (right.kind === 'int' && effective === '==' && isAnotherNumber(state, left, fact))
    return false;
  return fact === null || assume(state, fact.start, truth ? POSITIVE : ZERO);
}

/** The path knows that the value is some other number. */
function isAnotherNumber(state: PathState, value: Value, fact: AbstractObject | null): boolean {
  for (const [object, mask] of state.masks) {
    if (mask !== POSITIVE || object.kind !== 'computed' || object.op !== '==' || object === fact)
      continue;
    const [left, right] = object.operands;
    if (right?.kind === 'int' && sameValue(left!, value)) return true;
  }
  return false;
}

/**
 * Takes what a helper knows of a computed value over into its caller, the operands translated;
 * false when the caller knows better.
 */
export function assumeComputed(
  state: PathState,
  { op, operands }: ObjectOf<'computed'>,
  mask: Mask,
  translate: (operand: Value) => Value | null,
): boolean {
  const [left, right] = operands.map(translate);
  if (!left || !right) return true;
  return op === '&'
    ? assumeBits(state, left, right, mask)
    : compareValues(state, op, left, right, mask === POSITIVE);
}

/** `p->flags & FLAG` is zero, or is not. */
function assumeBits(state: PathState, left: Value, right: Value, mask: Mask): boolean {
  const bits = combine(state, '&', left, right);
  const value =
    bits === null || bits === 'negative'
      ? computed(state.interner, '&', [left, right])?.start
      : bits;
  if (!value) return true;
  noteUndecided(state, value, ZERO);
  return assume(state, value, mask);
}

function againstZero(state: PathState, op: string, value: Value, truth: boolean): boolean {
  noteUndecided(state, value, AGAINST_ZERO[op]!);
  return assume(state, value, AGAINST_ZERO[truth ? op : NEGATED[op]!]!);
}

function holds(op: string, left: number, right: number): boolean {
  switch (op) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    default:
      return left >= right;
  }
}

/**
 * A value that the path worked out, and no literal: compared with a name of an unseen header (`ret
 * != VENDOR_OK`) it decides nothing.
 */
function isResult(state: PathState, expr: Expr, value: Value): boolean {
  return (
    expr.kind !== 'number' &&
    !(expr.kind === 'name' && expr.name === 'NULL') &&
    (isUnknownConstant(state, value) || maskOf(state, value) !== ANY)
  );
}

/** A constant that no header defines, under its own name: `PAGE_SIZE`. */
function isConstantName(expr: Expr, value: Value): boolean {
  return (
    expr.kind === 'name' &&
    value.kind === 'pointer' &&
    value.object.kind === 'symbol' &&
    value.object.name === expr.name
  );
}

/** A name of an unseen header. */
function isUnknownConstant(state: PathState, value: Value): boolean {
  return (
    value.kind === 'pointer' &&
    value.object.kind === 'symbol' &&
    value.parent === null &&
    maskOf(state, value) === ANY
  );
}

/** What was there before memory was allocated does not point to it, unless unseen code has it. */
function isOlderThan(state: PathState, older: Value, made: Value): boolean {
  return (
    older.kind === 'pointer' &&
    older.object.kind === 'load' &&
    made.kind === 'pointer' &&
    made.object.kind === 'allocation' &&
    state.devices.get(made.object)?.state.escaped !== true
  );
}

/** Error codes with different names have different numbers. */
function isErrno(value: Value): boolean {
  return value.kind === 'pointer' && value.object.kind === 'symbol' && value.object.isErrno;
}

/**
 * A test that nothing known decides, of a member of a tracked device or of what a call said about
 * one.
 */
export function noteUndecided(state: PathState, value: Value, mask: Mask): void {
  if (value.kind !== 'pointer' || !isOwnState(state, value.object)) return;
  const index = maskOf(state, value);
  if (mask === ANY || ((index & mask) !== 0 && (index & ~mask) !== 0)) state.followsOwnState = true;
}

function isOwnState(state: PathState, object: AbstractObject): boolean {
  switch (object.kind) {
    case 'computed':
      return object.operands.some(
        (value) => value.kind === 'pointer' && isOwnState(state, value.object),
      );
    case 'load':
      return state.devices.has(object.from.object);
    case 'result':
      return object.of === 'state' || (object.of === 'value' && isMemberOfDevice(state, object));
    default:
      return false;
  }
}

function isMemberOfDevice(state: PathState, object: AbstractObject): boolean {
  for (const [at] of holdersOf(state, object)) if (state.devices.has(at.object)) return true;
  return false;
}
