import { expect, it } from 'vitest';
import { append, largest, smallest, toKeep } from '../../../server/src/text/lists.ts';

it('takes lists that are longer than a call can have arguments', () => {
  const many = Array.from({ length: 500_000 }, (_, i) => i);
  const list: number[] = [];
  append(list, many);
  expect(list.length).toBe(many.length);
  expect(largest(many)).toBe(499_999);
  expect(smallest(many)).toBe(0);
});

it('keeps equal lists, and no room for more', () => {
  const list = [1, 2];
  const kept = toKeep(list);
  list.push(3);
  expect(kept).toEqual([1, 2]);
  expect(toKeep([])).toEqual([]);
  expect(toKeep([])).toBe(toKeep([]));
});
