/** Takes statements out, with the locals, labels and braces that only they needed. */
import { soundsLikeCast } from '../../kernel/heuristics.ts';
import { mayCleanUp } from '../../ir/attributes.ts';
import type { Edit } from '../../text/span.ts';
import type { FileIr, FunctionIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { lonelyBraces } from '../rewrite/edits.ts';
import { hiddenJumps } from '../query/hidden-jumps.ts';
import {
  codeOf,
  joinRemovals,
  lineStart,
  nextLine,
  removalOf,
  type Removal,
} from '../rewrite/layout.ts';
import {
  allExpressions,
  expressionsIn,
  statementsOf,
  type Placed,
} from '../../lifecycle/module/statements.ts';

/**
 * The edits that take statements of one function out, with the locals that only they used and the
 * braces that a block no longer needs.
 * Comments directly above a statement go with it.
 */
export function dropStatements(
  file: FileIr,
  fn: FunctionIr,
  gone: readonly Placed[],
): { readonly edits: Edit[]; readonly removals: Removal[] } {
  const { text, comments } = file;
  const removals = [...gone, ...unusedAfter(fn, gone)].flatMap((at): Removal[] => {
    const removal = removalOf(
      text,
      comments,
      at.stmt.kind === 'decl' ? at.stmt.statement : at.stmt,
    );
    return [removal, ...removal.above.map((comment) => removalOf(text, [], comment))];
  });
  const edits: Edit[] = [];
  for (const brace of lonelyBraces(
    file,
    gone.map((at) => ({ at })),
  )) {
    edits.push({ span: brace.open, newText: '' });
    removals.push(brace.close);
  }
  return { edits, removals };
}

/**
 * The edits of `dropStatements` for several functions of a document, as spans that do not overlap.
 */
export function dropAll(file: FileIr, gone: ReadonlyMap<FunctionIr, readonly Placed[]>): Edit[] {
  const dropped = [...gone].map(([fn, places]) => dropStatements(file, fn, places));
  return [
    ...dropped.flatMap((item) => item.edits),
    ...joinRemovals(
      file.text,
      dropped.flatMap((item) => item.removals),
    ).map((span) => ({ span, newText: '' })),
  ];
}

/**
 * Another name for a label that `says` what went behind it and now leads to a return: `err_uninit`
 * becomes `err`. Nothing where another name
 * is not free, or something that was not understood may use the label.
 */
export function relabelled(
  module: Module,
  file: FileIr,
  fn: FunctionIr,
  gone: readonly Placed[],
  says: RegExp,
): Edit[] {
  const all = statementsOf(fn);
  if (all.some(({ stmt }) => stmt.kind === 'unknown' || stmt.kind === 'asm')) return [];
  const { pinned } = hiddenJumps(module, file, fn);
  return gone.flatMap((place) => {
    const label = place.siblings[place.index - 1];
    const next = place.siblings
      .slice(place.index)
      .find((stmt) => !gone.some((other) => other.stmt === stmt));
    if (
      label?.kind !== 'label' ||
      pinned.has(label.name) ||
      !says.test(label.name) ||
      next?.kind !== 'return'
    )
      return [];
    const prefix = /^(?:out|err|error|fail|failed|exit)(?=_)/.exec(label.name)?.[0];
    const to = [...(prefix === undefined ? [] : [prefix]), 'out', 'out_return'].find(
      (name) => !new RegExp(`\\b${name}\\b`).test(fn.text),
    );
    if (to === undefined) return [];
    return all.flatMap(({ stmt }) => {
      if (stmt === label) return [{ span: label.nameSpan, newText: to }];
      return stmt.kind === 'goto' && stmt.label === label.name
        ? [{ span: stmt.labelSpan, newText: to }]
        : [];
    });
  });
}

/** A declaration without an effect: `struct foo *foo = container_of(…);`. */
export function isView({ stmt }: Placed): boolean {
  return (
    stmt.kind === 'decl' &&
    !stmt.isStatic &&
    !mayCleanUp(stmt) &&
    (stmt.init === null ||
      expressionsIn(stmt.init).every(
        (expr) =>
          expr.kind !== 'assign' &&
          expr.kind !== 'update' &&
          expr.kind !== 'unknown' &&
          expr.kind !== 'statement-expression' &&
          (expr.kind !== 'call' || (expr.name !== null && soundsLikeCast(expr.name))),
      ))
  );
}

/** Declarations whose variables nothing but the statements that go uses. */
function unusedAfter(fn: FunctionIr, gone: readonly Placed[]): Placed[] {
  const places = statementsOf(fn);
  const uses = places
    .flatMap(({ stmt }) => allExpressions(stmt))
    .flatMap((expr) => (expr.kind === 'name' ? [expr] : []));
  const code = codeOf(fn.text);
  return places.filter((at) => {
    if (!isView(at) || at.stmt.kind !== 'decl' || gone.includes(at)) return false;
    const { name, statement } = at.stmt;
    if (
      places.some(
        (other) =>
          other.stmt !== at.stmt &&
          other.stmt.kind === 'decl' &&
          other.stmt.statement.start === statement.start,
      )
    )
      return false;
    const own = uses.filter((use) => use.name === name);
    const taken = own.filter((use) =>
      gone.some(({ stmt }) => use.start >= stmt.start && use.end <= stmt.end),
    );
    // A member's name in container_of() is written like the variable; anything beyond that may be a
    // use that the IR has lost.
    const members = code.match(new RegExp(`,\\s*${name}\\s*\\)`, 'g'))?.length ?? 0;
    const written =
      code.match(new RegExp(`(?<![\\w.])(?<!->)(?<!struct )\\b${name}\\b`, 'g'))?.length ?? 0;
    return taken.length > 0 && taken.length === own.length && written <= own.length + 1 + members;
  });
}

/**
 * Nothing but blanks and comments stands beside a statement on its first and its last line: text
 * can go in above and below it.
 */
export function ownsLines(
  text: string,
  span: { readonly start: number; readonly end: number },
): boolean {
  const before = text.slice(lineStart(text, span.start), span.start);
  const behind = text
    .slice(span.end, nextLine(text, span.end))
    .replace(/\/\*[^\n]*?(?:\*\/|$)|\/\/[^\n]*/g, '');
  return before.trim() === '' && behind.trim() === '';
}
