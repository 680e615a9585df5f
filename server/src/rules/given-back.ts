/**
 * What `.release` gives back: to give it back once more behind the put that runs it is a double
 * free.
 */
import type { CallExpr, FunctionIr } from '../ir/types.ts';
import { givenBackBy } from '../kernel/resource-pairs.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import type { ModuleFacts, UseObservation } from '../lifecycle/types.ts';
import { ancestry, contains, functionsIn } from './locate.ts';
import { reachedFrom } from './call-graph.ts';
import { indexOf, memberAccesses } from './members.ts';

/** One call of `.release`, or of what it calls, that gives a member back. */
export interface GivenBack {
  readonly release: FunctionIr;
  /** `kfree`, or a function of the driver that calls it. */
  readonly api: string;
}

/**
 * The call of `.release` that gives back what a use gives back too: by a call of the same member,
 * or in a function of the driver that the use calls. Null where there is none, and for a use in
 * `.release` itself.
 */
export function givenBackTwice(facts: ModuleFacts, use: UseObservation): GivenBack | null {
  const index = indexOf(facts.module, facts.kernel);
  const given = givenBackInRelease(facts, index, use.function);
  if (given.size === 0) return null;
  const around = ancestry(use.function.body, use.site).filter((node) => node.kind === 'call');
  const call = around.at(-1);
  if (call === undefined) return null;
  const here = memberAccesses(index, use.function)
    .filter((one) => one.call === call && givesBack(index, use.function, call))
    .filter(({ node }) => contains(node, use.site) || contains(use.site, node))
    .map(({ key }) => key);
  const helpers = reachedFrom(index, definitionsOf(index, use.function, call)).functions;
  const inside = helpers.flatMap((fn) => keysGivenBack(index, fn).map(({ key }) => key));
  const twice = [...here, ...inside].find((key) => given.has(key));
  return twice === undefined ? null : (given.get(twice) ?? null);
}

/** What each member is given back by, from the functions that `.release` reaches. */
function givenBackInRelease(
  facts: ModuleFacts,
  index: ModuleIndex,
  user: FunctionIr,
): ReadonlyMap<string, GivenBack> {
  const given = new Map<string, GivenBack>();
  for (const release of functionsIn(facts, 'release')) {
    const reached = reachedFrom(index, [release]);
    if (reached.has(user)) continue;
    for (const fn of reached.functions) {
      for (const { key, api } of keysGivenBack(index, fn)) given.set(key, { release, api });
    }
  }
  return given;
}

function keysGivenBack(
  index: ModuleIndex,
  fn: FunctionIr,
): readonly { readonly key: string; readonly api: string }[] {
  return memberAccesses(index, fn).flatMap(({ key, call }) => {
    if (call === null || call.name === null || !givesBack(index, fn, call)) return [];
    return [{ key, api: call.name }];
  });
}

/** Whether a call gives back what it is given, itself or in a function of the driver. */
function givesBack(index: ModuleIndex, fn: FunctionIr, call: CallExpr): boolean {
  if (call.name !== null && givenBackBy(call.name).length > 0) return true;
  return reachedFrom(index, definitionsOf(index, fn, call)).functions.some((one) =>
    scanOf(one).names.called.some((name) => givenBackBy(name).length > 0),
  );
}

function definitionsOf(index: ModuleIndex, fn: FunctionIr, { name }: CallExpr): FunctionIr[] {
  const file = index.fileOf(fn);
  if (name === null || file === undefined) return [];
  return index.functions(file, name).map(({ item }) => item);
}
