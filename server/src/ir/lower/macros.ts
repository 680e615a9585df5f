/** Parses the bodies of macros. */
import type { SyntaxParser, SyntaxTree, TopLevelItem } from '../../syntax/node.ts';
import type { Expr, InitializerExpr, MacroIr, Stmt } from '../types.ts';
import { walkExpr, walkExprs, walkStmt } from '../visit.ts';
import { createContext, field, parts } from './context.ts';
import { lowerExpr } from './expressions.ts';
import { lowerSequence } from './statements.ts';
import { shiftSpans } from './shift.ts';

/** A macro whose body is to be parsed, and the document's text of that body. */
interface Wrapped {
  readonly macro: MacroIr;
  /** Offset of the body in the document. */
  readonly bodyStart: number;
  /** Offset of the item in the synthetic text, and of the body in it. */
  readonly itemStart: number;
  readonly at: number;
  readonly form: Form;
}

/** What a body is the text of: a value, statements, or a table or some of its members. */
type Form = 'value' | 'statements' | 'table' | 'members';

const AROUND: Readonly<Record<Form, readonly [before: string, after: string]>> = {
  value: ['void m(void) { x = (', ');}'],
  statements: ['void m(void) { ', ' ;}'],
  table: ['struct m m = ', ';'],
  members: ['struct m m = { ', '};'],
};

/** What makes the body of a macro without arguments more than a constant or another name. */
const CODE =
  /^\{?\s*\.\s*[A-Za-z_]|\b[A-Za-z_]\w*\s*\(|\b(?:goto|return|break|continue)\b|[=!<>]=|&&|\|\||[^-<>][<>][^<>]/;

/** Whether the body of a macro is parsed: of those without arguments, what may act or test. */
export function isWorthParsing(macro: MacroIr): boolean {
  return macro.params === null ? CODE.test(macro.bodyText) : macro.bodyText !== '';
}

/**
 * Parses the bodies of macros as what they stand for: a value, statements, a table. All go into one
 * text, each as the body of a
 * function of its own, since one parse of many is much cheaper than many parses.
 * @returns the macros in the same order, with `body`, `statements` or `table` where their text is one.
 */
export function lowerMacroBodies(macros: readonly MacroIr[], parser: SyntaxParser): MacroIr[] {
  const lowered = new Map<MacroIr, MacroIr>();
  lowerTogether(macros, parser, lowered);
  return macros.map((macro) => lowered.get(macro) ?? macro);
}

/**
 * Parses macros in one text. One with an error is parsed once more by itself, because its error and
 * those around it change each other.
 */
function lowerTogether(
  macros: readonly MacroIr[],
  parser: SyntaxParser,
  lowered: Map<MacroIr, MacroIr>,
  isAnyStatement = false,
): void {
  const wrapped: Wrapped[] = [];
  let source = '';
  for (const macro of macros) {
    const bodyStart = macro.start + macro.bodyOffset;
    const body = withoutOperators(joinLines(macro.bodyText));
    if (body === null || !isBalanced(body)) continue;
    const form = isAnyStatement ? 'statements' : formOf(body);
    const [before, after] = AROUND[form];
    const itemStart = source.length;
    wrapped.push({ macro, bodyStart, itemStart, at: itemStart + before.length, form });
    source += `${before}${body}${after}\n`;
  }
  if (wrapped.length === 0) return;
  const damaged: MacroIr[] = [];
  const tree = parser.parse(source);
  try {
    const items = new Map(tree.items().map((item) => [item.start, item]));
    for (const [i, one] of wrapped.entries()) {
      const item = items.get(one.itemStart);
      const isWhole =
        item !== undefined &&
        !item.hasError &&
        item.end === (wrapped[i + 1]?.itemStart ?? source.length) - 1;
      if (!isWhole && wrapped.length > 1) {
        damaged.push(one.macro);
        continue;
      }
      if (item === undefined) continue;
      const body = lowerBody(one, item, tree);
      if (!item.hasError || isUnderstood(body)) lowered.set(one.macro, { ...one.macro, ...body });
    }
  } finally {
    tree.dispose();
  }
  for (const macro of damaged) lowerTogether([macro], parser, lowered);
  // What is no expression may be a declaration.
  const [only] = wrapped;
  if (wrapped.length === 1 && only?.form === 'value' && !lowered.has(only.macro))
    lowerTogether([only.macro], parser, lowered, true);
}

interface Body {
  readonly body: Expr | null;
  readonly statements: readonly Stmt[] | null;
  readonly table?: InitializerExpr;
}

/** A type as an argument is an error to the parser but not to the lowering. */
function isUnderstood({ body, statements, table }: Body): boolean {
  let understood = true;
  const check = (node: Expr | Stmt): void => {
    if (node.kind === 'unknown') understood = false;
  };
  if (body !== null) walkExpr(body, check);
  if (table !== undefined) walkExpr(table, check);
  for (const statement of statements ?? []) {
    walkStmt(statement, check);
    walkExprs(statement, check);
  }
  return understood;
}

function lowerBody(one: Wrapped, item: TopLevelItem, tree: SyntaxTree): Body {
  const none = { body: null, statements: null };
  const context = createContext(tree.text, item, tree.notes);
  if (one.form === 'table' || one.form === 'members') {
    const declarator = field(item.node(), 'declarator');
    const value = declarator === undefined ? undefined : field(declarator, 'value');
    const table = value === undefined ? null : lowerExpr(value, context);
    return table?.kind === 'initializer'
      ? { ...none, table: shiftSpans(table, one.bodyStart - one.at) }
      : none;
  }
  const block = field(item.node(), 'body');
  if (block === undefined) return none;
  const delta = one.bodyStart - one.at;
  if (one.form === 'statements') {
    const statements = lowerSequence(block.children, context);
    return context.opaque || statements.length === 0
      ? none
      : { body: null, statements: shiftSpans(statements, delta) };
  }
  const statement = parts(block)[0];
  const assignment = statement === undefined ? undefined : parts(statement)[0];
  const value =
    assignment?.type === 'assignment_expression' ? field(assignment, 'right') : undefined;
  return parts(block).length !== 1 || value === undefined
    ? none
    : { body: shiftSpans(lowerExpr(value, context), delta), statements: null };
}

/**
 * The body with `#` and `##` as the parser can take them, of the same length: a text for `#arg`,
 * one name for `a ## b`, whose parts `$` keeps apart. Null where they stand for something else.
 */
function withoutOperators(body: string): string | null {
  if (!body.includes('#')) return body;
  const plain = body
    .replace(/,\s*##(?=\s*\w)/g, (part) => ','.padEnd(part.length))
    .replace(/(?<=\w)\s*##\s*(?=\w)/g, (part) => '$'.repeat(part.length))
    .replace(/(?<!#)#\s*\w+/g, (part) => `"${' '.repeat(part.length - 2)}"`);
  return plain.includes('#') ? null : plain;
}

/** Continued lines become one; the length stays. */
function joinLines(text: string): string {
  return text.replace(/\\(?=\r?\n)/g, ' ');
}

/** Members of a table: `.open = foo_open, .close = foo_close`. */
const MEMBERS = /^\.\s*[A-Za-z_][\w.]*\s*=(?!=)/;
const TABLE = /^\{\s*(?:\.\s*[A-Za-z_]|\[)/;

function formOf(body: string): Form {
  if (MEMBERS.test(body)) return 'members';
  if (TABLE.test(body)) return 'table';
  return isStatement(body) ? 'statements' : 'value';
}

/**
 * A body of statements: it begins with their keyword or a brace, or has a semicolon outside of
 * parentheses.
 */
function isStatement(body: string): boolean {
  if (/^(?:do|if|while|for|switch|return|goto|break|continue)\b|^\{/.test(body)) return true;
  let depth = 0;
  for (const match of body.matchAll(/"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?|[()[\]{};]/g)) {
    if (/^[([{]$/.test(match[0])) depth++;
    else if (/^[)\]}]$/.test(match[0])) depth--;
    else if (match[0] === ';' && depth === 0) return true;
  }
  return false;
}

/** Whether the brackets match, so that a body cannot reach into the next one. */
function isBalanced(body: string): boolean {
  const stack: string[] = [];
  const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
  for (const match of body.matchAll(
    /\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?|[()[\]{}]/g,
  )) {
    const token = match[0];
    if (
      token.startsWith('//') ||
      (token.startsWith('/*') && !token.endsWith('*/')) ||
      /^"(?:[^"]*|.*\\")$/.test(token)
    )
      return false;
    if (closing[token] !== undefined) stack.push(closing[token]);
    else if (/^[)\]}]$/.test(token) && stack.pop() !== token) return false;
  }
  return stack.length === 0;
}
