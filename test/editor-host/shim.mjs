#!/usr/bin/env node
// Stands in for the executable of VS Code: takes the flags that @vscode/test-electron passes and
// runs the suite in code-server, which is the same workbench and the same extension host, shown by
// a headless Chromium. Its exit status is the suite's.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArguments } from './arguments.mjs';
import {
  entry,
  removeFolder,
  startChromium,
  startCodeServer,
  writeSettings,
} from './code-server.mjs';

const limit = 20 * 60 * 1000;
const options = parseArguments(process.argv.slice(2));
for (const flag of options.unknown) console.error(`editor host: ignored ${flag}`);
if (options.tests === undefined) fail('it runs test suites only; use `npm start` to open a window');
if (!fs.existsSync(entry))
  fail(`VS Code is not installed here; run ${path.join(import.meta.dirname, 'setup.sh')}`);

const data = fs.mkdtempSync(path.join(os.tmpdir(), 'editor-host-'));
const output = path.join(data, 'output');
const verdict = path.join(data, 'verdict');
const folders = {
  data,
  userData: options.userData ?? path.join(data, 'user'),
  extensions: options.extensions ?? path.join(data, 'extensions'),
};
let editor;
let browser;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => void stop(130));
main().then(stop, (error) => {
  console.error('editor host:', error);
  return stop(1);
});

/** Returns the exit status. */
async function main() {
  fs.writeFileSync(output, '');
  writeSettings(folders.userData);
  editor = await startCodeServer(folders, {
    env: {
      EDITOR_HOST_OUTPUT: output,
      EDITOR_HOST_VERDICT: verdict,
      EDITOR_HOST_TESTS: options.tests,
    },
    // Without it the workbench ignores the paths of an extension under test.
    args: ['--vscode-option', 'enable-smoke-test-driver'],
  });
  browser = await startChromium({
    profile: path.join(data, 'chromium'),
    debugPort: options.debugPort,
  });
  await browser.context.grantPermissions(['clipboard-read', 'clipboard-write'], {
    origin: editor.origin,
  });
  const print = followOutput();
  try {
    return await runSuite(browser.page);
  } finally {
    print.end();
  }
}

/** Opens the workbench with the suite and waits for its verdict. */
async function runSuite(page) {
  const { promise, resolve } = deferred();
  // The suite's own word counts: an extension host that was killed is reported as 0 by the
  // workbench, which may also be late to report at all.
  const ended = (why) => {
    if (fs.existsSync(verdict)) return resolve(0);
    console.error(`editor host: ${why}`);
    resolve(1);
  };
  // The workbench calls these two, which its own smoke tests define.
  await page.exposeFunction('codeAutomationLog', () => {});
  await page.exposeFunction('codeAutomationExit', (code) =>
    ended(`the suite ended with status ${code}`),
  );
  page.on('crash', () => ended('the page of the workbench crashed'));
  setTimeout(() => ended(`no verdict after ${limit / 60_000} minutes`), limit).unref();
  setInterval(() => {
    const [line] =
      /Extension Host Process exited with code: .*/.exec(fs.readFileSync(editor.log, 'utf8')) ?? [];
    if (line) ended(line);
  }, 500).unref();
  await page.goto(workbench(), { timeout: limit });
  return promise;
}

/** The workbench's address with what to open and what to run. */
function workbench() {
  const payload = [
    ['skipWelcome', 'true'],
    ['extensionTestsPath', editor.uri(path.join(import.meta.dirname, 'test-entry.cjs'))],
  ];
  for (const folder of options.developed)
    payload.push(['extensionDevelopmentPath', editor.uri(folder)]);
  if (options.disableExtensions) payload.push(['disableExtensions', 'true']);
  const query = new URLSearchParams();
  for (const one of options.open) {
    if (fs.statSync(one).isDirectory()) query.set('folder', one);
    else payload.push(['openFile', editor.uri(one)]);
  }
  if (!query.has('folder')) query.set('ew', 'true');
  query.set('payload', JSON.stringify(payload));
  return `${editor.origin}/?${query}`;
}

/** Copies what the suite prints to our own output while it runs. */
function followOutput() {
  let printed = 0;
  const print = () => {
    const text = fs.readFileSync(output);
    fs.writeSync(1, text.subarray(printed));
    printed = text.length;
  };
  const timer = setInterval(print, 100);
  return {
    end() {
      clearInterval(timer);
      print();
    },
  };
}

function deferred() {
  let resolve;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

let stopping = false;
async function stop(code) {
  if (stopping) return;
  stopping = true;
  await browser?.stop();
  await editor?.stop();
  removeFolder(data);
  process.exit(code);
}

function fail(why) {
  console.error(`editor host: ${why}`);
  process.exit(2);
}
