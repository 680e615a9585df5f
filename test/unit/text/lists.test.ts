import { expect, it } from 'vitest';
import { append, largest, smallest } from '../../../server/src/text/lists.ts';

it('takes lists that are longer than a call can have arguments', () => {
  const many = Array.from({ length: 500_000 }, (_, i) => i);
  const list: number[] = [];
  append(list, many);
  expect(list.length).toBe(many.length);
  expect(largest(many)).toBe(499_999);
  expect(smallest(many)).toBe(0);
});
