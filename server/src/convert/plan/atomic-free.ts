/** Proves that no free which becomes a put runs where nothing may sleep. */
import type { LockKind } from '../../kernel/functions/row.ts';
import { spinLockReleasedBy, spinLockTakenBy } from '../../kernel/locks.ts';
import type { CallExpr, FileIr, Stmt } from '../../ir/types.ts';
import { ownExpressions, type Placed } from '../../lifecycle/module/statements.ts';
import { lineOf, refuse } from '../refusal-error.ts';
import type { FreePlan } from '../types.ts';

/**
 * Refuses a free with a spinlock held: vfio_put_device() frees by kvfree() and calls .release, both
 * of which may sleep
 * (drivers/vfio/vfio_main.c, 6.1 to 6.12), and kfree() does not.
 */
export function refuseAtomicFrees(file: FileIr, frees: readonly FreePlan[]): void {
  for (const free of frees) {
    const taken = lockHeldAt(free.at);
    if (!taken) continue;
    refuse(
      'unsuitable-statement',
      `${free.fn.name}() frees the object with the lock of line ${lineOf(file, taken.start)} held, ${taken.name ?? 'a lock'}(): vfio_put_device() may sleep. Free it after the unlock first.`,
      file,
      free.at.stmt,
    );
  }
}

/**
 * The call that took a lock in front of a statement, in its own block or one around it, which
 * nothing in between let go.
 */
function lockHeldAt(place: Placed): CallExpr | null {
  for (let at: Placed | null = place; at; at = at.parent) {
    const released = new Set<LockKind>();
    for (const stmt of [...at.siblings.slice(0, at.index)].reverse()) {
      for (const call of callsOf(stmt).reverse()) {
        const given = spinLockReleasedBy(call.name ?? '');
        if (given !== undefined) released.add(given);
        const taken = spinLockTakenBy(call.name ?? '');
        if (taken !== undefined && !released.has(taken)) return call;
      }
    }
  }
  return null;
}

function callsOf(stmt: Stmt): CallExpr[] {
  return stmt.kind === 'expr' ? ownExpressions(stmt).filter((expr) => expr.kind === 'call') : [];
}
