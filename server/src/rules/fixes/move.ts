/** Moves statements within their block. */
import type { Edit, Span } from '../../text/span.ts';
import type { FunctionIr, Stmt } from '../../ir/types.ts';
import { addressedBy, changedBy } from '../../ir/assigned.ts';
import { statementAt, walk, type IrNode } from '../locate.ts';
import { closeHoles, newlineOf, startsLine, startWithComment, wholeLines } from './text.ts';

/**
 * Moves a plain statement up, before another of the same block, when nothing in between decides
 * what it does: no label, no #if, and
 * no new value of a variable that it uses.
 * @param from a place in the statement to be moved.
 * @param to a place in the statement that it goes before.
 * @returns null when it cannot be shown that the order does not matter.
 */
export function moveBefore(text: string, fn: FunctionIr, from: Span, to: Span): Edit[] | null {
  const moved = statementAt(fn.body, from);
  const target = statementAt(fn.body, to);
  if (
    !moved ||
    !target ||
    moved.siblings === null ||
    moved.siblings !== target.siblings ||
    moved.index <= target.index
  )
    return null;
  if (
    moved.statement.kind !== 'expr' ||
    !startsLine(text, moved.statement.start) ||
    !startsLine(text, target.statement.start)
  )
    return null;
  const passed = moved.siblings.slice(target.index, moved.index);
  if (
    passed.some((one) => !PLAIN.has(one.kind)) ||
    passed.some((one) =>
      [...walk(one)].some(
        (node) => node.kind === 'label' || node.kind === 'preproc' || node.kind === 'case',
      ),
    )
  )
    return null;
  const used = new Set(
    [...walk(moved.statement)].flatMap((node) => (node.kind === 'name' ? [node.name] : [])),
  );
  if (passed.some((one) => setNames(one).some((name) => used.has(name)))) return null;
  if (
    passed.some((one) =>
      setMembers(one, text).some((member) => mentions(moved.statement, text, member)),
    )
  )
    return null;
  const taken = takeLines(text, moved.statement);
  return taken === null
    ? null
    : [putLinesBefore(text, target.statement, taken.lines), ...taken.removed];
}

/**
 * The lines of a statement as they stand, with the comments that belong to it, for another place of
 * the same block; and the edits that
 * take them away.
 * @returns null when it shares a line with other code.
 */
export function takeLines(
  text: string,
  statement: Span,
): { readonly lines: string; readonly removed: readonly Edit[] } | null {
  const whole = wholeLines(text, statement);
  if (whole === null) return null;
  const span = { start: startWithComment(text, statement.start), end: whole.end };
  const lines = text.slice(span.start, span.end);
  return {
    lines: lines.endsWith('\n') ? lines : lines + newlineOf(text),
    removed: closeHoles(text, [{ span, newText: '' }]),
  };
}

/**
 * Puts lines that were taken elsewhere before an item that begins its line, above the comment that
 * belongs to it.
 */
export function putLinesBefore(text: string, item: Span, lines: string): Edit {
  const at = startWithComment(text, item.start);
  return { span: { start: at, end: at }, newText: lines };
}

const PLAIN: ReadonlySet<Stmt['kind']> = new Set<Stmt['kind']>(['expr', 'if', 'decl']);

/** The variables that a statement gives another value, or whose address it hands on. */
function setNames(statement: Stmt): string[] {
  return [...walk(statement)].flatMap((node: IrNode): string[] => {
    if (node.kind === 'decl') return [node.name];
    const target = changedBy(node) ?? addressedBy(node);
    return target?.kind === 'name' ? [target.name] : [];
  });
}

/** The members that a statement assigns, as written. */
function setMembers(statement: Stmt, text: string): string[] {
  return [...walk(statement)].flatMap((node: IrNode): string[] => {
    const target = changedBy(node);
    return target?.kind === 'member' || target?.kind === 'index'
      ? [text.slice(target.start, target.end)]
      : [];
  });
}

function mentions(statement: Stmt, text: string, member: string): boolean {
  return text.slice(statement.start, statement.end).includes(member);
}
