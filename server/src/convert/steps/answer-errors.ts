/** The step that makes a helper return an error pointer in place of NULL. */
import { lineEnding } from '../../text/style.ts';
import type { Expr, FunctionIr, IfStmt, ReturnStmt, Stmt } from '../../ir/types.ts';
import { storedName, storedValue } from '../../ir/assigned.ts';
import { compareVersions } from '../../kernel/version.ts';
import { isAllocation, rootOf } from '../plan/allocation.ts';
import { isNullTest, leaves, testAfter } from '../plan/null-test.ts';
import { plain } from '../plan/arguments.ts';
import { errorBranchEdits } from '../rewrite/branch.ts';
import { isNull } from '../query/expressions.ts';
import {
  allExpressions,
  isVariable,
  namesUnder,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { lineIn, refuse, textOf } from '../refusal-error.ts';
import { initsConcerning } from '../modules/concerned.ts';
import { callsOf, type Helper, type HelperCall } from '../modules/helpers.ts';
import { rewriting, type Rewriting } from '../modules/rewriting.ts';
import { assignmentsOf } from '../query/call-sites.ts';
import type { Step } from './types.ts';

/**
 * A helper that allocates and initialises an object, and returns NULL when it cannot, answers with
 * an error pointer, as vfio_alloc_device
 * does, and its callers test for that. All of them must be at hand.
 */
export const answerWithErrors: Step = (step) => {
  if (compareVersions(step.input.kernel, [6, 1]) < 0) return null;
  for (const site of initsConcerning(step)) {
    const { fn, scope } = site;
    const root = rootOf(scope, site.target);
    if (
      !root ||
      fn.opaque ||
      fn.returnType.pointers !== 1 ||
      fn.params.some((param) => param.name === root.name)
    )
      continue;
    const values = assignmentsOf(fn, root.name);
    const allocation = values.length === 1 && isAllocation(values[0]!.value) ? values[0]!.at : null;
    const test =
      allocation && !allocation.sole && !allocation.conditional
        ? testAfter(allocation, root.name)
        : null;
    // Not this form: planConversion says what is in the way.
    if (
      test?.kind !== 'if' ||
      test.otherwise ||
      !isNullTest(test.condition, root.name) ||
      !leaves(test.then)
    )
      continue;
    const helper: Helper = { file: scope.file, fn };
    if (!answersNull(fn, root.name, test)) continue;
    const calls = callsOf(step.input.module, helper);
    if (!calls) {
      refuse(
        'unsuitable-check',
        `${fn.name}() returns NULL when the allocation fails, and not all of its callers were found. Let it return an error pointer, and its callers test IS_ERR(), first.`,
        scope.file,
        test,
      );
    }
    const out = rewriting();
    answerErrors({ helper, variable: root.name, test, calls }, out);
    const callers = [...new Set(calls.map((call) => call.scope.fn.name))];
    return {
      edits: out.done(),
      notes: [
        { text: answerNote(fn.name, callers), site: { path: helper.file.path, ...fn.nameSpan } },
      ],
      touched: [fn.name, ...callers],
    };
  }
  return null;
};

/** What a person is told of it. */
export function answerNote(helper: string, callers: readonly string[]): string {
  const tests =
    callers.length === 0
      ? ''
      : `, and ${callers.map((name) => `${name}()`).join(' and ')} ${callers.length > 1 ? 'test' : 'tests'} for that`;
  return `${helper}() returns an error pointer where it returned NULL${tests}.`;
}

/**
 * A helper that returns `variable`, which it tests for NULL in `test` right after it got it, and
 * all calls of it.
 */
export interface Answer {
  readonly helper: Helper;
  readonly variable: string;
  readonly test: IfStmt;
  readonly calls: readonly HelperCall[];
}

/** Whether a function returns NULL, by name or as the variable that `test` has found to be NULL. */
export function answersNull(fn: FunctionIr, variable: string, test: Stmt): boolean {
  return nullReturns(fn, variable, test).length > 0 || returnedBehind(fn, variable, test) !== null;
}

/**
 * NULL becomes an error pointer: in the returns of the helper, and in the tests of its callers.
 * Throws RefusedError where a return may be
 * something else, or a caller does more with the result than to test it at once.
 */
export function answerErrors({ helper, variable, test, calls }: Answer, out: Rewriting): void {
  const { file, fn } = helper;
  const nulls = nullReturns(fn, variable, test);
  const behind = returnedBehind(fn, variable, test);
  const odd =
    behind ??
    returnsOf(fn).find(
      (stmt) =>
        stmt.value &&
        !nulls.includes(stmt.value) &&
        !isVariable(stmt.value, variable) &&
        !isErrorPointer(stmt.value),
    );
  if (odd || !isNullTest(test.condition, variable)) {
    const what = odd
      ? `\`${plain(textOf(file, odd))}\` in ${fn.name}() may return NULL, or not`
      : `\`${textOf(file, test.condition)}\` in ${fn.name}() is not a plain NULL test of \`${variable}\``;
    refuse(
      'unsuitable-check',
      `${what}, and its callers rely on NULL. Test \`!${variable}\` alone, and \`return NULL;\` if there is no object.`,
      file,
      odd ?? test.condition,
    );
  }
  const wiped = statementsOf(fn).find(({ stmt }) =>
    allExpressions(stmt).some(
      (expr) => expr.kind === 'assign' && isVariable(expr.target, variable) && isNull(expr.value),
    ),
  );
  if (wiped)
    refuse(
      'unsuitable-check',
      `\`${plain(textOf(file, wiped.stmt))}\` makes ${fn.name}() return NULL by its variable, and its callers rely on that. Return NULL there.`,
      file,
      wiped.stmt,
    );
  for (const value of nulls)
    out.edit(file, 'allocation', { span: value, newText: 'ERR_PTR(-ENOMEM)' });
  for (const call of calls) answerCaller(fn.name, call, out);
}

/** The test of one caller becomes IS_ERR, and its error code what the pointer says. */
function answerCaller(
  helper: string,
  { scope: { file, fn, locals }, at, call }: HelperCall,
  out: Rewriting,
): void {
  const { stmt } = at;
  const value = storedValue(stmt);
  const isCompound = stmt.kind === 'expr' && stmt.expr.kind === 'assign' && stmt.expr.op !== '=';
  const assigned = value && uncast(value) === call && !isCompound ? storedName(stmt) : null;
  if (
    assigned === null ||
    at.sole ||
    at.conditional ||
    fn.opaque ||
    !locals.has(assigned) ||
    isStatic(fn, assigned)
  ) {
    refuse(
      'unsuitable-check',
      `${helper}() returns NULL on failure, and ${fn.name}() does not get its result in a statement of its own, into a local variable, so that it could be tested for an error pointer. Do so, and test it there.`,
      file,
      call,
    );
  }
  const check = testAfter(at, assigned);
  if (
    check?.kind !== 'if' ||
    check.otherwise ||
    !isNullTest(check.condition, assigned) ||
    !leaves(check.then)
  ) {
    refuse(
      'unchecked-allocation',
      `${helper}() returns NULL on failure, and ${fn.name}() does not test \`!${assigned}\` in the statement after its call, and return. Test it there, in an \`if\` of its own.`,
      file,
      check ?? stmt,
    );
  }
  const places = statementsOf(fn);
  const again = places.find(
    (place) =>
      place.stmt !== check &&
      place.stmt.kind === 'if' &&
      isNullTest(place.stmt.condition, assigned),
  );
  if (again)
    refuse(
      'unsuitable-check',
      `\`${assigned}\` is tested for NULL once more at line ${lineIn(file, again.stmt.start)}; it will never be NULL. First remove that test.`,
      file,
      again.stmt,
    );
  const used = usedWhenFailed(fn, check, assigned);
  if (used)
    refuse(
      'unsuitable-check',
      `\`${assigned}\` is used at line ${lineIn(file, used.start)} when ${helper}() has failed too. That is harmless with NULL, but not with an error pointer. Return before that.`,
      file,
      used,
    );
  for (const edit of errorBranchEdits(
    file,
    { check, variable: assigned, fn },
    lineEnding(file.text),
  ))
    out.edit(file, 'allocation', edit);
}

/**
 * The first use of the variable on the failing path: in the branch, or behind the label that it
 * leaves to.
 */
function usedWhenFailed(fn: FunctionIr, check: IfStmt, variable: string): Stmt | null {
  const places = statementsOf(fn).map(({ stmt }) => stmt);
  const uses = (stmt: Stmt): boolean =>
    allExpressions(stmt).some((expr) => isVariable(expr, variable)) ||
    ((stmt.kind === 'unknown' || stmt.kind === 'asm') && namesUnder(stmt).includes(variable));
  const inside = places.filter(
    (stmt) => stmt.start >= check.then.start && stmt.end <= check.then.end,
  );
  const own = inside.find((stmt) => uses(stmt));
  if (own) return own;
  for (const left of inside) {
    if (left.kind !== 'goto') continue;
    const label = places.find((stmt) => stmt.kind === 'label' && stmt.name === left.label);
    // What a jump backwards comes to cannot be told by the order of the text.
    if (!label || label.start < check.end) return left;
    const behind = places.find((stmt) => stmt.start >= label.start && uses(stmt));
    if (behind) return behind;
  }
  return null;
}

function returnsOf(fn: FunctionIr): ReturnStmt[] {
  return statementsOf(fn).flatMap(({ stmt }) => (stmt.kind === 'return' ? [stmt] : []));
}

/** What is returned as NULL: the word, and the variable in the branch of the test. */
function nullReturns(fn: FunctionIr, variable: string, test: Stmt): Expr[] {
  return returnsOf(fn).flatMap(({ value, start }) =>
    value &&
    (isNull(value) || (isVariable(value, variable) && start > test.start && start < test.end))
      ? [value]
      : [],
  );
}

/**
 * The return behind a label that the branch of the test leaves to, when it returns the variable.
 */
function returnedBehind(fn: FunctionIr, variable: string, test: Stmt): ReturnStmt | null {
  const places = statementsOf(fn).map(({ stmt }) => stmt);
  for (const left of places) {
    if (left.kind !== 'goto' || left.start < test.start || left.end > test.end) continue;
    const label = places.find((stmt) => stmt.kind === 'label' && stmt.name === left.label);
    const exit = label && returnsOf(fn).find((stmt) => stmt.start >= label.start);
    if (exit?.value && isVariable(exit.value, variable)) return exit;
  }
  return null;
}

function isErrorPointer(expr: Expr): boolean {
  const inner = uncast(expr);
  return inner.kind === 'call' && (inner.name === 'ERR_PTR' || inner.name === 'ERR_CAST');
}

function isStatic(fn: FunctionIr, name: string): boolean {
  return statementsOf(fn).some(
    ({ stmt }) => stmt.kind === 'decl' && stmt.name === name && stmt.isStatic,
  );
}
