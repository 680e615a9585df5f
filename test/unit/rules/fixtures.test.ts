import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyFixesOf, expectAnnotated, readAnnotations } from '../../support/analyse.ts';

const root = resolve(import.meta.dirname, '../../fixtures/rules');
const fixtures = readdirSync(root).flatMap((rule) =>
  readdirSync(join(root, rule))
    .filter((name) => /(?<!\.fixed)\.c$/.test(name))
    .map((name) => [`${rule}/${name}`, rule, join(root, rule, name)] as const),
);

/** The target kernel stands in the first line of a fixture. */
function kernelOf(text: string): string {
  return /^\/\* kernel: ([\d.]+) \*\//.exec(text)![1]!;
}

describe('fixtures of whole drivers', () => {
  // `npx vitest run test/unit/rules/fixtures.test.ts -u` writes the fixed texts, for a person to
  // read.
  test.each(fixtures)('%s', async (_, rule, path) => {
    const text = readFileSync(path, 'utf8');
    const kernel = kernelOf(text);
    expectAnnotated({ title: basename(path), kernel, code: text });
    const { code } = readAnnotations(text);
    const fixed = applyFixesOf(rule, code, kernel);
    const beside = path.replace(/\.c$/, '.fixed.c');
    if (fixed !== code || existsSync(beside)) await expect(fixed).toMatchFileSnapshot(beside);
  });
});
