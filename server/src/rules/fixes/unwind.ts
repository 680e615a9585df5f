import type { Edit, Span } from '../../text/span.ts';
import type { FunctionIr, ReturnStmt, Stmt } from '../../ir/types.ts';
import { walk } from '../locate.ts';
import { insertGuarded, labelsOf, type Proposal } from './error-style.ts';
import { indentationAt, insertAfter, insertBefore, layOut, newlineOf, replace, startsLine } from './text.ts';

/** The return statement at a place, or null when the path falls off the end of the function. */
export function returnAt(fn: FunctionIr, place: Span): ReturnStmt | null {
  for (const node of walk(fn.body)) if (node.kind === 'return' && node.start === place.start && node.end === place.end) return node;
  return null;
}

/**
 * Makes a path undo something before it returns: by a goto to the label that does it already, which is safe; before the return
 * that all such paths share, safe too; before this return only, which a person must look at, because other undoing may be due first.
 * @param undo statements, without indentation.
 * @param isUndo whether a statement is that undoing.
 * @param shared every path through this return owes the undoing.
 */
export function undoBeforeReturn(
  text: string, fn: FunctionIr, leave: ReturnStmt, undo: readonly string[], isUndo: (statement: Stmt) => boolean, shared: boolean,
): Proposal | null {
  const label = labelsOf(fn.body).find(({ first }) => first !== null && isUndo(first) && first.start > leave.end);
  if (label !== undefined && returnsTheSame(fn, leave)) return { edits: [replace(leave, `goto ${label.name};`)], safety: 'safe' };
  const edits = insertGuarded(text, fn, leave, undo);
  if (edits === null || !shared) return edits === null ? null : { edits, safety: 'unsafe' };
  return { edits, safety: isLast(fn, leave) ? 'safe' : 'unsafe' };
}

/** Whether the value is the variable that the function's end returns, so that a goto there returns the same. */
function returnsTheSame(fn: FunctionIr, leave: ReturnStmt): boolean {
  const last = fn.body.body.at(-1);
  if (last?.kind !== 'return') return last !== undefined && leave.value === null;
  return last.value === null || last.value.kind === 'name' && leave.value?.kind === 'name' && leave.value.name === last.value.name;
}

function isLast(fn: FunctionIr, leave: ReturnStmt): boolean {
  return fn.body.body.at(-1) === leave;
}

/**
 * Splits `return call(…);` so that a failure is undone: the result goes to the function's own error variable, or to a new one.
 * @param undo one statement.
 */
export function undoOnFailedTail(text: string, fn: FunctionIr, leave: ReturnStmt, undo: string): Edit[] | null {
  if (leave.value?.kind !== 'call' || !startsLine(text, leave.start) || !fn.body.body.includes(leave)) return null;
  const call = text.slice(leave.value.start, leave.value.end);
  const declarations = fn.body.body.filter((statement) => statement.kind === 'decl');
  const known = declarations.find((one) => /^(ret|err|rc|error|result)$/.test(one.name) && one.type.name === 'int' && one.type.pointers === 0);
  const name = known?.name ?? 'ret';
  if (known === undefined && new RegExp(`\\b${name}\\b`).test(fn.text)) return null;
  const lines = layOut(text, indentationAt(text, leave.start), [`${name} = ${call};`, `if (${name})`, `\t${undo}`, `return ${name};`]);
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
    return { span: { start: inside, end: inside }, newText: newlineOf(text) + layOut(text, '\t', lines) };
  }
  if (last.kind === 'preproc' || last.kind === 'label' || !startsLine(text, last.start)) return null;
  if (last.kind === 'return') return insertBefore(text, last, lines);
  return insertAfter(text, last.kind === 'decl' ? last.statement : last, last.kind === 'decl' ? ['', ...lines] : lines);
}
