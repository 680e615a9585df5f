// The pages that people read: their links lead somewhere, and the address of the project stands in
// one place.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { brokenLinks } from '../support/links.ts';

const root = path.resolve(import.meta.dirname, '../..');
/** What a person or a program writes; not what is installed or built. */
const written = ['client', 'docs', 'examples', 'schemas', 'scripts', 'server', 'syntaxes', 'test'];
const files = [...filesIn('.', false), ...written.flatMap((folder) => filesIn(folder, true))];

function filesIn(folder: string, recursive: boolean): string[] {
  const entries = readdirSync(path.join(root, folder), { recursive, withFileTypes: true });
  const found = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
  return found
    .filter((name) => !name.includes('node_modules'))
    .map((name) => name.replaceAll(path.sep, '/'));
}

function read(name: string): string | undefined {
  const file = path.join(root, name);
  if (!existsSync(file)) return undefined;
  return statSync(file).isFile() ? readFileSync(file, 'utf8') : '';
}

interface Manifest {
  readonly repository: { readonly url: string };
  readonly bugs: { readonly url: string };
  readonly homepage: string;
  readonly qna: string;
  readonly badges: readonly { readonly href: string }[];
}
const manifest = JSON.parse(read('package.json') ?? '') as Manifest;
const address = manifest.repository.url.replace(/\.git$/, '');

test.each(files.filter((name) => name.endsWith('.md')))(
  'every relative link of %s leads to a file and a heading',
  (page) => {
    expect(brokenLinks(page, read)).toEqual([]);
  },
);

test('docs/architecture.md names no file of the code that there is not', () => {
  const named = [...read('docs/architecture.md')!.matchAll(/`([\w/.-]+\.(?:ts|mjs))`/g)];
  const missing = named.flatMap(([, name]) =>
    files.some((file) => file === name || file.endsWith(`/${name}`)) ? [] : [name],
  );
  expect(named.length).toBeGreaterThan(20);
  expect(missing).toEqual([]);
});

test('what package.json says of the project on the web belongs to its repository', () => {
  const { bugs, homepage, qna, badges } = manifest;
  for (const one of [bugs.url, homepage, qna, ...badges.map((badge) => badge.href)]) {
    expect(one.startsWith(address), one).toBe(true);
  }
});

// The entry for pre-commit has to name it.
test('no other file has the address, but the page on CI', () => {
  const ours = files.filter(
    (name) => /\.(?:c|m?js|json|md|ts)$/.test(name) && !name.startsWith('test/'),
  );
  expect(ours.filter((name) => read(name)?.includes(new URL(address).pathname.slice(1)))).toEqual([
    'package.json',
    'docs/ci.md',
  ]);
});
