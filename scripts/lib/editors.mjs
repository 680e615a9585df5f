// Runs another editor than VS Code by the configurations that docs/editors.md has for it.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { add, line, none } from './counts.mjs';
import { inProject } from './paths.mjs';
import { run } from './run.mjs';

/** Only ends what hangs. */
const timeout = 10 * 60_000;

/**
 * Runs an editor in a copy of the example driver, once for each block of code of a language on the
 * page, which is the file that CONFIGURATION names.
 * `vfio-lifecycle` is found as it is where it is installed. Prints the sum of the counts that the
 * runs end with, and sets the exit status.
 */
export function inEditor(language, program, args) {
  run(process.execPath, [inProject('scripts/build.mjs')]);
  const folder = mkdtempSync(path.join(os.tmpdir(), `${program}-`));
  try {
    const counts = configurations(language).map((text, i) => {
      console.log(text.split('\n')[0]);
      return inFolder(path.join(folder, String(i)), text, program, args);
    });
    const total = counts.reduce(add, none);
    console.log(line(total));
    process.exitCode = total.failed > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function configurations(language) {
  const page = readFileSync(inProject('docs/editors.md'), 'utf8');
  return [...page.matchAll(/^```(\w+)\n(.*?)^```/gms)]
    .filter((block) => block[1] === language)
    .map((block) => block[2]);
}

function inFolder(folder, text, program, args) {
  const programs = path.join(folder, 'bin');
  mkdirSync(programs, { recursive: true });
  chmodSync(inProject('dist/cli.cjs'), 0o755);
  symlinkSync(inProject('dist/cli.cjs'), path.join(programs, 'vfio-lifecycle'));
  const configuration = path.join(folder, `configuration.${program}`);
  writeFileSync(configuration, text);
  cpSync(inProject('examples/driver'), path.join(folder, 'driver'), { recursive: true });
  const env = {
    ...process.env,
    PATH: `${programs}:${process.env.PATH}`,
    HOME: folder,
    CONFIGURATION: configuration,
  };
  const { stdout, status } = spawnSync(program, args, {
    cwd: path.join(folder, 'driver'),
    env,
    timeout,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [last, passed, failed] = /^(\d+) passed, (\d+) failed, 0 skipped\s*$/m.exec(stdout) ?? [];
  console.log(stdout.replace(last ?? '', '').trimEnd());
  if (last === undefined || (status !== 0 && failed === '0')) return { ...none, failed: 1 };
  return { passed: Number(passed), failed: Number(failed), skipped: 0 };
}
