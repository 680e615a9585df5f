// Takes the pictures of the README in the real editor, with the packed extension, on the example driver: docs/images/*.png.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { baseArguments, cleanEnvironment, nodeBinary, removeFolder, startChromium, startCodeServer, writeSettings } from '../test/editor-host/code-server.mjs';
import { installEditorHost } from './lib/editor-host.mjs';
import { inProject } from './lib/paths.mjs';
import { packVsix } from './package.mjs';

const look = {
  'workbench.colorTheme': 'Default Light Modern',
  'workbench.activityBar.location': 'hidden',
  'workbench.layoutControl.enabled': false,
  'window.commandCenter': false,
  'editor.minimap.enabled': false,
  'editor.fontSize': 13,
  'editor.tabSize': 8,
  'editor.detectIndentation': false,
  'editor.stickyScroll.enabled': false,
  'breadcrumbs.enabled': false,
};

installEditorHost({ browser: true });
const data = fs.mkdtempSync(path.join(os.tmpdir(), 'screenshot-'));
const folders = { data, userData: path.join(data, 'user'), extensions: path.join(data, 'extensions') };
const workspace = path.join(data, 'driver');
fs.cpSync(inProject('examples/driver'), workspace, { recursive: true });
writeSettings(folders.userData, look);
const vsix = await packVsix(path.join(data, 'extension.vsix'));
execFileSync(nodeBinary, [...baseArguments(folders), '--install-extension', vsix], { stdio: 'ignore', env: cleanEnvironment() });
const editor = await startCodeServer(folders);
const browser = await startChromium({ profile: path.join(data, 'chromium'), width: 1040, height: 800 });
const { page } = browser;
// Only ends what hangs: a machine that others use too may be slow.
page.setDefaultTimeout(120_000);
try {
  await mistakes();
  await conversion();
  await beforeApplying();
} finally {
  await browser.stop();
  await editor.stop();
  removeFolder(data);
}

/** The three mistakes in the text and in the Problems panel, and the hover on one. */
async function mistakes() {
  await open('mistakes.c');
  await page.keyboard.press('Control+Shift+M');
  await page.locator('.markers-panel .monaco-list-row', { hasText: 'use-after-put' }).first().waitFor();
  await goTo('mistakes.c', 'vfio_register_emulated_iommu_dev');
  await page.locator('.squiggly-error').first().waitFor();
  await hoverOver('vfio_register_emulated_iommu_dev');
  await shoot('diagnostics.png');
}

/** The light bulb at the old model, with the conversion in its menu. */
async function conversion() {
  await open('old_model.c');
  await goTo('old_model.c', 'vfio_init_group_dev(');
  await page.locator('.squiggly-error').first().waitFor();
  await page.locator('.lightBulbWidget, [class*="codicon-gutter-lightbulb"]').first().click();
  await page.locator('.action-widget .monaco-list-row', { hasText: 'vfio_alloc_device' }).first().waitFor();
  await shoot('conversion.png');
}

/** What is asked before a conversion that moves state is written: all of it or nothing. */
async function beforeApplying() {
  await page.locator('.action-widget .monaco-list-row', { hasText: 'folding state' }).first().click();
  await page.locator('.quick-input-widget .monaco-list-row', { hasText: 'Show Changes' }).first().waitFor();
  await shoot('before-apply.png');
}

async function open(name) {
  const payload = JSON.stringify([['openFile', editor.uri(path.join(workspace, name))]]);
  await page.goto(`${editor.origin}/?${new URLSearchParams({ folder: workspace, payload })}`);
  await page.locator('.monaco-editor .view-line').first().waitFor();
  // The file alone, without the explorer; the next window remembers.
  if (await page.locator('.explorer-viewlet').isVisible()) await page.keyboard.press('Control+b');
  await page.locator('.tab', { hasText: name }).click();
}

/** Puts the cursor into a word and its line into the middle. */
async function goTo(name, word) {
  const lines = fs.readFileSync(path.join(workspace, name), 'utf8').split(word)[0].split('\n');
  // The editor asks for the column as it is seen.
  const column = lines.at(-1).replaceAll('\t', ' '.repeat(8)).length + 2;
  await page.keyboard.press('Control+1');
  await page.keyboard.press('Control+g');
  await page.keyboard.type(`${lines.length}:${column}`);
  await page.keyboard.press('Enter');
}

/** Rests the mouse on a word until its hover is there. Playwright's own hover would scroll the word into view, and the editor with it. */
async function hoverOver(word) {
  const hover = page.locator('.monaco-hover-content:visible').first();
  for (let attempt = 0; attempt < 10; attempt++) {
    const { x, y, height } = await page.locator('.view-line span', { hasText: new RegExp(`^${word}$`) }).last().boundingBox();
    await page.mouse.move(x - 40, y + height / 2);
    await page.mouse.move(x + 20, y + height / 2, { steps: 5 });
    if (await hover.waitFor({ timeout: 3000 }).then(() => true, () => false)) return;
  }
  throw new Error(`no hover on ${word}`);
}

async function shoot(name) {
  fs.mkdirSync(inProject('docs/images'), { recursive: true });
  await page.screenshot({ path: inProject('docs/images', name), animations: 'disabled' });
}
