/**
 * The server's turns: one answer after the other, in steps, and none that nobody waits for. Work is
 * counted.
 */
import { expect, test } from 'vitest';
import { createTurns } from '../../../server/src/lsp/turns.ts';
import { note, type Steps } from '../../../server/src/budget/work.ts';

/** Work of so many steps, each as much as it takes to ask for a pause; `done` counts them. */
function* work(count: number, done: number[]): Steps<string> {
  for (let i = 0; i < count; i++) {
    note(1_000_000);
    done.push(i);
    yield;
  }
  return 'all';
}

test('work in steps is done to its end, with pauses', async () => {
  let pauses = 0;
  const done: number[] = [];
  const turns = createTurns(async () => void pauses++);
  expect(await turns.inSteps(work(5, done), () => true)).toBe('all');
  expect([done.length, pauses]).toEqual([5, 5]);
});

test('small work has no pause', async () => {
  let pauses = 0;
  const turns = createTurns(async () => void pauses++);
  await turns.inSteps(
    (function* small(): Steps<void> {
      for (let i = 0; i < 50; i++) yield note(10);
    })(),
    () => true,
  );
  expect(pauses).toBe(0);
});

test('what is heard in a pause ends the work', async () => {
  let isWanted = true;
  const done: number[] = [];
  const turns = createTurns(async () => {
    if (done.length === 3) isWanted = false;
  });
  expect(await turns.inSteps(work(1_000, done), () => isWanted)).toBeUndefined();
  expect(done).toHaveLength(3);
});

test('an error of the question ends it too, and the next turn comes', async () => {
  const done: number[] = [];
  const turns = createTurns(async () => undefined);
  const first = turns.take(() =>
    turns.inSteps(work(1_000, done), () => {
      if (done.length === 2) throw new Error('cancelled');
      return true;
    }),
  );
  const second = turns.take(() => turns.inSteps(work(2, []), () => true));
  await expect(first).rejects.toThrow('cancelled');
  expect(await second).toBe('all');
  expect(done).toHaveLength(2);
});

test('a turn begins when the one before it has ended', async () => {
  const order: string[] = [];
  const turns = createTurns(async () => void order.push('pause'));
  await Promise.all(
    ['a', 'b'].map((name) =>
      turns.take(async () => {
        order.push(name);
        await turns.inSteps(work(1, []), () => true);
        order.push(name);
      }),
    ),
  );
  expect(order.filter((one) => one !== 'pause')).toEqual(['a', 'a', 'b', 'b']);
});
