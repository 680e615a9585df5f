/**
 * The pointers that code hands to the kernel's functions, and those through which it stores bytes:
 * by itself, or by the functions and macros of the module that it hands them to first.
 */
import type { Expr, MacroIr, Stmt, TypeName } from '../../ir/types.ts';
import { subStmts } from '../../ir/visit.ts';
import type { Span } from '../../text/span.ts';
import { append } from '../../text/lists.ts';
import { allExpressions, statementsOf, uncast } from '../module/statements.ts';
import type { Scope } from '../module/types-of.ts';

/** A pointer, and what is done with it. */
export interface HandedOn {
  /** The function of the kernel that gets it; null where bytes are stored through it. */
  readonly to: string | null;
  /** The position among the arguments of `to`. */
  readonly position: number;
  /** The pointer, as the code whose footprint this is in writes it. */
  readonly pointer: Expr;
  /** The call or the assignment in that code. */
  readonly at: Span;
}

/** What a function or a macro does with one of its parameters. */
export interface HandedParameter extends Pick<HandedOn, 'to' | 'position'> {
  readonly parameter: number;
}

/**
 * The parameters that what is handed on inside a body comes from, whatever types and locals are on
 * the way.
 * @param statements the statements of the body
 */
export function parametersHandedOn(
  handed: readonly HandedOn[],
  params: readonly string[],
  statements: () => readonly Stmt[],
): readonly HandedParameter[] {
  const found = new Map<string, HandedParameter>();
  let aliases: ReadonlyMap<string, string> | undefined;
  for (const { to, position, pointer } of handed) {
    const root = pointerIn(pointer);
    if (root === null) continue;
    aliases ??= aliasesIn(statements(), params);
    const parameter = params.indexOf(aliases.get(root) ?? root);
    if (parameter >= 0)
      found.set(`${to ?? ''} ${position} ${parameter}`, { to, position, parameter });
  }
  return [...found.values()];
}

/**
 * The variable whose memory a pointer is in: `p`, `(u8 *)p + 4`, `&p[1]`; null for memory behind
 * another pointer.
 */
export function pointerIn(expr: Expr): string | null {
  let inner = uncast(expr);
  for (;;) {
    if (inner.kind === 'name') return inner.name;
    if (inner.kind === 'binary' && (inner.op === '+' || inner.op === '-'))
      inner = uncast(inner.left);
    else if (inner.kind === 'update') inner = uncast(inner.operand);
    else if (inner.kind === 'unary' && inner.op === '&') {
      const base = dereferenced(uncast(inner.operand));
      if (!base) return null;
      inner = uncast(base);
    } else return null;
  }
}

/** The pointer in `p[i]` and `*p`. */
export function dereferenced(expr: Expr): Expr | null {
  if (expr.kind === 'index') return expr.base;
  return expr.kind === 'unary' && expr.op === '*' ? expr.operand : null;
}

/**
 * The pointer whose bytes a store to `target` writes: `*bytes++`, `((u8 *)p)[i]`. What goes by the
 * type of a struct is told by that.
 */
export function bytesBehind(scope: Scope, target: Expr): Expr | null {
  const pointer = dereferenced(uncast(target));
  if (!pointer) return null;
  const name = pointerIn(pointer);
  const type = castOf(pointer) ?? (name === null ? null : scope.locals.get(name));
  return type && type.keyword === null && type.pointers === 1 ? pointer : null;
}

/** The type that a pointer is cast to, inside of what is counted on it. */
function castOf(pointer: Expr): TypeName | null {
  let inner = pointer;
  for (;;) {
    if (inner.kind === 'cast') return inner.type;
    if (inner.kind === 'binary') inner = inner.left;
    else if (inner.kind === 'update') inner = inner.operand;
    else return null;
  }
}

/** Locals that are given what a parameter points to, in a chain of any length. */
function aliasesIn(
  statements: readonly Stmt[],
  params: readonly string[],
): ReadonlyMap<string, string> {
  const aliases = new Map<string, string>();
  for (const stmt of statements) {
    for (const { name, value } of givenIn(stmt)) {
      const root = pointerIn(value);
      const origin = root === null ? undefined : (aliases.get(root) ?? root);
      if (origin !== undefined && origin !== name && params.includes(origin))
        aliases.set(name, origin);
    }
  }
  return aliases;
}

/** The variables that a statement gives a value itself. */
function givenIn(stmt: Stmt): { readonly name: string; readonly value: Expr }[] {
  if (stmt.kind === 'decl' && stmt.init) return [{ name: stmt.name, value: stmt.init }];
  return allExpressions(stmt).flatMap((expr) =>
    expr.kind === 'assign' && expr.target.kind === 'name'
      ? [{ name: expr.target.name, value: expr.value }]
      : [],
  );
}

/** The statements of the body of a function, outer before inner. */
export function bodyStatements(fn: Scope['fn']): Stmt[] {
  return statementsOf(fn).map(({ stmt }) => stmt);
}

/** The statements of a macro's body and those inside them, outer before inner. */
export function macroStatements(macro: MacroIr): Stmt[] {
  const found: Stmt[] = [];
  const pending: Stmt[] = [...(macro.statements ?? [])].reverse();
  for (let stmt = pending.pop(); stmt; stmt = pending.pop()) {
    found.push(stmt);
    append(pending, [...subStmts(stmt)].reverse());
  }
  return found;
}
