// The words and the form of what people read: docs/style.md has the rules that are held here.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { REFUSALS } from '../../server/src/convert/refusals.ts';
import { rules } from '../../server/src/rules/index.ts';
import { slugOf } from '../support/links.ts';
import { thrownOut } from '../support/words.ts';

const root = path.resolve(import.meta.dirname, '../..');

function read(name: string): string {
  return readFileSync(path.join(root, name), 'utf8');
}

/** The page with the table of words names them all. */
const STYLE = 'docs/style.md';
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll(path.sep, '/')}`),
].filter((name) => name !== STYLE);

test.each(pages)('%s has no word that was thrown out', (page) => {
  expect(thrownOut(read(page))).toEqual([]);
});

/** The most words that a sentence of a page has on average. */
const WORDS = 30;

test.each(pages)('the sentences of %s are short', (page) => {
  const lengths = sentences(read(page)).map((one) => one.split(/\s+/).length);
  const sum = lengths.reduce((total, length) => total + length, 0);
  expect(sum / Math.max(lengths.length, 1)).toBeLessThan(WORDS);
});

/** The sentences of a page, without code, tables and headings. An entry of a list is one or more. */
function sentences(text: string): string[] {
  return text
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/^(?:\||#|!\[|Contents: ).*$/gm, '')
    .split(/[.!?](?=\s)|\n\n|\n(?=(?:[-*>]|\d+\.) )/)
    .map((one) => one.replace(/^[-*>]\s|^\d+\.\s/, '').trim())
    .filter((one) => /\w\s+\w/.test(one));
}

/** The texts of package.json that VS Code shows. */
function shown(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(shown) : [];
}

test('nor has any text of package.json, of a rule or of a refusal', () => {
  const { contributes, description } = JSON.parse(read('package.json')) as Record<string, unknown>;
  const texts = [
    ...shown(contributes),
    ...shown(description),
    ...rules.flatMap(({ docs, examples }) => [
      ...Object.values(docs).flat(),
      ...[...examples.bad, ...examples.good].map(({ title }) => title),
    ]),
    ...shown(REFUSALS),
  ];
  expect(texts.flatMap((text) => thrownOut(text).map((word) => `${word}: ${text}`))).toEqual([]);
});

/** What the sources print: notes, refusals, help texts and hovers, which are written where they are made. */
describe('what the sources say', () => {
  const files = ['server/src', 'client/src'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name.replaceAll(path.sep, '/')}`),
  );

  test('has no word that was thrown out', () => {
    const said = files.flatMap((name) =>
      textsIn(read(name)).flatMap((text) =>
        thrownOut(text).map((word) => `${name}: ${word}: ${text}`),
      ),
    );
    expect(said).toEqual([]);
  });
});

/** The strings of a source that have several words. */
function textsIn(source: string): string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTemplateExpression(node)) {
      texts.push(node.head.text + node.templateSpans.map((one) => `X${one.literal.text}`).join(''));
      for (const { expression } of node.templateSpans) visit(expression);
    } else if (ts.isStringLiteralLike(node)) texts.push(node.text);
    else ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('x.ts', source, ts.ScriptTarget.Latest));
  return texts.filter((text) => /[a-z]+ [a-z]+ [a-z]+/.test(text) && !text.includes('\n\t'));
}

describe('the pages of rules', () => {
  const SECTIONS = [
    'What it does',
    'Why it matters',
    'Example',
    'What to do',
    'What it cannot see',
    'Kernels',
    'References',
    'Silencing one finding',
  ];

  test.each(rules.map(({ id }) => id))('%s has the sections of all, in their order', (id) => {
    expect(headings(read(`docs/rules/${id}.md`))).toEqual(SECTIONS);
  });
});

function headings(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!);
}

/** Pages with a table of contents. */
const long = pages.filter((page) => read(page).includes('\nContents: '));

test.each(long)('the contents of %s name its sections', (page) => {
  const [, contents] = /^Contents: (.*)$/m.exec(read(page))!;
  const links = headings(read(page)).map((heading) => `[${heading}](#${slugOf(heading)})`);
  expect(contents).toBe(links.join(' · '));
});

test('a page of docs with five sections has a table of contents', () => {
  const without = pages.filter(
    (page) =>
      /^docs\/[a-z-]+\.md$/.test(page) && headings(read(page)).length > 4 && !long.includes(page),
  );
  // What is derived has a table that links each section.
  expect(without.filter((page) => page !== 'docs/refusals.md')).toEqual([]);
});

test('the index of docs names every page', () => {
  const index = read('docs/README.md');
  const own = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
  expect(own.filter((name) => name !== 'README.md' && !index.includes(`(${name})`))).toEqual([]);
});

test('the changelog has the form of Keep a Changelog', () => {
  const text = read('CHANGELOG.md');
  expect(headings(text)).toEqual(
    headings(text).filter((one) => /^\[[\d.]+\]|^\[Unreleased\]/.test(one)),
  );
  const kinds = [...text.matchAll(/^### (.+)$/gm)].map(([, kind]) => kind!);
  const known = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
  expect(kinds.filter((kind) => !known.includes(kind))).toEqual([]);
  expect(kinds).not.toEqual([]);
});
