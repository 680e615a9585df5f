import type { CallExpr, Expr } from '../ir/types.ts';
import { walkExpr, walkStmt } from '../ir/visit.ts';
import type { Span } from '../text/span.ts';
import { behaviourOf, testedArgument } from '../kernel/lookup.ts';
import { guessedTest } from '../kernel/result-tests.ts';
import { resultsOf } from './answering.ts';
import { combine } from './arithmetic.ts';
import { evaluate } from './evaluate.ts';
import { loseCertainty, test, testNull } from './operate.ts';
import { site, sourceText, type Run } from './run.ts';
import { computed, type AbstractObject, type ObjectOf } from './domain/objects.ts';
import { addStep, assume, fork, holdersOf, maskOf, type PathState } from './domain/path-state.ts';
import {
  ANY,
  NEGATIVE,
  POSITIVE,
  ZERO,
  isZero,
  sameValue,
  type Mask,
  type Value,
} from './domain/values.ts';

/**
 * The paths on which a condition is `truth`. Takes over `s`. Splits at `&&` and `||`, narrows what
 * is compared.
 */
export function decide(
  run: Run,
  s: PathState,
  e: Expr,
  truth: boolean,
  whole: Span = e,
): PathState[] {
  if (e.kind === 'unary' && e.op === '!') return decide(run, s, e.operand, !truth, whole);
  if (e.kind === 'cast') return decide(run, s, e.operand, truth, whole);
  if (e.kind === 'comma' && e.items.length > 0) {
    let out: PathState[] = [s];
    for (const x of e.items.slice(0, -1))
      out = out.flatMap((t) => evaluate(run, t, x).map((r) => r.s));
    return out.flatMap((t) => decide(run, t, e.items.at(-1)!, truth, whole));
  }
  if (e.kind === 'binary') {
    if (e.op === '&&' || e.op === '||') {
      const both = (e.op === '&&') === truth;
      if (both)
        return decide(run, s, e.left, truth, whole).flatMap((t) =>
          decide(run, t, e.right, truth, whole),
        );
      return [
        ...decide(run, fork(s), e.left, truth, whole),
        ...decide(run, s, e.left, !truth, whole).flatMap((t) =>
          decide(run, t, e.right, truth, whole),
        ),
      ];
    }
    if (e.op in FLIPPED) return compare(run, s, e.op, e.left, e.right, truth, whole);
  }
  if (e.kind === 'call' && e.name !== null) {
    const form = ERROR_TESTS[e.name];
    if (form && e.args[0]) return errorTest(run, s, e, e.args[0], form, truth, whole);
    const tested = e.args[testedArgument(e.name) ?? e.args.length];
    if (tested) return decide(run, s, tested, truth, whole);
    const result = isUnseen(run, e.name) ? resultAmong(run, s, e.args) : null;
    if (result) return unseenTest(run, s, e, result, truth, whole);
  }
  return evaluate(run, s, e).flatMap(({ s: t, v }) => {
    if (v.kind === 'pointer' && e.kind !== 'call') test(run, t, v.object, e, whole, 'null');
    else if (isZero(v) && isPointer(run, e)) testNull(run, t, e, whole, 'null');
    noteUndecided(t, v, ZERO);
    return assume(t, v, truth ? POSITIVE | NEGATIVE : ZERO) ? [t] : [];
  });
}

type PointerTest = 'is-err' | 'is-err-or-null' | 'null';
const ERROR_TESTS: Readonly<Record<string, PointerTest | undefined>> = Object.assign(
  Object.create(null),
  {
    IS_ERR: 'is-err',
    IS_ERR_VALUE: 'is-err',
    IS_ERR_OR_NULL: 'is-err-or-null',
    ZERO_OR_NULL_PTR: 'null',
  },
);
/** What a pointer is for which the test holds. */
const HOLDS_FOR: Readonly<Record<PointerTest, Mask>> = {
  'is-err': NEGATIVE,
  'is-err-or-null': NEGATIVE | ZERO,
  null: ZERO,
};

function errorTest(
  run: Run,
  s: PathState,
  e: Expr,
  tested: Expr,
  form: PointerTest,
  truth: boolean,
  whole: Span,
): PathState[] {
  const yes = HOLDS_FOR[form];
  return evaluate(run, s, tested).flatMap(({ s: t, v }) => {
    if (v.kind === 'pointer') test(run, t, v.object, e, whole, form);
    else if (form === 'is-err-or-null' && isZero(v)) testNull(run, t, e, whole, form);
    return assume(t, v, truth ? yes : 7 & ~yes) ? [t] : [];
  });
}

/** Neither the module nor the kernel's tables know a function or macro of this name. */
function isUnseen(run: Run, name: string): boolean {
  return (
    !run.locals.has(name) &&
    run.index.functions(run.file, name).length === 0 &&
    run.index.macroFunction(run.file, name) === null &&
    behaviourOf(name, run.kernel, run.index.module.wrappers) === undefined
  );
}

/**
 * The variable among the arguments that has what a call answered, whether it could; null where the
 * others may be more than a message.
 */
function resultAmong(run: Run, s: PathState, args: readonly Expr[]): NamedResult | null {
  const others = args.filter((arg) => arg.kind !== 'string' && arg.kind !== 'number');
  const [expr] = others;
  if (others.length !== 1 || expr?.kind !== 'name') return null;
  const value = s.env.get(expr.name);
  if (!value) return null;
  const isResult = isZero(value) ? resultsOf(run.fn).has(expr.name) : isOutcome(s, value);
  return isResult ? { expr, value } : null;
}

interface NamedResult {
  readonly expr: Expr;
  readonly value: Value;
}

function isOutcome(s: PathState, value: Value): boolean {
  if (value.kind !== 'pointer' || value.parent !== null) return false;
  const { object } = value;
  if (object.kind === 'allocation') return s.devices.get(object)?.state.checked === false;
  return object.kind === 'result' && (object.of === 'errno' || object.of === 'error');
}

/**
 * A test of a result by a macro or function that cannot be seen. It most likely tells success from
 * failure; which it holds for is guessed from its name, or else from the arm that leaves. Nothing
 * after it is certain.
 */
function unseenTest(
  run: Run,
  s: PathState,
  e: CallExpr,
  { expr, value }: NamedResult,
  truth: boolean,
  whole: Span,
): PathState[] {
  const guess = guessedTest(e.name!) ?? guessedByArm(run, e, whole);
  addStep(s, {
    site: site(run, e),
    kind: 'branch',
    text: `${sourceText(run, e)} taken as ${truth}: ${e.name!} was not found`,
  });
  loseCertainty(s);
  const isPointed = value.kind === 'pointer' && s.devices.has(value.object);
  const failure = isPointed ? NEGATIVE | ZERO : NEGATIVE | POSITIVE;
  if (isPointed) test(run, s, value.object, expr, whole, 'is-err');
  const holds = guess === 'failure' ? failure : ANY & ~failure;
  return assume(s, value, truth ? holds : ANY & ~holds) ? [s] : [];
}

/** `if (test) goto err;`: what leaves is the failure, but for a `return 0`. */
function guessedByArm({ fn }: Run, e: CallExpr, whole: Span): 'failure' | 'success' {
  let leavesWell = false;
  let isNegated = false;
  walkStmt(fn.body, (stmt) => {
    if (stmt.kind !== 'if' || whole.start < stmt.condition.start || whole.end > stmt.condition.end)
      return;
    const last = stmt.then.kind === 'block' ? stmt.then.body.at(-1) : stmt.then;
    leavesWell = last?.kind === 'return' && last.value?.kind === 'number' && last.value.value === 0;
    walkExpr(stmt.condition, (part) => {
      isNegated ||= part.kind === 'unary' && part.op === '!' && part.operand.start === e.start;
    });
  });
  return leavesWell === isNegated ? 'failure' : 'success';
}

/** A pointer variable of the function. */
function isPointer(run: Run, e: Expr): boolean {
  return e.kind === 'name' && (run.locals.get(e.name)?.pointers ?? 0) > 0;
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
  s: PathState,
  op: string,
  left: Expr,
  right: Expr,
  truth: boolean,
  whole: Span,
): PathState[] {
  return evaluate(run, s, left).flatMap((l) =>
    evaluate(run, l.s, right).flatMap((r) => {
      const t = r.s,
        equality = op === '==' || op === '!=';
      if (equality && isZero(r.v) && l.v.kind === 'pointer')
        test(run, t, l.v.object, left, whole, 'null');
      if (equality && isZero(r.v) && isZero(l.v) && isPointer(run, left))
        testNull(run, t, left, whole, 'null');
      if (equality && isZero(l.v) && isZero(r.v) && isPointer(run, right))
        testNull(run, t, right, whole, 'null');
      if (equality && isZero(l.v) && r.v.kind === 'pointer')
        test(run, t, r.v.object, right, whole, 'null');
      const areNames = isConstantName(left, l.v) && isConstantName(right, r.v);
      if (
        !areNames &&
        ((isUnknownConstant(t, l.v) && isResult(t, right, r.v)) ||
          (isUnknownConstant(t, r.v) && isResult(t, left, l.v)))
      )
        loseCertainty(t);
      return compareValues(t, op, l.v, r.v, truth, areNames) ? [t] : [];
    }),
  );
}

/**
 * Whether the path can go on where `l OP r` is `truth`. By number, by identity, else remembered as
 * a value that is computed from the two so that the next comparison agrees.
 * @param areNames both stand there as names of constants, which may be equal or not.
 */
export function compareValues(
  s: PathState,
  op: string,
  l: Value,
  r: Value,
  truth: boolean,
  areNames = false,
): boolean {
  if (l.kind === 'int' && r.kind === 'int') return holds(op, l.value, r.value) === truth;
  if (isZero(r)) return againstZero(s, op, l, truth);
  if (isZero(l)) return againstZero(s, FLIPPED[op]!, r, truth);
  if (sameValue(l, r)) return (op === '==' || op === '<=' || op === '>=') === truth;
  const effective = truth ? op : NEGATED[op]!;
  // Result codes of an unseen header: a result that is the one is most likely not the other.
  if (effective === '==' && !areNames && isUnknownConstant(s, l) && isUnknownConstant(s, r))
    return false;
  if (effective === '==') {
    const common = maskOf(s, l) & maskOf(s, r);
    if (common === 0) return false;
    if (isErrno(l) && isErrno(r)) return false;
    if (isOlderThan(s, l, r) || isOlderThan(s, r, l)) return false;
    if (!assume(s, l, common) || !assume(s, r, common)) return false;
  }
  if (effective === '>' && (maskOf(s, r) & NEGATIVE) === 0 && !assume(s, l, POSITIVE)) return false;
  if (effective === '<' && (maskOf(s, r) & POSITIVE) === 0 && !assume(s, l, NEGATIVE)) return false;
  noteUndecided(s, l, ANY);
  noteUndecided(s, r, ANY);
  const fact = computed(s.interner, op, [l, r]);
  if (r.kind === 'int' && effective === '==' && isAnotherNumber(s, l, fact)) return false;
  return fact === null || assume(s, fact.start, truth ? POSITIVE : ZERO);
}

/** The path knows that the value is some other number. */
function isAnotherNumber(s: PathState, v: Value, fact: AbstractObject | null): boolean {
  for (const [o, m] of s.masks) {
    if (m !== POSITIVE || o.kind !== 'computed' || o.op !== '==' || o === fact) continue;
    const [left, right] = o.operands;
    if (right?.kind === 'int' && sameValue(left!, v)) return true;
  }
  return false;
}

/**
 * Takes what a helper knows of a computed value over into its caller, the operands translated;
 * false when the caller knows better.
 */
export function assumeComputed(
  s: PathState,
  { op, operands }: ObjectOf<'computed'>,
  mask: Mask,
  translate: (operand: Value) => Value | null,
): boolean {
  const [l, r] = operands.map(translate);
  if (!l || !r) return true;
  return op === '&' ? assumeBits(s, l, r, mask) : compareValues(s, op, l, r, mask === POSITIVE);
}

/** `p->flags & FLAG` is zero, or is not. */
function assumeBits(s: PathState, l: Value, r: Value, mask: Mask): boolean {
  const bits = combine(s, '&', l, r);
  const v = bits === null || bits === 'negative' ? computed(s.interner, '&', [l, r])?.start : bits;
  if (!v) return true;
  noteUndecided(s, v, ZERO);
  return assume(s, v, mask);
}

function againstZero(s: PathState, op: string, v: Value, truth: boolean): boolean {
  noteUndecided(s, v, AGAINST_ZERO[op]!);
  return assume(s, v, AGAINST_ZERO[truth ? op : NEGATED[op]!]!);
}

function holds(op: string, a: number, b: number): boolean {
  switch (op) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    default:
      return a >= b;
  }
}

/**
 * A value that the path worked out, and no literal: compared with a name of an unseen header (`ret
 * != VENDOR_OK`) it decides nothing.
 */
function isResult(s: PathState, e: Expr, v: Value): boolean {
  return (
    e.kind !== 'number' &&
    !(e.kind === 'name' && e.name === 'NULL') &&
    (isUnknownConstant(s, v) || maskOf(s, v) !== ANY)
  );
}

/** A constant that no header defines, under its own name: `PAGE_SIZE`. */
function isConstantName(e: Expr, v: Value): boolean {
  return (
    e.kind === 'name' &&
    v.kind === 'pointer' &&
    v.object.kind === 'symbol' &&
    v.object.name === e.name
  );
}

/** A name of an unseen header. */
function isUnknownConstant(s: PathState, v: Value): boolean {
  return (
    v.kind === 'pointer' && v.object.kind === 'symbol' && v.parent === null && maskOf(s, v) === ANY
  );
}

/** What was there before memory was allocated does not point to it, unless unseen code has it. */
function isOlderThan(s: PathState, older: Value, made: Value): boolean {
  return (
    older.kind === 'pointer' &&
    older.object.kind === 'load' &&
    made.kind === 'pointer' &&
    made.object.kind === 'allocation' &&
    s.devices.get(made.object)?.state.escaped !== true
  );
}

/** Error codes with different names have different numbers. */
function isErrno(v: Value): boolean {
  return v.kind === 'pointer' && v.object.kind === 'symbol' && v.object.isErrno;
}

/**
 * A test that nothing known decides, of a member of a tracked device or of what a call said about
 * one.
 */
export function noteUndecided(s: PathState, v: Value, mask: Mask): void {
  if (v.kind !== 'pointer' || !isOwnState(s, v.object)) return;
  const m = maskOf(s, v);
  if (mask === ANY || ((m & mask) !== 0 && (m & ~mask) !== 0)) s.followsOwnState = true;
}

function isOwnState(s: PathState, object: AbstractObject): boolean {
  switch (object.kind) {
    case 'computed':
      return object.operands.some((v) => v.kind === 'pointer' && isOwnState(s, v.object));
    case 'load':
      return s.devices.has(object.from.object);
    case 'result':
      return object.of === 'state' || (object.of === 'value' && isMemberOfDevice(s, object));
    default:
      return false;
  }
}

function isMemberOfDevice(s: PathState, object: AbstractObject): boolean {
  for (const [at] of holdersOf(s, object)) if (s.devices.has(at.object)) return true;
  return false;
}
