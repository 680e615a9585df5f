/** Which functions of a module a function calls, itself or by what it calls. */
import type { Module } from '../lifecycle/types.ts';
import { calls } from '../ir/visit.ts';

/**
 * The names that a function calls, directly or further down; those of the kernel too, in which
 * nothing is followed.
 */
export type CallNames = (name: string) => ReadonlySet<string>;

/** Reads the functions of a module once, for any number of questions. */
export function callNamesIn(module: Module): CallNames {
  const direct = new Map<string, string[]>();
  for (const file of [...module.sources, ...module.headers]) {
    for (const fn of file.functions) {
      const called = calls(fn).flatMap((call) => call.name ?? []);
      direct.set(fn.name, [...(direct.get(fn.name) ?? []), ...called]);
    }
  }
  const known = new Map<string, ReadonlySet<string>>();
  return (name) => {
    let found = known.get(name);
    if (found === undefined) known.set(name, (found = reachedFrom(name, direct)));
    return found;
  };
}

function reachedFrom(
  name: string,
  direct: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const one of direct.get(next) ?? []) {
      if (found.has(one)) continue;
      found.add(one);
      waiting.push(one);
    }
  }
  return found;
}
