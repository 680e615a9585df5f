// Draws images/icon.png from images/icon.svg with Chromium.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startChromium } from '../test/editor-host/code-server.mjs';
import { inProject } from './lib/paths.mjs';

const profile = mkdtempSync(path.join(os.tmpdir(), 'icon-'));
const browser = await startChromium({ profile, width: 128, height: 128 });
await browser.page.setContent(
  `<body style="margin:0">${readFileSync(inProject('images/icon.svg'), 'utf8')}</body>`,
);
await browser.page
  .locator('svg')
  .screenshot({ path: inProject('images/icon.png'), omitBackground: true });
await browser.stop();
rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
