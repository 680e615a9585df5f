/** A branch that the conversion has left with one line loses its braces, as kernel style has it. */
import type { Edit } from '../../../text/span.ts';
import type { IfStmt, Stmt } from '../../../ir/types.ts';
import { isLeftWithOneLine } from '../edits.ts';
import { joinRemovals, removalOf } from '../layout.ts';
import { statementsOf } from '../../../lifecycle/module/statements.ts';
import { changedFunctions, functionBefore, isTouched, type Change, type Pass } from './change.ts';

const NONE: ReadonlySet<Stmt> = new Set();

export const loneStatements: Pass = (change) => {
  const { after: file } = change;
  return changedFunctions(change).flatMap((fn): Edit[] =>
    statementsOf(fn).flatMap(({ stmt, sole, parent }): Edit[] => {
      if (
        stmt.kind !== 'if' ||
        sole ||
        stmt.otherwise ||
        stmt.then.kind !== 'block' ||
        !isTouched(change, stmt.then)
      )
        return [];
      // An `else if` keeps the braces of its chain.
      if (parent?.stmt.kind === 'if' && parent.stmt.otherwise === stmt) return [];
      const then = stmt.then;
      const braces = { start: stmt.conditionSpan.end, end: then.start + 1 };
      const close = removalOf(file.text, [], { start: then.end - 1, end: then.end });
      if (file.text.slice(braces.start, braces.end).trim() !== '{' || !close.wholeLines) return [];
      if (hadOneStatement(change, stmt) || !isLeftWithOneLine(file, then, NONE)) return [];
      return [
        { span: braces, newText: '' },
        ...joinRemovals(file.text, [close]).map((span) => ({ span, newText: '' })),
      ];

      function hadOneStatement(one: Change, now: IfStmt): boolean {
        const start = one.toBefore(now.start);
        const old = functionBefore(one, fn);
        const same =
          old &&
          statementsOf(old).find((place) => place.stmt.kind === 'if' && place.stmt.start === start)
            ?.stmt;
        return same?.kind !== 'if' || same.then.kind !== 'block' || same.then.body.length === 1;
      }
    }),
  );
};
