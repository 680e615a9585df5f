// Builds, packs and installs the extension into a VS Code and opens the example driver: in an installed `code` where there is one,
// else in the editor host, which any browser can show. PORT fixes its port; NO_OPEN=1 opens no window.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { hasProgram, run } from './lib/run.mjs';
import { inProject } from './lib/paths.mjs';
import { packVsix } from './package.mjs';

const folder = inProject('examples/driver');
const file = path.join(folder, 'mistakes.c');
const vsix = await packVsix();

if (hasProgram('code')) {
  run('code', ['--install-extension', vsix, '--force']);
  run('code', ['--new-window', folder, '--goto', `${file}:1`]);
  console.log(`The extension is installed; VS Code shows ${file}`);
} else {
  await startEditorHost();
}

async function startEditorHost() {
  const { installEditorHost } = await import('./lib/editor-host.mjs');
  installEditorHost({ browser: false });
  const { baseArguments, chromiumArguments, cleanEnvironment, nodeBinary, startCodeServer, writeSettings } =
    await import('../test/editor-host/code-server.mjs');
  const data = inProject('.editor');
  const folders = { data, userData: path.join(data, 'user'), extensions: path.join(data, 'extensions') };
  fs.mkdirSync(data, { recursive: true });
  writeSettings(folders.userData);
  run(nodeBinary, [...baseArguments(folders), '--install-extension', vsix, '--force'], { stdio: ['ignore', 'ignore', 'inherit'], env: cleanEnvironment() });
  const editor = await startCodeServer(folders, { port: Number(process.env.PORT) || undefined });
  const query = new URLSearchParams({ folder, payload: JSON.stringify([['openFile', editor.uri(file)]]) });
  const address = `${editor.origin}/?${query}`;
  console.log(`VS Code with the extension and the example driver:\n\n  ${address}\n\nCtrl+C stops it.`);

  const wantsWindow = !process.env.NO_OPEN && (process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
  const window = wantsWindow ? openWindow(address, path.join(data, 'chromium'), chromiumArguments) : undefined;
  const end = async () => {
    window?.kill();
    await editor.stop();
    process.exit(0);
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, end);
  window?.on('exit', end);
}

/** A browser window without tabs and address bar. Only root needs to give up the sandbox. */
function openWindow(address, profile, chromiumArguments) {
  const window = spawn(process.env.CHROMIUM || 'chromium', [
    ...chromiumArguments.filter((argument) => argument !== '--no-sandbox' || process.getuid() === 0),
    `--user-data-dir=${profile}`, '--window-size=1280,800', `--app=${address}`,
  ], { stdio: 'ignore' });
  window.on('error', () => console.log('There is no Chromium here: open the address in a browser.'));
  return window;
}
