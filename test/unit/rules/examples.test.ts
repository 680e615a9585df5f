import { describe, expect, test } from 'vitest';
import { rules } from '../../../server/src/rules/index.ts';
import { expectAnnotated, readAnnotations } from '../../support/analyse.ts';

describe.each(rules.map((rule) => [rule.id, rule] as const))('the examples of %s', (id, rule) => {
  test.each(rule.examples.bad.map((example) => [example.title, example] as const))(
    'reported: %s',
    (_, example) => {
      expect(readAnnotations(example.code).marks.map((mark) => mark.rule)).toContain(id);
      expectAnnotated(example, id);
    },
  );

  test.each(rule.examples.good.map((example) => [example.title, example] as const))(
    'not reported: %s',
    (_, example) => {
      expect(readAnnotations(example.code).marks.map((mark) => mark.rule)).not.toContain(id);
      expectAnnotated(example, id);
    },
  );

  test('there are enough of them, and titles differ', () => {
    expect(rule.examples.bad.length).toBeGreaterThanOrEqual(3);
    expect(rule.examples.good.length).toBeGreaterThanOrEqual(3);
    const titles = [...rule.examples.bad, ...rule.examples.good].map((example) => example.title);
    expect(new Set(titles).size).toBe(titles.length);
  });
});
