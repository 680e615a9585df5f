// Takes the pictures of the README, of docs/ and of the walkthrough in the real editor, with the
// packed extension, on the example driver. `npm run screenshot -- NAME…` takes only those of these
// names, and `walk-through` the animation of the README; with --dark the ones that are only kept in light are also taken in dark, into out/. Look at
// each: what they show is for a person to judge.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  baseArguments,
  cleanEnvironment,
  nodeBinary,
  removeFolder,
  startChromium,
  startCodeServer,
  writeSettings,
} from '../test/editor-host/code-server.mjs';
import { inView, runCommand } from '../test/editor-host/workbench-page.mjs';
import { installEditorHost } from './lib/editor-host.mjs';
import { animated, withPalette } from './lib/palette-png.mjs';
import { inProject } from './lib/paths.mjs';
import { packVsix } from './package.mjs';

const look = {
  'workbench.activityBar.location': 'hidden',
  'workbench.layoutControl.enabled': false,
  'workbench.statusBar.visible': false,
  'workbench.editor.editorActionsLocation': 'hidden',
  'window.commandCenter': false,
  'window.menuBarVisibility': 'hidden',
  'editor.minimap.enabled': false,
  'editor.fontSize': 13,
  'editor.tabSize': 8,
  'editor.detectIndentation': false,
  'editor.stickyScroll.enabled': false,
  'editor.guides.indentation': false,
  'editor.scrollbar.horizontal': 'hidden',
  'editor.occurrencesHighlight': 'off',
  'editor.matchBrackets': 'never',
  'breadcrumbs.enabled': false,
};
const themes = { light: 'Default Light Modern', dark: 'Default Dark Modern' };

/** A column of the README, and the half of a walkthrough. */
const column = { width: 880, height: 560 };
const step = { width: 640, height: 460 };
/** The animation of the README. */
const ANIMATION = 'walk-through';
const wide = { width: 1320, height: 760 };
/** What lies under the line of a step: what is said there is no text of the page. */
const markedLine = '.view-overlays [class*="ced-"]';

const withBars = {
  'workbench.statusBar.visible': true,
  'workbench.editor.editorActionsLocation': 'default',
};

/** What is taken: where it goes, in which themes and size, and how the editor comes to show it. */
const pictures = {
  finding: { folder: 'docs/images', size: column, show: showFinding },
  state: { folder: 'docs/images', size: column, show: showState },
  conversion: { folder: 'docs/images', size: column, show: showChanges },
  'before-apply': { folder: 'docs/images', size: column, show: showQuestion },
  'life-cycle': { folder: 'docs/images', size: wide, show: showLifeCycle },
  walk: {
    folder: 'docs/images',
    size: { width: 1260, height: 480 },
    show: showWalk,
    settings: withBars,
  },
  preview: { folder: 'docs/images', size: column, show: showPreview },
  folder: { folder: 'docs/images', size: { width: 880, height: 400 }, show: showFolder },
  new: { folder: 'docs/images', size: column, show: showNewDriver },
  open: { folder: 'images/walkthrough', size: step, show: showMistakes },
  path: { folder: 'images/walkthrough', size: step, show: showPath },
  convert: { folder: 'images/walkthrough', size: step, show: showMenu },
  picture: { folder: 'images/walkthrough', size: step, show: showLifeCycle },
  begin: { folder: 'images/walkthrough', size: step, show: showNewDriver },
  tree: { folder: 'images/walkthrough', size: step, show: showTree },
  // What no page shows, to be looked at.
  hints: {
    folder: 'docs/images',
    size: column,
    show: showHints,
    settings: { 'vfioLifecycle.inlayHints': true, 'vfioLifecycle.codeLens': 'all' },
  },
  lens: { folder: 'out', size: column, show: showLens },
  contract: { folder: 'out', size: column, show: showContract },
  completion: { folder: 'out', size: column, show: showCompletion },
  members: { folder: 'out', size: column, show: showMembers },
  signature: { folder: 'out', size: column, show: showSignature },
  changes: {
    folder: 'out',
    size: column,
    show: showCheckedChanges,
    settings: { 'git.enabled': true },
  },
  report: { folder: 'out', size: column, show: showReport },
  'after-walk': { folder: 'out', size: wide, show: showWalkInPicture },
};
/** What a picture may set. */
const unset = {
  'workbench.statusBar.visible': false,
  'workbench.editor.editorActionsLocation': 'hidden',
  'vfioLifecycle.inlayHints': undefined,
  'vfioLifecycle.codeLens': undefined,
  'git.enabled': false,
};

const wanted = process.argv.slice(2).filter((name) => name !== '--dark');
const isDarkToo = process.argv.includes('--dark');
await installEditorHost({ browser: true });
const data = fs.mkdtempSync(path.join(os.tmpdir(), 'screenshot-'));
const folders = {
  data,
  userData: path.join(data, 'user'),
  extensions: path.join(data, 'extensions'),
};
/** The example driver: each picture has a copy of its own, for what is typed is kept. */
let workspace = '';
writeSettings(folders.userData, look);
const vsix = await packVsix(path.join(data, 'extension.vsix'));
execFileSync(nodeBinary, [...baseArguments(folders), '--install-extension', vsix], {
  stdio: 'ignore',
  env: cleanEnvironment(),
});
const editor = await startCodeServer(folders);
const browser = await startChromium({ profile: path.join(data, 'chromium') });
const { page } = browser;
// Only ends what hangs: a machine that others use too may be slow.
page.setDefaultTimeout(60_000);
try {
  if (wanted.includes(ANIMATION)) await takeAnimation().catch((error) => missed(ANIMATION, error));
  for (const picture of Object.keys(pictures).filter(
    (name) => wanted.length === 0 || wanted.includes(name),
  )) {
    for (const [theme, name] of Object.entries(themes)) {
      const { settings } = pictures[picture];
      writeSettings(folders.userData, { ...unset, 'workbench.colorTheme': name, ...settings });
      if (theme === 'light' || isDarkToo || pictures[picture].size === step)
        await take(picture, theme).catch((error) => missed(picture, error));
    }
  }
} finally {
  await browser.stop();
  await editor.stop();
  removeFolder(data);
}

/** The other pictures are taken all the same. */
async function missed(name, error) {
  process.exitCode = 1;
  console.error(`${name}: ${error.message}`);
  await page.screenshot({ path: inProject('out', `${name}-failure.png`) });
}

async function take(name, theme) {
  const { folder, size, show } = pictures[name];
  workspace = copyOf('driver', `${name}-${theme}`);
  await page.setViewportSize(size);
  await show(size);
  const file = fileOf(folder, name, theme, size === step);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  // A caret blinks, and what appears by and by is to be there.
  await page.waitForTimeout(500);
  fs.writeFileSync(
    file,
    withPalette(await page.screenshot({ animations: 'disabled', caret: 'hide' })),
  );
  console.log(`${path.relative(inProject(), file)}: ${fs.statSync(file).size} bytes`);
}

/** A copy of a folder of the examples, to be opened and written to. */
function copyOf(examples, name) {
  const folder = path.join(data, name);
  fs.cpSync(inProject('examples', examples), folder, { recursive: true });
  return folder;
}

/** Where a picture goes: what is kept in one theme has no theme in its name. */
function fileOf(folder, name, theme, isInBoth) {
  if (isInBoth) return inProject(folder, `${name}-${theme}.png`);
  return theme === 'light'
    ? inProject(folder, `${name}.png`)
    : inProject('out', `${name}-${theme}.png`);
}

/** From a finding to its picture, along its path to the return that owes the put, and the fix. */
async function takeAnimation() {
  writeSettings(folders.userData, { 'workbench.colorTheme': themes.light, ...withBars });
  workspace = copyOf('driver', ANIMATION);
  await page.setViewportSize({ width: 1100, height: 640 });
  const shots = [];
  const keep = async (milliseconds) => {
    // To where nothing answers it.
    await page.mouse.move(600, 639);
    await page.waitForTimeout(700);
    const png = await page.screenshot({ animations: 'disabled', caret: 'hide' });
    shots.push({ png, milliseconds });
  };
  await open(workspace, 'mistakes.c');
  await goTo('mistakes.c', 'if (ret)', 'return ret');
  await page.locator('.squiggly-error').first().waitFor();
  await keep(1800);
  await runCommand(page, 'VFIO Lifecycle: Show Life Cycle');
  await inView(page, 'svg.life');
  await keep(2200);
  await (await inView(page, 'svg.life .way.found')).click();
  for (const step of [0, 1, 2]) {
    await inView(page, `li[data-step="${step}"] .current`);
    await keep(1800);
    if (step < 2) await (await inView(page, '[data-do=next]')).click();
  }
  await runCommand(page, 'VFIO Lifecycle: End the Walk');
  // The picture has the focus, and keeps it. Playwright's own click would scroll the line into view,
  // and the editor with it.
  const line = page.locator('.view-line', { hasText: 'return ret;' }).first();
  await page.waitForTimeout(1000);
  const { x, y, height } = await line.boundingBox();
  await page.mouse.click(x + 150, y + height / 2);
  await page.locator('.statusbar-item', { hasText: /^Ln / }).waitFor();
  const fix = page
    .locator('.action-widget .monaco-list-row', { hasText: 'vfio_put_device' })
    .first();
  for (let attempt = 0; attempt < 5 && !(await fix.isVisible()); attempt++) {
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+.');
    await fix.waitFor({ timeout: 15_000 }).catch(() => undefined);
  }
  await keep(1800);
  const found = await inView(page, 'svg.life .way.found');
  await fix.click();
  await found.waitFor({ state: 'detached' });
  await keep(3000);
  const file = inProject('docs/images', `${ANIMATION}.png`);
  fs.writeFileSync(file, animated(shots));
  console.log(`${path.relative(inProject(), file)}: ${fs.statSync(file).size} bytes`);
}

/** The mistakes in the text, and in the Problems view with the path to each. */
async function showFinding({ height }) {
  await open(workspace, 'mistakes.c');
  await showProblems('missing-put', height * 0.54);
  await goTo('mistakes.c', 'ret = vfio_register_emulated_iommu_dev', 'vfio_register');
}

/** The hover at the registration: what the device is before and after it. */
async function showState() {
  await open(workspace, 'mistakes.c');
  await goTo('mistakes.c', 'lamp = vfio_alloc_device', 'vfio_alloc');
  await page.locator('.squiggly-error').first().waitFor();
  await hoverOver('vfio_register_emulated_iommu_dev');
}

/** The differences that a conversion makes. */
async function showChanges() {
  await showQuestion();
  await page
    .locator('.quick-input-widget .monaco-list-row', { hasText: 'Show Changes' })
    .first()
    .click();
  await page.locator('.monaco-diff-editor .line-insert').first().waitFor();
  // Down to the probe, where one call comes in the place of three.
  await page.mouse.move(400, 300);
  const call = page
    .locator('.monaco-diff-editor .view-line', { hasText: 'vfio_alloc_device' })
    .first();
  for (let turn = 0; turn < 60; turn++) {
    await page.mouse.wheel(0, 120);
    await page.waitForTimeout(50);
    const box = await call.boundingBox({ timeout: 100 }).catch(() => null);
    if (box && box.y < 350) break;
  }
}

/** What is asked before a conversion that moves state is written: all of it or nothing. */
async function showQuestion() {
  await showMenu();
  await page
    .locator('.action-widget .monaco-list-row', { hasText: 'folding state' })
    .first()
    .click();
  await page
    .locator('.quick-input-widget .monaco-list-row', { hasText: 'Show Changes' })
    .first()
    .waitFor();
}

/** The example with its squiggles. */
async function showMistakes() {
  await open(workspace, 'mistakes.c');
  await goTo('mistakes.c', 'ret = vfio_register_emulated_iommu_dev', '');
  await page.locator('.squiggly-error').first().waitFor();
}

/** One finding, and under it the steps that lead there. */
async function showPath({ height }) {
  await open(workspace, 'mistakes.c');
  await showProblems('missing-put', height * 0.42);
  await page
    .locator('.markers-panel-action-filter input, .viewpane-filter input')
    .first()
    .fill('missing-put');
  await page
    .locator('.markers-panel .monaco-list-row', { hasText: 'null-check' })
    .waitFor({ state: 'detached' });
  await goTo('mistakes.c', 'if (ret)', 'return ret');
}

/** The light bulb at the old model, with the conversion in its menu. */
async function showMenu() {
  await open(workspace, 'old_model.c');
  await goTo('old_model.c', 'vfio_init_group_dev(', '');
  await page.locator('.squiggly-error').first().waitFor();
  await page
    .locator('.lightBulbWidget:visible, [class*="codicon-gutter-lightbulb"]:visible')
    .first()
    .click();
  await page
    .locator('.action-widget .monaco-list-row', { hasText: 'vfio_alloc_device' })
    .first()
    .waitFor();
}

/** The findings of a folder, of which no file is open. */
async function showTree({ height }) {
  await open(copyOf('.', 'tree'), undefined);
  await runCommand(page, 'VFIO Lifecycle: Check Workspace');
  await page.locator('.notification-list-item', { hasText: 'Show Problems' }).waitFor();
  await runCommand(page, 'Notifications: Clear All Notifications');
  await page.locator('.notification-list-item').first().waitFor({ state: 'detached' });
  await showProblems('missing-put', height * 0.84);
}

/** The picture beside the driver, with the caret in its probe. */
async function showLifeCycle() {
  await open(workspace, 'mistakes.c');
  await goTo('mistakes.c', 'ret = vfio_register_emulated_iommu_dev', 'vfio_register');
  await page.locator('.squiggly-error').first().waitFor();
  await runCommand(page, 'VFIO Lifecycle: Show Life Cycle');
  await inView(page, 'svg.life');
  await page.mouse.move(250, 20);
}

/** A finding's path at its second step. */
async function showWalk() {
  await open(workspace, 'mistakes.c');
  await goTo('mistakes.c', 'if (ret)', 'return ret');
  await page.locator('.squiggly-error').first().waitFor();
  await runCommand(page, 'VFIO Lifecycle: Walk the Path of a Finding');
  await page.locator(markedLine).first().waitFor();
  await runCommand(page, 'VFIO Lifecycle: Next Step of the Path');
  await page.locator(markedLine).first().waitFor();
}

/** The differences of a conversion that folds, with its notes first. */
async function showPreview() {
  await open(workspace, 'old_model.c');
  await goTo('old_model.c', 'vfio_init_group_dev(', '');
  await page.locator('.squiggly-error').first().waitFor();
  await runCommand(page, 'VFIO Lifecycle: Preview Conversion');
  await page
    .locator('.quick-input-widget .monaco-list-row', { hasText: 'folding state' })
    .first()
    .click();
  await page.locator('.monaco-editor .view-line', { hasText: 'To be looked at' }).first().waitFor();
}

/** The drivers of a folder with a verdict for each. */
async function showFolder() {
  const folder = copyOf('conversion', 'drivers');
  const text = fs.readFileSync(path.join(workspace, 'old_model.c'), 'utf8');
  fs.writeFileSync(path.join(folder, 'meter.c'), text.replace('GFP_KERNEL', 'GFP_ATOMIC'));
  for (const name of ['gauge.c', 'heater.c', 'kettle.c', 'pump.c', 'relay.c', 'siren.c'])
    fs.rmSync(path.join(folder, name), { force: true });
  await open(folder, undefined);
  await runCommand(page, 'VFIO Lifecycle: Convert All Drivers in Folder…');
  await page
    .locator('.quick-input-widget .monaco-list-row', { hasText: 'converted' })
    .first()
    .waitFor();
}

/** A new driver, opened at the line that a person changes first. */
async function showNewDriver() {
  const folder = path.join(data, `new-${Date.now()}`);
  fs.mkdirSync(folder);
  await open(folder, undefined);
  await runCommand(page, 'VFIO Lifecycle: Create Driver…');
  await choose('PCI');
  await page.locator('.quick-input-widget', { hasText: '(2/3)' }).waitFor();
  await page.keyboard.type('lamp');
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-widget', { hasText: '(3/3)' }).waitFor();
  await page.keyboard.type('6.12');
  await choose('6.12');
  await page.locator('.view-line', { hasText: 'LAMP_VENDOR_ID' }).first().waitFor();
}

/** What is owed, beside the code, and the findings above the functions. */
async function showHints() {
  await open(workspace, 'mistakes.c');
  await goTo('mistakes.c', 'ret = vfio_register_emulated_iommu_dev', 'vfio_register');
  await page.locator('.view-line', { hasText: 'owed:' }).first().waitFor();
  await page.locator('.codelens-decoration:visible', { hasText: '2 findings' }).first().waitFor();
}

/** The offer of the conversion above a probe of the old model. */
async function showLens() {
  await open(workspace, 'old_model.c');
  await goTo('old_model.c', 'vfio_init_group_dev(', '');
  await page
    .locator('.codelens-decoration:visible', { hasText: 'vfio_alloc_device' })
    .first()
    .waitFor();
}

/** The hover on a function of the driver's own. */
async function showContract() {
  await open(workspace, 'mistakes.c');
  await goTo('mistakes.c', 'static int lamp_probe', 'lamp_probe');
  await page.locator('.squiggly-error').first().waitFor();
  await hoverOver('lamp_probe');
}

/** What a rule's tag and member are at an allocation that is being typed. */
async function showCompletion() {
  await open(workspace, 'mistakes.c');
  await goTo('mistakes.c', 'lamp = vfio_alloc_device', 'vfio_alloc');
  await page.locator('.squiggly-error').first().waitFor();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('lamp = vfio_alloc_device(');
  await page.keyboard.press('Control+Space');
  await page.locator('.suggest-widget .monaco-list-row').first().waitFor();
}

/** The members of a table that the target kernel has. */
async function showMembers() {
  await open(workspace, 'mistakes.c');
  await goTo('mistakes.c', 'static const struct vfio_device_ops', 'struct');
  await page.locator('.squiggly-error').first().waitFor();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('.');
  await page.locator('.suggest-widget .monaco-list-row').first().waitFor();
}

/** The contract of an argument. */
async function showSignature() {
  await open(workspace, 'mistakes.c');
  await goTo('mistakes.c', 'lamp = vfio_alloc_device', 'vfio_alloc');
  await page.locator('.squiggly-error').first().waitFor();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('ret = vfio_register_emulated_iommu_dev(');
  await page.locator('.parameter-hints-widget.visible').waitFor();
}

/** The findings of the files that git says have changed. */
async function showCheckedChanges({ height }) {
  const folder = copyOf('driver', `changed-${Date.now()}`);
  const git = (...given) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b.c', ...given], {
      cwd: folder,
      stdio: 'ignore',
    });
  git('init');
  git('add', '.');
  git('commit', '-m', 'driver');
  fs.appendFileSync(path.join(folder, 'mistakes.c'), '\n');
  await open(folder, undefined);
  await runCommand(page, 'VFIO Lifecycle: Check Changes');
  await page.locator('.notification-list-item', { hasText: 'Show Problems' }).waitFor();
  await showProblems('missing-put', height * 0.6);
}

/** The form for an issue with the report in it. */
async function showReport() {
  await showMistakes();
  await page.locator('.squiggly-error').first().waitFor();
  await runCommand(page, 'VFIO Lifecycle: Report Issue…');
  await page.waitForTimeout(3000);
}

/** The picture while a path is walked. */
async function showWalkInPicture() {
  await showLifeCycle();
  await (await inView(page, 'svg.life .way.found')).click();
  await (await inView(page, '[data-do=next]:not([disabled])')).click();
  await inView(page, 'li[data-step="1"] .current');
}

/** Chooses a row of the list that VS Code asks with. */
async function choose(text) {
  await page.locator('.quick-input-widget .monaco-list-row', { hasText: text }).first().click();
}

/** Opens a folder, and a file of it alone: without the explorer. */
async function open(folder, name) {
  const payload = JSON.stringify(
    name === undefined ? [] : [['openFile', editor.uri(path.join(folder, name))]],
  );
  await page.goto(`${editor.origin}/?${new URLSearchParams({ folder, payload })}`);
  await page
    .locator(name === undefined ? '.monaco-workbench' : '.monaco-editor .view-line')
    .first()
    .waitFor();
  // The next window remembers.
  if (await page.locator('.explorer-viewlet').isVisible()) await page.keyboard.press('Control+b');
  if (await page.locator('.part.panel').isVisible()) await page.keyboard.press('Control+j');
  if (name !== undefined) await page.locator('.tab', { hasText: name }).click();
}

/** Opens the Problems view with a height in pixels, and waits for a rule in it. */
async function showProblems(rule, height) {
  await page.keyboard.press('Control+Shift+M');
  await page.locator('.markers-panel .monaco-list-row', { hasText: rule }).first().waitFor();
  // The edge is a little above the panel. A window that still settles does not take it along.
  const edge = 2;
  for (let attempt = 0; attempt < 5; attempt++) {
    const panel = await page.locator('.part.panel').boundingBox();
    if (Math.abs(panel.height - height) < 10) break;
    await page.mouse.move(panel.x + panel.width / 2, panel.y - edge, { steps: 4 });
    await page.waitForTimeout(500);
    await page.mouse.down();
    const to = panel.y + panel.height - height - edge;
    await page.mouse.move(panel.x + panel.width / 2, to, { steps: 5 });
    await page.mouse.up();
    await page.waitForTimeout(500);
  }
  // An edge that the mouse is on shows it.
  await page.mouse.move(250, 20);
}

/** Puts the caret into `word`, which comes behind `before`, and its line into the middle. */
async function goTo(name, before, word) {
  const text = fs.readFileSync(path.join(workspace, name), 'utf8');
  const start = text.indexOf(before);
  const lines = text.slice(0, text.indexOf(word, start)).split('\n');
  // The editor asks for the column as it is seen.
  const column = lines.at(-1).replaceAll('\t', ' '.repeat(8)).length + 2;
  const box = page.locator('.quick-input-widget:visible');
  await page.keyboard.press('Control+1');
  await page.keyboard.press('Control+g');
  // What is typed before it is there goes into the text.
  await box.waitFor();
  await page.keyboard.type(`${lines.length}:${column}`);
  await page.keyboard.press('Enter');
  await box.waitFor({ state: 'hidden' });
}

/**
 * Rests the mouse on a word until its hover is there. Playwright's own hover would scroll the word
 * into view, and the editor with it.
 */
async function hoverOver(word) {
  const hover = page.locator('.monaco-hover-content:visible').first();
  for (let attempt = 0; attempt < 10; attempt++) {
    const { x, y, height } = await page
      .locator('.view-line span', { hasText: new RegExp(`^${word}$`) })
      .last()
      .boundingBox();
    await page.mouse.move(x - 40, y + height / 2);
    await page.mouse.move(x + 20, y + height / 2, { steps: 5 });
    if (
      await hover.waitFor({ timeout: 3000 }).then(
        () => true,
        () => false,
      )
    )
      return;
  }
  throw new Error(`no hover on ${word}`);
}
