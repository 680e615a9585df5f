/** The command line runs with what V8 compiled of it in an earlier run. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEAKY } from '../support/drivers.ts';
import { temporaryFolder, type Folder } from '../support/folder.ts';
import { CLI } from './run.ts';

/** More files than are checked in one thread. */
const MANY = Array.from({ length: 12 }, (_, i) => `many/${i}/a.c`);

let folder: Folder;
let kept: string;
beforeEach(() => {
  folder = temporaryFolder({
    'a.c': LEAKY,
    ...Object.fromEntries(MANY.map((name) => [name, LEAKY])),
  });
  kept = folder.pathOf('kept');
});
afterEach(() => folder.remove());

const options = (cache = kept) => ({
  cwd: folder.path,
  encoding: 'utf8' as const,
  env: { ...process.env, VFIO_LIFECYCLE_CACHE: cache },
});

interface Told {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], cache = kept): Told {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], options(cache));
  return { status, stdout, stderr };
}

/** The one file that is kept: a run that does not take it writes another in its place. */
function keptFile(): { path: string; file: number } {
  const names = readdirSync(kept);
  expect(names).toHaveLength(1);
  const path = join(kept, names[0]!);
  return { path, file: statSync(path).ino };
}

describe('the code of the command line', () => {
  it.each([
    ['one file', ['check', 'a.c']],
    ['files for several threads', ['check', 'many']],
    ['a file of a build', ['kbuild', 'a.c']],
    ['a stage of the analysis', ['dump', '--stage', 'states', 'a.c']],
    ['a conversion', ['convert', 'a.c']],
  ])('is kept by the first run for %s, and taken by the next', (_, args) => {
    const plain = run(args, '');
    expect(existsSync(kept)).toBe(false);
    expect(run(args)).toEqual(plain);
    const first = keptFile();
    expect(run(args)).toEqual(plain);
    expect(keptFile()).toEqual(first);
  });

  it('is that of one thread for another', () => {
    run(['check', 'many']);
    const first = keptFile();
    run(['check', 'a.c']);
    expect(keptFile()).toEqual(first);
  });

  it('is not kept by a run that analyses nothing', () => {
    for (const word of ['--version', '--help', 'rules']) run([word]);
    expect(existsSync(kept)).toBe(false);
  });

  it('is not taken where a byte of it is another or all are gone, but kept anew', () => {
    const plain = run(['check', 'a.c']);
    const { path } = keptFile();
    const whole = readFileSync(path);
    const changed = [1000, whole.length >> 1, whole.length - 1].map((at) => {
      const broken = Buffer.from(whole);
      broken[at]! ^= 0x5a;
      return broken;
    });
    for (const broken of [...changed, Buffer.alloc(whole.length)]) {
      writeFileSync(path, broken);
      expect(run(['check', 'a.c'])).toEqual(plain);
      expect(readFileSync(path).equals(broken)).toBe(false);
    }
  });

  it('is written by any number of runs at once', async () => {
    const runs = Array.from({ length: 6 }, () =>
      promisify(execFile)(process.execPath, [CLI, 'check', '--fail-on', 'never', 'a.c'], options()),
    );
    expect(new Set((await Promise.all(runs)).map(({ stdout }) => stdout)).size).toBe(1);
    const first = keptFile();
    run(['check', 'a.c']);
    expect(keptFile()).toEqual(first);
  });

  it('is another under other flags of V8', () => {
    run(['check', 'a.c']);
    spawnSync(process.execPath, ['--no-opt', CLI, 'check', 'a.c'], options());
    expect(readdirSync(kept)).toHaveLength(2);
  });

  it('is kept nowhere in a working directory, nor where nobody may write', () => {
    const plain = run(['check', 'a.c'], '');
    expect(run(['check', 'a.c'], 'here')).toEqual(plain);
    expect(existsSync(folder.pathOf('here'))).toBe(false);
    expect(run(['check', 'a.c'], folder.pathOf('a.c/below'))).toEqual(plain);
    for (const home of ['', folder.pathOf('none')]) {
      const env: NodeJS.ProcessEnv = { ...process.env, HOME: home };
      delete env['VFIO_LIFECYCLE_CACHE'];
      delete env['XDG_CACHE_HOME'];
      const homeless = spawnSync(process.execPath, [CLI, 'check', 'a.c'], { ...options(), env });
      expect(homeless).toMatchObject(plain);
    }
    expect(readdirSync(folder.path).sort()).toEqual(['a.c', 'many']);
  });
});
