/** What becomes of a result that nobody takes: a disk that is full, a reader that went away. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { FORMATS } from '../../server/src/cli/command.ts';
import { LEAKY, OLD, BAR_H } from '../support/drivers.ts';
import { temporaryFolder, type Folder } from '../support/folder.ts';
import { CLI } from './run.ts';

let folder: Folder | undefined;
afterEach(() => {
  folder?.remove();
  folder = undefined;
});

/** Runs the command line in a shell, with `into` behind it: a redirection or a pipe. */
function shell(args: string, into: string) {
  const { path } = (folder ??= temporaryFolder({
    'foo.c': LEAKY,
    'bar.c': OLD,
    'bar.h': BAR_H,
  }));
  const command = `{ "${process.execPath}" "${CLI}" ${args}; echo "status $?" >&2; } ${into}`;
  const { stderr, status } = spawnSync('sh', ['-c', command], { cwd: path, encoding: 'utf8' });
  const lines = stderr.trimEnd().split('\n');
  return { path, status, last: lines.at(-1), said: lines.slice(0, -1) };
}

const COMMANDS = [
  ...FORMATS.map((format) => `check -q --format ${format} foo.c`),
  'convert -q --format patch bar.c',
  'convert -q --format json bar.c',
  'fix -q --unsafe foo.c',
  'explain missing-put',
  'rules --format json',
  'dump --stage ir foo.c',
  'completion bash',
  '--help',
];

describe('a result that is not taken', () => {
  it.runIf(existsSync('/dev/full')).each(COMMANDS)('%s on a full disk', (args) => {
    expect(shell(args, '>/dev/full')).toMatchObject({
      last: 'status 2',
      said: ['vfio-lifecycle: stdout: no space left on the device'],
    });
  });

  it.each(COMMANDS.filter((_, i) => i % 3 === 0))('%s for a reader that went away', (args) => {
    // The reader ends at once, and the program begins when it has.
    expect(shell(args, '| :')).toMatchObject({ last: 'status 2', said: [] });
  });

  it.runIf(existsSync('/dev/full'))('is no conversion either', () => {
    const { path, last } = shell('convert -q --write --format patch bar.c', '>/dev/full');
    expect(last).toBe('status 2');
    expect(readFileSync(`${path}/bar.c`, 'utf8')).toBe(OLD);
  });
});
