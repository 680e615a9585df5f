// Builds, packs and installs the extension into a VS Code and opens the example driver: in an
// installed `code` where there is one, else in the editor host, which any browser can show. PORT
// fixes its port; NO_OPEN=1 opens no window; EDITOR_HOST=1 takes it although there is a `code`.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { hasProgram, run, runMeanwhile } from './lib/run.mjs';
import { inProject } from './lib/paths.mjs';
import { packVsix } from './package.mjs';

const folder = inProject('examples/driver');
const file = path.join(folder, 'mistakes.c');
/** Lines and columns are those of people. */
const mistake = placeOf(file, '!lamp');
/**
 * Our extension opens the view of problems for who asks for it here: nothing else can have it open
 * from the start.
 */
const environment = { VFIO_LIFECYCLE_SHOW_PROBLEMS: '1' };
/** What is said while something takes its time: each so many milliseconds. */
const patience = 10_000;

const toTry = `Things to try:

  - in mistakes.c, line ${mistake.split(':')[0]}: the light bulb (Ctrl+.), and the steps of the path under each problem
  - rest the mouse on vfio_register_emulated_iommu_dev(): what the device is before and after it
  - in old_model.c: Convert This Driver, in the menu of the right mouse button
  - F1, then "VFIO Lifecycle": all commands`;

const vsix = await step('Building and packing the extension', () => packVsix());
if (!process.env.EDITOR_HOST && hasProgram('code')) {
  await step('Installing it into VS Code', () =>
    runMeanwhile('code', ['--install-extension', vsix, '--force'], quietly()),
  );
  run('code', ['--new-window', folder, '--goto', `${file}:${mistake}`], {
    env: { ...process.env, ...environment },
  });
  console.log(`\nThe extension is installed; VS Code shows ${file}\n\n${toTry}`);
} else {
  await startEditorHost();
}

async function startEditorHost() {
  const { installEditorHost } = await import('./lib/editor-host.mjs');
  await step('Installing VS Code from npm (the first time takes a minute or two)', () =>
    installEditorHost({ browser: false }),
  );
  const {
    baseArguments,
    chromiumArguments,
    cleanEnvironment,
    nodeBinary,
    startCodeServer,
    writeSettings,
  } = await import('../test/editor-host/code-server.mjs');
  const data = inProject('.editor');
  const folders = {
    data,
    userData: path.join(data, 'user'),
    extensions: path.join(data, 'extensions'),
  };
  fs.mkdirSync(data, { recursive: true });
  writeSettings(folders.userData);
  const install = [...baseArguments(folders), '--install-extension', vsix, '--force'];
  await step('Installing the extension into it', () =>
    runMeanwhile(nodeBinary, install, { ...quietly(), env: cleanEnvironment() }),
  );
  const editor = await step('Starting it', () =>
    startCodeServer(folders, { port: Number(process.env.PORT) || undefined, env: environment }),
  );
  const payload = [
    ['gotoLineMode', 'true'],
    ['openFile', `${editor.uri(file)}:${mistake}`],
  ];
  const query = new URLSearchParams({ folder, payload: JSON.stringify(payload) });
  const address = `${editor.origin}/?${query}`;
  console.log(
    `\nVS Code with the extension and the example driver:\n\n  ${address}\n\n${toTry}\n\nCtrl+C stops it.`,
  );

  const wantsWindow = !process.env.NO_OPEN && (process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
  const window = wantsWindow
    ? openWindow(address, path.join(data, 'chromium'), chromiumArguments)
    : undefined;
  const end = async () => {
    window?.kill();
    await editor.stop();
    process.exit(0);
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, end);
  window?.on('exit', end);
}

/** Says what is being done, that it still is, and how long it took. */
async function step(what, work) {
  console.log(`${what} …`);
  const begin = performance.now();
  const seconds = () => Math.round((performance.now() - begin) / 1000);
  const timer = setInterval(() => console.log(`  still at it, ${seconds()} s`), patience);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    console.log(`  ${seconds()} s`);
  }
}

/** What an installer says is of no use; what it complains of is. */
function quietly() {
  return { stdio: ['ignore', 'ignore', 'inherit'] };
}

/** `LINE:COLUMN` of the first occurrence of a text in a file. */
function placeOf(name, text) {
  const lines = fs.readFileSync(name, 'utf8').split(text)[0].split('\n');
  return `${lines.length}:${lines.at(-1).length + 1}`;
}

/** A browser window without tabs and address bar. Only root needs to give up the sandbox. */
function openWindow(address, profile, chromiumArguments) {
  const window = spawn(
    process.env.CHROMIUM || 'chromium',
    [
      ...chromiumArguments.filter(
        (argument) => argument !== '--no-sandbox' || process.getuid() === 0,
      ),
      `--user-data-dir=${profile}`,
      '--window-size=1280,800',
      `--app=${address}`,
    ],
    { stdio: 'ignore' },
  );
  window.on('error', () =>
    console.log('There is no Chromium here: open the address in a browser.'),
  );
  return window;
}
