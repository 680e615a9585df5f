import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { brokenLinks, linksOf } from '../support/links.ts';
import { readZip } from './zip.ts';

const [vsix, again] = inject('vsix').map((file) => readFileSync(file)) as [Buffer, Buffer];
const entries = readZip(vsix);
const root = path.resolve(import.meta.dirname, '../..');

/** The text of a file that is packed, undefined where it is not. */
function packed(name: string): string | undefined {
  return entries.get(`extension/${name}`)?.toString();
}

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

test.each(['readme.md', 'changelog.md'])('every link and picture of %s is an address of a file of the project, or of its own page', (page) => {
  const { repository } = JSON.parse(packed('package.json') ?? '{}') as { repository: { url: string } };
  const address = `${repository.url.replace(/\.git$/, '')}/`;
  const links = linksOf(packed(page) ?? '').filter((link) => !link.startsWith('#'));
  expect(links.filter((link) => !link.startsWith('https://'))).toEqual([]);
  const own = links.filter((link) => link.startsWith(address)).map((link) => link.slice(address.length));
  const paths = own.map((link) => /^(?:blob|raw)\/HEAD\/([^#]+)/.exec(link)?.[1]);
  expect(own.filter((_, i) => !existsSync(path.join(root, paths[i] ?? 'nowhere')))).toEqual([]);
});

test('every relative link of the other pages leads to a file that is packed', () => {
  const pages = [...entries.keys()].filter((name) => /^extension\/docs\/.*\.md$/.test(name)).map((name) => name.slice('extension/'.length));
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.flatMap((page) => brokenLinks(page, packed))).toEqual([]);
});
