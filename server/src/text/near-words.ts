/** Words that a mistyped one was most likely meant to be. */

/** Nobody types a longer word, and its distances would cost more than they are worth. */
const LONGEST = 60;

/**
 * The known words that are nearest to `word`, the nearest first; upper case counts like lower case.
 * Each is a few letters away at most, and the longer the word the more.
 */
export function nearWords(word: string, known: readonly string[], most = 2): readonly string[] {
  if (word.length > LONGEST) return [];
  const wanted = word.toLowerCase();
  const limit = Math.min(most, Math.floor(word.length / 3));
  return known
    .filter((one) => Math.abs(one.length - word.length) <= limit)
    .map((one) => ({ one, distance: distance(wanted, one.toLowerCase()) }))
    .filter((one) => one.distance <= limit)
    .sort((left, right) => left.distance - right.distance)
    .map((one) => one.one);
}

/** Insertions, deletions, replacements and swaps of neighbours from one word to another. */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let column = 1; column <= to.length; column++) {
      const same = from[i - 1] === to[column - 1];
      let least = Math.min(
        next[column - 1]! + 1,
        row[column]! + 1,
        row[column - 1]! + (same ? 0 : 1),
      );
      const isSwap = from[i - 1] === to[column - 2] && from[i - 2] === to[column - 1];
      if (isSwap && column > 1 && i > 1) least = Math.min(least, before[column - 2]! + 1);
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[to.length]!;
}
