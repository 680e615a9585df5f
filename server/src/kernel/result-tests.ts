/**
 * Guesses from names: what a function or macro that nobody can see most likely says of the result
 * it is given. What follows from a guess is told as one.
 */

const FAILURE = new Set([
  'fail',
  'fails',
  'failed',
  'failure',
  'err',
  'errs',
  'error',
  'errored',
  'bad',
  'invalid',
]);
const SUCCESS = new Set(['ok', 'okay', 'good', 'success', 'successful', 'succeeded', 'valid']);
const NEGATIONS = new Set(['not', 'no', 'non']);

/**
 * For which results a test holds, by the words of its name: `FOO_FAILED`, `foo_is_err`, `foo_ok`.
 * @returns null where the name does not say.
 */
export function guessedTest(name: string): 'failure' | 'success' | null {
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split('_');
  const saysFailure = words.some((word) => FAILURE.has(word));
  const saysSuccess = words.some((word) => SUCCESS.has(word));
  if (saysFailure === saysSuccess) return null;
  const isNegated = words.some((word) => NEGATIONS.has(word));
  return saysFailure === isNegated ? 'success' : 'failure';
}
