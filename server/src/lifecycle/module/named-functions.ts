/** The functions of a document by their names. */
import type { FileIr, FunctionIr } from '../../ir/types.ts';

const byName = new WeakMap<FileIr['functions'], ReadonlyMap<string, readonly FunctionIr[]>>();

/**
 * The functions that a document defines with a name: several where #if decides, none for the name
 * of a call that has none.
 */
export function namedFunctions({ functions }: FileIr, name: string | null): readonly FunctionIr[] {
  let known = byName.get(functions);
  if (known === undefined) byName.set(functions, (known = grouped(functions)));
  return (name === null ? undefined : known.get(name)) ?? NONE;
}

const NONE: readonly never[] = [];

function grouped(functions: readonly FunctionIr[]): ReadonlyMap<string, readonly FunctionIr[]> {
  const groups = new Map<string, FunctionIr[]>();
  for (const fn of functions) {
    const group = groups.get(fn.name);
    if (group === undefined) groups.set(fn.name, [fn]);
    else group.push(fn);
  }
  return groups;
}
