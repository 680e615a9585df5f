import { expect, test } from 'vitest';
import { nearWords } from '../../../server/src/text/near-words.ts';

const KNOWN = [
  'missing-put',
  'double-put',
  'vfio_put_device',
  'vfio_device_put',
  'Release',
  'check',
  'json',
];

test.each<[string, readonly string[]]>([
  ['mising-put', ['missing-put']],
  ['missing-ptu', ['missing-put']],
  ['doublee-puts', ['double-put']],
  ['vfio_put_devices', ['vfio_put_device']],
  ['rELEAS', ['Release']],
  ['chekc', ['check']],
  ['jsno', ['json']],
  ['put', []],
  ['', []],
  ['something-else', []],
  ['missing-put'.repeat(100), []],
])('%j is near to %j', (word, near) => {
  expect(nearWords(word, KNOWN)).toEqual(near);
});

test('the nearest is first', () => {
  expect(nearWords('abcdefgi', ['abcdefxy', 'abcdefgh'])).toEqual(['abcdefgh', 'abcdefxy']);
});
