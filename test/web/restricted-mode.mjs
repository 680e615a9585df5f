// The extension in a folder that its user does not trust, which the editor shows in Restricted Mode:
// what package.json declares for it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCodeServer, writeSettings } from '../editor-host/code-server.mjs';
import { pressUntil, runCommand } from '../editor-host/workbench-page.mjs';

const driver = 'old_model.c';
/** Only ends what hangs, in milliseconds. */
const limit = 120_000;

/**
 * Looks at the example driver in such a folder. `ours` is the extension, `converts` the command line;
 * `sees` takes what is tested and the test, which gets the page.
 */
export async function lookInRestrictedMode({ context }, { data, ours, example, converts, sees }) {
  const home = path.join(data, 'restricted');
  const folder = path.join(home, 'driver');
  fs.cpSync(example, folder, { recursive: true });
  const original = read(path.join(folder, driver));
  const expected = convertedCopy(folder, converts);
  const rules = { 'vfioLifecycle.rules': { 'use-after-put': 'off' } };
  fs.mkdirSync(path.join(folder, '.vscode'));
  fs.writeFileSync(path.join(folder, '.vscode/settings.json'), JSON.stringify(rules));
  const editor = await startWithoutTrust(home, ours);
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(limit);
    const source = path.join(folder, 'mistakes.c');
    const payload = JSON.stringify([
      ['gotoLineMode', 'true'],
      ['openFile', `${editor.uri(source)}:${placeOf(source, 'vfio_register_emulated')}`],
    ]);
    await page.goto(`${editor.origin}/?${new URLSearchParams({ folder, payload })}`);
    await sees(page, 'a folder that is not trusted is in Restricted Mode', (shown) =>
      shown.locator('.statusbar-item', { hasText: 'Restricted Mode' }).waitFor(),
    );
    await sees(page, 'there are findings there, with the settings of the folder', seesFindings);
    await sees(page, 'there is a hover there', seesHover);
    await sees(page, 'a driver is converted there as the command line does', async () => {
      // Where this is the second time, the first may have come half the way.
      fs.writeFileSync(path.join(folder, driver), original);
      if (await tabOf(page, '.dirty').isVisible()) await runCommand(page, 'File: Revert File');
      await convert(page);
      await until('the conversion', () => read(path.join(folder, driver)) === expected);
    });
    await page.close();
  } finally {
    await editor.stop();
  }
}

function read(file) {
  return fs.readFileSync(file, 'utf8');
}

/** The driver as the command line converts it. */
function convertedCopy(folder, converts) {
  const copy = `${folder}-converted`;
  fs.cpSync(folder, copy, { recursive: true });
  execFileSync(process.execPath, [converts, 'convert', '--write', driver], {
    cwd: copy,
    stdio: 'ignore',
  });
  return read(path.join(copy, driver));
}

/** A VS Code that trusts no folder and does not ask. */
async function startWithoutTrust(home, ours) {
  const folders = {
    data: home,
    userData: path.join(home, 'user'),
    extensions: path.join(home, 'extensions'),
  };
  const { publisher, name, version } = JSON.parse(read(path.join(ours, 'package.json')));
  fs.cpSync(ours, path.join(folders.extensions, `${publisher}.${name}-${version}`), {
    recursive: true,
  });
  writeSettings(folders.userData, {
    'security.workspace.trust.enabled': true,
    'security.workspace.trust.startupPrompt': 'never',
  });
  return startCodeServer(folders, { isTrusting: false });
}

/** `LINE:COLUMN` of the first occurrence of a text in a file, as people count. */
function placeOf(file, text) {
  const lines = read(file).split(text)[0].split('\n');
  return `${lines.length}:${lines.at(-1).length + 1}`;
}

/** What the Problems view says of a rule. */
function findingOf(page, rule) {
  return page.locator('.markers-panel .monaco-list-row', { hasText: rule });
}

async function seesFindings(page) {
  await runCommand(page, 'Problems: Focus on Problems View');
  await findingOf(page, 'missing-put').first().waitFor();
  // Of the three mistakes one is off. Where it was not, its row could be out of sight.
  const count = page.locator('.markers-panel .monaco-count-badge').first();
  const said = await count.innerText();
  if (said !== '2') throw new Error(`there are ${said} findings`);
}

async function seesHover(page) {
  await runCommand(page, 'View: Focus Active Editor Group');
  await runCommand(page, 'Show or Focus Hover');
  await page
    .locator('.monaco-hover-content:visible', { hasText: 'vfio_register_emulated_iommu_dev' })
    .first()
    .waitFor();
}

/** The tab of the driver, which is active, in a state. */
function tabOf(page, state = '') {
  return page.locator(`.tab.active${state}`, { hasText: driver });
}

async function convert(page) {
  const file = page.locator('.explorer-viewlet .monaco-list-row', { hasText: driver });
  await pressUntil(tabOf(page), () => file.dblclick({ timeout: 10_000 }));
  await findingOf(page, 'removed-api').first().waitFor();
  // The first answer is the conversion that the command line makes.
  const answer = page.locator('.quick-input-widget .monaco-list-row.focused', {
    hasText: 'meter_probe',
  });
  await pressUntil(answer, () => runCommand(page, 'VFIO Lifecycle: Convert This Driver'));
  await pressUntil(tabOf(page, '.dirty'), async () => {
    // In the text the key would be a new line.
    if (await answer.isVisible()) await page.keyboard.press('Enter');
  });
  await pressUntil(tabOf(page, ':not(.dirty)'), async () => {
    await page.locator('.view-line').first().click({ timeout: 10_000 });
    await page.keyboard.press('Control+s');
  });
}

/** The editor tells of few of its changes, so this polls. */
async function until(what, look) {
  const end = Date.now() + limit;
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`no sign of ${what}`);
    await sleep(100);
  }
}
