import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly bytes: Buffer;
  /** Lines without the last line's end. */
  readonly stderr: readonly string[];
}

/** Runs dist/cli.cjs in `cwd` as a program. */
export function run(cwd: string, ...args: string[]): Ran {
  return runWith('', cwd, ...args);
}

/** The same with a text on stdin. */
export function runWith(input: string, cwd: string, ...args: string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [CLI, ...args], {
    cwd,
    input,
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  return {
    status,
    stdout: stdout.toString('utf8'),
    bytes: stdout,
    stderr: stderr.toString('utf8').split('\n').slice(0, -1),
  };
}
