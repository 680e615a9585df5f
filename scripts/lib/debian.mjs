// What the project needs beside npm: installed where that is possible, named with one command where
// it is not.
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { hasProgram, run } from './run.mjs';

/**
 * Makes sure that Debian packages are there. `needs` maps a package to a test for it. Throws with
 * the command to run when something is
 * missing that this user cannot install.
 */
function ensurePackages(needs) {
  const missing = Object.keys(needs).filter((name) => !needs[name]());
  if (missing.length === 0) return;
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...missing];
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const mayInstall =
    hasProgram('apt-get') &&
    (sudo.length === 0 || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0);
  if (!mayInstall)
    throw new Error(`missing: ${missing.join(', ')}. Install with: sudo ${install.join(' ')}`);
  console.log(`installing ${missing.join(', ')}`);
  const quiet = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  const [program, ...args] = [...sudo, 'apt-get'];
  run(program, [...args, 'update', '-q'], quiet);
  run(program, [...args, ...install.slice(1)], quiet);
}

/** The tests for the packages that the editor host and the runs in other editors need. */
export const packages = {
  chromium: () => existsSync(process.env.CHROMIUM || '/usr/bin/chromium'),
  'fonts-dejavu-core': () => existsSync('/usr/share/fonts/truetype/dejavu'),
  'g++': () => hasProgram('g++'),
  make: () => hasProgram('make'),
  python3: () => hasProgram('python3'),
  neovim: () => hasProgram('nvim'),
  'emacs-nox': () => hasProgram('emacs'),
  // Emacs has it itself from 29 on.
  'elpa-eglot': () =>
    spawnSync('emacs', ['--batch', '--eval', '(require (quote eglot))'], { stdio: 'ignore' })
      .status === 0,
};

/** A part of `packages` by name. */
export function need(...names) {
  ensurePackages(Object.fromEntries(names.map((name) => [name, packages[name]])));
}
