/**
 * What guard() and scoped_guard() do where their scope begins and where it is left, as the calls
 * that they stand for.
 */
import type { CallExpr, GuardStmt } from '../../ir/types.ts';
import { guardClass } from '../../kernel/locks.ts';

const GUARDS: ReadonlySet<string> = new Set(['guard', 'scoped_guard', 'scoped_cond_guard']);

/**
 * `mutex_lock(&p->lock)` of `guard(mutex)(&p->lock);`, or `mutex_unlock(&p->lock)` where its scope
 * is left. It stands where the guard stands.
 * @returns null for what is no guard of a lock that the kernel's tables know.
 */
export function callOfGuard(guard: GuardStmt, isEntry: boolean): CallExpr | null {
  const [kind, ...args] = guard.args;
  const known =
    GUARDS.has(guard.macro) && kind?.kind === 'name' ? guardClass(kind.name) : undefined;
  if (known === undefined) return null;
  const name = isEntry ? known.take : known.release;
  const { start } = guard;
  const end = guard.body?.start ?? guard.end;
  const callee = { kind: 'name', name, start, end } as const;
  const place = guard.expansion ? { start, end, expansion: guard.expansion } : { start, end };
  return { kind: 'call', callee, name, args, argsSpan: { start, end }, ...place };
}
