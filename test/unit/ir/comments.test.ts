import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLoweringCache } from '../../../server/src/ir/lower.ts';
import { lower } from './lowering.ts';

const PIECES = ['/*', '*/', '//', '"', "'", '\\', '\n', '\r\n', '\\\r\n', '*', '/', ' a ', ' b;'];

const written = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((all) => all.join(''));

test('the comments of an edited text are those of the text', () => {
  const edit = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(4), written);
  fc.assert(
    fc.property(written, fc.array(edit, { minLength: 1, maxLength: 5 }), (first, edits) => {
      const cache = createLoweringCache();
      let text = first;
      for (const [where, length, added] of [[0, 0, ''] as const, ...edits]) {
        const at = Math.floor(where * text.length);
        text = text.slice(0, at) + added.slice(0, 12) + text.slice(at + length);
        expect(lower(text, cache).comments).toEqual(lower(text).comments);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('the comments of edited code are those of the code', () => {
  const code = `/* one */ int a; // two
int f(void)
{
	/* three "quoted" */
	return '"' + 1; // four \\
	is longer
}
/* five
 * goes on */
`;
  const edits: readonly (readonly [from: string, to: string])[] = [
    ['int a', 'int abc'],
    ['three', 'three */ "'],
    ['\\\n', '\n'],
    ['// two\n', '// two \\\n'],
    ['/* five', '/ * five'],
    [' */', ' * /'],
  ];
  for (const [from, to] of edits)
    for (const [before, after] of [
      [code, code.replace(from, to)],
      [code.replace(from, to), code],
    ] as const) {
      const cache = createLoweringCache();
      lower(before, cache);
      expect([from, lower(after, cache).comments]).toEqual([from, lower(after).comments]);
    }
});
