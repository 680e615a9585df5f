import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DOCS_FOLDER, rangeText, renderRuleDocs } from '../../../server/src/rules/docs.ts';
import { rules } from '../../../server/src/rules/index.ts';

const folder = resolve(import.meta.dirname, '../../..', DOCS_FOLDER);
const pages = renderRuleDocs();

describe('the pages of the rules', () => {
  // `npx vitest run test/unit/rules/docs.test.ts -u` writes them.
  test.each([...pages])('%s is as the rules say', async (name, content) => {
    await expect(content).toMatchFileSnapshot(resolve(folder, name));
  });

  test('no page is left of a rule that is gone', () => {
    // Of a new rule the page is written only when all tests of this file have run.
    expect(readdirSync(folder).filter((name) => !pages.has(name))).toEqual([]);
  });

  test('every rule says all that a page needs', () => {
    for (const { id, docs } of rules) {
      for (const [part, text] of Object.entries(docs))
        expect(text.length, `${id}: ${part}`).toBeGreaterThan(0);
      expect(docs.what, id).toMatch(/\.$/);
    }
  });

  test('rules are in alphabetic order, each once', () => {
    const ids = rules.map((rule) => rule.id);
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  test.each([
    [{}, 'all'],
    [{ since: [6, 1] }, '≥ 6.1'],
    [{ since: [5, 13], until: [6, 1] }, '5.13 – 6.0'],
    [{ since: [6, 1], until: [6, 2] }, '6.1'],
    [{ until: [6, 0] }, '≤ 5.19'],
  ] as const)('%j is written %s', (range, text) => {
    expect(rangeText(range as Parameters<typeof rangeText>[0])).toBe(text);
  });
});
