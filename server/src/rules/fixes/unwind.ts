/** Adds an undo to the error labels or the exit of a function. */
import type { Edit, Span } from '../../text/span.ts';
import type { FunctionIr, ReturnStmt, Stmt } from '../../ir/types.ts';
import { ancestry, contains, statementAt, walk, walkWithParents, type IrNode } from '../locate.ts';
import type { Step } from '../../lifecycle/types.ts';
import { insertGuarded, labelsOf, type Proposal } from './error-style.ts';
import {
  indentationAt,
  insertAfter,
  insertBefore,
  layOut,
  newlineOf,
  replace,
  startsLine,
} from './text.ts';

/**
 * Whether a path may come to `place` that has not passed `since`: by a goto from before it, or
 * because `since` stands under a condition
 * of its own. A fact of the text, for paths on which there is no object to observe. A `since` in
 * another function is passed by all.
 */
export function canBeSkipped(fn: FunctionIr, since: Span, place: Span): boolean {
  if (since.start < fn.start || since.end > fn.end) return false;
  const labels = new Map<string, number>();
  const gotos: { readonly label: string; readonly start: number }[] = [];
  for (const node of walk(fn.body)) {
    if (node.kind === 'label') labels.set(node.name, node.start);
    if (node.kind === 'goto') gotos.push(node);
  }
  const isConditional = ancestry(fn.body, since).some(
    (node) => mayLeaveOut(node, since) && !contains(node, place),
  );
  const isJumpedOver = gotos.some(
    ({ label, start }) =>
      start < since.start &&
      (labels.get(label) ?? -1) > since.start &&
      labels.get(label)! <= place.start,
  );
  return isConditional || isJumpedOver;
}

/**
 * Whether a statement may be passed without what stands in it: the test of an if is always
 * evaluated.
 */
function mayLeaveOut(node: IrNode, inside: Span): boolean {
  switch (node.kind) {
    case 'if':
      return !contains(node.condition, inside);
    case 'loop':
    case 'switch':
    case 'preproc':
      return true;
    default:
      return false;
  }
}

/**
 * Makes a path undo something before it returns: by a goto to the label that does it already, which
 * is safe; before the return
 * that all such paths share, safe too; before this return only, which a person must look at,
 * because other undoing may be due first.
 * @param undo statements, without indentation.
 * @param isUndo whether a statement is that undoing.
 * @param isBound whether the returned expression needs what is undone, so that it cannot be
 * evaluated behind it.
 */
export function undoBeforeReturn(
  text: string,
  fn: FunctionIr,
  leave: ReturnStmt,
  undo: readonly string[],
  isUndo: (statement: Stmt) => boolean,
  isBound: boolean,
): Proposal | null {
  const jump = jumpToUndo(text, fn, leave, isUndo);
  if (jump !== null) return { edits: jump, safety: 'safe' };
  const edits = isBound ? null : insertGuarded(text, fn, leave, undo);
  return edits === null ? null : { edits, safety: isLast(fn, leave) ? 'safe' : 'unsafe' };
}

/**
 * A goto in place of a return, to a label behind it that begins with what is to be undone; null
 * when there is none or the value would be lost.
 */
export function jumpToUndo(
  text: string,
  fn: FunctionIr,
  leave: ReturnStmt,
  isUndo: (statement: Stmt) => boolean,
): Edit[] | null {
  const label = labelsOf(fn.body).find(
    ({ name, first }) =>
      first !== null && isUndo(first) && first.start > leave.end && !skipsCleanup(fn, leave, name),
  );
  return label === undefined ? null : jumpTo(text, fn, leave, label.name);
}

/**
 * Whether a jump forward goes past a declaration or a guard() whose cleanup would run at the label:
 * it would be given what nobody has set.
 */
export function skipsCleanup(fn: FunctionIr, from: Span, label: string): boolean {
  const skipped: Span[] = [];
  let target: Span | undefined;
  for (const { node, parents } of walkWithParents(fn.body)) {
    if (node.kind === 'label' && node.name === label) target = node;
    const cleansUp =
      (node.kind === 'decl' && node.cleanup !== null) ||
      (node.kind === 'guard' && node.body === null);
    if (!cleansUp || node.start < from.end) continue;
    const scope = parents.findLast(({ kind }) => kind === 'block') ?? fn.body;
    skipped.push({ start: node.start, end: scope.end });
  }
  return target !== undefined && skipped.some((one) => contains(one, target));
}

/**
 * For a return or a free that paths share which owe nothing: the undoing goes before the last goto
 * that the trace takes behind `since`.
 * A person must look at it: the labels behind the goto may undo things in another order.
 */
export function undoBeforeGoto(
  text: string,
  fn: FunctionIr,
  trace: readonly Step[],
  since: Span,
  undo: string,
): Edit[] | null {
  const step = trace.findLast(
    (one) => one.kind === 'goto' && contains(fn, one.site) && one.site.start > since.start,
  );
  const placed = step === undefined ? null : statementAt(fn.body, step.site);
  return placed?.statement.kind === 'goto'
    ? insertGuarded(text, fn, placed.statement, [undo])
    : null;
}

/**
 * `goto label;` in place of the return; the value goes to the variable that the function's end
 * returns.
 */
function jumpTo(text: string, fn: FunctionIr, leave: ReturnStmt, label: string): Edit[] | null {
  const last = fn.body.body.at(-1);
  const result = last?.kind === 'return' ? last.value : null;
  if (leave.value === null)
    return last?.kind === 'return' && result !== null ? null : [replace(leave, `goto ${label};`)];
  if (result?.kind !== 'name') return null;
  if (leave.value.kind === 'name' && leave.value.name === result.name)
    return [replace(leave, `goto ${label};`)];
  const assign = insertGuarded(text, fn, leave, [
    `${result.name} = ${text.slice(leave.value.start, leave.value.end)};`,
  ]);
  return assign === null ? null : [...assign, replace(leave, `goto ${label};`)];
}

function isLast(fn: FunctionIr, leave: ReturnStmt): boolean {
  return fn.body.body.at(-1) === leave;
}

/**
 * Splits `return call(…);` so that a failure is undone: the result goes to the function's own error
 * variable, or to a new one.
 * @param undo one statement.
 */
export function undoOnFailedTail(
  text: string,
  fn: FunctionIr,
  leave: ReturnStmt,
  undo: string,
): Edit[] | null {
  if (
    leave.value?.kind !== 'call' ||
    !startsLine(text, leave.start) ||
    !fn.body.body.includes(leave)
  )
    return null;
  const call = text.slice(leave.value.start, leave.value.end);
  const declarations = fn.body.body.filter((statement) => statement.kind === 'decl');
  const known = declarations.find(
    (one) =>
      /^(ret|err|rc|error|result)$/.test(one.name) &&
      one.type.name === 'int' &&
      one.type.pointers === 0,
  );
  const name = known?.name ?? 'ret';
  if (known === undefined && new RegExp(`\\b${name}\\b`).test(fn.text)) return null;
  const lines = layOut(text, indentationAt(text, leave.start), [
    `${name} = ${call};`,
    `if (${name})`,
    `\t${undo}`,
    `return ${name};`,
  ]);
  const edits: Edit[] = [replace(leave, lines.trimStart())];
  if (known !== undefined) return edits;
  const last = declarations.at(-1);
  if (last === undefined) return null;
  return [insertAfter(text, last.statement, [`int ${name};`]), ...edits];
}

/** Adds statements at the end of a function's body, before its last return if it ends in one. */
export function addAtEnd(text: string, fn: FunctionIr, lines: readonly string[]): Edit | null {
  const last = fn.body.body.at(-1);
  if (last === undefined) {
    const inside = fn.body.start + 1;
    return {
      span: { start: inside, end: inside },
      newText:
        newlineOf(text) +
        layOut(
          text,
          '',
          lines.map((line) => `\t${line}`),
        ),
    };
  }
  if (last.kind === 'preproc' || last.kind === 'label' || !startsLine(text, last.start))
    return null;
  if (last.kind === 'return') return insertBefore(text, last, lines);
  return insertAfter(
    text,
    last.kind === 'decl' ? last.statement : last,
    last.kind === 'decl' ? ['', ...lines] : lines,
  );
}
