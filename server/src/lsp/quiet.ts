/** Waits for a while in which nothing happens. */

/** Calls back once nothing has happened for a while. */
export interface Quiet {
  /** Something has happened: the while begins anew. */
  disturb(): void;
  /** There is no call back any more, until something happens again. */
  stop(): void;
}

/**
 * A timer that looks at the clock when it ends: with each key something happens, and a timer for
 * each of them costs more.
 */
export function createQuiet(milliseconds: number, onQuiet: () => void): Quiet {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let until = 0;
  const end = (): void => {
    const left = until - performance.now();
    timer = left > 0 ? setTimeout(end, Math.ceil(left)) : undefined;
    if (timer === undefined) onQuiet();
  };
  return {
    disturb() {
      until = performance.now() + milliseconds;
      timer ??= setTimeout(end, milliseconds);
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
