/** Finds the allocation, its test and the register of a probe. */
import { subStmts } from '../../ir/visit.ts';
import type {
  CallExpr,
  Expr,
  FileIr,
  FunctionIr,
  IfStmt,
  InitializerExpr,
  Stmt,
  VariableIr,
} from '../../ir/types.ts';
import { plain, tablesOf } from '../plan/arguments.ts';
import { hiddenJumps } from '../query/hidden-jumps.ts';
import { allExpressions, uncast } from '../../lifecycle/module/statements.ts';
import { textOf } from '../refusal-error.ts';
import { effectsOf } from '../query/call-sites.ts';
import { scopeOf } from '../../lifecycle/module/types-of.ts';
import { NothingToFold, type FoldRequest, type Frame } from './types.ts';

/**
 * The allocation, its test and the register of a probe of the new model. Throws NothingToFold when
 * the probe has another shape.
 */
export function frameOf(request: FoldRequest): Frame {
  const { module, kernel, path, functionName } = request;
  const file = module.sources.find((source) => source.path === path);
  const fn = file?.functions.find((item) => item.name === functionName);
  if (!file || !fn) throw new NothingToFold(`${functionName}() is not in this file.`, null);
  const give = (reason: string, span: { start: number; end: number }): never => {
    throw new NothingToFold(reason, { path, start: span.start, end: span.end });
  };
  if (fn.opaque) give(`${fn.name}() has code that could not be parsed.`, fn.nameSpan);
  const returnsObject = fn.returnType.keyword === 'struct' && fn.returnType.pointers === 1;
  if (!returnsObject && (fn.returnType.name !== 'int' || fn.returnType.pointers > 0))
    give(
      `${fn.name}() returns no errno, so it could not report which step of .init failed.`,
      fn.nameSpan,
    );
  const [jump] = hiddenJumps(module, file, fn).named;
  if (jump !== undefined)
    give(
      `Other code than a goto leads to the label ${jump} of ${fn.name}(): a macro uses it, so its steps cannot be separated.`,
      fn.nameSpan,
    );
  const list = fn.body.body;
  const at = list.findIndex((stmt) => allocationIn(stmt) !== null);
  const found = at < 0 ? null : allocationIn(list[at]!);
  if (!found)
    return give(`${fn.name}() does not allocate its device in its outermost block.`, fn.nameSpan);
  const { variable, call } = found;
  let check = at + 1;
  while (list[check]?.kind === 'decl') check++;
  const test = list[check];
  if (test?.kind !== 'if' || !testsPointer(test, variable))
    return give(`The statement after the allocation does not test it in ${fn.name}().`, call);
  const registers = list.findIndex((stmt, index) => index > check && hasCall(stmt, 'register'));
  const returned = (stmt: Stmt): boolean =>
    stmt.kind === 'return' && stmt.value?.kind === 'name' && stmt.value.name === variable;
  const register =
    registers < 0 && returnsObject
      ? list.findIndex((stmt, index) => index > check && returned(stmt))
      : registers;
  if (register < 0)
    return give(
      `No registration was found in the outermost block of ${fn.name}(), so it is not known what has to be set up before it.`,
      fn.nameSpan,
    );
  if (register === check + 1)
    give(
      `${fn.name}() does nothing between the allocation and ${registers < 0 ? 'its return' : 'the registration'}.`,
      list[register]!,
    );
  const [type, member, , ops] = call.args;
  if (!type || !member || !ops)
    return give('vfio_alloc_device() does not have its four arguments here.', call);
  const scope = scopeOf(module, file, fn);
  const names = tablesOf(scope, ops);
  if (!names) return give('The ops table of the device is not known here.', ops);
  const tables = names.map(
    (name) => tableOf(file, name) ?? give(`The ops table \`${name}\` is not in this file.`, ops),
  );
  checkSole(file, call, names, give);
  for (const table of tables) {
    if (conditionsKey(table) !== conditionsKey(fn))
      give(`\`${table.name}\` and ${fn.name}() are in different #if arms.`, table.nameSpan);
  }
  return {
    module,
    kernel,
    file,
    fn,
    scope,
    list,
    check,
    register,
    returnsObject,
    test,
    alloc: call,
    variable,
    tables,
    tag: textOf(file, type),
    member: textOf(file, member).replace(/\s/g, ''),
    core: tables.some(
      (table) =>
        valueOf(table, 'release') === 'vfio_pci_core_release_dev' ||
        valueOf(table, 'init') === 'vfio_pci_core_init_dev',
    ),
  };
}

/**
 * The statements of a probe of the old model that stand in front of its call of
 * vfio_pci_core_init_device(), as one line each.
 */
export function textsBeforeCore(file: FileIr, functionName: string): ReadonlySet<string> {
  const list = file.functions.find((item) => item.name === functionName)?.body.body ?? [];
  const at = list.findIndex((stmt) =>
    callsUnder(stmt).some((call) => call.name === 'vfio_pci_core_init_device'),
  );
  return new Set(list.slice(0, Math.max(at, 0)).map((stmt) => plain(textOf(file, stmt))));
}

/** The name that an ops table has for a member, or null. */
export function valueOf(table: VariableIr, member: string): string | null {
  const value = entryOf(table, member)?.value;
  const inner = value && uncast(value);
  if (!inner) return null;
  return inner.kind === 'name' ? inner.name : '?';
}

/** The entry of an ops table for a member. */
export function entryOf(
  table: VariableIr,
  member: string,
): InitializerExpr['entries'][number] | undefined {
  return (table.init as InitializerExpr).entries.find((entry) => entry.designators[0] === member);
}

/** Whether a statement calls something with that effect, wherever in it. */
export function hasCall(stmt: Stmt, op: string): boolean {
  return callsUnder(stmt).some(
    (call) => call.name !== null && effectsOf(call.name).some((effect) => effect.op === op),
  );
}

/** All calls in a statement and the statements inside it. */
export function callsUnder(root: Stmt): CallExpr[] {
  return under(root)
    .flatMap(allExpressions)
    .filter((expr) => expr.kind === 'call');
}

/** A statement and all statements inside it, outer before inner, in source order. Iterative. */
export function under(root: Stmt): Stmt[] {
  const all: Stmt[] = [];
  const pending: Stmt[] = [root];
  for (let stmt = pending.pop(); stmt; stmt = pending.pop()) {
    all.push(stmt);
    const inner = subStmts(stmt);
    for (let index = inner.length - 1; index >= 0; index--) pending.push(inner[index]!);
  }
  return all;
}

function allocationIn(stmt: Stmt): { readonly variable: string; readonly call: CallExpr } | null {
  const made = (
    variable: string,
    value: Expr,
  ): { readonly variable: string; readonly call: CallExpr } | null => {
    const call = uncast(value);
    return call.kind === 'call' && call.name === 'vfio_alloc_device' ? { variable, call } : null;
  };
  if (stmt.kind === 'decl') return stmt.init && made(stmt.name, stmt.init);
  if (
    stmt.kind !== 'expr' ||
    stmt.expr.kind !== 'assign' ||
    stmt.expr.op !== '=' ||
    stmt.expr.target.kind !== 'name'
  )
    return null;
  return made(stmt.expr.target.name, stmt.expr.value);
}

function testsPointer(test: IfStmt, variable: string): boolean {
  if (test.otherwise) return false;
  return allExpressions(test).some(
    (expr) =>
      expr.kind === 'call' &&
      expr.name === 'IS_ERR' &&
      expr.args[0]?.kind === 'name' &&
      expr.args[0].name === variable,
  );
}

function tableOf(file: FileIr, name: string): VariableIr | undefined {
  const found = file.variables.filter(
    (item) => item.name === name && item.init?.kind === 'initializer' && item.type.arrays === 0,
  );
  return found.length === 1 ? found[0] : undefined;
}

/**
 * `.init` is for every device of a table: nothing of one probe may go there when another allocates
 * by the same table.
 */
function checkSole(
  file: FileIr,
  own: CallExpr,
  names: readonly string[],
  give: (reason: string, span: { start: number; end: number }) => never,
): void {
  for (const other of file.functions) {
    for (const call of callsUnder(other.body)) {
      if (call.name !== 'vfio_alloc_device' || call === own) continue;
      const ops = call.args[3];
      const used = ops && textOf(file, ops);
      const shared = names.find(
        (name) => used === undefined || new RegExp(`\\b${name}\\b`).test(used),
      );
      if (shared)
        give(
          `\`${shared}\` serves more than one allocation, and .init would run for all of them.`,
          call,
        );
    }
  }
}

function conditionsKey(item: { readonly conditions: FunctionIr['conditions'] }): string {
  return item.conditions.map((one) => `${one.holds ? '' : '!'}${one.test}`).join(' && ');
}
