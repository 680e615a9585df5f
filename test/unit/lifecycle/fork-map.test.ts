import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ForkMap, type Sum } from '../../../server/src/lifecycle/domain/fork-map.ts';

const sumOf = (map: ForkMap<number, number>): Sum => {
  let low = 0,
    high = 0;
  map.forEach((value, key) => {
    low += 2 ** key;
    high += value * 4 ** key;
  });
  return { low, high };
};

/** A change of one of the forks, or another fork of it; numbers are taken modulo what there is. */
const step = fc.record({
  of: fc.nat(20),
  kind: fc.constantFrom('set', 'delete', 'fork'),
  key: fc.nat(5),
  value: fc.nat(3),
});

it('has in each fork what a copy would have, in the same order, and no sum of other entries', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const forks = [new ForkMap<number, number>()];
      const copies = [new Map<number, number>()];
      for (const { of, kind, key, value } of steps) {
        const fork = forks[of % forks.length]!;
        const copy = copies[of % copies.length]!;
        fork.sum ??= sumOf(fork);
        if (kind === 'fork') {
          forks.push(fork.fork());
          copies.push(new Map(copy));
        } else if (kind === 'set') {
          fork.set(key, value);
          copy.set(key, value);
        } else expect(fork.delete(key)).toBe(copy.delete(key));
        expect(forks.map((one) => [...one])).toEqual(copies.map((one) => [...one]));
        for (const one of forks) if (one.sum !== null) expect(one.sum).toEqual(sumOf(one));
        expect(forks.map((one) => one.size)).toEqual(copies.map((one) => one.size));
      }
    }),
  );
});
