/** Carries an expression from a function to its caller and back. */
import type { Expr } from '../../ir/types.ts';
import { expressionsIn, statementsOf, uncast } from '../../lifecycle/module/statements.ts';
import { plain } from '../plan/arguments.ts';
import { textOf } from '../refusal-error.ts';
import { assignmentsOf } from '../query/call-sites.ts';
import { typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import type { HelperCall } from './helpers.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

const MAX_HOPS = 6;

/**
 * An expression of a called function as its caller would write it: parameters become the arguments,
 * and locals that are set once become
 * what they are set to. Null when it depends on something that only the called function knows.
 * @param before offset in the called function's document up to which it is looked for what locals
 * and members are set to.
 */
export function carryOut(
  scope: Scope,
  expr: Expr,
  { scope: caller, call }: HelperCall,
  before: number,
  hops = 0,
): string | null {
  if (hops > MAX_HOPS) return null;
  let text = '';
  let at = expr.start;
  const covered: Expr[] = [];
  for (const inner of expressionsIn(expr)) {
    if (covered.some((one) => inner.start >= one.start && inner.end <= one.end)) continue;
    if (
      inner.kind === 'unknown' ||
      inner.kind === 'statement-expression' ||
      inner.kind === 'assign' ||
      inner.kind === 'update'
    )
      return null;
    const set = inner.kind === 'member' ? memberSetting(scope, inner, before) : undefined;
    if (set === null) return null;
    let part: string | null | undefined;
    if (set)
      part = carryOut(scope, set, { scope: caller, call } as HelperCall, set.start, hops + 1);
    else if (inner.kind === 'name')
      part = nameOutside(scope, inner, { scope: caller, call } as HelperCall, before, hops);
    else if (inner.kind === 'call' && inner.name !== null && isPrivate(scope, inner.name, caller))
      return null;
    if (part === null) return null;
    if (part === undefined) continue;
    const whole = inner === expr || (/^[\w.>()[\]-]+$/.test(part) && !part.startsWith('-'));
    text += scope.file.text.slice(at, inner.start) + (whole ? part : `(${part})`);
    at = inner.end;
    covered.push(inner);
  }
  return plain(text + scope.file.text.slice(at, expr.end));
}

/**
 * A name of the called function in the caller's terms; undefined when it means the same in both.
 */
function nameOutside(
  scope: Scope,
  name: Expr & { kind: 'name' },
  call: HelperCall,
  before: number,
  hops: number,
): string | null | undefined {
  const index = scope.fn.params.findIndex((param) => param.name === name.name);
  const values = assignmentsOf(scope.fn, name.name).filter(({ at }) => at.stmt.start < before);
  if (index >= 0) {
    const arg = call.call.args[index];
    return arg && values.length === 0 ? plain(textOf(call.scope.file, arg)) : null;
  }
  if (scope.locals.has(name.name)) {
    const only = values[0];
    return only && values.length === 1 && only.at.parent === null
      ? carryOut(scope, only.value, call, only.at.stmt.start, hops + 1)
      : null;
  }
  // A name of the file: tables are declared where they are needed; other variables of the file are
  // not seen elsewhere.
  if (call.scope.locals.has(name.name)) return null;
  const variable = scope.file.variables.find((item) => item.name === name.name);
  return variable &&
    variable.type.name !== 'vfio_device_ops' &&
    scope.file !== call.scope.file &&
    variable.isStatic
    ? null
    : undefined;
}

/**
 * What `p->member` is set to before an offset: undefined when it is not set there, null when that
 * cannot be told.
 */
function memberSetting(scope: Scope, member: Expr, before: number): Expr | null | undefined {
  const found: Expr[] = [];
  let straight = true;
  for (const { stmt, parent } of statementsOf(scope.fn)) {
    if (stmt.kind !== 'expr' || stmt.expr.kind !== 'assign' || stmt.start >= before) continue;
    if (plain(textOf(scope.file, stmt.expr.target)) !== plain(textOf(scope.file, member))) continue;
    found.push(stmt.expr.value);
    straight &&= parent === null;
  }
  if (found.length === 0) return undefined;
  return found.length === 1 && straight ? found[0]! : null;
}

/** A function or macro that only the called function's document has. */
function isPrivate(scope: Scope, name: string, caller: Scope): boolean {
  if (scope.file === caller.file) return false;
  return (
    namedFunctions(scope.file, name).some((fn) => fn.isStatic) ||
    scope.file.macros.some((macro) => macro.name === name)
  );
}

/**
 * An expression of a caller as the called function would write it before it has done anything: a
 * local that is given as an argument becomes
 * the parameter. Null when it needs something that is not handed over.
 */
export function carryIn({ scope, call }: HelperCall, called: Scope, expr: Expr): string | null {
  const same = (arg: Expr, other: Expr): boolean =>
    plain(textOf(scope.file, uncast(arg))) === plain(textOf(scope.file, uncast(other)));
  const paramFor = (inner: Expr): string | null => {
    const index = call.args.findIndex((arg) => same(arg, inner));
    const param = index < 0 ? undefined : called.fn.params[index];
    if (!param || assignmentsOf(called.fn, param.name).length > 0) return null;
    const from = typeOf(scope, inner);
    const to = typeOf(called, { kind: 'name', name: param.name, start: 0, end: 0 });
    return from?.tag === to?.tag && from?.pointers === to?.pointers ? param.name : null;
  };
  let text = '';
  let at = expr.start;
  const covered: Expr[] = [];
  for (const inner of expressionsIn(expr)) {
    if (covered.some((one) => inner.start >= one.start && inner.end <= one.end)) continue;
    const param = inner.kind === 'number' || inner.kind === 'string' ? null : paramFor(inner);
    if (param !== null) {
      text += scope.file.text.slice(at, inner.start) + param;
      at = inner.end;
      covered.push(inner);
      continue;
    }
    if (
      inner.kind === 'unknown' ||
      inner.kind === 'statement-expression' ||
      inner.kind === 'assign' ||
      inner.kind === 'update'
    )
      return null;
    if (inner.kind === 'name' && (scope.locals.has(inner.name) || called.locals.has(inner.name)))
      return null;
    if (
      inner.kind === 'name' &&
      scope.file !== called.file &&
      scope.file.variables.some((item) => item.name === inner.name)
    )
      return null;
    if (inner.kind === 'call' && inner.name !== null && isPrivate(scope, inner.name, called))
      return null;
  }
  return plain(text + scope.file.text.slice(at, expr.end));
}

/** `(&p->core)->vdev` is `p->core.vdev`. */
export function simplified(text: string): string {
  return text.replace(/\(&([\w.>[\]-]+)\)->/g, '$1.');
}
