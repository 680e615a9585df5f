/**
 * Which arguments of the module's own functions and macros come to certain arguments of the
 * kernel's: a wrapper is what it wraps.
 */
import { subStmts } from '../../ir/visit.ts';
import type {
  CallExpr,
  Expr,
  FileIr,
  FunctionIr,
  MacroIr,
  Stmt,
  TypeName,
} from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { localsOf } from '../../lifecycle/module/locals.ts';
import {
  allExpressions,
  expressionsIn,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { append } from '../../text/lists.ts';

/** The positions of the arguments of a function that are meant; none for any other function. */
export type Positions = (name: string) => readonly number[];

/**
 * The pointers that an expression of a function uses by itself as the kernel's functions do that
 * are meant.
 */
export type Uses = (expr: Expr, locals: ReadonlyMap<string, TypeName | null>) => readonly Expr[];

interface Callee {
  readonly params: readonly string[];
  readonly locals: () => ReadonlyMap<string, TypeName | null>;
  readonly expressions: () => readonly Expr[];
  /** Locals that hold what an argument points to. */
  readonly aliases: () => ReadonlyMap<string, string>;
}

/**
 * The same positions, of the kernel's functions and of those of the module that hand one of their
 * arguments on to them, whatever type it
 * has on the way. What the module defines is not the kernel's function of that name.
 * @param uses what the code of the module does in the same way without a call
 */
export function reachedBy(
  module: Module,
  file: FileIr,
  kernel: Positions,
  uses: Uses = () => [],
): Positions {
  const callees = calleesOf(module, file);
  const known = new Map<string, readonly number[]>();
  const positions: Positions = (name) => {
    const callee = callees.get(name);
    if (!callee) return kernel(name);
    const before = known.get(name);
    if (before) return before;
    // A cycle of calls adds nothing to what the first of them does.
    known.set(name, []);
    const aliases = callee.aliases();
    const locals = callee.locals();
    const found = new Set<number>();
    for (const expr of callee.expressions()) {
      const handed =
        expr.kind === 'call' && expr.name !== null
          ? positions(expr.name).map((position) => expr.args[position])
          : [];
      for (const pointer of [...handed, ...uses(expr, locals)]) {
        const root = pointer ? pointerIn(pointer) : null;
        const index = root === null ? -1 : callee.params.indexOf(aliases.get(root) ?? root);
        if (index >= 0) found.add(index);
      }
    }
    known.set(name, [...found]);
    return [...found];
  };
  return positions;
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
    else if (inner.kind === 'unary' && inner.op === '&' && uncast(inner.operand).kind === 'index')
      inner = uncast((uncast(inner.operand) as Expr & { kind: 'index' }).base);
    else if (
      inner.kind === 'unary' &&
      inner.op === '&' &&
      inner.operand.kind === 'unary' &&
      inner.operand.op === '*'
    )
      inner = uncast(inner.operand.operand);
    else return null;
  }
}

/**
 * The functions and function-like macros of a module, by their names; those of `file` come first.
 */
function calleesOf(module: Module, file: FileIr): ReadonlyMap<string, Callee> {
  const callees = new Map<string, Callee>();
  for (const source of [...module.headers, ...module.sources, file].reverse()) {
    for (const fn of source.functions)
      if (!callees.has(fn.name)) callees.set(fn.name, functionCallee(fn));
    for (const macro of source.macros)
      if (macro.params !== null && !callees.has(macro.name))
        callees.set(macro.name, macroCallee(macro, macro.params));
  }
  return callees;
}

function functionCallee(fn: FunctionIr): Callee {
  const params = fn.params.map((param) => param.name);
  const statements = (): Stmt[] => statementsOf(fn).map(({ stmt }) => stmt);
  return {
    params,
    locals: () => localsOf(fn),
    expressions: () => statements().flatMap(allExpressions),
    aliases: () => aliasesIn(statements(), params),
  };
}

/** Locals that are given what a parameter points to, in a chain of any length. */
function aliasesIn(
  statements: readonly Stmt[],
  params: readonly string[],
): ReadonlyMap<string, string> {
  const aliases = new Map<string, string>();
  for (const stmt of statements) {
    const given =
      stmt.kind === 'decl' && stmt.init
        ? [{ name: stmt.name, value: stmt.init }]
        : allExpressions(stmt).flatMap((expr) =>
            expr.kind === 'assign' && expr.target.kind === 'name'
              ? [{ name: expr.target.name, value: expr.value }]
              : [],
          );
    for (const { name, value } of given) {
      const root = pointerIn(value);
      const origin = root === null ? undefined : (aliases.get(root) ?? root);
      if (origin !== undefined && origin !== name && params.includes(origin))
        aliases.set(name, origin);
    }
  }
  return aliases;
}

function macroCallee(macro: MacroIr, params: readonly string[]): Callee {
  const statements = statementsInMacro(macro);
  const locals = new Map(
    statements.flatMap((stmt) => (stmt.kind === 'decl' ? [[stmt.name, stmt.type] as const] : [])),
  );
  return {
    params,
    locals: () => locals,
    expressions: () => expressionsOf(macro),
    aliases: () => aliasesIn(statements, params),
  };
}

/** What the body of a macro evaluates. */
export function expressionsOf(macro: MacroIr): readonly Expr[] {
  return [
    ...(macro.body ? expressionsIn(macro.body) : []),
    ...statementsInMacro(macro).flatMap(allExpressions),
  ];
}

/** The statements of a macro's body and those inside them, outer before inner. */
function statementsInMacro(macro: MacroIr): readonly Stmt[] {
  const found: Stmt[] = [];
  const pending: Stmt[] = [...(macro.statements ?? [])].reverse();
  for (let stmt = pending.pop(); stmt; stmt = pending.pop()) {
    found.push(stmt);
    append(pending, [...subStmts(stmt)].reverse());
  }
  return found;
}

/** The macro of the module that a call is of; undefined for a function. */
export function macroOf(module: Module, file: FileIr, call: CallExpr): MacroIr | undefined {
  return [file, ...module.sources, ...module.headers]
    .flatMap((source) => source.macros)
    .find((macro) => macro.name === call.name && macro.params !== null);
}
