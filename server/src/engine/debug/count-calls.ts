/**
 * Counts life-cycle functions in the IR and, independently of mask and parser, in the text: they
 * must agree.
 */
import type { Expr, FileIr, Stmt } from '../../ir/types.ts';
import { walkExpr, walkExprs, walkStmt } from '../../ir/visit.ts';
import { API_FUNCTIONS } from '../../kernel/lifecycle-api.ts';

export interface CallCount {
  readonly name: string;
  readonly lowered: number;
  readonly written: number;
}

/**
 * The functions of the knowledge base that occur in the file as `name(`: calls, definitions,
 * prototypes and macros alike.
 */
export function countCalls(file: FileIr): readonly CallCount[] {
  const written = new Map<string, number>();
  for (const match of withoutCommentsAndStrings(file.text).matchAll(/\b(\w+)\s*\(/g))
    add(written, match[1]!);
  const lowered = countLowered(file);
  const names = API_FUNCTIONS.map((entry) => entry.name)
    .filter((name) => written.has(name) || lowered.has(name))
    .sort();
  return [...new Set(names)].map((name) => ({
    name,
    lowered: lowered.get(name) ?? 0,
    written: written.get(name) ?? 0,
  }));
}

function countLowered(file: FileIr): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const inExpr = (expr: Expr): void => {
    if (expr.kind === 'call' && expr.name !== null) add(counts, expr.name);
  };
  const inStmt = (stmt: Stmt): void => {
    walkExprs(stmt, inExpr);
    walkStmt(stmt, (one) => {
      if (one.kind === 'unknown') for (const name of one.calls) add(counts, name);
    });
  };
  for (const fn of file.functions) {
    add(counts, fn.name);
    inStmt(fn.body);
  }
  for (const one of file.prototypes) add(counts, one.name);
  for (const one of file.variables) if (one.init) walkExpr(one.init, inExpr);
  for (const one of file.macros) {
    if (one.params) add(counts, one.name);
    // A body that is no expression is kept as text.
    for (const match of withoutCommentsAndStrings(one.bodyText).matchAll(/\b(\w+)\s*\(/g))
      add(counts, match[1]!);
  }
  return counts;
}

/** Blanks what is no code; total, and linear in the text. */
export function withoutCommentsAndStrings(text: string): string {
  return text.replace(
    /\/\*[\s\S]*?(?:\*\/|$)|\/\/(?:\\\r?\n|[^\n])*|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?/g,
    ' ',
  );
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
