/**
 * A library's pairs of exported functions, of which one begins what the other ends: they are to
 * each other what probe and remove are in a driver.
 */
import type { FunctionIr } from '../../ir/types.ts';
import { opposites } from '../../kernel/heuristics.ts';
import type { Defined, ModuleIndex } from './module.ts';

/** Two exported functions whose names say that the second undoes the first. */
export type ExportedPair = readonly [begin: Defined<FunctionIr>, end: Defined<FunctionIr>];

const known = new WeakMap<ModuleIndex, readonly Defined<FunctionIr>[]>();

/** The functions of a module that EXPORT_SYMBOL() and its like name. */
export function exportedFunctions(index: ModuleIndex): readonly Defined<FunctionIr>[] {
  let found = known.get(index);
  if (found === undefined) {
    found = index.module.sources.flatMap((file) =>
      file.fileMacros.flatMap(({ name, args: [exported] }) =>
        name.startsWith('EXPORT_SYMBOL') && exported !== undefined
          ? index.functions(file, exported)
          : [],
      ),
    );
    known.set(index, found);
  }
  return found;
}

/** The pairs of exported functions of a module. */
export function exportedPairs(index: ModuleIndex): ExportedPair[] {
  const all = exportedFunctions(index);
  return all.flatMap((begin) => {
    const undoing = opposites(begin.item.name);
    return all
      .filter(({ item }) => undoing.includes(item.name))
      .map((end): ExportedPair => [begin, end]);
  });
}
