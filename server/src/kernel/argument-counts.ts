/**
 * How many arguments the functions of the life cycle take: a call with another number is of no
 * kernel at all.
 */
import { API_FUNCTIONS } from './lifecycle-api.ts';
import type { ApiEntry, KernelRange } from './types.ts';
import { formatVersion, isOnlyBackported } from './version.ts';

/**
 * What is known of a number of arguments: a release has that form, or only a long-term series has,
 * by its range; or none has.
 */
export type ArgumentCount =
  | { readonly known: true }
  | {
      readonly known: false;
      readonly counts: readonly number[];
      readonly longTerm: KernelRange | null;
      /** `5.10.137 and later of 5.10` */
      readonly longTermText: string | null;
    };

/**
 * Judges a call of a function or macro of the life cycle by its number of arguments; undefined for
 * a name that is none of these, or whose
 * arguments the tables do not say.
 */
export function judgeArguments(name: string, count: number): ArgumentCount | undefined {
  const entry = API_FUNCTIONS.find((one) => one.name === name);
  const counts = entry && !entry.isPrivate && entry.model !== 'general' ? countsOf(entry) : [];
  if (counts.length === 0) return undefined;
  if (counts.includes(count)) return { known: true };
  const longTerm =
    entry?.signatures.find(
      ({ kernels, text }) => isOnlyBackported(kernels) && parametersOf(text, name) === count,
    )?.kernels ?? null;
  const [release] = longTerm?.backports ?? [];
  const longTermText =
    release === undefined
      ? null
      : `${formatVersion(release)} and later of ${release[0]}.${release[1]}`;
  return { known: false, counts, longTerm, longTermText };
}

/** The numbers of arguments in the signatures of an entry, each once. */
function countsOf({ name, signatures }: ApiEntry): number[] {
  const released = signatures.filter(({ kernels }) => !isOnlyBackported(kernels));
  return [...new Set(released.flatMap(({ text }) => parametersOf(text, name) ?? []))];
}

/** The number of parameters behind `name` in a prototype or macro; null where it has none. */
function parametersOf(text: string, name: string): number | null {
  const start = text.indexOf(`${name}(`);
  if (start < 0) return null;
  const open = start + name.length;
  let depth = 0;
  let commas = 0;
  for (let at = open; at < text.length; at++) {
    const char = text[at];
    if (char === '(') depth++;
    else if (char === ',' && depth === 1) commas++;
    else if (char === ')' && --depth === 0)
      return /^\(\s*(?:void\s*)?\)$/.test(text.slice(open, at + 1)) ? 0 : commas + 1;
  }
  return null;
}
