/** The functions of documents by their names. */
import type { FileIr, FunctionIr } from '../../ir/types.ts';
import type { Module } from '../types.ts';

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

/** A function with the document that defines it. */
export interface FunctionIn {
  readonly file: FileIr;
  readonly fn: FunctionIr;
}

/**
 * The definitions that a name may mean in a document of a module: of the document, else of a header,
 * else of another document where it is not static.
 */
export function functionsNamed(module: Module, file: FileIr, name: string): readonly FunctionIn[] {
  const own = namedFunctions(file, name);
  if (own.length > 0) return own.map((fn) => ({ file, fn }));
  const headers = module.headers.flatMap((header) => definedIn(header, name));
  if (headers.length > 0) return headers;
  return module.sources.flatMap((source): readonly FunctionIn[] =>
    source === file ? NONE : definedIn(source, name).filter(({ fn }) => !fn.isStatic),
  );
}

function definedIn(file: FileIr, name: string): readonly FunctionIn[] {
  const found = namedFunctions(file, name);
  return found.length > 0 ? found.map((fn) => ({ file, fn })) : NONE;
}

function grouped(functions: readonly FunctionIr[]): ReadonlyMap<string, readonly FunctionIr[]> {
  const groups = new Map<string, FunctionIr[]>();
  for (const fn of functions) {
    const group = groups.get(fn.name);
    if (group === undefined) groups.set(fn.name, [fn]);
    else group.push(fn);
  }
  return groups;
}
