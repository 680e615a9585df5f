import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { readZip } from './zip.ts';

const [vsix, again] = inject('vsix').map((file) => readFileSync(file)) as [Buffer, Buffer];
const entries = readZip(vsix);

test('the same sources give the same bytes, wherever they are packed', () => {
  expect(again.equals(vsix)).toBe(true);
});

test('it is at most 1 MB', () => {
  expect(vsix.length).toBeLessThanOrEqual(1_000_000);
});

test('it holds the bundles, both wasm modules, the grammars and the pages of the rules, and nothing of the sources', () => {
  const names = [...entries.keys()].filter((name) => !name.startsWith('extension/docs/rules/')).sort();
  expect(names).toEqual([
    '[Content_Types].xml',
    'extension.vsixmanifest',
    'extension/LICENSE.txt',
    'extension/changelog.md',
    'extension/dist/extension.cjs',
    'extension/dist/licenses.txt',
    'extension/dist/server.cjs',
    'extension/dist/tree-sitter-c.wasm',
    'extension/dist/web-tree-sitter.wasm',
    'extension/dist/web/extension.js',
    'extension/dist/web/server.js',
    'extension/images/icon.png',
    'extension/package.json',
    'extension/readme.md',
    'extension/schemas/vfio-lifecycle.schema.json',
    'extension/syntaxes/vfio-lifecycle.injection.tmLanguage.json',
    'extension/syntaxes/vfio-lifecycle.suppression.tmLanguage.json',
  ]);
  expect([...entries.keys()].filter((name) => name.startsWith('extension/docs/rules/')).length).toBeGreaterThan(10);
});

test('it is for all platforms: no target, no native module', () => {
  expect(entries.get('extension.vsixmanifest')?.toString()).not.toContain('TargetPlatform');
  expect([...entries.keys()].filter((name) => name.endsWith('.node'))).toEqual([]);
});

test('every file that package.json names is in it', () => {
  const manifest = JSON.parse(entries.get('extension/package.json')?.toString() ?? '{}') as {
    main: string; browser: string; icon: string; contributes: { grammars: { path: string }[]; jsonValidation: { url: string }[] };
  };
  const named = [manifest.main, manifest.browser, manifest.icon, ...manifest.contributes.grammars.map((grammar) => grammar.path), ...manifest.contributes.jsonValidation.map((one) => one.url)];
  expect(named.filter((name) => !entries.has(path.posix.join('extension', name)))).toEqual([]);
});
