/** Strings that are kept. */
import { expect, it } from 'vitest';
import { copyString, sharedName } from '../../../server/src/text/copy.ts';

it('gives the same text, whatever was asked for before', () => {
  const document = 'struct vfio_device_with_a_longer_name foo; '.repeat(3);
  for (const length of [0, 1, 12, 13, 40, 41, 120]) {
    const part = document.slice(1, 1 + length);
    expect(copyString(part)).toBe(part);
    expect(sharedName(part)).toBe(part);
  }
  for (let i = 0; i < 50_000; i++) expect(sharedName(`name_${i}`)).toBe(`name_${i}`);
  expect(sharedName('name_1')).toBe('name_1');
});
