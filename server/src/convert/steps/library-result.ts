/** Proves that the init of a library can fail as an allocation does. */
import type { Expr, FileIr, FunctionIr, IfStmt, Stmt } from '../../ir/types.ts';
import { leaves, testAfter } from '../plan/null-test.ts';
import { plain } from '../plan/arguments.ts';
import type { Module } from '../../lifecycle/types.ts';
import { hiddenJumps } from '../query/hidden-jumps.ts';
import { plainTest } from '../query/expressions.ts';
import {
  allExpressions,
  isMessage,
  namesIn,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { lineIn, textOf } from '../refusal-error.ts';
import type { HelperCall } from '../modules/helpers.ts';
import type { Rewriting } from '../modules/rewriting.ts';
import { assignmentsOf, callSites, type CallSite } from '../query/call-sites.ts';
import { isPure } from './pure.ts';

/** Gives up: what stands in the way of a callback, and where. */
export type Give = (
  why: string,
  where: FileIr,
  at: { readonly start: number; readonly end: number },
) => never;

/**
 * A function that is to become an `.init` returns 0 or an error as one does: before its init it can
 * only fail. Its own uninits are left to the
 * core, which undoes what it did when `.init` fails.
 */
export function proveReturns(file: FileIr, fn: FunctionIr, site: CallSite, give: Give): void {
  for (const { stmt } of statementsOf(fn)) {
    const early = stmt.start < site.at.stmt.start;
    if (early && (stmt.kind === 'goto' || stmt.kind === 'label' || stmt.kind === 'loop'))
      give(`line ${lineIn(file, stmt.start)} comes before its init. Initialise first.`, file, stmt);
    if (stmt.kind === 'unknown' || stmt.kind === 'asm' || stmt.kind === 'preproc')
      give(`line ${lineIn(file, stmt.start)} was not understood.`, file, stmt);
    if (stmt.kind !== 'return') continue;
    if (!stmt.value) give('it returns without a value.', file, stmt);
    if (early && !isError(stmt.value))
      give(
        `it may return without an error at line ${lineIn(file, stmt.start)}, before it has initialised the device. Initialise first.`,
        file,
        stmt,
      );
    if (uncast(stmt.value).kind === 'number' && !isZero(stmt.value))
      give(
        `it returns \`${textOf(file, stmt.value)}\`, and an \`.init\` returns 0 or a negative error code.`,
        file,
        stmt,
      );
  }
}

function isZero(value: Expr): boolean {
  const inner = uncast(value);
  return inner.kind === 'number' && inner.value === 0;
}

/** `-EINVAL`. */
function isError(value: Expr): boolean {
  const inner = uncast(value);
  return (
    inner.kind === 'unary' &&
    inner.op === '-' &&
    inner.operand.kind === 'name' &&
    /^E[A-Z0-9]+$/.test(inner.operand.name)
  );
}

/** What a caller does with the result of the library's init. */
export interface Result {
  /** The statement that calls; the init takes its place. */
  readonly call: Stmt;
  /** The test of the result, when it is a statement of its own. */
  readonly test: IfStmt | null;
  /** Messages on the way out that go with it. */
  readonly messages: readonly string[];
}

/**
 * Proves that a failing `.init` can take the caller's way of a failing allocation: between the two
 * nothing is done, and the caller undoes no
 * more after the init has failed than it does when there is no memory, but for the free that the
 * core does itself.
 * @param root the caller's variable that holds the object.
 */
export function proveResult(
  { scope: { module, file, fn }, at, call }: HelperCall,
  root: string,
  give: Give,
): Result {
  const ask = (why: string, where: { readonly start: number; readonly end: number }): never =>
    give(`${fn.name}() ${why}`, file, where);
  const values = assignmentsOf(fn, root);
  const allocation = values.length === 1 ? values[0]!.at : null;
  const check = allocation && testAfter(allocation, root);
  if (!allocation || check?.kind !== 'if' || !leaves(check.then))
    return ask('does not test its allocation in the statement after it.', call);
  const { test, result } = testOf(at, call, ask);
  const failing = wayOut(file, fn, test.then, ask);
  const without = wayOut(file, fn, check.then, ask);
  const frees = new Set(
    callSites(module, file)
      .filter(
        (site) =>
          site.fn === fn &&
          site.op === 'free' &&
          site.whole &&
          namesIn(site.target).join() === root,
      )
      .map((site) => site.at.stmt),
  );
  const messages: string[] = [];
  const left = failing.steps.filter((stmt) => {
    if (frees.has(stmt)) return false;
    if (!isMessage(stmt)) return true;
    messages.push(plain(textOf(file, stmt)));
    return false;
  });
  const other =
    left.find((stmt, index) => !same(file, stmt, without.steps[index])) ??
    (left.length < without.steps.length ? test : undefined);
  if (other)
    ask(
      `does not undo the same when it fails as when the allocation fails: \`${plain(textOf(file, other)).slice(0, 80)}\`, line ${lineIn(file, other.start)}.`,
      other,
    );
  const value = failing.value && uncast(failing.value);
  if (
    !value ||
    (result !== null && !(value.kind === 'name' && value.name === result)) ||
    (result === null && !isError(value))
  )
    ask(`does not return its result, line ${lineIn(file, test.start)}.`, test);
  return { call: at.stmt, test: test === at.stmt ? null : test, messages };
}

function same(file: FileIr, stmt: Stmt, other: Stmt | undefined): boolean {
  return (
    other !== undefined &&
    (stmt === other || plain(textOf(file, stmt)) === plain(textOf(file, other)))
  );
}

/**
 * `ret = init(…); if (ret)`, or `if (init(…))`; `result` is the variable that holds what was
 * returned.
 */
function testOf(
  at: Placed,
  call: Expr,
  ask: (why: string, where: Stmt | Expr) => never,
): { readonly test: IfStmt; readonly result: string | null } {
  const { stmt } = at;
  if (at.sole || at.conditional) ask('calls it where a statement cannot be removed.', stmt);
  if (stmt.kind === 'if') {
    const condition = plainTest(stmt.condition);
    const inner = condition.kind === 'assign' ? uncast(condition.value) : condition;
    if (inner !== call || stmt.otherwise || !leaves(stmt.then))
      ask('does not return when it fails.', stmt);
    return {
      test: stmt,
      result:
        condition.kind === 'assign' && condition.target.kind === 'name'
          ? condition.target.name
          : null,
    };
  }
  const target =
    stmt.kind === 'expr' &&
    stmt.expr.kind === 'assign' &&
    stmt.expr.op === '=' &&
    uncast(stmt.expr.value) === call &&
    stmt.expr.target.kind === 'name'
      ? stmt.expr.target.name
      : null;
  const test = at.siblings[at.index + 1];
  if (target === null || test?.kind !== 'if' || test.otherwise || !leaves(test.then))
    return ask('does not test its result in the next statement, and return when it fails.', stmt);
  const condition = plainTest(test.condition);
  const isIt =
    condition.kind === 'name' ||
    (condition.kind === 'binary' &&
      ['<', '!='].includes(condition.op) &&
      isZero(condition.right) &&
      condition.left.kind === 'name')
      ? namesIn(condition)[0] === target
      : false;
  if (!isIt) ask('does not test its result as an error.', test);
  return { test, result: target };
}

/** The statements that lead out of a function from a branch, through labels, up to its `return`. */
function wayOut(
  file: FileIr,
  fn: FunctionIr,
  branch: Stmt,
  ask: (why: string, where: Stmt) => never,
): { readonly steps: Stmt[]; readonly value: Expr | null } {
  const steps: Stmt[] = [];
  const seen = new Set<string>();
  let list: readonly Stmt[] = branch.kind === 'block' ? branch.body : [branch];
  for (let index = 0; index < list.length; index++) {
    const stmt = list[index]!;
    if (stmt.kind === 'label') continue;
    if (stmt.kind === 'return') return { steps, value: stmt.value };
    if (stmt.kind === 'goto') {
      const label = fn.body.body.findIndex(
        (one) => one.kind === 'label' && one.name === stmt.label,
      );
      if (label < 0 || seen.has(stmt.label))
        ask(`jumps to a label that cannot be followed, line ${lineIn(file, stmt.start)}.`, stmt);
      seen.add(stmt.label);
      list = fn.body.body;
      index = label;
      continue;
    }
    if (stmt.kind !== 'expr')
      ask(`returns after more than plain statements, line ${lineIn(file, stmt.start)}.`, stmt);
    // What the function is about to return.
    if (
      stmt.kind === 'expr' &&
      stmt.expr.kind === 'assign' &&
      stmt.expr.target.kind === 'name' &&
      isError(stmt.expr.value)
    )
      continue;
    steps.push(stmt);
  }
  return ask('returns without a value.', branch);
}

/**
 * Proves that what the library sets up can be set up with the allocation: what stands between the
 * test of the allocation and the call neither
 * does anything that the library could see, nor writes to what the library is given.
 * @param given the member that the library is given, as the caller writes it: `p->core`; the object
 * itself when it is `p`.
 */
export function proveGap(
  { scope: { file, fn }, at, call }: HelperCall,
  root: string,
  given: string,
  library: readonly FileIr[],
  give: Give,
): void {
  const allocation = assignmentsOf(fn, root)[0]?.at;
  const check = allocation && testAfter(allocation, root);
  const first = check ? at.siblings.indexOf(check) : -1;
  if (first < 0) give(`${fn.name}() does not call it in the block of the allocation.`, file, call);
  const usesDrvdata = library.some((one) => /\bdrvdata|_drvdata\b/.test(one.text));
  for (const stmt of at.siblings.slice(first + 1, at.index)) {
    if (stmt.kind === 'decl' && (!stmt.init || isPure(file, stmt.init))) continue;
    const expr = stmt.kind === 'expr' ? stmt.expr : null;
    if (expr?.kind === 'assign' && isPure(file, expr.value) && isPure(file, expr.target)) {
      const target = plain(textOf(file, expr.target));
      if (
        expr.target.kind === 'name' ||
        (target.startsWith(`${root}->`) && given !== root && !target.startsWith(given))
      )
        continue;
    }
    if (
      expr?.kind === 'call' &&
      /_set_drvdata$/.test(expr.name ?? '') &&
      !usesDrvdata &&
      allExpressions(stmt).every((one) => one === expr || one.kind !== 'call')
    )
      continue;
    give(
      `\`${plain(textOf(file, stmt)).slice(0, 80)}\` at line ${lineIn(file, stmt.start)} is between the allocation and the call, and an \`.init\` would run before it. Move it up or after the call.`,
      file,
      stmt,
    );
  }
}

/** Takes the test of the result out, and what only its goto led to. */
export function dropTest(
  module: Module,
  { file, fn }: { readonly file: FileIr; readonly fn: FunctionIr },
  result: Result,
  out: Rewriting,
): void {
  if (result.test) out.remove(file, result.test);
  const branch = result.test?.then ?? (result.call.kind === 'if' ? result.call.then : null);
  if (!branch) return;
  const places = statementsOf(fn);
  const gone = new Set<Stmt>(
    places
      .filter(({ stmt }) => stmt.start >= branch.start && stmt.end <= branch.end)
      .map(({ stmt }) => stmt),
  );
  const { body } = fn.body;
  const { pinned } = hiddenJumps(module, file, fn);
  // A label that nothing goes to any more goes; what stands behind it as well when nothing falls
  // into it.
  for (const stmt of body) {
    if (
      stmt.kind !== 'label' ||
      pinned.has(stmt.name) ||
      places.some(
        (one) => one.stmt.kind === 'goto' && one.stmt.label === stmt.name && !gone.has(one.stmt),
      )
    )
      continue;
    if (!places.some((one) => one.stmt.kind === 'goto' && one.stmt.label === stmt.name)) continue;
    const at = body.indexOf(stmt);
    const before = body
      .slice(0, at)
      .filter((one) => !gone.has(one))
      .at(-1);
    out.remove(file, stmt);
    gone.add(stmt);
    if (before?.kind !== 'return' && before?.kind !== 'goto') continue;
    for (let next = at + 1; body[next] && body[next]!.kind !== 'label'; next++) {
      gone.add(body[next]!);
      out.remove(file, body[next]!);
    }
  }
}
