/**
 * Locks that a path holds where a fix adds a put or an unregister: the first runs `.release`, the
 * second waits for the users of the device, and both may sleep.
 */
import type { FunctionIr } from '../ir/types.ts';
import { atomicChange, lockReleasedBy, lockTakenBy } from '../kernel/locks.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import { callOfGuard } from '../lifecycle/interpret/guards.ts';
import type { ModuleFacts, Role } from '../lifecycle/types.ts';
import { walk } from '../rules/locate.ts';
import { reachedFrom } from '../rules/call-graph.ts';
import { indexOf } from '../rules/members.ts';
import type { FunctionPath, PathEvent } from './function-paths.ts';
import { callsOf, type Called } from './owed.ts';

/** What runs, or is waited for, in each of the calls. */
const RUNS: Readonly<Record<string, readonly Role[]>> = {
  put: ['release'],
  unregister: ['callback', 'release'],
};

/**
 * What to look at where the call at `at` is made under a lock that it needs itself, or under one
 * that lets nothing sleep; null where there is nothing, and for all other calls.
 */
export function doubtOfLocks(facts: ModuleFacts, path: FunctionPath, at: number): string | null {
  const event = path.events[at]!;
  const roles = rolesIn(facts, event);
  const held = roles.length > 0 ? heldLocks(facts, path, at) : [];
  for (const { name, args } of held) {
    if (atomicChange(name) === 'enters')
      return `check the lock: ${event.name}() may sleep, and ${name}() is before it`;
    const taker = takerOf(facts, roles, name, args[0] ?? '');
    if (taker !== undefined) return `check the lock: ${taker.name}() takes it too`;
  }
  return null;
}

function rolesIn({ kernel, module }: ModuleFacts, { kind, name }: PathEvent): readonly Role[] {
  const behaviour =
    kind !== 'call' || name === null ? undefined : behaviourOf(name, kernel, module.wrappers);
  if (behaviour === undefined || behaviour === 'neutral') return [];
  return behaviour.success.flatMap(({ op }) => RUNS[op] ?? []);
}

/** The calls that have taken a lock before the event at `at` and not released it. */
function heldLocks(facts: ModuleFacts, path: FunctionPath, at: number): readonly Called[] {
  const held: Called[] = [];
  for (const one of path.events.slice(0, at).flatMap((event) => callsOf(facts, event))) {
    if (lockTakenBy(one.name) !== undefined) held.push(one);
    const released = lockReleasedBy(one.name);
    const last = held.findLastIndex(
      ({ name, args }) => lockTakenBy(name) === released && args[0] === one.args[0],
    );
    if (released !== undefined && last >= 0) held.splice(last, 1);
  }
  return held;
}

/** A function of these roles, or one that they call, that takes a lock of that kind and name. */
function takerOf(
  facts: ModuleFacts,
  roles: readonly Role[],
  take: string,
  lock: string,
): FunctionIr | undefined {
  const beginnings = facts.module.sources
    .flatMap((file) => file.functions)
    .filter((fn) => roles.includes(facts.roles.get(fn) ?? 'helper'));
  const reached = reachedFrom(indexOf(facts.module, facts.kernel), beginnings);
  const isSame = (name: string | null, arg: string): boolean =>
    name !== null && lockTakenBy(name) === lockTakenBy(take) && lastName(arg) === lastName(lock);
  return reached.functions.find((fn) =>
    [...walk(fn.body)].some((node) => {
      const call = node.kind === 'guard' ? callOfGuard(node, true) : node;
      if (call?.kind !== 'call') return false;
      const [arg] = call.args;
      return (
        arg !== undefined &&
        isSame(call.name, fn.text.slice(arg.start - fn.start, arg.end - fn.start))
      );
    }),
  );
}

/** `lock` of `&foo->lock`: an object has different names in different functions, a member has not. */
function lastName(written: string): string {
  return written.match(/\w+/g)?.at(-1) ?? written;
}
