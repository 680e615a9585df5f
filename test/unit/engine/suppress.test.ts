import { expect, it } from 'vitest';
import { suppressionFor } from '../../../server/src/engine/suppress.ts';
import type { Finding } from '../../../server/src/rules/types.ts';

const finding = (text: string, rule = 'missing-put'): Finding => ({
  rule,
  severity: 'error',
  message: '',
  site: { path: '/w/a.c', start: text.indexOf('HERE'), end: text.indexOf('HERE') + 4 },
  functionName: null,
  related: [],
  fix: null,
});
const put = (text: string): string | undefined => {
  const comment = suppressionFor(text, finding(text));
  return (
    comment &&
    `${text.slice(0, comment.at)}${comment.before}why${comment.after}${text.slice(comment.at)}`
  );
};
const COMMENT = '/* vfio-lifecycle: allow(missing-put): why */';

it.each([
  ['x;\n\tfoo(HERE);\n', `x;\n\t${COMMENT}\n\tfoo(HERE);\n`],
  ['HERE;', `${COMMENT}\nHERE;`],
  ['a;\r\n    HERE;\r\n', `a;\r\n    ${COMMENT}\r\n    HERE;\r\n`],
  ['#define A(x) \\\n\tHERE(x); \\\n\tB', undefined],
  ['#define A(x) \\\r\n\tHERE(x)', undefined],
  ['#define HERE(x) \\\n\tB', `${COMMENT}\n#define HERE(x) \\\n\tB`],
])('%j', (text, expected) => expect(put(text)).toBe(expected));

it('allows nothing that is said of comments', () => {
  for (const rule of ['unused-suppression', 'invalid-suppression', 'suppression-without-reason'])
    expect(suppressionFor('HERE', finding('HERE', rule))).toBeUndefined();
});
