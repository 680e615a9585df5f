/** A label whose gotos have all gone with the conversion goes too: compilers warn of it. */
import type { Stmt } from '../../../ir/types.ts';
import { statementsOf } from '../../../lifecycle/module/statements.ts';
import { hiddenJumps } from '../../query/hidden-jumps.ts';
import { joinRemovals, removalOf } from '../layout.ts';
import { changedFunctions, functionBefore, type Pass } from './change.ts';

/** What is after a label that only its gotos reached is dead code, and stays for a person to see. */
export const unusedLabels: Pass = (change) =>
  changedFunctions(change).flatMap((fn) => {
    const { module, after: file } = change;
    const old = functionBefore(change, fn);
    if (!old || fn.opaque) return [];
    const [wanted, used] = [gotosIn(old), gotosIn(fn)];
    const { pinned } = hiddenJumps(module, file, fn);
    const removals = statementsOf(fn).flatMap(({ stmt, siblings, index }) =>
      stmt.kind === 'label' &&
      wanted.has(stmt.name) &&
      !used.has(stmt.name) &&
      !pinned.has(stmt.name) &&
      !isJump(siblings[index - 1])
        ? [removalOf(file.text, [], stmt)]
        : [],
    );
    return joinRemovals(file.text, removals).map((span) => ({ span, newText: '' }));
  });

function gotosIn(fn: Parameters<typeof statementsOf>[0]): Set<string> {
  return new Set(
    statementsOf(fn).flatMap(({ stmt }) => (stmt.kind === 'goto' ? [stmt.label] : [])),
  );
}

function isJump(stmt: Stmt | undefined): boolean {
  return stmt?.kind === 'return' || stmt?.kind === 'goto';
}
