/** The variable of an object, behind the pointers to its device that a function keeps beside it. */
import type { Expr, FunctionIr, Stmt } from '../../ir/types.ts';
import { allExpressions, statementsOf, uncast } from '../../lifecycle/module/statements.ts';
import { assignmentsOf } from '../query/call-sites.ts';
import { memberPath, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';

/**
 * The object that is looked for: its struct, and the member in it that the vfio_device is, or is
 * in.
 */
interface Wanted {
  readonly tag: string;
  readonly deviceField: string;
}

const MAX_HOPS = 4;

/**
 * The name of the variable whose object or device an expression leads to: `p`, `&p->core.vdev`, and
 * `&core->vdev` where the function
 * sets `core = &p->core` once, or finds `p` by `container_of(core, struct foo, core)`. Null for
 * anything else.
 */
export function objectVariable(scope: Scope, wanted: Wanted, expr: Expr): string | null {
  let current = expr;
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    const { root, path } = memberPath(current);
    if (root.kind !== 'name' || !scope.locals.has(root.name)) return null;
    if (isOfTag(scope, wanted, root))
      return path.length === 0 || path[0] === wanted.deviceField ? root.name : null;
    if (path.length > 0 && !isOnTheWay(scope, root, path)) return null;
    const alias = valueOf(scope, root.name);
    if (alias?.kind !== 'unary' || alias.op !== '&') return viewOf(scope, wanted, root.name);
    current = alias;
  }
  return null;
}

function isOfTag(scope: Scope, wanted: Wanted, expr: Expr): boolean {
  const type = typeOf(scope, expr);
  return type?.tag === wanted.tag && type.pointers === 1;
}

/** The members lead from a core device to the vfio_device in it. */
function isOnTheWay(scope: Scope, root: Expr, path: readonly string[]): boolean {
  const type = typeOf(scope, root);
  return (
    type?.tag === 'vfio_pci_core_device' &&
    type.pointers === 1 &&
    path.length === 1 &&
    path[0] === 'vdev'
  );
}

/** The only value that a variable ever has; null where it has several, or is a parameter. */
function valueOf({ fn }: Scope, name: string): Expr | null {
  const values = assignmentsOf(fn, name);
  const only = values.length === 1 ? values[0]! : null;
  return only && isPlainWrite(only.at.stmt, name) && !isChanged(fn, name)
    ? uncast(only.value)
    : null;
}

function isPlainWrite(stmt: Stmt, name: string): boolean {
  if (stmt.kind === 'decl') return stmt.name === name;
  return stmt.kind === 'expr' && stmt.expr.kind === 'assign' && stmt.expr.op === '=';
}

/** The variable is counted up or down, or its address is taken. */
function isChanged(fn: FunctionIr, name: string): boolean {
  return statementsOf(fn).some(({ stmt }) =>
    allExpressions(stmt).some((expr) => {
      const operand =
        expr.kind === 'update' || (expr.kind === 'unary' && expr.op === '&') ? expr.operand : null;
      return operand?.kind === 'name' && operand.name === name;
    }),
  );
}

/**
 * The variable that `p = container_of(name, struct foo, device)` sets, where neither has another
 * value.
 */
function viewOf(scope: Scope, { tag, deviceField }: Wanted, name: string): string | null {
  if (assignmentsOf(scope.fn, name).length > 1) return null;
  for (const variable of scope.locals.keys()) {
    const value = valueOf(scope, variable);
    if (value?.kind !== 'call' || value.name !== 'container_of') continue;
    const [pointer, , member] = value.args;
    const type = typeOf(scope, value);
    if (type?.tag !== tag || pointer?.kind !== 'name' || pointer.name !== name || !member) continue;
    const { root } = memberPath(member);
    if (root.kind === 'name' && root.name === deviceField) return variable;
  }
  return null;
}
