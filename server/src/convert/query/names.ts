/** The names that a driver uses in its text: of functions, of what macros bring, and new ones. */
import type { FileIr } from '../../ir/types.ts';

/**
 * What a driver calls its functions by: the name of one that sets up a device, without the verb
 * (`foo_probe` gives `foo`); null when it has none.
 */
export function prefixOf(functionName: string): string | null {
  const verb = functionName.search(
    /_(?:probe|create|bind|add|attach|init|register|setup)(?:_(?:one|dev|device|common))?$/,
  );
  return verb > 0 ? functionName.slice(0, verb) : null;
}

/**
 * The first of `suffixes` behind the prefix that no text of the file uses, else the first with a
 * number.
 */
export function freshName(
  file: FileIr,
  prefix: string,
  suffixes: readonly [string, ...string[]],
): string {
  for (const suffix of suffixes)
    if (!mentions(file, `${prefix}_${suffix}`)) return `${prefix}_${suffix}`;
  for (let number = 2; ; number++) {
    const name = `${prefix}_${suffixes[0]}${number}`;
    if (!mentions(file, name)) return name;
  }
}

/** The names in a text, and those in the text of each macro of the files that it comes to use. */
export function namesThroughMacros(files: readonly FileIr[], text: string): ReadonlySet<string> {
  const macros = files.flatMap((file) => file.macros);
  const names = new Set<string>();
  const pending = [text];
  for (let next = pending.pop(); next !== undefined; next = pending.pop())
    for (const name of next.match(/[A-Za-z_]\w*/g) ?? []) {
      if (names.has(name)) continue;
      names.add(name);
      for (const macro of macros) if (macro.name === name) pending.push(macro.bodyText);
    }
  return names;
}

function mentions(file: FileIr, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(file.text);
}
