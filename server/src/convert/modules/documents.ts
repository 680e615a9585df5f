/** Makes the documents of a module into one that can be planned. */
import type { FileIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { prefixTest, someWord } from '../../text/words.ts';
import { embedsDevice } from '../plan/container.ts';
import { refuse } from '../refusal-error.ts';
import { resolveType } from '../../lifecycle/module/types-of.ts';
import { mergeDocuments, partsOf } from './merge.ts';

/**
 * The documents of a module that can hold a part of a device's life: those that speak of VFIO, of a
 * struct with a vfio_device in it,
 * or of drvdata. `file` is the first, other sources and then the headers follow in the module's
 * order.
 */
export function documentsOfLife(module: Module, file: FileIr): FileIr[] {
  const beginsLike = prefixTest(['vfio', 'drvdata', ...deviceTypes(module)]);
  const speaks = (word: string): boolean => word.endsWith('drvdata') || beginsLike(word);
  const others = [...module.sources, ...module.headers].filter(
    (other) => other !== file && someWord(other.text, speaks),
  );
  return [file, ...others];
}

/** The tags and typedef names of the structs of a module that hold a vfio_device. */
export function deviceTypes(module: Module): string[] {
  const names = new Set<string>();
  for (const file of [...module.sources, ...module.headers]) {
    for (const struct of file.structs)
      if (embedsDevice(module, file, struct.name)) names.add(struct.name);
    for (const [name, type] of file.typedefs) {
      const tag = resolveType(module, file, type)?.tag;
      if (tag !== undefined && embedsDevice(module, file, tag)) names.add(name);
    }
  }
  return [...names];
}

/**
 * The documents as one that can be planned like any other, in a module of its own. Refuses where a
 * name means one thing in one of
 * them and another in the next, and a device is involved: merged they would be one.
 */
export function mergedModule(
  module: Module,
  documents: readonly FileIr[],
): { readonly module: Module; readonly file: FileIr } {
  const file = mergeDocuments(module, documents);
  refuseDoubles(file, deviceTypes(module));
  return {
    file,
    module: {
      sources: [file],
      headers: [],
      ...(module.wrappers && { wrappers: module.wrappers }),
      ...(module.build && { build: module.build }),
    },
  };
}

interface Named {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

function refuseDoubles(file: FileIr, types: readonly string[]): void {
  const devices = new Set(types);
  const isOfDevice = (word: string): boolean =>
    word.startsWith('vfio_') || word.endsWith('drvdata') || devices.has(word);
  const isInvolved = (item: Named): boolean => someWord(textOf(item), isOfDevice);
  const textOf = (item: Named): string => file.text.slice(item.start, item.end);
  const lists: readonly (readonly [string, readonly Named[], boolean])[] = [
    ['function', file.functions, true],
    ['variable', file.variables.filter((item) => item.init !== null), true],
    ['macro', file.macros.filter((item) => item.params !== null), false],
  ];
  for (const [what, items, always] of lists) {
    const seen = new Map<string, Named>();
    for (const item of items) {
      const known = seen.get(item.name);
      if (!known) {
        seen.set(item.name, item);
        continue;
      }
      const differs = always
        ? partOf(file, known) !== partOf(file, item)
        : textOf(known) !== textOf(item);
      // A stub in the other arm of a header's #if is no second function: where it is, the first is
      // not.
      if (
        what === 'function' &&
        [known, item].some(
          (one) =>
            partOf(file, one).path.endsWith('.h') &&
            file.functions.some((fn) => fn === one && fn.conditions.length > 0),
        )
      )
        continue;
      if (!differs || !(isInvolved(known) || isInvolved(item))) continue;
      refuse(
        'same-name',
        `${item.name} is a ${what} of ${nameOf(file, known)} and another of ${nameOf(file, item)}, and both work on devices. Rename one of them: a conversion of the whole module cannot tell them apart.`,
        file,
        item,
      );
    }
  }
}

function partOf(file: FileIr, item: Named): FileIr {
  return partsOf(file)
    .filter((part) => part.start <= item.start)
    .at(-1)!.file;
}

function nameOf(file: FileIr, item: Named): string {
  const { path } = partOf(file, item);
  return path.slice(path.lastIndexOf('/') + 1);
}
