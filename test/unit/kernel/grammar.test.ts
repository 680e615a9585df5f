import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Model } from '../../../server/src/kernel/types.ts';
import { STRUCTS } from '../../../server/src/kernel/api-structs.ts';
import { API_FUNCTIONS } from '../../../server/src/kernel/lifecycle-api.ts';

interface Grammar {
  readonly injectionSelector: string;
  readonly patterns: readonly { readonly name: string; readonly match: string }[];
}
const PATH = fileURLToPath(
  new URL('../../../syntaxes/vfio-lifecycle.injection.tmLanguage.json', import.meta.url),
);
const grammar = JSON.parse(readFileSync(PATH, 'utf8')) as Grammar;

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

/** Every name as the tables have it, in place of those that the grammar has now. */
function expected(): Grammar {
  const matches = new Map<string, string>(
    SCOPES.map(([model, scope]) => {
      const names = API_FUNCTIONS.filter((entry) => entry.model === model)
        .map((entry) => entry.name)
        .sort();
      return [scope, `\\b(?:${names.join('|')})\\b`];
    }),
  );
  const tags = STRUCTS.filter((entry) => entry.model !== 'general')
    .map((entry) => entry.name)
    .sort();
  matches.set('support.type.vfio.c', `(?<=\\bstruct\\s)\\b(?:${tags.join('|')})\\b`);
  const patterns = [...matches].map(([name, match]) => ({ name, match }));
  return { ...grammar, patterns };
}

describe('the injected grammar', () => {
  // `npm run generate` writes it.
  it('marks the functions of each model, and structs behind their keyword', async () => {
    await expect(`${JSON.stringify(expected(), null, 2)}\n`).toMatchFileSnapshot(PATH);
  });

  it('keeps out of comments and strings', () => {
    expect(grammar.injectionSelector).toBe('L:source.c -comment -string');
  });
});
