// Runs the language server of dist/ in Neovim on a copy of the example driver. Ends with the line of counts.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { need } from './lib/debian.mjs';
import { inProject } from './lib/paths.mjs';
import { run } from './lib/run.mjs';

need('neovim');
run(process.execPath, [inProject('scripts/build.mjs')]);
const folder = mkdtempSync(path.join(os.tmpdir(), 'nvim-'));
try {
  cpSync(inProject('examples/driver'), folder, { recursive: true });
  run('nvim', ['--headless', '-u', 'NONE', '-i', 'NONE', '-n', 'mistakes.c', '-c', `luafile ${inProject('test/nvim/run.lua')}`], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 10 * 60_000,
    env: { ...process.env, SERVER: inProject('dist/server.cjs'), SERVER_NODE: process.execPath },
  });
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
