/** Whether two expressions name one device. */
import type { Expr, FunctionIr } from '../ir/types.ts';
import { isView } from '../kernel/lookup.ts';
import { keptByFunction } from './function-traits.ts';
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
      return expr.op === '&' ? deviceIdentity(fn, expr.operand, depth) : unnamed(expr, depth);
    case 'member':
      return expr.field === 'dev'
        ? deviceIdentity(fn, expr.base, depth)
        : `${deviceIdentity(fn, expr.base, depth)}->${expr.field}`;
    case 'call':
      return expr.name !== null && isView(expr.name) && expr.args[0]
        ? deviceIdentity(fn, expr.args[0], depth)
        : unnamed(expr, depth);
    case 'name': {
      const value = depth < 4 ? onlyValue(fn, expr.name) : null;
      return value === null ? expr.name : deviceIdentity(fn, value, depth + 1);
    }
    default:
      return unnamed(expr, depth);
  }
}

/** A value stands where the function was lowered, and is another one than an expression of today. */
function unnamed(expr: Expr, depth: number): string {
  return `?${depth > 0 ? 'value ' : ''}${expr.start}`;
}

/** The value of a local that is set once, when it is another name of a device. */
function onlyValue(fn: FunctionIr, name: string): Expr | null {
  return onlyValues(fn).get(name) ?? null;
}

/** Those of a function as it was lowered; null for a local that is set more than once. */
const onlyValues = keptByFunction(({ body }): ReadonlyMap<string, Expr | null> => {
  const values = new Map<string, Expr | null>();
  const note = (name: string, value: Expr): void => {
    values.set(name, !values.has(name) && isName(value) ? value : null);
  };
  for (const node of walk(body)) {
    if (node.kind === 'decl' && node.init !== null) note(node.name, node.init);
    if (node.kind === 'assign' && node.target.kind === 'name') note(node.target.name, node.value);
  }
  return values;
});

function isName(expr: Expr): boolean {
  return [...walk(expr)].every(
    (node) =>
      NAMING.has(node.kind) || (node.kind === 'call' && node.name !== null && isView(node.name)),
  );
}

const NAMING: ReadonlySet<string> = new Set(['name', 'member', 'unary', 'cast']);
