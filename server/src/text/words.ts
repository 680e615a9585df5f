/** The order of texts, and questions about the words of a text that cost the same however many words are asked for. */

/** A set of names, or a map by them: what is only asked whether it has a name. */
export type Names = Pick<ReadonlySet<string>, 'has'>;

/** Whether a word of the text, in letters, digits and underscores, is one that `accept` takes. */
export function someWord(text: string, accept: (word: string) => boolean): boolean {
  for (const [word] of text.matchAll(/\w+/g)) if (accept(word)) return true;
  return false;
}

/** A test whether a word begins with one of `prefixes`. */
export function prefixTest(prefixes: Iterable<string>): (word: string) => boolean {
  // Without those that begin with another one: of the rest only the last that is not behind the
  // word can be its beginning.
  const shortest: string[] = [];
  for (const prefix of [...prefixes].sort()) {
    const last = shortest.at(-1);
    if (last === undefined || !prefix.startsWith(last)) shortest.push(prefix);
  }
  return (word) => {
    let low = 0;
    let high = shortest.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (shortest[middle]! <= word) low = middle + 1;
      else high = middle;
    }
    return low > 0 && word.startsWith(shortest[low - 1]!);
  };
}

/** Code-unit order: the same on every machine. */
export function compareText(left: string, right: string): number {
  if (left < right) return -1;
  return left > right ? 1 : 0;
}
