/** The command `dump`, which prints one stage of the analysis. */
import { dump } from '../engine/debug/dump.ts';
import type { DumpCommand } from './command.ts';
import { UsageError } from './usage-error.ts';
import { findInputs, namedFiles } from './inputs.ts';
import { nearWords } from '../text/near-words.ts';
import type { Program } from './process-needs.ts';
import { openWorkspace } from './workspace.ts';

/**
 * Prints one stage of the analysis of a file or of one of its functions: for people who work on the
 * engine.
 */
export async function runDump(command: DumpCommand, program: Program): Promise<number> {
  if (command.stage === 'calls') return dumpCalls(command, program);
  const [file] = namedFiles({ paths: [command.file], stdin: undefined });
  const workspace = openWorkspace({ ...command, paths: [command.file] }, program.output);
  const engine = await program.engine();
  const text = dump(
    engine,
    await workspace.load(file!.path),
    await workspace.target(file!.path),
    command.stage,
    command.fn,
  );
  if (text === undefined) {
    const names =
      engine.lowered(await workspace.load(file!.path))?.functions.map((fn) => fn.name) ?? [];
    throw new UsageError(
      command.fn === undefined
        ? `${command.file}: nothing to dump`
        : `${command.file}: no function ${command.fn}${meant(command.fn, names)}`,
    );
  }
  program.output.out(text.endsWith('\n') ? text : `${text}\n`);
  return 0;
}

function meant(name: string, names: readonly string[]): string {
  const near = nearWords(name, names, 3).slice(0, 2);
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
}

/**
 * The counts for a file or for all files of a folder, each line after its path: what `npm run
 * test:kernel` compares.
 */
async function dumpCalls(command: DumpCommand, program: Program): Promise<number> {
  const { files, unreadable } = await findInputs(
    { paths: [command.file], stdin: undefined },
    program,
  );
  const workspace = openWorkspace({ ...command, paths: [command.file] }, program.output);
  const engine = await program.engine();
  for (const { path, shown } of files) {
    const text = dump(
      engine,
      await workspace.load(path),
      await workspace.target(path),
      'calls',
      undefined,
    );
    for (const line of text?.split('\n') ?? [])
      if (line !== '') program.output.out(`${shown}\t${line.replaceAll(' ', '\t')}\n`);
  }
  return unreadable > 0 ? 2 : 0;
}
