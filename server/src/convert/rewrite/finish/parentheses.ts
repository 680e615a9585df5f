/** The parentheses of a document's functions and prototypes that lines may be aligned to. */
import type { FileIr, FunctionIr, PrototypeIr } from '../../../ir/types.ts';
import type { Span } from '../../../text/span.ts';
import { allExpressions, statementsOf } from '../../../lifecycle/module/statements.ts';

/**
 * The list of parameters of a function or a prototype, with its parentheses; null when there is
 * none to be seen.
 */
export function parametersOf(file: FileIr, item: FunctionIr | PrototypeIr): Span | null {
  const start = file.text.indexOf('(', item.nameSpan.end);
  const after = item.params.at(-1)?.end ?? start + 1;
  const end = file.text.indexOf(')', after);
  return start < 0 || end < 0 || end > item.end ? null : { start, end: end + 1 };
}

/**
 * What stands in parentheses in a function: the parameters, the arguments of calls, conditions.
 * Outer before inner.
 */
export function parenthesesOf(file: FileIr, fn: FunctionIr): Span[] {
  const parameters = parametersOf(file, fn);
  const inside = statementsOf(fn).flatMap(({ stmt }) => [
    ...(stmt.kind === 'if' ? [stmt.conditionSpan] : []),
    ...allExpressions(stmt).flatMap((expr) => (expr.kind === 'call' ? [expr.argsSpan] : [])),
  ]);
  return [...(parameters ? [parameters] : []), ...inside].sort(
    (left, right) => left.start - right.start || right.end - left.end,
  );
}
