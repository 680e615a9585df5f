/**
 * Functions that begin and end the life of a device although nothing that is seen says when they
 * are called.
 */
import { scanOf } from '../lifecycle/module/function-scan.ts';
import type { ModuleFacts, Observation } from '../lifecycle/types.ts';
import type { EffectOp } from '../kernel/types.ts';

/**
 * A sentence for a document in which one function registers a device and another unregisters one,
 * and no driver struct names them: what they are taken for. Undefined for any other. Functions that
 * others may call are a library's, and right without one.
 */
export function unnamedEntries(
  { observations, roles, module, driverTables }: ModuleFacts,
  path: string,
): string | undefined {
  const guess = driverTables.find((table) => table.isGuess === true && table.path === path);
  if (guess?.probe != null && guess.remove !== null)
    return `no driver struct here names ${guess.probe}() and ${guess.remove}(): they are taken for its probe and remove`;
  if (
    [...roles.values()].some((role) => role === 'probe' || role === 'remove' || role === 'module')
  )
    return undefined;
  const entries = observations.filter(
    (one) => isEntry(one, 'register', path) || isEntry(one, 'unregister', path),
  );
  if (entries.length === 0) return undefined;
  const called = new Set(
    [...module.sources, ...module.headers]
      .flatMap((file) => file.functions)
      .flatMap((fn) => [...scanOf(fn).names.called]),
  );
  const entryWith = (op: EffectOp): string | undefined =>
    entries.find((one) => isEntry(one, op, path) && !called.has(one.function.name))?.function.name;
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
