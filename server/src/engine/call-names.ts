/** Which functions of a module a function calls, itself or by what it calls. */
import type { Module } from '../lifecycle/types.ts';
import { calls } from '../ir/visit.ts';

/**
 * The names that a function of the module calls, directly or further down.
 * @returns the names of all callees; those of the kernel too, in which nothing is followed.
 */
export function callNamesOf(module: Module, name: string): ReadonlySet<string> {
  const bodies = new Map<string, string[]>();
  for (const file of [...module.sources, ...module.headers]) {
    for (const fn of file.functions) {
      const called = calls(fn).flatMap((call) => call.name ?? []);
      bodies.set(fn.name, [...bodies.get(fn.name) ?? [], ...called]);
    }
  }
  const found = new Set<string>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const one of bodies.get(next) ?? []) {
      if (found.has(one)) continue;
      found.add(one);
      waiting.push(one);
    }
  }
  return found;
}
