import { expect, test } from 'vitest';
import {
  conditionsAt,
  negate,
  normaliseCondition,
  preprocArms,
} from '../../../server/src/syntax/conditions.ts';
import type { Condition, SyntaxNode } from '../../../server/src/syntax/node.ts';
import { loadParser } from '../../support/parser.ts';

const show = (conditions: readonly Condition[]): string =>
  conditions.map(({ test, holds }) => `${holds ? '' : '!'}[${test}]`).join(' ');

test.each([
  ['defined(X)', '[X]'],
  ['defined X', '[X]'],
  ['!defined(X)', '![X]'],
  ['! defined X', '![X]'],
  ['!!defined(X)', '[X]'],
  ['(defined(X))', '[X]'],
  ['!(A && B)', '![A && B]'],
  ['!A && B', '[!A && B]'],
  ['(A) && (B)', '[(A) && (B)]'],
  ['!IS_ENABLED(CONFIG_X)', '![IS_ENABLED(CONFIG_X)]'],
  ['!(A) || B', '[!(A) || B]'],
  ['!defined(A) || defined(B)', '[!defined(A) || defined(B)]'],
  ['A  /* c */ \\\n && B // d', '[A && B]'],
  ['0', '[0]'],
  ['', '[]'],
  ['(((', '[(((]'],
  ['!', '![]'],
])('%j is %s', (expression, expected) => {
  expect(show([normaliseCondition(expression)])).toBe(expected);
});

test('a test and its opposite', () => {
  expect(negate({ test: 'A', holds: true })).toEqual({ test: 'A', holds: false });
});

const parser = await loadParser();

function find(node: SyntaxNode, type: string): SyntaxNode | undefined {
  if (node.type === type) return node;
  for (const child of node.children) {
    const found = find(child, type);
    if (found !== undefined) return found;
  }
  return undefined;
}

test.each([
  [
    'in a function',
    'int f(void)\n{\n#ifndef A\n\ta();\n\tb();\n#elif B\n#  else /* c */\n\tc();\n#endif\n}\n',
    'preproc_ifdef',
    ['![A]: a(); b();', '[A] [B]: ', '[A] ![B]: /* c */ c();'],
  ],
  [
    'in a struct',
    'struct x {\n# if defined(A) // c\n\tint a;\n#endif\n};\n',
    'preproc_if',
    ['[A]: // c int a;'],
  ],
  [
    'without a test',
    'int f(void)\n{\n#if\n\ta();\n#else\n\tb();\n#endif\n}\n',
    'preproc_if',
    undefined,
  ],
])('arms of a chain %s', (_name, text, type, expected) => {
  const tree = parser.parse(text);
  const chain = tree
    .items()
    .map((item) => find(item.node(), type))
    .find((node) => node !== undefined);
  const arms =
    chain === undefined
      ? undefined
      : preprocArms(chain, text).map(
          (arm) =>
            `${show(arm.conditions)}: ${arm.body.map((node) => text.slice(node.start, node.end)).join(' ')}`,
        );
  expect(arms).toEqual(expected);
  tree.dispose();
});

test('conditions in an initialiser', () => {
  const text =
    'struct x y = {\n1,\n#ifdef A\n2,\n#if B\n3,\n#elif !defined(C)\n4,\n#endif\n5,\n#else\n6,\n#endif\n7,\n};\n';
  const tree = parser.parse(text);
  expect(
    [...'1234567'].map(
      (digit) => `${digit} ${show(conditionsAt(tree.notes, text.indexOf(digit)))}`,
    ),
  ).toEqual(['1 ', '2 [A]', '3 [A] [B]', '4 [A] ![B] ![C]', '5 [A]', '6 ![A]', '7 ']);
  tree.dispose();
});
