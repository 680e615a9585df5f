/** What is said of the kernels that the analysis was for. */
import type { ModuleInput, TargetKernel } from '../engine/types.ts';
import type { InputFile } from './inputs.ts';
import type { Output } from './output.ts';
import { keyOf, shownPath, type Workspace } from './workspace.ts';

/**
 * Says on stderr which kernel the analysis was for, and why: once for each kernel, because the
 * paths may lie in several trees.
 * @returns the kernel of the first file, or of the first path when no file was analysed.
 */
export async function announceTargets(
  workspace: Workspace,
  files: readonly InputFile[],
  paths: readonly string[],
  output: Output,
): Promise<string> {
  const said = new Set<string>();
  let first: string | undefined;
  const seeds =
    files.length > 0
      ? files
      : paths.slice(0, 1).map((path) => ({ path: `${keyOf(path)}/.`, shown: path }));
  for (const { path, shown } of seeds) {
    const { text, reason } = await workspace.target(path);
    first ??= text;
    const line = `target kernel ${text}: ${reason}`;
    if (said.has(line)) continue;
    output.note(said.size === 0 ? line : `${shown}: ${line}`);
    said.add(line);
  }
  return first ?? '6.1';
}

/** What is read together with a file, and for which kernel: what `--verbose` says. */
export function readingText(
  shown: string,
  { file, sources, headers }: ModuleInput,
  { text, reason }: TargetKernel,
): string {
  const others = [...sources, ...headers]
    .map((one) => one.path)
    .filter((path) => path !== file)
    .map(shownPath);
  const read = others.length > 0 ? `, with ${others.join(', ')}` : '';
  return `${shown}: for Linux ${text} (${reason})${read}`;
}
