import { expect, test } from 'vitest';
import { rules } from '../../../server/src/rules/index.ts';
import type { Finding } from '../../../server/src/rules/types.ts';
import { analyseText, readAnnotations } from '../../support/analyse.ts';

/**
 * Every text that the rules' own examples make a user read: messages, titles of fixes, and the
 * steps on the way.
 */
const found = rules.map((rule) => {
  const findings = [...rule.examples.bad, ...rule.examples.good].flatMap((example) =>
    analyseText(readAnnotations(example.code).code, example.kernel ?? '6.1'),
  );
  return { rule, findings: findings.filter((one) => one.rule === rule.id) };
});
const all = found.flatMap((one) => one.findings);

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

function textsOf(id: string, findings: readonly Finding[]): string {
  const messages = unique(findings.map((one) => one.message));
  const fixes = unique(findings.flatMap((one) => (one.fix ? [one.fix.title] : [])));
  return [id, ...messages.map((one) => `  ${one}`), ...fixes.map((one) => `  fix: ${one}`)].join(
    '\n',
  );
}

// `npx vitest run test/unit/rules/messages.test.ts -u` writes the file: to be read aloud.
test('the texts of all rules', async () => {
  const steps = unique(all.flatMap((one) => one.related.map((step) => step.message)));
  const text = [
    ...found.map(({ rule, findings }) => textsOf(rule.id, findings)),
    ['steps on the way', ...steps.map((one) => `  ${one}`)].join('\n'),
  ].join('\n\n');
  await expect(`${text}\n`).toMatchFileSnapshot('messages.txt');
});

test('every rule says something in its examples', () => {
  expect(found.filter(({ findings }) => findings.length === 0).map(({ rule }) => rule.id)).toEqual(
    [],
  );
});

test('a message is a clause: no capital that is no name, no full stop, one line, no braces that a report could take for a place of its own', () => {
  const texts = unique(
    all.flatMap((one) => [one.message, ...one.related.map((step) => step.message)]),
  );
  expect(texts.filter((one) => /\.$|\n|^\s|\s$|^[A-Z][a-z]+ |\{\d+\}/.test(one))).toEqual([]);
});

test('no message speaks of how the analysis works', () => {
  const jargon =
    /\b(observation|abstract|lattice|dataflow|alias(?:ed|es)?|param:|drvdata:|alloc:|escaped|undefined|null object|@)/;
  expect(unique(all.map((one) => one.message)).filter((one) => jargon.test(one))).toEqual([]);
});
