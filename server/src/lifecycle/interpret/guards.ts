/**
 * What guard() and scoped_guard() do where their scope begins and where it is left, as the calls
 * that they stand for.
 */
import type { CallExpr, Expr, GuardStmt } from '../../ir/types.ts';
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
  return known === undefined ? null : calledBy(guard, isEntry ? known.take : known.release, args);
}

/**
 * The same for a guard that DEFINE_GUARD() or DEFINE_LOCK_GUARD_0() of the module may define:
 * `guard_foo_take(p)` of `guard(foo)(p)`, if the module has a macro of that name.
 */
export function callOfOwnGuard(guard: GuardStmt, isEntry: boolean): CallExpr | null {
  const [kind, ...args] = guard.args;
  if (kind?.kind !== 'name' || args.length > 1) return null;
  return calledBy(guard, `guard_${kind.name}_${isEntry ? 'take' : 'release'}`, args);
}

function calledBy(guard: GuardStmt, name: string, args: readonly Expr[]): CallExpr {
  const { start, expansion } = guard;
  const end = guard.body?.start ?? guard.end;
  const callee = { kind: 'name', name, start, end } as const;
  const place = expansion ? { start, end, expansion } : { start, end };
  return { kind: 'call', callee, name, args, argsSpan: { start, end }, ...place };
}
