// When garbage is collected: between two keys what is new, and everything once nobody types.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { collectAtRest, heapOfThread, type Heap } from '../../../server/src/lsp/node-collect.ts';
import { startServerThread } from '../../../server/src/lsp/node-start-thread.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function heapWith(sizes: { young: number; free: number }): Heap & { readonly done: string[] } {
  const done: string[] = [];
  return {
    done,
    young: () => sizes.young,
    free: () => sizes.free,
    collectYoung: () => void done.push('young'),
    compact: () => void done.push('all'),
  };
}

describe('collectAtRest', () => {
  test('collects what is new between two keys, and everything at rest', () => {
    const heap = heapWith({ young: 2_000_000, free: 20_000_000 });
    const goesOn = collectAtRest(heap);
    goesOn();
    expect(heap.done).toEqual([]);
    vi.advanceTimersByTime(80);
    expect(heap.done).toEqual(['young']);
    goesOn();
    vi.advanceTimersByTime(80);
    expect(heap.done).toEqual(['young', 'young']);
    vi.advanceTimersByTime(1000);
    expect(heap.done).toEqual(['young', 'young', 'all']);
  });

  test('leaves work alone that goes on', () => {
    const heap = heapWith({ young: 2_000_000, free: 20_000_000 });
    const goesOn = collectAtRest(heap);
    for (let i = 0; i < 400; i++) {
      goesOn();
      vi.advanceTimersByTime(10);
    }
    expect(heap.done).toEqual([]);
  });

  test('does nothing where little is to be had, and nothing more at rest', () => {
    const little = heapWith({ young: 500_000, free: 5_000_000 });
    collectAtRest(little)();
    vi.advanceTimersByTime(60_000);
    expect(little.done).toEqual([]);
    const much = heapWith({ young: 2_000_000, free: 20_000_000 });
    collectAtRest(much)();
    vi.advanceTimersByTime(60_000);
    expect(much.done).toEqual(['young', 'all']);
  });
});

test('the thread of the server has a heap to collect, another one has not', async () => {
  expect(heapOfThread()).toBeUndefined();
  vi.useRealTimers();
  const folder = mkdtempSync(join(tmpdir(), 'node-collect-'));
  try {
    const program = join(folder, 'program.cjs');
    writeFileSync(program, "require('node:worker_threads').parentPort.postMessage(typeof gc)");
    const [type] = await once(startServerThread(program), 'message');
    expect(type).toBe('function');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
