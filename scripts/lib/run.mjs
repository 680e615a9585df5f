// Runs other programs.
import { spawn, spawnSync } from 'node:child_process';
import { root } from './paths.mjs';

/**
 * Runs a program in the project's folder with our own output; throws when it fails. Returns
 * nothing.
 */
export function run(program, args, options = {}) {
  const { status, error, signal } = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    ...options,
  });
  if (error) throw error;
  if (status !== 0)
    throw new Error(
      `${[program, ...args].join(' ')} ended with ${signal ?? `exit status ${status}`}`,
    );
}

/** Whether a program is on the search path. */
export function hasProgram(name) {
  return spawnSync('sh', ['-c', 'command -v "$0"', name], { stdio: 'ignore' }).status === 0;
}

/** Runs a program as `run` does, and lets this one go on meanwhile. */
export async function runMeanwhile(program, args, options = {}) {
  const child = spawn(program, args, { cwd: root, stdio: 'inherit', ...options });
  const [status, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...end) => resolve(end));
  });
  if (status !== 0)
    throw new Error(
      `${[program, ...args].join(' ')} ended with ${signal ?? `exit status ${status}`}`,
    );
}
