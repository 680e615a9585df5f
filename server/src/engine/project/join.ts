/**
 * Brings the modules together that are to be converted as one: a library, and the drivers that call
 * what it exports.
 */
import type { ModuleInput, SourceDocument } from '../types.ts';

/**
 * The inputs, each with the documents of all that it is linked with: one exports a function that
 * initialises VFIO devices, and the
 * other calls it. Order and files stay as they were.
 */
export function joinLinked(inputs: readonly ModuleInput[]): ModuleInput[] {
  const groups = inputs.map((input) => new Set([input]));
  inputs.forEach((library, i) => {
    const names = new Set(exportsOf(library));
    if (names.size === 0) return;
    inputs.forEach((user, index) => {
      if (
        i === index ||
        groups[i] === groups[index] ||
        !user.sources.some((source) => callsOneOf(source.text, names))
      )
        return;
      const joined = new Set([...groups[i]!, ...groups[index]!]);
      inputs.forEach((one, position) => {
        if (joined.has(one)) groups[position] = joined;
      });
    });
  });
  return inputs.map((input, i) =>
    groups[i]!.size === 1
      ? input
      : {
          ...input,
          sources: unique(
            input.sources,
            [...groups[i]!].flatMap((one) => one.sources),
          ),
          headers: unique(
            input.headers,
            [...groups[i]!].flatMap((one) => one.headers),
          ),
        },
  );
}

/** The functions that a module exports, when it initialises VFIO devices at all. */
function exportsOf({ sources }: ModuleInput): string[] {
  return sources.flatMap((source) => exportedInits(source.text));
}

/**
 * The functions that a source exports, when it initialises VFIO devices: one of them may do it for
 * others. None of the VFIO core itself, which every driver calls.
 */
export function exportedInits(text: string): string[] {
  // To look for a plain word is much faster, and nearly no text has it.
  if (!text.includes('vfio_init_group_dev') || !/\bvfio_init_group_dev\s*\(/.test(text)) return [];
  const names = [...text.matchAll(/^[ \t]*EXPORT_SYMBOL\w*\s*\(\s*(\w+)/gm)].map(
    (match) => match[1]!,
  );
  return names.includes('vfio_init_group_dev') ? [] : names;
}

/**
 * Whether a text calls or declares one of the functions. One pass: a pattern of all the names would
 * try each of them at every word.
 */
export function callsOneOf(text: string, names: ReadonlySet<string>): boolean {
  for (const [, name] of text.matchAll(/\b(\w+)\s*\(/g)) if (names.has(name!)) return true;
  return false;
}

function unique(
  first: readonly SourceDocument[],
  more: readonly SourceDocument[],
): SourceDocument[] {
  const byPath = new Map([...first, ...more].map((one) => [one.path, one]));
  return [...byPath.values()];
}
