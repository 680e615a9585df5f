import { expect, test } from 'vitest';
import { createStyle, type Screen } from '../../../server/src/cli/style.ts';

const TERMINAL: Screen = { isTTY: true, columns: 100 };
const PIPE: Screen = {};
const XTERM = { TERM: 'xterm-256color' };

test.each<['auto' | 'always' | 'never', Screen, Record<string, string>, boolean, boolean]>([
  ['auto', TERMINAL, XTERM, true, true],
  ['auto', TERMINAL, { ...XTERM, NO_COLOR: '1' }, false, false],
  ['auto', TERMINAL, { ...XTERM, NO_COLOR: '' }, true, true],
  ['auto', TERMINAL, { TERM: 'dumb' }, false, false],
  ['auto', TERMINAL, { TERM: 'linux' }, true, false],
  ['auto', PIPE, XTERM, false, false],
  ['always', PIPE, XTERM, true, false],
  ['always', TERMINAL, { ...XTERM, NO_COLOR: '1' }, true, true],
  ['never', TERMINAL, XTERM, false, false],
])('%s on %j with %j: colours %s, links %s', (color, screen, env, colors, links) => {
  const style = createStyle(color, screen, env);
  expect(style.paint('error', 'x') !== 'x').toBe(colors);
  expect(style.link('x', 'https://a.b') !== 'x').toBe(links);
  expect(style.link('x', undefined)).toBe('x');
  expect(style.columns).toBe(screen.columns);
});

test('what is painted is nothing more once the escapes are gone', () => {
  const style = createStyle('always', TERMINAL, XTERM);
  const text = style.paint('error', style.link('rule', 'https://a.b/c.md'));
  expect(text.replace(/\x1b\[[\d;]*m|\x1b\]8;;[^\x1b]*\x1b\\/g, '')).toBe('rule');
});
