import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { brokenLinks, linksOf } from '../support/links.ts';
import { readZip } from './zip.ts';

const [vsix, again] = inject('vsix').map((file) => readFileSync(file)) as [Buffer, Buffer];
const entries = readZip(vsix);
const root = path.resolve(import.meta.dirname, '../..');
const manifest = JSON.parse(entries.get('extension/package.json')?.toString() ?? '{}') as Manifest;

/** What the tests ask of package.json. */
interface Manifest {
  readonly main: string;
  readonly browser: string;
  readonly icon: string;
  readonly repository: { readonly url: string };
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly grammars: readonly { readonly path: string }[];
    readonly jsonValidation: readonly { readonly url: string }[];
    readonly walkthroughs: readonly { readonly steps: readonly Step[] }[];
  };
}

interface Step {
  readonly description: string;
  readonly media: { readonly image: Readonly<Record<string, string>> };
}

/** The text of a file that is packed, undefined where it is not. */
function packed(name: string): string | undefined {
  return entries.get(`extension/${name}`)?.toString();
}

test('the same sources give the same bytes, wherever they are packed', () => {
  expect(again.equals(vsix)).toBe(true);
});

test('it is at most 1.3 MB', () => {
  expect(vsix.length).toBeLessThanOrEqual(1_300_000);
});

test('it holds the bundles, both wasm modules, the grammars and the pages, and nothing of the sources', () => {
  const names = [...entries.keys()].filter((name) => !name.startsWith('extension/docs/')).sort();
  expect(names).toEqual([
    '[Content_Types].xml',
    'extension.vsixmanifest',
    'extension/LICENSE.txt',
    'extension/changelog.md',
    'extension/dist/cli.cjs',
    'extension/dist/extension.cjs',
    'extension/dist/licenses.txt',
    'extension/dist/server.cjs',
    'extension/dist/tree-sitter-c.wasm',
    'extension/dist/web-tree-sitter.wasm',
    'extension/dist/web/extension.js',
    'extension/dist/web/life-cycle-view.js',
    'extension/dist/web/server.js',
    'extension/examples/driver/Makefile',
    'extension/examples/driver/mistakes.c',
    'extension/examples/driver/old_model.c',
    'extension/images/icon.png',
    'extension/images/walkthrough/begin-dark.png',
    'extension/images/walkthrough/begin-light.png',
    'extension/images/walkthrough/convert-dark.png',
    'extension/images/walkthrough/convert-light.png',
    'extension/images/walkthrough/open-dark.png',
    'extension/images/walkthrough/open-light.png',
    'extension/images/walkthrough/path-dark.png',
    'extension/images/walkthrough/path-light.png',
    'extension/images/walkthrough/picture-dark.png',
    'extension/images/walkthrough/picture-light.png',
    'extension/images/walkthrough/tree-dark.png',
    'extension/images/walkthrough/tree-light.png',
    'extension/package.json',
    'extension/readme.md',
    'extension/schemas/vfio-lifecycle.schema.json',
    'extension/syntaxes/vfio-lifecycle.injection.tmLanguage.json',
    'extension/syntaxes/vfio-lifecycle.suppression.tmLanguage.json',
  ]);
  expect(
    [...entries.keys()].filter((name) => name.startsWith('extension/docs/rules/')).length,
  ).toBeGreaterThan(10);
});

test('it is for all platforms: no target, no native module', () => {
  expect(entries.get('extension.vsixmanifest')?.toString()).not.toContain('TargetPlatform');
  expect([...entries.keys()].filter((name) => name.endsWith('.node'))).toEqual([]);
});

test('what Node loads with the first C file is small, and knows every command by its name', () => {
  const entry = packed('dist/extension.cjs') ?? '';
  expect(entry.length).toBeLessThan(10_000);
  const commands = manifest.contributes.commands.map(({ command }) => command);
  expect(commands.length).toBeGreaterThan(10);
  expect(commands.filter((command) => !entry.includes(`"${command}"`))).toEqual([]);
});

test('every file that package.json names is in it', () => {
  const { main, browser, icon, contributes } = manifest;
  const media = contributes.walkthroughs.flatMap(({ steps }) =>
    steps.flatMap((step) => Object.values(step.media.image)),
  );
  const named = [
    main,
    browser,
    icon,
    ...media,
    ...contributes.grammars.map((grammar) => grammar.path),
    ...contributes.jsonValidation.map((one) => one.url),
  ];
  expect(media).toHaveLength(24);
  expect(named.filter((name) => !entries.has(path.posix.join('extension', name)))).toEqual([]);
});

test.each(['readme.md', 'changelog.md'])(
  'every link and picture of %s is an address of a file of the project, or of its own page',
  (page) => {
    const address = `${manifest.repository.url.replace(/\.git$/, '')}/`;
    const links = linksOf(packed(page) ?? '').filter((link) => !link.startsWith('#'));
    expect(links.filter((link) => !link.startsWith('https://'))).toEqual([]);
    const own = links
      .filter((link) => link.startsWith(address))
      .map((link) => link.slice(address.length));
    const paths = own.map((link) => /^(?:blob|raw)\/HEAD\/([^#]+)/.exec(link)?.[1]);
    expect(own.filter((_, i) => !existsSync(path.join(root, paths[i] ?? 'nowhere')))).toEqual([]);
  },
);

test('every relative link of the other pages leads to a file that is packed', () => {
  const pages = [...entries.keys()]
    .filter((name) => /^extension\/docs\/.*\.md$/.test(name))
    .map((name) => name.slice('extension/'.length));
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.flatMap((page) => brokenLinks(page, packed))).toEqual([]);
});

test('every command that the walkthrough runs is one of ours or of VS Code', () => {
  const texts = manifest.contributes.walkthroughs.flatMap(({ steps }) =>
    steps.map((step) => step.description),
  );
  const named = texts.flatMap((text) =>
    [...text.matchAll(/\(command:(?:toSide:)?([\w.]+)/g)].map((match) => match[1] ?? ''),
  );
  expect(named.length).toBeGreaterThan(4);
  const ours = new Set(manifest.contributes.commands.map(({ command }) => command));
  expect(named.filter((name) => !name.startsWith('workbench.') && !ours.has(name))).toEqual([]);
});
