import type { Edit, Span } from '../text/span.ts';
import type { DeclStmt, Expr, FunctionIr } from '../ir/types.ts';
import { removalOf, type Removal } from './layout.ts';
import { allExpressions, expressionsIn, statementsOf } from './place.ts';
import type { ConversionPlan } from './types.ts';

/** Views of an object that a declaration may be dropped with: they only compute. */
const PURE_CALLS = /^(?:container_of\w*|to_\w+|dev_get_drvdata|\w+_get_drvdata|mdev_dev|mdev_parent_dev|dev_name)$/;

/**
 * Locals whose last use the edits take away. Their declarations go when nothing else shares the line and the initialiser only
 * computes; the others are named in a note.
 */
export function unusedLocals(plan: ConversionPlan, edits: readonly Edit[], removals: readonly Removal[]): { readonly removals: Removal[]; readonly notes: string[] } {
  const { file } = plan;
  const gone: Span[] = [...edits.map((edit) => edit.span), ...removals.map((removal) => removal.span)];
  const isGone = (expr: Expr): boolean => gone.some((span) => expr.start >= span.start && expr.end <= span.end);
  const functions = new Set<FunctionIr>(plan.devices.flatMap((device) => [...device.allocations, ...device.frees, ...device.uninits].map((item) => item.fn)));
  const found: Removal[] = [];
  const notes: string[] = [];
  for (const fn of functions) {
    const written = edits.filter((edit) => edit.span.start >= fn.start && edit.span.end <= fn.end).map((edit) => edit.newText).join('\n');
    const places = statementsOf(fn);
    const uses = places.flatMap(({ stmt }) => allExpressions(stmt)).filter((expr) => expr.kind === 'name');
    for (const { stmt } of places) {
      if (stmt.kind !== 'decl') continue;
      const own = uses.filter((expr) => expr.kind === 'name' && expr.name === stmt.name);
      if (own.length === 0 || !own.every(isGone) || new RegExp(`\\b${stmt.name}\\b`).test(written)) continue;
      const shared = places.some(({ stmt: other }) => other.kind === 'decl' && other !== stmt && other.statement.start === stmt.statement.start);
      if (shared || !isPure(stmt) || hiddenUse(fn, stmt, own.length)) notes.push(`${stmt.name} in ${fn.name}() is no longer used.`);
      else found.push(removalOf(file.text, file.comments, stmt.statement));
    }
  }
  return { removals: found, notes };
}

function isPure(decl: DeclStmt): boolean {
  if (!decl.init) return true;
  return expressionsIn(decl.init).every((expr) => expr.kind !== 'assign' && expr.kind !== 'update' && expr.kind !== 'statement-expression' && expr.kind !== 'unknown'
    && (expr.kind !== 'call' || (expr.name !== null && PURE_CALLS.test(expr.name))));
}

/** The name occurs in the text more often than the IR knows of: in a macro's arguments or in what was not understood. */
function hiddenUse(fn: FunctionIr, decl: DeclStmt, known: number): boolean {
  const code = fn.text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"/g, ' ');
  return (code.match(new RegExp(`(?<![\\w.])(?<!->)\\b${decl.name}\\b`, 'g')) ?? []).length > known + 1;
}
