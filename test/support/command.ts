/** The command line in the process of the test: what it prints and says, without the start of Node. */
import { fileURLToPath } from 'node:url';
import { createEngine, type Engine } from '../../server/src/engine/analyse.ts';
import { parseCommandLine } from '../../server/src/cli/command-line.ts';
import { outputOver } from '../../server/src/cli/output.ts';
import { readPackageFacts } from '../../server/src/cli/package-facts.ts';
import type { Program } from '../../server/src/cli/process-needs.ts';
import { runCommand, runWords } from '../../server/src/cli/program.ts';
import { createStyle, PLAIN } from '../../server/src/cli/style.ts';
import { UsageError } from '../../server/src/cli/usage-error.ts';
import { loadParser } from './parser.ts';

export interface Result {
  readonly status: number;
  readonly stdout: string;
  /** The lines for a person without the program's name, and without the target kernel. */
  readonly said: readonly string[];
  /** Those that only a person at a terminal is told. */
  readonly remarks: readonly string[];
}

/** What a program with these arguments leaves behind, as test/cli/run.ts has it of the real one. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly bytes: Buffer;
  /** Lines without the last line's end. */
  readonly stderr: readonly string[];
}

let engine: Promise<Engine> | undefined;
const sharedEngine = (): Promise<Engine> =>
  (engine ??= loadParser().then((parser) => createEngine(parser)));

const FACTS = readPackageFacts(fileURLToPath(new URL('../../dist/', import.meta.url)));

/**
 * Runs a command line in a folder as the program does, with its streams in a pipe. Not for two at a
 * time: the working folder is the process'.
 */
export async function run(cwd: string, ...args: string[]): Promise<Ran> {
  const printed: Buffer[] = [];
  let stderr = '';
  const streams = {
    out: (text: string | Uint8Array): void => void printed.push(Buffer.from(text)),
    error: (text: string): void => void (stderr += text),
    isTerminal: false,
  };
  const status = await inFolder(cwd, () =>
    runWords(
      args,
      FACTS.version,
      (manner) => outputOver(manner, streams),
      (output, { color, talk }) => ({
        ...PROGRAM,
        output,
        facts: FACTS,
        style: createStyle(color, {}, {}),
        isVerbose: talk === 'verbose',
      }),
    ),
  );
  const bytes = Buffer.concat(printed);
  return {
    status,
    stdout: bytes.toString('utf8'),
    bytes,
    stderr: stderr.split('\n').slice(0, -1),
  };
}

/** What is the same for all that runs here. */
const PROGRAM: Omit<Program, 'output' | 'facts' | 'style' | 'isVerbose'> = {
  self: '',
  threads: 1,
  identity: () => Promise.resolve('test'),
  stderrColumns: undefined,
  engine: sharedEngine,
};

async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return await work();
  } finally {
    process.chdir(before);
  }
}

/** The same, with what is said taken apart. */
export async function runHere(cwd: string, ...args: string[]): Promise<Result> {
  const said: string[] = [];
  const remarks: string[] = [];
  const printed: string[] = [];
  const say = (line: string): void => void said.push(line);
  const ignore = (): void => undefined;
  const output = {
    out: (text: string | Uint8Array): void =>
      void printed.push(typeof text === 'string' ? text : Buffer.from(text).toString('utf8')),
    note: say,
    error: say,
    detail: ignore,
    remark: (line: string): void => void remarks.push(line),
    line: say,
    progress: ignore,
  };
  let status = 2;
  try {
    const { command } = parseCommandLine(args, '1.2.3');
    status = await inFolder(cwd, () =>
      runCommand(command, {
        ...PROGRAM,
        output,
        facts: { version: '1.2.3', homepage: undefined, rulePages: undefined },
        style: PLAIN,
        isVerbose: false,
      }),
    );
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(error.message);
  }
  return {
    status,
    stdout: printed.join(''),
    remarks,
    said: said.filter((line) => !line.includes('target kernel')),
  };
}
