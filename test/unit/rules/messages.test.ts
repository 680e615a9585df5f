import { describe, expect, test } from 'vitest';
import { fitMessage } from '../../../server/src/rules/fit-message.ts';
import { rules } from '../../../server/src/rules/index.ts';
import type { Finding } from '../../../server/src/rules/types.ts';
import { listedShortly, quoted, say } from '../../../server/src/rules/wording.ts';
import { thrownOut } from '../../support/words.ts';
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

const templates = rules.flatMap(({ id, messages }) =>
  Object.entries(messages).map(([name, text]) => [`${id}: ${name}`, text] as const),
);

test('the templates leave room for the names of a driver', () => {
  const fixed = (text: string): string => text.replace(/\{\w+\}/g, '');
  expect(templates.filter(([, text]) => text.includes('{') && fixed(text).length > 85)).toEqual([]);
});

test('every message of a rule is made from one of its templates', () => {
  const unknown = found.flatMap(({ rule, findings }) =>
    findings.filter(({ message }) => !isFrom(message, Object.values(rule.messages))),
  );
  expect(unknown.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
});

/** Whether a message is a template with names in it, with or without what moved to a note. */
function isFrom(message: string, list: readonly string[]): boolean {
  return list.some((template) => {
    const cuts = [template.length, template.lastIndexOf('; '), template.lastIndexOf(': ')];
    return cuts.some((cut) => cut > 0 && patternOf(template.slice(0, cut)).test(message));
  });
}

function patternOf(template: string): RegExp {
  const parts = template.split(/\{\w+\}/).map((part) => part.replace(/[^\w\s`]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

test('no word that was thrown out comes back', () => {
  const titles = all.flatMap((one) => (one.fix ? [one.fix.title] : []));
  const steps = all.flatMap((one) => one.related.map((step) => step.message));
  const texts = unique([...templates.map(([, text]) => text), ...titles, ...steps]);
  expect(texts.flatMap((text) => thrownOut(text).map((word) => `${word}: ${text}`))).toEqual([]);
});

describe('a message that is too long', () => {
  const finding = (message: string): Finding => ({ ...all[0]!, related: [], message });
  const long = 'x'.repeat(60);

  test('loses its remedy to a note first, then its reason', () => {
    const fitted = (message: string): string[] => {
      const { message: kept, related } = fitMessage(finding(message));
      return [kept, ...related.map((one) => one.message)];
    };
    expect(fitted('short; do it')).toEqual(['short; do it']);
    expect(fitted(`${long}: why; ${long}`)).toEqual([`${long}: why`, long]);
    expect(fitted(`${long}: ${long}; ${long}`)).toEqual([long, long, long]);
    expect(fitted(`${long}${long}`)).toEqual([`${`${long}${long}`.slice(0, 99)}…`, long + long]);
  });

  test('a long expression loses its middle, a long list its end', () => {
    expect(quoted('foo->bar')).toBe('`foo->bar`');
    expect(quoted(`a${long}b`)).toMatch(/^`ax{18}…x{18}b`$/);
    expect(listedShortly(['a', 'b', 'b', 'c'])).toBe('a, b and c');
    expect(listedShortly([`a${long}`, long, 'c'])).toBe(`a${long} and 2 more`);
  });

  test('a value with braces is no template', () => {
    expect(say('{first} and {second}', { first: '{second}', second: 'b' })).toBe('{second} and b');
  });
});
