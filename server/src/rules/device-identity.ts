/** Whether two expressions name one device. */
import type { Expr, FunctionIr } from '../ir/types.ts';
import { isView } from '../kernel/lookup.ts';
import { walk } from './locate.ts';

/**
 * What names a device below the views that buses have of it: `pdev` for `&pdev->dev`, for `pdev`,
 * and for a local that was set to
 * either; `vdev` for `vdev->dev`. Two expressions of one function with one identity are one device.
 */
export function deviceIdentity(fn: FunctionIr, expr: Expr, depth = 0): string {
  switch (expr.kind) {
    case 'cast':
      return deviceIdentity(fn, expr.operand, depth);
    case 'unary':
      return expr.op === '&' ? deviceIdentity(fn, expr.operand, depth) : unnamed(expr);
    case 'member':
      return expr.field === 'dev'
        ? deviceIdentity(fn, expr.base, depth)
        : `${deviceIdentity(fn, expr.base, depth)}->${expr.field}`;
    case 'call':
      return expr.name !== null && isView(expr.name) && expr.args[0]
        ? deviceIdentity(fn, expr.args[0], depth)
        : unnamed(expr);
    case 'name': {
      const value = depth < 4 ? onlyValue(fn, expr.name) : null;
      return value === null ? expr.name : deviceIdentity(fn, value, depth + 1);
    }
    default:
      return unnamed(expr);
  }
}

function unnamed(expr: Expr): string {
  return `?${expr.start}`;
}

/** The value of a local that is set once, when it is another name of a device. */
function onlyValue(fn: FunctionIr, name: string): Expr | null {
  const values: Expr[] = [];
  for (const node of walk(fn.body)) {
    if (node.kind === 'decl' && node.name === name && node.init !== null) values.push(node.init);
    if (node.kind === 'assign' && node.target.kind === 'name' && node.target.name === name)
      values.push(node.value);
  }
  const [value] = values;
  return values.length === 1 && value !== undefined && isName(value) ? value : null;
}

function isName(expr: Expr): boolean {
  return [...walk(expr)].every(
    (node) =>
      NAMING.has(node.kind) || (node.kind === 'call' && node.name !== null && isView(node.name)),
  );
}

const NAMING: ReadonlySet<string> = new Set(['name', 'member', 'unary', 'cast']);
