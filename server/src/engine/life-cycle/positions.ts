/**
 * Where places of a module are in the order of a driver's functions: what a helper does comes where
 * the helper is called.
 */
import type { FunctionIr } from '../../ir/types.ts';
import { calls } from '../../ir/visit.ts';
import type { ModuleIndex } from '../../lifecycle/module/module.ts';
import type { Site } from '../../lifecycle/types.ts';
import { reachedFrom } from '../../rules/call-graph.ts';
import { compareText } from '../../text/words.ts';

/** A place in the order of the functions that are asked about. */
export interface Order {
  /** Which of the functions. */
  readonly function: FunctionIr;
  /** The offset in it, of the call where a helper has the place. */
  readonly at: number;
  /** Grows along the functions, one after the other. */
  readonly key: number;
}

/** Each place once, in the order of the documents. */
export function uniqueSites(sites: readonly Site[]): Site[] {
  return [...new Map(sites.map((one) => [siteKey(one), one])).values()].sort(
    (left, right) => compareText(left.path, right.path) || left.start - right.start,
  );
}

/** Equal for equal places. */
export function siteKey({ path, start, end }: Site): string {
  return `${path}:${start}:${end}`;
}

/** More than the length of any document. */
const FUNCTION_STRIDE = 1e8;

/** The function of a module that a place is in. */
export function functionAt(index: ModuleIndex, site: Site): FunctionIr | undefined {
  return index.allFunctions.find(
    ({ file, item }) => file.path === site.path && item.start <= site.start && site.end <= item.end,
  )?.item;
}

/** Finds places in the order of `functions`; undefined for what none of them reaches. */
export function ordering(
  index: ModuleIndex,
  functions: readonly FunctionIr[],
): (site: Site) => Order | undefined {
  const helpers = functions.map((fn) => helpersOf(index, fn));
  return (site) => {
    const around = functionAt(index, site);
    if (around === undefined) return undefined;
    for (const [i, fn] of functions.entries()) {
      const at = around === fn ? site.start : helpers[i]!.get(around);
      if (at !== undefined) return { function: fn, at, key: i * FUNCTION_STRIDE + at };
    }
    return undefined;
  };
}

/** The functions that one reaches, each with the offset of the first call that leads to it. */
function helpersOf(index: ModuleIndex, fn: FunctionIr): Map<FunctionIr, number> {
  const found = new Map<FunctionIr, number>();
  const file = index.fileOf(fn);
  if (file === undefined) return found;
  for (const { name, start } of calls(fn)) {
    if (name === null) continue;
    const callees = index.functions(file, name).map(({ item }) => item);
    for (const helper of reachedFrom(index, callees).functions)
      if (!found.has(helper)) found.set(helper, start);
  }
  return found;
}
