import {
  createLoweringCache,
  lowerFile,
  type LoweringCache,
} from '../../../server/src/ir/lower.ts';
import { printExpr, printFile } from '../../../server/src/ir/print.ts';
import type { Expr, FileIr } from '../../../server/src/ir/types.ts';
import { loadParser } from '../../support/parser.ts';

const parser = await loadParser();

/** Parses and lowers a text; the tree is freed at once, since the IR needs none. */
export function lower(text: string, cache: LoweringCache = createLoweringCache()): FileIr {
  const tree = parser.parse(text);
  try {
    return lowerFile('test.c', tree, cache, parser);
  } finally {
    tree.dispose();
  }
}

/** The printed IR of a text, with a line break before it for inline snapshots. */
export function printed(text: string): string {
  return '\n' + printFile(lower(text));
}

/** The printed IR of a function's body. */
export function printedBody(body: string): string {
  return (
    '\n' +
    printFile(lower(`void f(void)\n{\n${body}\n}\n`)).replace(
      /^(function.*) void f\(\)\n/m,
      (_, words: string) => (words.includes('opaque') ? 'opaque\n' : ''),
    )
  );
}

/** An expression in a function, lowered. */
export function expression(source: string): Expr {
  const stmt = lower(`void f(void)\n{\n\tx = ${source};\n}\n`).functions[0]?.body.body[0];
  if (stmt?.kind !== 'expr' || stmt.expr.kind !== 'assign')
    throw new Error(`no expression: ${source}`);
  return stmt.expr.value;
}

export function printedExpression(source: string): string {
  return printExpr(expression(source));
}
