/**
 * Collects garbage while nobody waits. By itself V8 does so when its space is used up, which is in
 * the middle of an answer.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** What a collector asks of V8. */
export interface Heap {
  /** Bytes of what was made since the last collection. */
  young(): number;
  /** Bytes of the rest that are held and hold nothing. */
  free(): number;
  collectYoung(): void;
  /** Collects everything, and moves what is alive together. */
  compact(): void;
}

/** Milliseconds without a message: who types quickly leaves more between two keys. */
const BETWEEN_KEYS = 20;
/** Milliseconds without a message: nobody types. To move everything takes tens of milliseconds. */
const AT_REST = 1000;
/** Bytes from which on it is worth it. */
const MUCH_YOUNG = 1_000_000;
const MUCH_FREE = 10_000_000;

/** Without it a thread has no heapOfThread(): to be set before the thread starts. */
export const COLLECT_FLAG = '--expose-gc';

/** @returns to be called with each message that comes, and in each pause of work. */
export function collectAtRest(heap: Heap): () => void {
  const betweenKeys = (): void => {
    if (heap.young() > MUCH_YOUNG) heap.collectYoung();
  };
  const atRest = (): void => {
    if (heap.free() > MUCH_FREE) heap.compact();
  };
  let timers: readonly NodeJS.Timeout[] = [];
  return () => {
    for (const timer of timers) timer.refresh();
    if (timers.length === 0)
      timers = [setTimeout(betweenKeys, BETWEEN_KEYS), setTimeout(atRest, AT_REST)].map((timer) =>
        timer.unref(),
      );
  };
}

/** The heap of this thread; undefined where it was started without COLLECT_FLAG. */
export function heapOfThread(): Heap | undefined {
  const { gc: collect } = globalThis as { gc?: (options?: { type: 'minor' }) => void };
  const spaces = getHeapSpaceStatistics;
  return (
    collect && {
      young: () => sumOf(spaces().filter(isYoung), ({ space_used_size: used }) => used),
      free: () =>
        sumOf(
          spaces().filter((space) => !isYoung(space)),
          ({ space_size: held, space_used_size: used }) => held - used,
        ),
      collectYoung: () => collect({ type: 'minor' }),
      // Always so, each collection takes several times as long. It may not be asked for in another way.
      compact() {
        setFlagsFromString('--compact-on-every-full-gc');
        collect();
        setFlagsFromString('--no-compact-on-every-full-gc');
      },
    }
  );
}

type Space = ReturnType<typeof getHeapSpaceStatistics>[number];

function isYoung({ space_name: name }: Space): boolean {
  return name === 'new_space' || name === 'new_large_object_space';
}

function sumOf(spaces: readonly Space[], bytes: (space: Space) => number): number {
  return spaces.reduce((sum, space) => sum + bytes(space), 0);
}
