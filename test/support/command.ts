/** The command line in the process of the test: what it prints and says, without the start of Node. */
import { createEngine, type Engine } from '../../server/src/engine/analyse.ts';
import { parseCommandLine } from '../../server/src/cli/command-line.ts';
import { runCommand } from '../../server/src/cli/program.ts';
import { PLAIN } from '../../server/src/cli/style.ts';
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

let engine: Promise<Engine> | undefined;

/** Runs a command line in a folder. Not for two at a time: the working folder is the process'. */
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
  const before = process.cwd();
  process.chdir(cwd);
  let status = 2;
  try {
    const { command } = parseCommandLine(args, '1.2.3');
    status = await runCommand(command, {
      output,
      self: '',
      threads: 1,
      identity: () => 'test',
      facts: { version: '1.2.3', homepage: undefined, rulePages: undefined },
      style: PLAIN,
      stderrColumns: undefined,
      isVerbose: false,
      engine: () => (engine ??= loadParser().then((parser) => createEngine(parser))),
    });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(error.message);
  } finally {
    process.chdir(before);
  }
  return {
    status,
    stdout: printed.join(''),
    remarks,
    said: said.filter((line) => !line.includes('target kernel')),
  };
}
