import { expect, test } from 'vitest';
import { createLoweringCache, lowerFile } from '../../../server/src/ir/lower.ts';
import { constantsOf } from '../../../server/src/lifecycle/interpret/constants.ts';
import { loadParser } from '../../support/parser.ts';

const parser = await loadParser();

test.each<[what: string, text: string, values: Readonly<Record<string, number>>]>([
  ['enumerators', 'enum kiln { COLD, WARM = 4, HOT };', { COLD: 0, WARM: 4, HOT: 5 }],
  ['macros', '#define HOT WARM\n#define WARM BIT(2)\n', { WARM: 4, HOT: 4 }],
  ['the first of two arms', '#if X\n#define HOT 1\n#else\n#define HOT 2\n#endif\n', { HOT: 1 }],
  ['those of which a macro has the name', '#define HOT HOT\nenum kiln { HOT = 3 };', { HOT: 3 }],
  ['none in a string', 'char *text = "enum kiln { HOT };";', {}],
  ['those behind a quote', `static int f(void) { return '"'; } enum kiln { HOT };`, { HOT: 0 }],
  ['those beside a brace', `enum kiln { OPEN = '{', HOT = 3 };`, { HOT: 3 }],
  ['those beside a comment', `enum kiln { /* " */ HOT = 3 /* { */ };`, { HOT: 3 }],
])('the constants of a document are %s', (_, text, values) => {
  const tree = parser.parse(text);
  const file = lowerFile('kiln.c', tree, createLoweringCache(), parser);
  tree.dispose();
  expect(Object.fromEntries(constantsOf(file, file.macros).values)).toEqual(values);
});
