/**
 * Turns at the engine: one answer is worked out at a time, and each in steps. Between two steps the
 * server hears what has come in
 * meanwhile: a cancellation, a newer version of the document, the end.
 */
import { workDone, type Steps } from '../budget/work.ts';

export interface Turns {
  /**
   * Does `work` when all work that was begun before is done. Work that is in its turn must not ask
   * for another.
   */
  take<T>(work: () => T | Promise<T>): Promise<T>;
  /**
   * Does work in steps. Undefined when `goesOn` said, after a pause, that nobody wants it any more;
   * what `goesOn` throws is thrown.
   */
  inSteps<T>(steps: Steps<T>, goesOn: () => boolean): Promise<T | undefined>;
  /** A pause, if enough was done since the last one. */
  pause(): Promise<void>;
}

/** Counted work between two pauses: a few milliseconds. A key in a usual driver costs less. */
const PAUSE_AFTER = 10_000;

/** @param rest a pause of the host: what has arrived is handled before it is over. */
export function createTurns(rest: () => Promise<void>): Turns {
  let last: Promise<unknown> = Promise.resolve();
  let done = workDone();

  async function pause(): Promise<void> {
    if (workDone() - done < PAUSE_AFTER) return;
    await rest();
    done = workDone();
  }

  return {
    take(work) {
      const mine = last.then(work);
      last = mine.catch(() => undefined);
      return mine;
    },

    async inSteps(steps, goesOn) {
      while (goesOn()) {
        do {
          const step = steps.next();
          if (step.done) return step.value;
        } while (workDone() - done < PAUSE_AFTER);
        await pause();
      }
      return undefined;
    },

    pause,
  };
}
