/**
 * Macros of the module, which are written out where they stand: what one is for the code around it.
 */
import type { CallExpr, Expr, MacroIr } from '../../ir/types.ts';
import type { Scope } from '../typing.ts';
import { COMMENT_OR_LITERAL } from '../../text/lexical.ts';

/**
 * - `expression`: a plain expression; `body` is it with the arguments in it, null when nothing is
 * in it that could matter but `names`;
 * - `alias`: another name for a function;
 * - `opaque`: anything else: it may use every local, and may leave.
 */
export type MacroUse =
  | { readonly kind: 'expression'; readonly body: Expr | null; readonly names: readonly string[] }
  | { readonly kind: 'alias'; readonly name: string }
  | { readonly kind: 'opaque' };

const OPAQUE: MacroUse = { kind: 'opaque' };

/** What `name` stands for, as a macro of the module without arguments; null when it is none. */
export function objectMacro(scope: Scope, name: string): MacroUse | null {
  const macros = macrosNamed(scope, name).filter((macro) => macro.params === null);
  if (macros.length === 0 || scope.locals.has(name)) return null;
  if (macros.length > 1) return sameUse(macros);
  return useOf(macros[0]!, null);
}

/** What a call is, as the use of a macro of the module; null when it is none. */
export function calledMacro(scope: Scope, call: CallExpr): MacroUse | null {
  if (call.name === null || scope.locals.has(call.name)) return null;
  const macros = macrosNamed(scope, call.name);
  if (macros.length === 0) return null;
  if (macros.length > 1)
    return macros.every((macro) => macro.params === null) ? sameUse(macros) : OPAQUE;
  return useOf(macros[0]!, call);
}

/** Several definitions, in different #if arms: each is plain, or they are not understood. */
function sameUse(macros: readonly MacroIr[]): MacroUse {
  const uses = macros.map((macro) => useOf(macro, null));
  const names = uses.flatMap((use) =>
    use.kind === 'expression' && use.body === null ? use.names : [''],
  );
  return names.includes('') ? OPAQUE : { kind: 'expression', body: null, names };
}

function macrosNamed(scope: Scope, name: string): MacroIr[] {
  return [scope.file, ...scope.module.headers].flatMap((file) =>
    file.macros.filter((macro) => macro.name === name),
  );
}

function useOf(macro: MacroIr, call: CallExpr | null): MacroUse {
  if (macro.statements !== null) return OPAQUE;
  if (macro.body !== null) {
    const body = call && macro.params !== null ? substituted(macro, macro.body, call) : macro.body;
    return body ? { kind: 'expression', body, names: [] } : OPAQUE;
  }
  const words = macro.bodyText.match(/[A-Za-z_]\w*/g) ?? [];
  if (call && macro.params === null)
    return words.length === 1 && words[0] === macro.bodyText.trim()
      ? { kind: 'alias', name: words[0] }
      : OPAQUE;
  // What neither calls nor assigns nor is a statement was not worth a parse: names, numbers and
  // operators.
  return isPlainText(macro.bodyText) ? { kind: 'expression', body: null, names: words } : OPAQUE;
}

const STATEMENT =
  /[;{}#]|\+\+|--|(?<![=!<>])=(?!=)|\(\s*$|\b(?:if|else|while|for|do|switch|case|default|goto|return|break|continue|asm|__asm__)\b|\b[A-Za-z_]\w*\s*\(/;

function isPlainText(text: string): boolean {
  return !STATEMENT.test(text.replace(COMMENT_OR_LITERAL, ' '));
}

/**
 * The body of a macro with the arguments of a use in the place of its parameters; null when it does
 * not fit them.
 */
function substituted(macro: MacroIr, body: Expr, call: CallExpr): Expr | null {
  const params = macro.params ?? [];
  if (call.args.length < params.length) return null;
  const values = new Map(params.map((name, i) => [name, call.args[i]!]));
  const extra = call.args.slice(params.length);
  return copied(body, values, extra, call) as Expr | null;
}

/**
 * A copy of an expression whose parts stand where the use stands. What `__VA_ARGS__` stands for is
 * there as arguments.
 */
function copied(
  part: unknown,
  values: ReadonlyMap<string, Expr>,
  extra: readonly Expr[],
  at: CallExpr,
): unknown {
  if (typeof part !== 'object' || part === null) return part;
  if (Array.isArray(part))
    return part.flatMap((one): unknown[] =>
      isRest(one) ? [...extra] : [copied(one, values, extra, at)],
    );
  const from = part as Record<string, unknown>;
  if (from['kind'] === 'name') {
    const value = values.get(from['name'] as string);
    if (value) return value;
  }
  const copy: Record<string, unknown> = {};
  for (const key in from) copy[key] = copied(from[key], values, extra, at);
  if (typeof from['start'] === 'number') {
    copy['start'] = at.start;
    copy['end'] = at.end;
  }
  if (from['kind'] === 'call') {
    const callee = copy['callee'] as Expr;
    copy['name'] = callee.kind === 'name' ? callee.name : null;
  }
  return copy;
}

function isRest(part: unknown): boolean {
  return (
    typeof part === 'object' &&
    part !== null &&
    (part as { kind?: string }).kind === 'name' &&
    (part as { name?: string }).name === '__VA_ARGS__'
  );
}
