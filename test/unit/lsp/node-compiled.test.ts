import {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  offerToKeep,
  readProgram,
  runCompiled,
  runProgram,
  takeKeeping,
} from '../../../server/src/lsp/node-compiled.ts';
import { setCompilerFlags } from '../../../server/src/lsp/node-compiler-flags.ts';
import { temporaryFolder, type Folder } from '../../support/folder.ts';

/** It says where it was run, by a name that `require` brings and one that the module has. */
const PROGRAM = `(function (require, __filename) {
const { basename } = require('node:path');
function told(word) { return word + ' ' + basename(__filename); }
globalThis.compiledTold = told('one');
})`;

describe('a program with what V8 compiled of it', () => {
  let folder: Folder;
  let program: string;
  let kept: string;

  beforeEach(() => {
    folder = temporaryFolder({ 'program.js': PROGRAM });
    program = join(folder.path, 'program.js');
    kept = join(folder.path, 'kept');
    delete (globalThis as Record<string, unknown>)['compiledTold'];
  });
  afterEach(() => folder.remove());

  const told = (): unknown => (globalThis as Record<string, unknown>)['compiledTold'];

  it('runs without it, and with it the next time', () => {
    const first = runCompiled(program, kept);
    expect([first.wasKept, told()]).toEqual([false, 'one program.js']);
    first.keep();
    expect(readdirSync(kept)).toHaveLength(1);
    expect(runCompiled(program, kept).wasKept).toBe(true);
    expect(told()).toBe('one program.js');
  });

  it('is read in one thread and run in another, without a copy', () => {
    runCompiled(program, kept).keep();
    const read = readProgram(program, kept);
    const handed = structuredClone(read, { transfer: [read.text.buffer, read.code!.buffer] });
    expect(read.text).toHaveLength(0);
    expect(runProgram(handed).wasKept).toBe(true);
    expect(told()).toBe('one program.js');
  });

  it('keeps the code of what has run once, long ago', () => {
    // Each collection is then long enough.
    for (const flag of ['--stress-flush-code', '--expose-gc']) setFlagsFromString(flag);
    setCompilerFlags();
    const { keep } = runCompiled(program, kept);
    const sizeOfKept = (): number => {
      keep();
      return statSync(join(kept, readdirSync(kept)[0]!)).size;
    };
    const size = sizeOfKept();
    (runInNewContext('gc') as () => void)();
    expect(sizeOfKept()).toBe(size);
  });

  it('is compiled again when it is another, be it of the same length and time', () => {
    runCompiled(program, kept).keep();
    const { atime, mtime } = statSync(program);
    writeFileSync(program, PROGRAM.replace("'one'", "'two'"));
    utimesSync(program, atime, mtime);
    expect(runCompiled(program, kept).wasKept).toBe(false);
    expect(told()).toBe('two program.js');
  });

  it('takes nothing that others may write', () => {
    runCompiled(program, kept).keep();
    chmodSync(kept, 0o777);
    expect(runCompiled(program, kept).wasKept).toBe(false);
  });

  it('runs where what was kept is broken, or cannot be kept', () => {
    runCompiled(program, kept).keep();
    const [name] = readdirSync(kept);
    const whole = readFileSync(join(kept, name!));
    const lost = Buffer.from(whole);
    lost[Math.floor(lost.length / 3)]! ^= 1;
    const damages = ['no code', '', lost, whole.subarray(0, -2)];
    for (const damage of damages) {
      writeFileSync(join(kept, name!), damage);
      expect(runCompiled(program, kept).wasKept).toBe(false);
      expect(told()).toBe('one program.js');
    }
    runCompiled(program, join(program, 'below')).keep();
    runCompiled(program, undefined).keep();
    expect(existsSync(join(program, 'below'))).toBe(false);
  });

  it('removes what is old', () => {
    runCompiled(program, kept).keep();
    const old = ['old.compiled', 'begun.compiled.12.34'].map((name) => join(kept, name));
    for (const one of old) {
      writeFileSync(one, '');
      utimesSync(one, 0, 0);
    }
    runCompiled(program, kept).keep();
    expect(old.filter((one) => existsSync(one))).toEqual([]);
  });

  it('is kept by the first that takes it upon itself, and only where it was not', () => {
    offerToKeep(runCompiled(program, kept));
    takeKeeping()!();
    expect(takeKeeping()).toBeUndefined();
    offerToKeep(runCompiled(program, kept));
    expect(takeKeeping()).toBeUndefined();
  });
});
