import { describe, expect, it } from 'vitest';
import { isUnfinished, suppressionForms } from '../../../server/src/rules/suppression-form.ts';

const RULES = ['missing-put', 'double-put'];
const forms = (text: string) => suppressionForms(text, (name) => RULES.includes(name));
/** What a person reads of a comment: the rules, whether there is a reason, and the advice. */
const read = (text: string): unknown[] =>
  forms(text).map(({ rules, hasReason, advice }) => [
    rules.map(({ id }) => id).join(),
    hasReason,
    ...(advice === undefined ? [] : [advice]),
  ]);

describe('a suppression', () => {
  it.each<[string, unknown[]]>([
    ['/* vfio-lifecycle: allow(missing-put): why */', [['missing-put', true]]],
    ['/* Foo. vfio-lifecycle : allow ( missing-put ) : why */', [['missing-put', true]]],
    [
      '/** vfio-lifecycle: allow(missing-put,double-put): 3 users */',
      [['missing-put,double-put', true]],
    ],
    [
      '/* vfio-lifecycle: allow(missing-put,\n *  double-put):\n *  why */',
      [['missing-put,double-put', true]],
    ],
    [
      '// vfio-lifecycle: allow(missing-put,\n// double-put): why',
      [['missing-put,double-put', true]],
    ],
    ['/* vfio-lifecycle: allow(missing-put) */', [['missing-put', false]]],
    ['/* vfio-lifecycle: allow(missing-put): ** */', [['missing-put', false]]],
    ['/* vfio-lifecycle: allow(missing-put): .\n * - */', [['missing-put', false]]],
    ['/* vfio-lifecycle: allow(missing-put): */', [['missing-put', false]]],
    ['/* vfio-lifecycle: allow(missing-put): \u8aa4\u691c\u77e5 */', [['missing-put', true]]],
    [
      '/* vfio-lifecycle: allow(missing-put): why; vfio-lifecycle: allow(double-put) */',
      [
        ['missing-put', true],
        ['double-put', false],
      ],
    ],
    [
      '/*\n * vfio-lifecycle: allow(missing-put): why\n * vfio-lifecycle: alow(double-put): why\n */',
      [
        ['missing-put', true],
        ['', false, 'write allow for alow'],
      ],
    ],
  ])('%j', (text, expected) => expect(read(text)).toEqual(expected));

  it('tells where it and its rules stand', () => {
    const text = '/* vfio-lifecycle: allow(a, b): c; vfio-lifecycle: allow(d): e */';
    expect(
      forms(text).map(({ start, end, rules }) => [
        text.slice(start, end),
        ...rules.map(({ span }) => text.slice(span.start, span.end)),
      ]),
    ).toEqual([
      ['vfio-lifecycle: allow(a, b): c;', 'a', 'b'],
      ['vfio-lifecycle: allow(d): e', 'd'],
    ]);
  });

  it.each([
    ['vfio-lifecyle: allow(missing-put): x', 'write vfio-lifecycle for vfio-lifecyle'],
    ['VFIO-Lifecycle: allow(x): y', 'write vfio-lifecycle for VFIO-Lifecycle'],
    [
      'vfio_lifecycle: Allow(x): y',
      'write vfio-lifecycle for vfio_lifecycle, and write allow for Allow',
    ],
    ['vfio lifecycle: allow(x): y', 'write vfio-lifecycle for vfio lifecycle'],
    ['vfio-lifecycle allow(x): y', 'write a colon after vfio-lifecycle'],
    ['vfio-lifecycle: ignore(missing-put): y', 'write allow for ignore'],
    ['vfio-lifecycle: allow missing-put: y', 'write the rules in parentheses after allow'],
    [
      'vfio-lifecycle: allow(missing-put double-put): y',
      'write the names of rules with commas between them',
    ],
    ['vfio-lifecycle: allow(): y', 'write the names of rules with commas between them'],
    ['allow(missing-put): y', 'write vfio-lifecycle: before allow'],
    ['vfio: allow(double-put): y', 'write vfio-lifecycle: before allow'],
    [
      'vfio-lifecyle: disable(double-put): y',
      'write vfio-lifecycle for vfio-lifecyle, and write allow for disable',
    ],
  ])('%s is meant to be one: %s', (text, advice) => {
    for (const comment of [`/* ${text} */`, `// ${text}`, `/*\n * Foo.\n * ${text}\n */`])
      expect(forms(comment)).toMatchObject([{ rules: [], advice }]);
  });

  it.each([
    'vfio-lifecycle is run in CI',
    'Checked with vfio-lifecycle: no finding is allowed here.',
    'the life cycle of a vfio device: allow (some) time',
    'allow(foo): bar',
    'vfio: allow(users) to open it',
    'see missing-put',
  ])('%s is none', (text) => {
    expect(read(`/* ${text} */`)).toEqual([]);
    expect(read(`/*\n * Foo.\n * ${text}\n */`)).toEqual([]);
  });

  it('goes on in the next line where its list or its reason is open', () => {
    expect(isUnfinished('// vfio-lifecycle: allow(a,')).toBe(true);
    expect(isUnfinished('// vfio-lifecycle: allow(a):')).toBe(true);
    expect(isUnfinished('// vfio-lifecycle: allow(a): b')).toBe(false);
    expect(isUnfinished('// vfio-lifecycle: allow(a)')).toBe(false);
    expect(isUnfinished('// (')).toBe(false);
  });
});
