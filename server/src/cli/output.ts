import { printable } from './printable.ts';

/** Where a command writes. */
export interface Output {
  /** The result, to stdout. */
  out(text: string | Uint8Array): void;
  /** One line for a person, to stderr, with the program's name before it. */
  note(line: string): void;
  /** A line that the next one takes the place of; only on a terminal. */
  progress(line: string): void;
}

/** Output over the process' streams. A reader that goes away ends the process without a word: `check | head` is no error. */
export function createOutput(): Output {
  const quiet = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  };
  process.stdout.on('error', quiet);
  process.stderr.on('error', quiet);
  let shown = 0;
  const clear = (): void => {
    if (shown > 0) process.stderr.write(`\r${' '.repeat(shown)}\r`);
    shown = 0;
  };
  return {
    out(text) {
      clear();
      process.stdout.write(text);
    },
    note(line) {
      clear();
      process.stderr.write(`vfio-lifecycle: ${printable(line)}\n`);
    },
    progress(line) {
      if (process.stderr.isTTY !== true) return;
      clear();
      process.stderr.write(line);
      shown = line.length;
    },
  };
}
