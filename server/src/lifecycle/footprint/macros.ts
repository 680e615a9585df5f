/**
 * Macros of the module, which are written out where they stand: what one is for the code around it.
 */
import { argumentsOf, substitute } from '../../ir/substitute.ts';
import type { CallExpr, Expr, MacroIr } from '../../ir/types.ts';
import type { Scope } from '../module/types-of.ts';
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
  return macros.every((macro) => isPlainText(macro.bodyText))
    ? { kind: 'expression', body: null, names: macros.flatMap(wordsOf) }
    : OPAQUE;
}

function macrosNamed(scope: Scope, name: string): MacroIr[] {
  return [scope.file, ...scope.module.headers].flatMap((file) =>
    file.macros.filter((macro) => macro.name === name),
  );
}

function useOf(macro: MacroIr, call: CallExpr | null): MacroUse {
  if (macro.body !== null) {
    const body = writtenAt(macro, macro.body, macro.params === null ? null : call);
    return body ? { kind: 'expression', body, names: [] } : OPAQUE;
  }
  const words = wordsOf(macro);
  if (call && macro.params === null)
    return words.length === 1 && words[0] === macro.bodyText.trim()
      ? { kind: 'alias', name: words[0] }
      : OPAQUE;
  // What neither calls nor assigns nor is a statement was not worth a parse: names, numbers and
  // operators.
  return isPlainText(macro.bodyText) ? { kind: 'expression', body: null, names: words } : OPAQUE;
}

function wordsOf({ bodyText }: MacroIr): string[] {
  return bodyText.match(/[A-Za-z_]\w*/g) ?? [];
}

const STATEMENT =
  /[;{}#]|\+\+|--|(?<![=!<>])=(?!=)|\(\s*$|\b(?:if|else|while|for|do|switch|case|default|goto|return|break|continue|asm|__asm__)\b|\b[A-Za-z_]\w*\s*\(/;

function isPlainText(text: string): boolean {
  return !STATEMENT.test(text.replace(COMMENT_OR_LITERAL, ' '));
}

/**
 * A part of a macro's text with the arguments of a use in the place of its parameters; null when
 * they do not fit, or when it was not understood.
 */
function writtenAt(macro: MacroIr, part: Expr, call: CallExpr | null): Expr | null {
  const given = argumentsOf(macro, call?.args ?? []);
  if (!given) return null;
  if (!call) return part;
  const at = { start: call.start, end: call.end };
  return substitute(part, { at, ...given, renamed: NOT_RENAMED, placed: () => at });
}

const NOT_RENAMED: ReadonlyMap<string, string> = new Map();
