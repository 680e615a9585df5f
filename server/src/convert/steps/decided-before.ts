/** What can be decided before an allocation, for the steps that move a choice up. */
import { mayCleanUp } from '../../ir/attributes.ts';
import type { CallExpr, Expr, FileIr, FunctionIr, IfStmt, Stmt } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { leaves } from '../plan/null-test.ts';
import { plain } from '../plan/arguments.ts';
import { plainTest } from '../query/expressions.ts';
import {
  expressionsIn,
  isMessage,
  namesIn,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { textOf } from '../refusal-error.ts';
import { assignmentsOf, callSites } from '../query/call-sites.ts';
import { ownsLines } from './drop.ts';
import { isPlainLocal, type Earlier } from './earlier.ts';
import { isPure } from './pure.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

/**
 * The statements right behind the test of an allocation that give a local variable its only value
 * by a call that is given nothing of the
 * object, and that one of `names` comes from. Such a call can be made before the allocation: the
 * object is not known to anyone yet. What
 * it may take is not for the failing allocation to give back, because the later ways out of the
 * function do not give it back either.
 * @param variable holds the object.
 */
export function callsBefore(
  module: Module,
  file: FileIr,
  fn: FunctionIr,
  allocation: Placed,
  before: Stmt,
  names: readonly string[],
  variable: string,
): Earlier[] {
  const found: Earlier[] = [];
  const wanted = new Set(names);
  const gap = allocation.siblings.slice(allocation.index + 1, allocation.siblings.indexOf(before));
  for (const stmt of gap.slice(1)) {
    if (
      stmt.kind !== 'expr' ||
      stmt.expr.kind !== 'assign' ||
      stmt.expr.op !== '=' ||
      stmt.expr.target.kind !== 'name'
    )
      break;
    const {
      target: { name },
      value,
    } = stmt.expr;
    const call = uncast(value);
    if (
      call.kind !== 'call' ||
      call.name === null ||
      !wanted.has(name) ||
      !isPlainLocal(fn, name) ||
      !ownsLines(file.text, stmt)
    )
      break;
    if (call.args.some((arg) => !isPure(file, arg) || namesIn(arg).includes(variable))) break;
    if (!nothingIsUndone(module, file, fn, stmt, variable)) break;
    found.push({ stmt, name, value });
  }
  return found;
}

/**
 * Behind `stmt` the function fails at least once, and then does nothing but give the object back.
 */
function nothingIsUndone(
  module: Module,
  file: FileIr,
  fn: FunctionIr,
  stmt: Stmt,
  variable: string,
): boolean {
  const places = statementsOf(fn);
  const undo = new Set(
    callSites(module, file)
      .filter(
        (site) =>
          site.fn === fn &&
          (site.op === 'free' || site.op === 'uninit') &&
          namesIn(site.target).join() === variable,
      )
      .map((site) => site.at.stmt),
  );
  const label = fn.body.body.find((one) => one.kind === 'label' && one.start > stmt.end);
  const leaving = places.flatMap(({ stmt: one }) =>
    one.kind === 'if' && one.start > stmt.end
      ? [one.then, ...(one.otherwise ? [one.otherwise] : [])].filter(leaves)
      : [],
  );
  const ways = [...leaving, ...(label ? [{ start: label.start, end: fn.body.end }] : [])];
  const isIn = (one: Stmt): boolean =>
    ways.some((way) => one.start >= way.start && one.end <= way.end);
  return (
    ways.length > 0 &&
    places.every(
      ({ stmt: one }) =>
        !isIn(one) ||
        undo.has(one) ||
        ['label', 'goto', 'return', 'block'].includes(one.kind) ||
        isMessage(one) ||
        (one.kind === 'expr' &&
          one.expr.kind === 'assign' &&
          one.expr.target.kind === 'name' &&
          isPure(file, one.expr.value)),
    )
  );
}

/** A test of what a helper has returned, told by what decides it. */
export interface Decided {
  /**
   * The condition that the test stands for, as the caller writes it: true where its first branch is
   * taken.
   */
  readonly condition: string;
  readonly call: Stmt;
  /** What the helper is given that decides. */
  readonly asked: readonly Expr[];
}

/**
 * What decides `ret = helper(p, …); if (!ret)` when the helper fails by looking only: before it
 * touches the object it tests what it is given
 * otherwise, and from then on it succeeds. Null when that is not so.
 */
export function decidedBy(
  file: FileIr,
  test: IfStmt,
  list: readonly Stmt[],
  variable: string,
): Decided | null {
  const before = list[list.indexOf(test) - 1];
  if (
    before?.kind !== 'expr' ||
    before.expr.kind !== 'assign' ||
    before.expr.op !== '=' ||
    before.expr.target.kind !== 'name'
  )
    return null;
  const call = uncast(before.expr.value);
  const wanted = successTested(test.condition, before.expr.target.name);
  if (call.kind !== 'call' || wanted === null) return null;
  const helpers = namedFunctions(file, call.name);
  const success = helpers.length === 1 ? successOf(file, helpers[0]!, call, variable) : null;
  if (!success) return null;
  const all = success.terms.join(' && ');
  const failure = success.terms.length === 1 ? success.failures[0]! : `!(${all})`;
  return {
    condition: wanted ? all : failure,
    call: before,
    asked: success.asked,
  };
}

/**
 * Whether a condition is true for success (`!ret`, `ret == 0`), or for failure (`ret`, `ret < 0`,
 * `ret != 0`); null for any other.
 */
function successTested(condition: Expr, name: string): boolean | null {
  const test = plainTest(condition);
  const isIt = (expr: Expr): boolean => expr.kind === 'name' && expr.name === name;
  if (isIt(test)) return false;
  if (test.kind === 'unary' && test.op === '!' && isIt(plainTest(test.operand))) return true;
  if (
    test.kind !== 'binary' ||
    !isIt(test.left) ||
    test.right.kind !== 'number' ||
    test.right.value !== 0
  )
    return null;
  if (test.op === '==') return true;
  return test.op === '<' || test.op === '!=' ? false : null;
}

/** A text that needs no parentheses as an operand. */
const PLAIN = /^[\w.>()-]+$/;

const OPPOSITE: ReadonlyMap<string, string> = new Map([
  ['<', '>='],
  ['>=', '<'],
  ['>', '<='],
  ['<=', '>'],
  ['==', '!='],
  ['!=', '=='],
]);

interface Success {
  readonly terms: string[];
  readonly failures: string[];
  readonly asked: Expr[];
}

/** The conditions under which a helper returns 0, in the caller's words. */
function successOf(
  file: FileIr,
  helper: FunctionIr,
  call: CallExpr,
  variable: string,
): Success | null {
  const { body } = helper.body;
  const last = body.at(-1);
  if (
    helper.opaque ||
    helper.conditions.length > 0 ||
    last?.kind !== 'return' ||
    !last.value ||
    !isNumber(last.value, 0)
  )
    return null;
  const returns = statementsOf(helper).filter(
    ({ stmt }) => stmt.kind === 'return' && stmt !== last,
  );
  if (
    statementsOf(helper).some(
      ({ stmt }) =>
        stmt.kind === 'goto' ||
        stmt.kind === 'loop' ||
        stmt.kind === 'unknown' ||
        stmt.kind === 'asm' ||
        stmt.kind === 'preproc',
    )
  )
    return null;
  const values = new Map<string, string>();
  const asked = new Set<Expr>();
  const success: Success = { terms: [], failures: [], asked: [] };
  let left = returns.length;
  for (const stmt of body) {
    if (left === 0) break;
    if (stmt.kind === 'decl' && !stmt.isStatic && !mayCleanUp(stmt)) {
      if (stmt.init && !set(stmt.name, stmt.init)) return null;
      continue;
    }
    if (
      stmt.kind === 'expr' &&
      stmt.expr.kind === 'assign' &&
      stmt.expr.op === '=' &&
      stmt.expr.target.kind === 'name'
    ) {
      if (!set(stmt.expr.target.name, stmt.expr.value)) return null;
      continue;
    }
    if (stmt.kind !== 'if' || stmt.otherwise) return null;
    const only = stmt.then.kind === 'block' ? stmt.then.body : [stmt.then];
    const result = only[0];
    if (
      only.length !== 1 ||
      result?.kind !== 'return' ||
      !result.value ||
      !fails(result.value, stmt.condition)
    )
      return null;
    const text = said(stmt.condition);
    const not = opposite(stmt.condition);
    if (text === null || not === null) return null;
    success.terms.push(not);
    success.failures.push(text);
    left--;
  }
  if (left > 0 || success.terms.length === 0) return null;
  return { ...success, asked: [...asked] };

  function set(name: string, value: Expr): boolean {
    const text =
      assignmentsOf(helper, name).length === 1 &&
      !helper.params.some((param) => param.name === name)
        ? said(value)
        : null;
    if (text === null) return false;
    values.set(name, text);
    return true;
  }

  /**
   * An expression of the helper in the caller's words; null when it does more than look, or looks
   * at the object.
   */
  function said(expr: Expr): string | null {
    if (!isPure(file, expr)) return null;
    let text = '';
    let at = expr.start;
    for (const inner of expressionsIn(expr)) {
      if (inner.kind === 'statement-expression' || inner.kind === 'unknown') return null;
      if (inner.kind !== 'name' || inner.start < at) continue;
      const index = helper.params.findIndex((param) => param.name === inner.name);
      const arg = index >= 0 ? call.args[index] : undefined;
      if (index >= 0) {
        if (
          !arg ||
          !isPure(file, arg) ||
          namesIn(arg).includes(variable) ||
          assignmentsOf(helper, inner.name).length > 0
        )
          return null;
        asked.add(arg);
      }
      const known = arg ? plain(textOf(file, arg)) : values.get(inner.name);
      if (known === undefined) {
        // A constant means the same to both; a local that was not seen to be set does not.
        if (
          statementsOf(helper).some(({ stmt }) => stmt.kind === 'decl' && stmt.name === inner.name)
        )
          return null;
        continue;
      }
      const isPlain = PLAIN.test(known) && !known.startsWith('-');
      text += file.text.slice(at, inner.start) + (isPlain || inner === expr ? known : `(${known})`);
      at = inner.end;
    }
    return plain(text + file.text.slice(at, expr.end));
  }

  function opposite(expr: Expr): string | null {
    const test = plainTest(expr);
    if (test.kind === 'unary' && test.op === '!') return said(test.operand);
    const other = test.kind === 'binary' ? OPPOSITE.get(test.op) : undefined;
    if (test.kind === 'binary' && other !== undefined) {
      const [word, right] = [said(test.left), said(test.right)];
      return word === null || right === null ? null : `${word} ${other} ${right}`;
    }
    const text = said(test);
    if (text === null) return null;
    return PLAIN.test(text) ? `!${text}` : `!(${text})`;
  }
}

function isNumber(expr: Expr, value: number): boolean {
  const inner = uncast(expr);
  return inner.kind === 'number' && inner.value === value;
}

/**
 * What is returned under a condition is certainly an error: `-EINVAL`, or the variable that the
 * condition finds below or unlike 0.
 */
function fails(value: Expr, condition: Expr): boolean {
  const inner = uncast(value);
  if (
    inner.kind === 'unary' &&
    inner.op === '-' &&
    inner.operand.kind === 'name' &&
    /^E[A-Z0-9]+$/.test(inner.operand.name)
  )
    return true;
  const test = plainTest(condition);
  if (inner.kind !== 'name') return false;
  if (test.kind === 'name') return test.name === inner.name;
  return (
    test.kind === 'binary' &&
    (test.op === '<' || test.op === '!=') &&
    test.left.kind === 'name' &&
    test.left.name === inner.name &&
    isNumber(test.right, 0)
  );
}
