import fc from 'fast-check';
import { expect, it } from 'vitest';
import { prefixTest, someWord } from '../../../server/src/text/words.ts';

const word = fc.stringMatching(/^[ab_]{0,6}$/);

it('a word begins with one of the prefixes or with none', () => {
  fc.assert(
    fc.property(fc.array(word), word, (prefixes, one) => {
      expect(prefixTest(prefixes)(one)).toBe(prefixes.some((prefix) => one.startsWith(prefix)));
    }),
  );
});

it('words end where a letter, a digit or an underscore does not follow', () => {
  const seen: string[] = [];
  expect(someWord('a_1->b(c2);', (one) => seen.push(one) === 3)).toBe(true);
  expect(seen).toEqual(['a_1', 'b', 'c2']);
  expect(someWord('', () => true)).toBe(false);
});
