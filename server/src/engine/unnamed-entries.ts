/**
 * Functions that begin and end the life of a device although nothing that is seen says when they
 * are called.
 */
import { scanOf } from '../lifecycle/module/function-scan.ts';
import type { ModuleFacts, Observation } from '../lifecycle/types.ts';
import type { EffectOp } from '../kernel/types.ts';

/**
 * A sentence for a document in which one function registers a device and another unregisters one,
 * and no driver struct names them: what the first leaves
 * is not asked of the second. Undefined for any other. Functions that others may call are a
 * library's, and right without one.
 */
export function unnamedEntries(
  { observations, roles, module }: ModuleFacts,
  path: string,
): string | undefined {
  if (
    [...roles.values()].some((role) => role === 'probe' || role === 'remove' || role === 'module')
  )
    return undefined;
  const called = new Set(
    [...module.sources, ...module.headers]
      .flatMap((file) => file.functions)
      .flatMap((fn) => [...scanOf(fn).names.called]),
  );
  const entryWith = (op: EffectOp): string | undefined =>
    observations.find((one) => isEntry(one, op, path) && !called.has(one.function.name))?.function
      .name;
  const begins = entryWith('register');
  const ends = entryWith('unregister');
  if (begins === undefined || ends === undefined || begins === ends) return undefined;
  return `no driver struct here names ${begins}() and ${ends}(): they are checked apart`;
}

function isEntry(one: Observation, op: EffectOp, path: string): boolean {
  return (
    one.kind === 'operation' &&
    one.op === op &&
    one.site.path === path &&
    one.role === 'helper' &&
    one.function.isStatic
  );
}
