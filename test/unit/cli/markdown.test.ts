import { expect, test } from 'vitest';
import { renderMarkdown } from '../../../server/src/cli/markdown.ts';
import { PLAIN, type Style } from '../../../server/src/cli/style.ts';

/** A terminal that shows what is asked of it. */
const MARKED: Style = {
  paint: (role, text) => `<${role} ${text}>`,
  link: (text, address) => (address === undefined ? text : `${text}@${address}`),
  columns: 40,
  hasColors: true,
};

test.each<[string, string, string[]]>([
  ['headings', '# one\n\n## two `x`\n', ['<strong one>', '', '<strong two x>']],
  [
    'a paragraph is filled',
    'one two three four five\nsix seven eight nine ten eleven',
    ['one two three four five six seven eight', 'nine ten eleven'],
  ],
  ['a break that is asked for', 'one  \ntwo', ['one', 'two']],
  [
    'a list with hanging lines',
    '- one two three four five six seven eight nine\n- ten',
    ['- one two three four five six seven', '  eight nine', '- ten'],
  ],
  [
    'code as it is, with tabs',
    '```c\nif (x)\n\treturn aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;\n```\n',
    ['    <code if (x)>', '    <code         return aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;>'],
  ],
  [
    'words in code, strong words, links',
    'a `b c`, **d e:** [f](g).',
    ['a <code b> <code c>, <strong d> <strong e:> f@g.'],
  ],
  [
    'what stands behind code stays with it',
    `${'a'.repeat(34)} \`bcd\`(ef)`,
    ['a'.repeat(34), '<code bcd>(ef)'],
  ],
  ['a word that is too long', `a ${'b'.repeat(60)} c`, ['a', 'b'.repeat(60), 'c']],
  ['what a terminal would obey', 'a\x1b[2Jb', ['a\\x1b[2Jb']],
  ['code that is not closed', '```c\nx', ['    <code x>']],
])('%s', (_, markdown, lines) => {
  expect(renderMarkdown(markdown, MARKED)).toBe(`${lines.join('\n')}\n`);
});

test('without colours there is nothing but text', () => {
  expect(renderMarkdown('# a\n\n`b` **c** [d](e)', PLAIN)).toBe('a\n\nb c d\n');
});
