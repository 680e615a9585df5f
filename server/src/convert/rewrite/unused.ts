/** Finds locals that a conversion leaves unused. */
import { soundsLikeView } from '../../kernel/heuristics.ts';
import type { Edit, Span } from '../../text/span.ts';
import type { DeclStmt, Expr, FileIr, FunctionIr } from '../../ir/types.ts';
import { isFixedGetter, isView } from '../../kernel/casts.ts';
import { codeOf, removalOf, type Removal } from './layout.ts';
import {
  allExpressions,
  designators,
  expressionsIn,
  statementsOf,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { namesThroughMacros } from '../query/names.ts';
import type { ConversionPlan } from '../types.ts';
import { append } from '../../text/lists.ts';

export interface Unused {
  readonly removals: Removal[];
  /** On those that are left; `at` is their declaration. */
  readonly notes: { readonly text: string; readonly at: Span }[];
}

/** Locals whose last use the edits of a plan take away in one of its documents. */
export function unusedLocals(
  plan: ConversionPlan,
  file: FileIr,
  edits: readonly Edit[],
  removals: readonly Removal[],
): Unused {
  const functions = new Set<FunctionIr>(
    plan.devices.flatMap((device) =>
      [...device.allocations, ...device.frees, ...device.uninits]
        .filter((item) => item.file === file)
        .map((item) => item.fn),
    ),
  );
  const written = (fn: FunctionIr): string =>
    plan.devices
      .flatMap((device) => [
        ...device.allocations
          .filter((item) => item.fn === fn)
          .flatMap((item) => [item.dev, item.ops]),
        ...device.frees.filter((item) => item.fn === fn).map((item) => item.put),
      ])
      .join('\n');
  return unusedIn(file, functions, written, edits, removals);
}

/**
 * The same for functions of a document; `written` is the code that the edits put into one.
 * Declarations go when the initialiser only
 * computes; the others are named in a note.
 */
export function unusedIn(
  file: FileIr,
  functions: Iterable<FunctionIr>,
  written: (fn: FunctionIr) => string,
  edits: readonly Edit[],
  removals: readonly Removal[],
): Unused {
  const gone: Span[] = [
    ...edits.map((edit) => edit.span),
    ...removals.map((removal) => removal.span),
  ];
  const found: Removal[] = [];
  const notes = new Map<string, Span>();
  for (const fn of functions) {
    const after = written(fn);
    const places = statementsOf(fn);
    const decls = places.flatMap(({ stmt }) => (stmt.kind === 'decl' ? [stmt] : []));
    const uses = places
      .flatMap(({ stmt }) => allExpressions(stmt))
      .filter((expr) => expr.kind === 'name');
    const names = new Map<string, Expr[]>();
    for (const use of uses)
      if (use.kind === 'name') names.set(use.name, [...(names.get(use.name) ?? []), use]);
    const unused = new Set<DeclStmt>();
    // A local that only another one was made from goes with that, in the next round.
    for (let size = -1; size < unused.size;) {
      size = unused.size;
      const lost: Span[] = [...gone, ...unused, ...found.map((removal) => removal.span)];
      const isGone = (expr: Expr): boolean =>
        lost.some((span) => expr.start >= span.start && expr.end <= span.end);
      for (const decl of decls) {
        if (unused.has(decl)) continue;
        const own = names.get(decl.name) ?? [];
        const stores = places.filter((place) => storesTo(place, decl.name));
        const left = own.filter(
          (expr) =>
            !isGone(expr) &&
            !stores.some(
              (place) =>
                place.stmt.kind === 'expr' &&
                place.stmt.expr.kind === 'assign' &&
                place.stmt.expr.target === expr,
            ),
        );
        if (!own.some(isGone) || left.length > 0 || mentions(after, decl.name) > 0) continue;
        if (isNamedByMacro(file, fn, decl.name)) continue;
        const kept = stores.filter(
          (place) => !(place.stmt.kind === 'expr' && isGone(place.stmt.expr)),
        );
        const stuck = kept.some(
          (place) =>
            place.sole ||
            place.conditional ||
            place.stmt.kind !== 'expr' ||
            place.stmt.expr.kind !== 'assign' ||
            !isPure(place.stmt.expr.value),
        );
        if (stuck || (decl.init && !isPure(decl.init)) || hiddenUse(fn, decl, own.length)) {
          notes.set(`${decl.name} in ${fn.name}() is no longer used.`, decl);
          continue;
        }
        unused.add(decl);
        append(
          found,
          kept.map((place) => removalOf(file.text, file.comments, place.stmt)),
        );
      }
    }
    for (const decl of unused)
      append(
        found,
        declarationRemovals(
          file,
          decl,
          decls.filter((other) => other.statement.start === decl.statement.start),
          unused,
        ),
      );
  }
  return { removals: found, notes: [...notes].map(([text, at]) => ({ text, at })) };
}

/**
 * The whole declaration, once, when all in it are unused; else the declarator with the comma that
 * goes with it.
 */
function declarationRemovals(
  file: FileIr,
  decl: DeclStmt,
  together: readonly DeclStmt[],
  unused: ReadonlySet<DeclStmt>,
): Removal[] {
  if (together.every((other) => unused.has(other)))
    return together[0] === decl ? [removalOf(file.text, file.comments, decl.statement)] : [];
  const at = together.indexOf(decl);
  // The comma behind it as long as all in front of it go too, else the one in front of it.
  const leads = together.slice(0, at).every((other) => unused.has(other));
  const span = leads
    ? { start: decl.start, end: together[at + 1]!.start }
    : { start: together[at - 1]!.end, end: decl.end };
  return [{ span, wholeLines: false, inside: [], above: [] }];
}

/** `name = …;` as a statement of its own: no use of what the variable holds. */
function storesTo({ stmt }: Placed, name: string): boolean {
  return (
    stmt.kind === 'expr' &&
    stmt.expr.kind === 'assign' &&
    stmt.expr.op === '=' &&
    stmt.expr.target.kind === 'name' &&
    stmt.expr.target.name === name
  );
}

/** Views of an object that a declaration may be dropped with: they only compute. */
function isPureView(name: string): boolean {
  return soundsLikeView(name) || isView(name) || isFixedGetter(name);
}

function isPure(value: Expr): boolean {
  return expressionsIn(value).every(
    (expr) =>
      expr.kind !== 'assign' &&
      expr.kind !== 'update' &&
      expr.kind !== 'statement-expression' &&
      expr.kind !== 'unknown' &&
      (expr.kind !== 'call' || (expr.name !== null && isPureView(expr.name))),
  );
}

/** A macro that a function uses names the variable, which is written nowhere in the function then. */
function isNamedByMacro(file: FileIr, fn: FunctionIr, name: string): boolean {
  const words = new Set(codeOf(fn.text).match(/[A-Za-z_]\w*/g));
  return file.macros.some(
    (macro) =>
      words.has(macro.name) &&
      macro.params?.includes(name) !== true &&
      namesThroughMacros([file], macro.bodyText).has(name),
  );
}

/**
 * The name occurs in the text more often than the IR knows of: in a macro's arguments or in what
 * was not understood.
 */
function hiddenUse(fn: FunctionIr, decl: DeclStmt, known: number): boolean {
  const code = codeOf(fn.text);
  const named = statementsOf(fn)
    .flatMap(({ stmt }) => allExpressions(stmt))
    .flatMap((expr) => (expr.kind === 'call' ? designators(expr) : []));
  return (
    mentions(code, decl.name) >
    known + 1 + named.filter((expr) => expr.kind === 'name' && expr.name === decl.name).length
  );
}

/** How often a text names a variable; a member or a struct of that name does not count. */
function mentions(text: string, name: string): number {
  return (
    text.match(
      new RegExp(`(?<![\\w.])(?<!->)(?<!\\b(?:struct|union|enum)\\s+)\\b${name}\\b`, 'g'),
    ) ?? []
  ).length;
}
