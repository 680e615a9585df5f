/** Words that a mistyped one was most likely meant to be. */
import { distance } from 'fastest-levenshtein';

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
    .map((one) => ({ one, distance: slips(wanted, one.toLowerCase()) }))
    .filter((one) => one.distance <= limit)
    .sort((left, right) => left.distance - right.distance)
    .map((one) => one.one);
}

/** Two letters that changed places are one slip, which Levenshtein counts as two. */
function slips(from: string, to: string): number {
  const count = distance(from, to);
  return count === 2 && sorted(from) === sorted(to) ? 1 : count;
}

function sorted(word: string): string {
  return [...word].sort().join('');
}
