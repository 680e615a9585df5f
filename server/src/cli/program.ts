/** Runs one command and gives its exit status. */
import type { Program } from './process-needs.ts';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type { Engine } from '../engine/analyse.ts';
import { takeKeeping } from '../lsp/node-compiled.ts';
import { commandModel, parseCommandLine } from './command-line.ts';
import type { Command, Manner } from './command.ts';
import { createOutput, type Output } from './output.ts';
import { readPackageFacts, type PackageFacts } from './package-facts.ts';
import { createStyle } from './style.ts';
import { UsageError } from './usage-error.ts';

/**
 * Runs one command, for which only what it needs is loaded, and gives its exit status. Throws
 * UsageError.
 */
export async function runCommand(command: Command, program: Program): Promise<number> {
  switch (command.name) {
    case 'check':
      return (await import('./check.ts')).runCheck(command, program);
    case 'kbuild':
      return (await import('./kbuild.ts')).runKbuild(command, program);
    case 'convert':
    case 'fix':
      return (await import('./change.ts')).runChange(command, program);
    case 'explain':
      return (await import('./explain.ts')).runExplain(command, program);
    case 'rules':
      return (await import('./explain.ts')).runRules(command, program);
    case 'dump':
      return (await import('./dump.ts')).runDump(command, program);
    case 'completion':
      program.output.out(
        (await import('./completion.ts')).completionScript(
          command.shell,
          commandModel(() => undefined, program.facts.version),
        ),
      );
      return 0;
    case 'print':
      program.output.out(command.text);
      return 0;
    case 'lsp': {
      const { startServerThread } = await import('../lsp/node-start-thread.ts');
      const { superviseServer } = await import('../lsp/node-supervisor.ts');
      superviseServer(startServerThread(join(dirname(program.self), 'server.cjs')));
      return 0;
    }
  }
}

/**
 * Runs the command of the process' arguments and sets its exit status.
 * @param dist the folder of the wasm modules, beside package.json.
 */
export async function main(dist: string): Promise<void> {
  const facts = readPackageFacts(dist);
  // Not process.exit(): what is still on its way into a pipe would be lost.
  process.exitCode = await runWords(
    process.argv.slice(2),
    facts.version,
    createOutput,
    (output, manner) => createProgram(output, facts, manner, dist),
  );
}

/** Runs the command of these arguments and gives its exit status. What goes wrong is said. */
export async function runWords(
  words: readonly string[],
  version: string,
  outputOf: (manner: Pick<Manner, 'talk'>) => Output,
  programOf: (output: Output, manner: Manner) => Program,
): Promise<number> {
  let output = outputOf({ talk: 'normal' });
  try {
    const { command, manner } = parseCommandLine(words, version);
    output = outputOf(manner);
    return await runCommand(command, programOf(output, manner));
  } catch (error) {
    output.error(
      error instanceof UsageError
        ? error.message
        : `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return 2;
  }
}

function createProgram(
  output: Output,
  facts: PackageFacts,
  { color, talk }: Manner,
  dist: string,
): Program {
  let engine: Promise<Engine> | undefined;
  return {
    output,
    self: join(dist, 'cli.cjs'),
    threads: availableParallelism(),
    identity: async () => (await import('./identity.ts')).identityOf(__filename, dist),
    facts,
    style: createStyle(color, process.stdout, process.env),
    stderrColumns: process.stderr.isTTY ? process.stderr.columns : undefined,
    isVerbose: talk === 'verbose',
    engine: () => {
      // Then this thread has run enough for its code to be worth keeping, once nobody waits for it.
      if (!engine) process.once('exit', () => takeKeeping()?.());
      return (engine ??= import('./load-engine.ts').then(({ loadEngine }) => loadEngine(dist)));
    },
  };
}
