/**
 * Whether a call that stops work, a timer or an interrupt is enough: it waits for a run that has
 * begun, nothing starts it again, and it comes after the unregister.
 */
import { originalOf } from '../ir/lower.ts';
import { soundsLikeWait } from '../kernel/heuristics.ts';
import { STOPS_FOR_GOOD } from '../kernel/async.ts';
import type { CallExpr, FileIr, FunctionIr } from '../ir/types.ts';
import type { AsyncKind } from '../kernel/async.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type { ModuleFacts, Site } from '../lifecycle/types.ts';
import { walkWithParents } from './locate.ts';
import { usedWhileRegistered } from './entry-points.ts';
import { reachedFrom } from './call-graph.ts';
import { memberAccesses } from './members.ts';

/**
 * A call of one of the functions of a kind that names a member of a container, or the container
 * itself.
 */
export interface Named {
  readonly file: FileIr;
  readonly fn: FunctionIr;
  /** As the function was lowered, and where it is today. */
  readonly call: CallExpr;
  readonly site: Site;
  /** As MemberAccess.key; the struct alone for the object itself; null when it cannot be told. */
  readonly key: string | null;
  readonly text: string;
}

/** What makes a call that stops something not enough. */
export interface Flaw {
  readonly kind: 'does-not-wait' | 'starts-itself' | 'before-unregister';
  readonly stop: Named;
  /** Where it is started again. */
  readonly start: Named | null;
}

export interface Stopping {
  readonly facts: ModuleFacts;
  readonly index: ModuleIndex;
  readonly kind: AsyncKind;
  readonly one: Named;
  readonly starts: readonly Named[];
  readonly stop: Named;
}

/** Why it may run again, or still, after a call that stops it; null when it does not. */
export function flawOf(stopping: Stopping): Flaw | null {
  const { index, kind, one, starts, stop } = stopping;
  const name = stop.call.name!;
  if (kind.stopsWithoutWaiting.has(name) && !isResultUsed(stop) && !waitsForSomething(stop.fn))
    return { kind: 'does-not-wait', stop, start: null };
  if (kind.waitsOnly.has(name)) {
    const handler = handlerOf(index, kind, one);
    const runs = handler ? reachedFrom(index, [handler]) : null;
    const again = starts.find(({ fn }) => runs?.has(fn) === true);
    if (again !== undefined) return { kind: 'starts-itself', stop, start: again };
  }
  const again = startedBeforeUnregister(stopping);
  return again === null ? null : { kind: 'before-unregister', stop, start: again };
}

function isResultUsed({ fn, call }: Named): boolean {
  for (const { node, parents } of walkWithParents(originalOf(fn).body))
    if (node === call) return parents.at(-1)?.kind !== 'expr';
  return true;
}

/** Whether a function waits for something else, which may well be the run. */
function waitsForSomething(fn: FunctionIr): boolean {
  return scanOf(fn).calls.some(({ name }) => name !== null && soundsLikeWait(name));
}

/**
 * The start by a callback of user space that can come between the stop and the unregister after it;
 * null when there is none, or when the stopping function tells the callbacks by a member.
 */
function startedBeforeUnregister({ facts, index, starts, stop }: Stopping): Named | null {
  if (STOPS_FOR_GOOD.has(stop.call.name!)) return null;
  const unregister = facts.observations.some(
    (one) =>
      one.kind === 'operation' &&
      one.op === 'unregister' &&
      one.function === stop.fn &&
      one.site.path === stop.file.path &&
      one.site.start > stop.site.end,
  );
  if (!unregister) return null;
  const open = usedWhileRegistered(facts, index);
  const again = starts.find(({ fn }) => open.has(fn));
  return again === undefined || areTold(index, stop, open) ? null : again;
}

/** Whether a callback looks at a member that the stopping function, or its helper, sets before. */
function areTold(index: ModuleIndex, stop: Named, open: ReadonlySet<FunctionIr>): boolean {
  const told = new Set(
    reachedFrom(index, [stop.fn])
      .functions.flatMap((fn) => memberAccesses(index, fn))
      .filter(
        (one) =>
          one.form !== 'read' &&
          one.key !== stop.key &&
          (one.function !== stop.fn || one.site.start < stop.site.start),
      )
      .map(({ key }) => key),
  );
  return [...open].some((fn) =>
    memberAccesses(index, fn).some(({ key, form }) => told.has(key) && form !== 'write'),
  );
}

/**
 * The function that will run; null when none is named, undefined when it is not of the module.
 */
export function handlerOf(
  index: ModuleIndex,
  kind: AsyncKind,
  one: Named,
): FunctionIr | null | undefined {
  const position = kind.arm.get(one.call.name!)?.handler;
  if (position === null || position === undefined) return null;
  const handler = one.call.args[position];
  if (handler?.kind !== 'name') return undefined;
  return index.functions(one.file, handler.name)[0]?.item;
}
