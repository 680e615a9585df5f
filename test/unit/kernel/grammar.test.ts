import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Model } from '../../../server/src/kernel/types.ts';
import { STRUCTS } from '../../../server/src/kernel/api-structs.ts';
import { API_FUNCTIONS } from '../../../server/src/kernel/lifecycle-api.ts';

interface Grammar {
  readonly injectionSelector: string;
  readonly patterns: readonly { readonly name: string; readonly match: string }[];
}
const grammar = JSON.parse(
  readFileSync(
    new URL('../../../syntaxes/vfio-lifecycle.injection.tmLanguage.json', import.meta.url),
    'utf8',
  ),
) as Grammar;

/**
 * Functions of the model `general` are the mdev bus's: they are no part of the life cycle and are
 * not marked.
 */
const SCOPES: readonly (readonly [Model, string])[] = [
  ['old', 'support.function.vfio.old.c'],
  ['new', 'support.function.vfio.new.c'],
  ['both', 'support.function.vfio.registration.c'],
  ['core-old', 'support.function.vfio.core.old.c'],
  ['core-new', 'support.function.vfio.core.new.c'],
  ['core', 'support.function.vfio.core.c'],
];

describe('the injected grammar', () => {
  const match = (scope: string) =>
    grammar.patterns.find((pattern) => pattern.name === scope)?.match;

  it.each(SCOPES)('marks the functions of model %s', (model, scope) => {
    const names = API_FUNCTIONS.filter((entry) => entry.model === model)
      .map((entry) => entry.name)
      .sort();
    expect(match(scope)).toBe(`\\b(?:${names.join('|')})\\b`);
  });

  it('marks structs behind their keyword', () => {
    const tags = STRUCTS.filter((entry) => entry.model !== 'general')
      .map((entry) => entry.name)
      .sort();
    expect(match('support.type.vfio.c')).toBe(`(?<=\\bstruct\\s)\\b(?:${tags.join('|')})\\b`);
  });

  it('has no other pattern, and keeps out of comments and strings', () => {
    expect(grammar.patterns).toHaveLength(SCOPES.length + 1);
    expect(grammar.injectionSelector).toBe('L:source.c -comment -string');
  });
});
