/** The two streams of the process: the result on stdout, what a person is told on stderr. */
import type { Manner } from './command.ts';
import { printable } from './printable.ts';

/** Where a command writes. */
export interface Output {
  /** The result, to stdout. */
  out(text: string | Uint8Array): void;
  /**
   * One line for a person, to stderr, with the program's name before it; `--quiet` leaves it out.
   */
  note(line: string): void;
  /** The same for what went wrong, which is always said. */
  error(line: string): void;
  /** The same for what only `--verbose` says. */
  detail(line: string): void;
  /**
   * The same for what a person who waits is glad to read and a log needs not: on a terminal, and
   * with `--verbose`.
   */
  remark(line: string): void;
  /** A line of a table for a person, to stderr; `--quiet` leaves it out. */
  line(line: string): void;
  /** A line that the next one takes the place of; only on a terminal. */
  progress(line: string): void;
}

/**
 * Output over the process' streams. A reader that goes away ends the process without a word: `check
 * | head` is no error.
 */
export function createOutput({ talk }: Pick<Manner, 'talk'>): Output {
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
  const say = (line: string): void => {
    clear();
    process.stderr.write(`vfio-lifecycle: ${printable(line)}\n`);
  };
  const showsProgress = talk !== 'quiet' && process.stderr.isTTY === true;
  return {
    out(text) {
      clear();
      process.stdout.write(text);
    },
    note(line) {
      if (talk !== 'quiet') say(line);
    },
    error: say,
    detail(line) {
      if (talk === 'verbose') say(line);
    },
    remark(line) {
      if (talk === 'verbose' || showsProgress) say(line);
    },
    line(line) {
      clear();
      if (talk !== 'quiet') process.stderr.write(`${printable(line)}\n`);
    },
    progress(line) {
      if (!showsProgress) return;
      clear();
      process.stderr.write(line);
      shown = line.length;
    },
  };
}
