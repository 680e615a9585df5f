/** Deletes the statement of a call where nothing else is lost by it. */
import type { Edit, Span } from '../../text/span.ts';
import type { FunctionIr, Stmt } from '../../ir/types.ts';
import { callAt, statementAt } from '../locate.ts';
import { deleteStatement } from './text.ts';

/**
 * The edit that takes a call away with its statement.
 * @param site a place in the call.
 * @returns null where the statement is more than the call (`a(), b();`), where a label before it
 * would have no statement, and where it is all that a branch or an #if has.
 */
export function deleteCall(text: string, fn: FunctionIr, site: Span): Edit | null {
  const call = callAt(fn.body, site);
  const placed = statementAt(fn.body, site);
  if (call === null || placed?.siblings == null) return null;
  const { statement, siblings, index } = placed;
  if (statement.kind !== 'expr' || statement.expr !== call) return null;
  const isAllOfBranch = siblings.length === 1 && siblings !== fn.body.body;
  if (isAllOfBranch || isNeededByLabel(siblings, index)) return null;
  return deleteStatement(text, statement);
}

/** C wants a statement after a label, and a declaration is none. */
function isNeededByLabel(siblings: readonly Stmt[], index: number): boolean {
  const before = siblings[index - 1];
  const after = siblings[index + 1];
  return (
    (before?.kind === 'label' || before?.kind === 'case') &&
    (after === undefined || after.kind === 'decl' || after.kind === 'preproc')
  );
}
