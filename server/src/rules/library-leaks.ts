/**
 * What an exported function of a library takes, keeps in the device and does not give back where
 * it fails, although its exported counterpart does where all goes well.
 */
import { takenBy } from '../kernel/resource-pairs.ts';
import { exportedFunctions, exportedPairs } from '../lifecycle/module/exported.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type { HeldResource, Leave, ModuleFacts } from '../lifecycle/types.ts';
import { reachedFrom } from './call-graph.ts';
import { indexOf } from './members.ts';
import { callsOf, isGiven, keptName } from './open-and-close.ts';
import { siteOfCall } from './locate.ts';
import { bringsUpDevice, leavings, type Leaving } from './resource-leaks.ts';
import type { Site } from '../lifecycle/types.ts';

/** The call of the counterpart that gives a resource back. */
export interface LibraryUndo {
  readonly api: string;
  readonly by: string;
  readonly site: Site;
}

/** A place where an exported function fails and keeps something. */
export interface LibraryLeak {
  readonly leaving: Leaving;
  readonly undo: LibraryUndo;
}

/** The places where exported functions fail and keep what their counterparts give back. */
export function libraryLeaks(facts: ModuleFacts): LibraryLeak[] {
  const index = indexOf(facts.module, facts.kernel);
  const isOwed = (leave: Leave, one: HeldResource): boolean =>
    leave.role === 'helper' &&
    leave.outcome === 'failure' &&
    (one.kind === 'named' || takenBy(one.api)?.taken === 'return') &&
    !one.shared &&
    bringsUpDevice(facts, leave.function) &&
    undoOf(facts, index, leave, one) !== null;
  return leavings(facts, isOwed).flatMap((leaving) => {
    const undo = undoOf(facts, index, leaving.leave, leaving.owed[0]!);
    return undo === null ? [] : [{ leaving, undo }];
  });
}

/** Null where another exported function gives it back too: its callers may call that one. */
function undoOf(
  facts: ModuleFacts,
  index: ModuleIndex,
  { function: begin }: Leave,
  one: HeldResource,
): LibraryUndo | null {
  const name = keptName(facts, index, one);
  const ends = exportedPairs(index).flatMap(([first, second]) =>
    first.item === begin ? [second.item] : [],
  );
  if (name === null || ends.length === 0) return null;
  const others = exportedFunctions(index).flatMap(({ item }) =>
    ends.includes(item) || item === begin ? [] : [item],
  );
  const givingIn = (roots: typeof ends) =>
    callsOf(index, reachedFrom(index, roots).functions, one.undo).find((found) =>
      isGiven(index, found, name),
    );
  const found = givingIn(ends);
  const file = found === undefined ? undefined : index.fileOf(found.fn);
  if (found === undefined || file === undefined || givingIn(others) !== undefined) return null;
  return {
    api: found.call.name ?? '',
    by: found.fn.name,
    site: siteOfCall(file, found),
  };
}
