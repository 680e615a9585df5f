/**
 * The checker of the kernel's own build: `make C=1 CHECK="vfio-lifecycle kbuild"`. It takes what
 * kbuild gives sparse, the compiler's arguments with the file last, and speaks as gcc does.
 */
import { compilerArguments } from '../engine/project/build-options.ts';
import { buildOfArguments } from './build.ts';
import { runCheck } from './check.ts';
import type { KbuildCommand } from './command.ts';
import type { Program } from './process-needs.ts';
import { UsageError } from './usage-error.ts';
import { keyOf } from './workspace.ts';

/**
 * Checks the file that kbuild compiles, as it compiles it. Findings go to stderr, where make shows
 * them among the compiler's, and nothing else is said.
 * @throws UsageError where the arguments name no file.
 */
export async function runKbuild(command: KbuildCommand, program: Program): Promise<number> {
  const compiled = compilerArguments(command.words);
  if (compiled.file === undefined)
    throw new UsageError('kbuild: no C file among the arguments of the compiler');
  const build = buildOfArguments(compiled, keyOf('.'));
  const quiet = (): void => undefined;
  const { output } = program;
  return runCheck(
    {
      name: 'check',
      paths: [compiled.file],
      stdinName: undefined,
      kernel: command.kernel,
      rules: command.rules,
      format: 'short',
      failOn: command.failOn,
      minSeverity: command.minSeverity,
      baseline: undefined,
      updateBaseline: false,
      failOnGone: false,
      config: undefined,
      cache: undefined,
      change: null,
    },
    {
      ...program,
      output: {
        ...output,
        out: (text) => {
          if (text.length > 0) process.stderr.write(text);
        },
        note: program.isVerbose ? output.note : quiet,
        remark: quiet,
      },
    },
    () => build,
  );
}
