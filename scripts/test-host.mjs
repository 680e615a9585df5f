// Runs the extension-host suite, or the parts of it that are named: node scripts/test-host.mjs
// [settings person …]. In the VS Code of VSCODE_EXE, else in a downloaded one where there is a
// display, else in the editor host.
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort, removeFolder } from '../test/editor-host/code-server.mjs';
import { installEditorHost, shim } from './lib/editor-host.mjs';
import { inProject, root } from './lib/paths.mjs';

const counts = inProject('out/host-counts.json');
const suite = inProject('out/host');

await build({
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'es2022',
  sourcemap: 'inline',
  logLevel: 'warning',
  entryPoints: suiteFiles(),
  outdir: suite,
  external: ['vscode', 'mocha', 'playwright-core'],
});
fs.rmSync(counts, { force: true });
const workspace = copyWorkspace();
const converted = convertCopies(workspace);
const port = String(await freePort());
try {
  await runTests({
    vscodeExecutablePath: await executable(),
    extensionDevelopmentPath: root,
    extensionTestsPath: path.join(suite, 'index.js'),
    launchArgs: [
      workspace,
      '--disable-extensions',
      `--remote-debugging-port=${port}`,
      `--user-data-dir=${path.join(workspace, '../user')}`,
      `--extensions-dir=${path.join(workspace, '../extensions')}`,
    ],
    extensionTestsEnv: {
      HOST_SUITE_COUNTS: counts,
      HOST_SUITE_PARTS: process.argv.slice(2).join(' '),
      HOST_SUITE_DEBUG_PORT: port,
      HOST_SUITE_AXE: inProject('node_modules/axe-core/axe.min.js'),
      HOST_SUITE_EXPECTED: inProject('test/host/fixtures/old_model.converted.c'),
      HOST_SUITE_CONVERTED: converted,
      HOST_SUITE_SCREENSHOT: inProject('out/host-failure.png'),
      HOST_SUITE_PICTURES: inProject('out'),
    },
  });
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  removeFolder(path.dirname(workspace));
}

/** The VS Code to run in. */
async function executable() {
  if (process.env.VSCODE_EXE) return path.resolve(process.env.VSCODE_EXE);
  const display =
    process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  if (display) return downloadAndUnzipVSCode();
  await installEditorHost({ browser: true });
  return shim;
}

/**
 * A copy of the example driver, a file without VFIO and two drivers of several files, so that the
 * suite may write.
 */
function copyWorkspace() {
  const folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'host-suite-')), 'driver');
  fs.cpSync(inProject('examples/driver'), folder, { recursive: true });
  fs.copyFileSync(inProject('test/host/fixtures/plain.c'), path.join(folder, 'plain.c'));
  fs.cpSync(inProject('test/host/fixtures/three-files'), path.join(folder, 'hoist'), {
    recursive: true,
  });
  fs.cpSync(
    inProject('test/fixtures/convert/several-files/member-in-header'),
    path.join(folder, 'dock'),
    { recursive: true },
  );
  fs.cpSync(
    inProject('test/fixtures/convert/several-files/member-in-one-file'),
    path.join(folder, 'wick'),
    { recursive: true },
  );
  fs.cpSync(inProject('test/host/fixtures/moved-and-folded'), path.join(folder, 'jetty'), {
    recursive: true,
  });
  for (const name of ['tree', 'tree/node_modules']) {
    fs.cpSync(inProject('test/host/fixtures/unopened'), path.join(folder, name), {
      recursive: true,
    });
  }
  return folder;
}

/** The workspace as the command line converts it: a folder with a copy for each style. */
function convertCopies(folder) {
  const copies = path.join(folder, '../converted');
  const drivers = [
    ['old_model.c'],
    ['dock/dock_dev.c', 'dock/dock_main.c'],
    ['wick/wick.c'],
    ['jetty/jetty.c'],
  ];
  for (const style of ['minimal', 'fold', 'compat']) {
    const copy = path.join(copies, style);
    fs.cpSync(folder, copy, { recursive: true });
    // One source for all kernels is proved for each of them: the driver that the suite asks for.
    for (const files of style === 'compat' ? drivers.slice(0, 1) : drivers) {
      execFileSync(
        process.execPath,
        [inProject('dist/cli.cjs'), 'convert', '--write', '--style', style, ...files],
        { cwd: copy, stdio: 'ignore' },
      );
    }
  }
  return copies;
}

/** What mocha loads. */
function suiteFiles() {
  return fs
    .readdirSync(inProject('test/host/suite'))
    .filter((name) => /^index\.|\.test\./.test(name))
    .map((name) => `test/host/suite/${name}`);
}
