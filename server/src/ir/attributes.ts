/** Attributes of a variable that say what runs at the end of its scope. */
import type { DeclStmt, MacroIr } from './types.ts';

/** What ends a variable, as its declaration has it. */
export type Cleanup = Pick<DeclStmt, 'cleanup' | 'cleansAddress'>;

/** Nothing runs at the end of the scope. */
export const NO_CLEANUP: Cleanup = { cleanup: null, cleansAddress: false };

/** `__free(x)`, or the attribute as it is written or in include/linux/compiler_attributes.h. */
const CLEANUP =
  /\b__free\s*\(\s*(\w+)\s*\)|\b__cleanup\s*\(\s*(\w+)\s*\)|\b__attribute(?:__)?\b.*?\b(?:__)?cleanup(?:__)?\s*\(\s*(\w+)\s*\)/s;

/** Something may run at the end of the scope of a variable, by its own attributes or by a macro's. */
export function mayCleanUp(decl: DeclStmt): boolean {
  return decl.cleanup !== null || decl.attributes !== undefined;
}

/** What an attribute says of the end of a variable; null when it speaks of something else. */
export function cleanupIn(attribute: string): Cleanup | null {
  const match = CLEANUP.exec(attribute);
  if (match === null) return null;
  const [, free, ...functions] = match;
  const cleanup = free ?? functions.find((name) => name !== undefined);
  return cleanup === undefined ? null : { cleanup, cleansAddress: free === undefined };
}

/** Macros in macros, deeper than this, are none that a person writes. */
const MAX_DEPTH = 8;

/**
 * What the attribute macros of a declaration say of the end of its variable. One that is not seen
 * may run anything: it counts as a function of its name that is given the address.
 * @param macrosOf the definitions of a name; undefined for one that is not seen
 */
export function cleanupOfMacros(
  attributes: readonly string[],
  macrosOf: (name: string) => readonly MacroIr[] | undefined,
): Cleanup {
  for (const attribute of attributes) {
    const found = cleanupOfMacro(attribute, macrosOf, 0);
    if (found !== null) return found;
  }
  const unseen = attributes.map(nameOf).find((name) => macrosOf(name) === undefined);
  return unseen === undefined ? NO_CLEANUP : { cleanup: unseen, cleansAddress: true };
}

function cleanupOfMacro(
  attribute: string,
  macrosOf: (name: string) => readonly MacroIr[] | undefined,
  depth: number,
): Cleanup | null {
  const own = cleanupIn(attribute);
  if (own !== null || depth > MAX_DEPTH) return own;
  for (const macro of macrosOf(nameOf(attribute)) ?? []) {
    for (const part of partsOf(substituted(macro, attribute))) {
      const found = cleanupOfMacro(part, macrosOf, depth + 1);
      if (found !== null) return found;
    }
  }
  return null;
}

function nameOf(attribute: string): string {
  return /^\w*/.exec(attribute)![0];
}

/** The text of a macro at a use of it. */
function substituted({ params, bodyText }: MacroIr, use: string): string {
  const open = use.indexOf('(');
  const args = open < 0 ? [] : use.slice(open + 1, use.lastIndexOf(')')).split(',');
  if (params === null || params.length === 0) return bodyText;
  return bodyText.replace(/\b[A-Za-z_]\w*\b/g, (word) => {
    const index = params.indexOf(word);
    return index < 0 ? word : (args[index]?.trim() ?? '');
  });
}

/** The attributes that a text has one after the other: the whole first, for one in parentheses. */
function partsOf(text: string): readonly string[] {
  return [text, ...(text.match(/\b[A-Za-z_]\w*(?:\s*\([^()]*\))?/g) ?? [])];
}
