/**
 * Macros of the module in the code whose footprint is asked for: the code with them written out,
 * and what is left where that is not possible.
 */
import {
  expandExpression,
  expandMacros,
  expandStatement,
  type Definition,
  type ExpandOptions,
} from '../../ir/expand.ts';
import type { Expr, FileIr, FunctionIr, MacroIr, Stmt } from '../../ir/types.ts';
import { walkExprs, walkStmt } from '../../ir/visit.ts';
import { macrosNamed } from '../module/preprocessor.ts';
import type { Scope } from '../module/types-of.ts';
import { COMMENT_OR_LITERAL, NAME } from '../../text/lexical.ts';

/** Code with its macros written out, and the scope in which what they declare is known too. */
export interface WrittenOut<T> {
  readonly code: T;
  readonly scope: Scope;
}

/** A statement with the macros in it written out; the statement itself where it uses none. */
export function writtenOutStatement(scope: Scope, stmt: Stmt): WrittenOut<Stmt> {
  if (!mentionsMacros(scope)) return { code: stmt, scope };
  const code = expandStatement(stmt, scope.locals, optionsOf(scope));
  return { code, scope: code === stmt ? scope : withDeclared(scope, code) };
}

/** An expression with the macros in it written out; the expression itself where it uses none. */
export function writtenOutExpression(scope: Scope, expr: Expr): WrittenOut<Expr> {
  if (!mentionsMacros(scope)) return { code: expr, scope };
  const code = expandExpression(expr, scope.locals, optionsOf(scope));
  if (code === expr) return { code, scope };
  const stmt: Stmt = { kind: 'expr', expr: code, start: expr.start, end: expr.end };
  return { code, scope: withDeclared(scope, stmt) };
}

/** The body of the function of a scope with its macros written out. */
export function writtenOutBody(scope: Scope): WrittenOut<FunctionIr['body']> {
  const { fn: plain } = scope;
  if (!mentionsMacros(scope)) return { code: plain.body, scope };
  const fn = expandMacros(plain, optionsOf(scope));
  return { code: fn.body, scope: fn === plain ? scope : withDeclared(scope, fn.body) };
}

const mentioning = new WeakMap<
  FunctionIr,
  { readonly module: Scope['module']; readonly file: FileIr; readonly mentions: boolean }
>();

/**
 * Whether the text of a function has the name of a macro of the module. Most have none, and then no
 * part of them is to be written out.
 */
export function mentionsMacros(scope: Scope): boolean {
  const { fn, file, module } = scope;
  const before = mentioning.get(fn);
  if (before?.module === module && before.file === file) return before.mentions;
  const names = fn.text.match(NAME) ?? [];
  const mentions = names.some((name) => hasMacro(scope, name));
  mentioning.set(fn, { module, file, mentions });
  return mentions;
}

function hasMacro({ file, module }: Scope, name: string): boolean {
  return [file, ...module.headers].some((one) => macrosNamed(one, name).length > 0);
}

function optionsOf(scope: Scope): ExpandOptions {
  return {
    identities: null,
    // Of several definitions each may hold: what is left is opaque.
    macrosOf: (name): readonly Definition[] => {
      const found = definitionsOf(scope, name);
      return found.length === 1 ? found : [];
    },
    functionsOf: () => [],
  };
}

function definitionsOf({ file, module }: Scope, name: string): Definition[] {
  const found: Definition[] = [];
  for (const one of [file, ...module.headers])
    for (const macro of macrosNamed(one, name)) found.push({ path: one.path, macro });
  return found;
}

/** What a macro declares is a variable of the function, but for one that lives on. */
function withDeclared(scope: Scope, code: Stmt): Scope {
  const locals = new Map(scope.locals);
  const declare = (stmt: Stmt): void => {
    if (stmt.kind === 'decl' && !stmt.isStatic && !locals.has(stmt.name))
      locals.set(stmt.name, stmt.type);
  };
  walkStmt(code, declare);
  walkExprs(code, (expr) => {
    if (expr.kind === 'statement-expression') for (const one of expr.body) walkStmt(one, declare);
  });
  return locals.size === scope.locals.size ? scope : { ...scope, locals };
}

/**
 * What a name is for the code around it that is a macro of the module and could not be written out:
 *
 * - `plain`: a constant, or an expression of the names in it; `readsMemory` where it follows a
 *   pointer;
 * - `opaque`: anything else, which may use every local, and may leave.
 */
export type LeftMacro =
  | { readonly kind: 'plain'; readonly names: readonly string[]; readonly readsMemory: boolean }
  | { readonly kind: 'opaque' };

/**
 * What the name that an expression is, or calls, stands for as a macro of the module; null for what
 * is none.
 */
export function leftMacro(scope: Scope, expr: Expr): LeftMacro | null {
  const macros = macrosAt(scope, expr);
  return macros.length === 0 ? null : asPlain(scope, macros);
}

/** The name that an expression is, or calls, is a macro of the module. */
export function isMacro(scope: Scope, expr: Expr): boolean {
  return macrosAt(scope, expr).length > 0;
}

/** The macros of the module that the name of an expression is, or calls. */
export function macrosAt(scope: Scope, expr: Expr): MacroIr[] {
  const name = expr.kind === 'name' || expr.kind === 'call' ? expr.name : null;
  if (name === null || scope.locals.has(name)) return [];
  return definitionsOf(scope, name)
    .map(({ macro }) => macro)
    .filter(({ params }) => params === null || expr.kind === 'call');
}

/**
 * Macros of one name, in different #if arms, with the macros that their texts name: each is plain,
 * or none of it is understood.
 */
function asPlain(scope: Scope, macros: readonly MacroIr[]): LeftMacro {
  const names = new Set<string>();
  let readsMemory = false;
  const pending = [...macros];
  for (let macro = pending.pop(); macro; macro = pending.pop()) {
    const text = macro.bodyText.replace(COMMENT_OR_LITERAL, ' ');
    if (STATEMENT.test(text)) return { kind: 'opaque' };
    readsMemory ||= MEMORY.test(text);
    for (const name of text.match(NAME) ?? []) {
      if (names.has(name)) continue;
      names.add(name);
      for (const { macro: inner } of definitionsOf(scope, name)) pending.push(inner);
    }
  }
  return { kind: 'plain', names: [...names], readsMemory };
}

/** What is no expression of names, numbers and operators: it calls, assigns or is a statement. */
const STATEMENT =
  /[;{}#]|\+\+|--|(?<![=!<>])=(?!=)|\(\s*$|\b(?:if|else|while|for|do|switch|case|default|goto|return|break|continue|asm|__asm__)\b|\b[A-Za-z_]\w*\s*\(/;

/** A member, an element, or what a pointer leads to. */
const MEMORY = /->|\[|\.\s*[A-Za-z_]|(?:^|\()\s*\*/;
