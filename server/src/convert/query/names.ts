/** Names for what a conversion adds, after those of the driver. */
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

function mentions(file: FileIr, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(file.text);
}
