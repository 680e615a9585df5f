/**
 * The rows of the settings against the calls that they are for: a wrong position or name makes a row
 * that nothing ever follows.
 */
import { walkExprs } from '../ir/visit.ts';
import type { CallExpr, Expr } from '../ir/types.ts';
import type { Engine } from './analyse.ts';
import type { Wrapper } from './settings/schema.ts';
import type { ModuleInput } from './types.ts';

/** A row, and a call in the file of an input. */
export interface RowCall {
  readonly wrapper: Wrapper;
  /** Why the row does not fit this call; undefined where it does. */
  readonly misfit: string | undefined;
}

/**
 * The calls in the input's own file of functions that rows describe; none of a file that cannot be
 * read. A row that is mentioned and not called, as in a macro or an ops table, counts as one that
 * fits.
 */
export function callsOfRows(
  engine: Engine,
  input: ModuleInput,
  wrappers: readonly Wrapper[],
): readonly RowCall[] {
  if (wrappers.length === 0) return [];
  const file = engine.lowered(input);
  const rows = new Map(wrappers.map((one) => [one.name, one]));
  const calls: RowCall[] = [];
  const called = new Set<string>();
  for (const fn of file?.functions ?? []) {
    walkExprs(fn.body, (expr) => {
      const wrapper = expr.kind === 'call' && expr.name !== null ? rows.get(expr.name) : undefined;
      if (expr.kind !== 'call' || !wrapper) return;
      called.add(wrapper.name);
      calls.push({ wrapper, misfit: misfitOf(wrapper, expr) });
    });
  }
  const mentioned = wrappers.filter(
    ({ name }) => !called.has(name) && file?.text.includes(name) === true,
  );
  return [...calls, ...mentioned.map((wrapper) => ({ wrapper, misfit: undefined }))];
}

function misfitOf({ argument, out }: Wrapper, { args }: CallExpr): string | undefined {
  for (const [key, position] of [
    ['argument', argument],
    ['out', out],
  ] as const) {
    if (position === undefined) continue;
    const arg = args[position - 1];
    if (arg === undefined)
      return `"${key}" is ${position}, and the call has ${args.length} argument${args.length === 1 ? '' : 's'}`;
    if (isNoPointer(arg)) return `"${key}" is ${position}, where the call has no pointer`;
  }
  return undefined;
}

function isNoPointer(arg: Expr): boolean {
  return arg.kind === 'string' || (arg.kind === 'number' && arg.text !== '0');
}
