/** The two streams of a command: the result on stdout, what a person is told on stderr. */
import { fstatSync, writeSync } from 'node:fs';
import type { Manner } from './command.ts';
import { printable } from './printable.ts';
import { reasonInWords } from './text-file.ts';
import { UsageError } from './usage-error.ts';

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

/** What an output writes to. */
export interface Streams {
  out(text: string | Uint8Array): void;
  error(text: string): void;
  /** Whether a person reads `error` as it comes. */
  readonly isTerminal: boolean;
}

/**
 * Output over the process' streams. What stdout does not take ends the process with status 2, since
 * its reader has not got the result: without a word where the reader has gone away (`check | head`),
 * with one line where the disk is full.
 */
export function createOutput(manner: Pick<Manner, 'talk'>): Output {
  const output = outputOver(manner, {
    out: writeToStdout,
    error: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
  });
  endOnFailure(process.stdout, (error) => output.error(`stdout: ${reasonInWords(error)}`));
  // There is nobody left to tell.
  endOnFailure(process.stderr, () => undefined);
  return output;
}

/** Output over any streams. */
export function outputOver({ talk }: Pick<Manner, 'talk'>, streams: Streams): Output {
  let shown = 0;
  const clear = (): void => {
    if (shown > 0) streams.error(`\r${' '.repeat(shown)}\r`);
    shown = 0;
  };
  const say = (line: string): void => {
    clear();
    streams.error(`vfio-lifecycle: ${printable(line)}\n`);
  };
  const showsProgress = talk !== 'quiet' && streams.isTerminal;
  return {
    out(text) {
      clear();
      streams.out(text);
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
      if (talk !== 'quiet') streams.error(`${printable(line)}\n`);
    },
    progress(line) {
      if (!showsProgress) return;
      clear();
      streams.error(line);
      shown = line.length;
    },
  };
}

/** @param tell says of any failure but a closed pipe what it is. */
function endOnFailure(
  stream: NodeJS.WriteStream,
  tell: (error: NodeJS.ErrnoException) => void,
): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') tell(error);
    process.exit(2);
  });
}

/**
 * A pipe and a terminal take what they can and wait for the rest. To a file Node makes one write, of
 * which a disk that is nearly full takes a part, and what failed would be known only later.
 * @throws UsageError when a file or a device does not take all of it.
 */
function writeToStdout(text: string | Uint8Array): void {
  const stat = fstatSync(process.stdout.fd);
  if (process.stdout.isTTY || !(stat.isFile() || stat.isCharacterDevice())) {
    process.stdout.write(text);
    return;
  }
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(process.stdout.fd, bytes, at);
  } catch (error) {
    throw new UsageError(`stdout: ${reasonInWords(error)}`);
  }
}
