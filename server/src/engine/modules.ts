/**
 * The modules of which something is kept, and the open documents that it is kept for: an editor
 * closes one file to show another of the same driver, and soon opens it again.
 */
import type { ModuleInput } from './types.ts';

export interface KeptModules<T> {
  /**
   * What is kept of a module, now used for `input.file`. The same for all files of the module; made
   * by `create` where nothing is kept.
   */
  keptFor(input: ModuleInput, create: () => T): T;
  /** What is kept of a module, if anything is. */
  find(input: ModuleInput): T | undefined;
  /**
   * Tells that a document was closed. What was kept for it alone stays for a while; returned are
   * the paths of the documents that are of use to no module any more.
   */
  close(path: string): readonly string[];
  /** Drops each module that has the document. */
  forget(path: string): void;
  clear(): void;
}

interface Entry<T> {
  readonly value: T;
  /** The open documents that asked. */
  readonly open: Set<string>;
  /** All documents of the module when it was asked about last. */
  paths: readonly string[];
}

/** More than somebody has open: one module too many, and each is analysed anew in its turn. */
const MAX_MODULES = 24;
/** Modules of which no document is open any more. */
const MAX_CLOSED = 2;

export function createKeptModules<T>(): KeptModules<T> {
  // In order of last use, oldest first.
  const entries = new Map<string, Entry<T>>();

  const keyOf = ({ sources }: ModuleInput): string => sources.map((one) => one.path).join('\n');

  return {
    find: (input) => entries.get(keyOf(input))?.value,

    keptFor(input, create) {
      const key = keyOf(input);
      const entry = entries.get(key) ?? { value: create(), open: new Set(), paths: [] };
      entry.open.add(input.file);
      entry.paths = [...input.sources, ...input.headers].map((one) => one.path);
      entries.delete(key);
      entries.set(key, entry);
      if (entries.size > MAX_MODULES) entries.delete(entries.keys().next().value!);
      return entry.value;
    },

    close(path) {
      for (const entry of entries.values()) entry.open.delete(path);
      const closed = [...entries].filter(([, { open }]) => open.size === 0);
      const gone = closed.slice(0, -MAX_CLOSED);
      for (const [key] of gone) entries.delete(key);
      const used = new Set([...entries.values()].flatMap(({ paths }) => paths));
      return [path, ...gone.flatMap(([, { paths }]) => paths)].filter((one) => !used.has(one));
    },

    forget(path) {
      for (const [key, { paths }] of entries) if (paths.includes(path)) entries.delete(key);
    },

    clear: () => entries.clear(),
  };
}
