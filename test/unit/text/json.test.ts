import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJson } from '../../../server/src/text/json.ts';

describe('readJson()', () => {
  it.each([
    ['{ "a": 1, }', 'line 1, column 11: }, where there should be a key in double quotes'],
    ['[1 2]', 'line 1, column 4: 2, where there should be a comma or ]'],
    [
      '{\n  // why\n}',
      'line 2, column 3: a comment, where there should be a key in double quotes or }',
    ],
    ['{ "a" 1 }', 'line 1, column 7: 1, where there should be a colon'],
    ['{ "a": "b }', 'line 1, column 8: a string without an end, where there should be a value'],
    ['{} {}', 'line 1, column 4: {, where there should be nothing more'],
    ['[01]', 'line 1, column 2: 01, where there should be a value or ]'],
    ['[', 'line 1, column 2: the text ends, where there should be a value or ]'],
    ['{\n<<<<<<< HEAD\n}', 'line 2, column 1: an unresolved merge conflict'],
  ])('%j: %s', (text, problem) => {
    expect(readJson(text)).toEqual({ problem });
  });

  it('names the keys that are twice in one object', () => {
    expect(readJson('{ "a": { "b": 1 }, "b": [{ "a": 1 }],\n "a": 2 }')).toEqual({
      value: { a: 2, b: [{ a: 1 }] },
      repeated: ['line 2, column 2: "a" is there twice; the last counts'],
    });
  });

  it('reads what JSON.parse() reads, and passes over a byte order mark', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(readJson(`\ufeff${text}`)).toEqual({ value: JSON.parse(text), repeated: [] });
      }),
    );
  });

  it('finds a place in whatever is no JSON', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '1',
      'null',
      '\n',
      '"',
      '\\',
      'x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const read = readJson(pieces.join(''));
        if ('problem' in read)
          expect(read.problem).toMatch(/^line \d+, column \d+: [^]+ should be /);
      }),
      { numRuns: 500 },
    );
  });
});
