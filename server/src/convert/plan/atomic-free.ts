/** Proves that no free which becomes a put runs where nothing may sleep. */
import { atomicChange, lockReleasedBy, lockTakenBy } from '../../kernel/locks.ts';
import type { CallExpr, FileIr, Stmt } from '../../ir/types.ts';
import { callOfGuard } from '../../lifecycle/interpret/guards.ts';
import { ownExpressions, type Placed } from '../../lifecycle/module/statements.ts';
import { lineOf, refuse } from '../refusal-error.ts';
import type { FreePlan } from '../types.ts';

/**
 * Refuses a free where a spinlock is held or preemption is off: vfio_put_device() frees by kvfree() and calls .release, both
 * of which may sleep
 * (drivers/vfio/vfio_main.c, 6.1 to 6.12), and kfree() does not.
 */
export function refuseAtomicFrees(file: FileIr, frees: readonly FreePlan[]): void {
  for (const free of frees) {
    const taken = lockHeldAt(free.at);
    if (!taken) continue;
    refuse(
      'unsuitable-statement',
      `${free.fn.name}() frees the object ${region(file, taken)}.`,
      file,
      free.at.stmt,
    );
  }
}

function region(file: FileIr, { name, start }: CallExpr): string {
  const call = `${name ?? 'a lock'}()`;
  const line = lineOf(file, start);
  return lockTakenBy(name ?? '') === undefined
    ? `after ${call} of line ${line}: vfio_put_device() may sleep. Free it where sleeping is allowed again first`
    : `with the lock of line ${line} held, ${call}: vfio_put_device() may sleep. Free it after the unlock first`;
}

/**
 * The call that took a lock in front of a statement, in its own block or one around it, which
 * nothing in between let go.
 */
function lockHeldAt(place: Placed): CallExpr | null {
  for (let at: Placed | null = place; at; at = at.parent) {
    const around = at.stmt.kind === 'guard' && at !== place ? callOfGuard(at.stmt, true) : null;
    if (around !== null && atomicChange(around.name ?? '') !== undefined) return around;
    const left = new Set<string>();
    for (const stmt of [...at.siblings.slice(0, at.index)].reverse()) {
      for (const call of callsOf(stmt).reverse()) {
        const name = call.name ?? '';
        const change = atomicChange(name);
        if (change === 'leaves') left.add(lockReleasedBy(name) ?? 'preemption');
        if (change === 'enters' && !left.has(lockTakenBy(name) ?? 'preemption')) return call;
      }
    }
  }
  return null;
}

function callsOf(stmt: Stmt): CallExpr[] {
  if (stmt.kind === 'guard' && stmt.body === null) {
    const call = callOfGuard(stmt, true);
    return call === null ? [] : [call];
  }
  return stmt.kind === 'expr' ? ownExpressions(stmt).filter((expr) => expr.kind === 'call') : [];
}
