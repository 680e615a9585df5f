// The words that were thrown out of what people read: docs/style.md has them in a table, with the words
// that say it.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

interface Word {
  /** As a person writes it in the table. */
  readonly not: string;
  readonly pattern: RegExp;
}

const page = readFileSync(resolve(import.meta.dirname, '../../docs/style.md'), 'utf8');

/** The rows of the table of words: what is not written, and what is. */
const words: readonly Word[] = [...page.matchAll(/^\| \*(.+?)\* \|/gm)].map(([, not]) => ({
  not: not!,
  pattern: new RegExp(`\\b${not!.replace(/…/g, '[^.;]{1,20}?').replace(/ /g, '\\s+')}\\b`, 'i'),
}));

if (words.length < 10) throw new Error('docs/style.md has no table of words');

/** The words of a text that were thrown out. Code, links and fenced blocks say what they must. */
export function thrownOut(text: string): string[] {
  const prose = text
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, 'X')
    .replace(/\]\([^)]*\)/g, ']');
  return words.filter(({ pattern }) => pattern.test(prose)).map(({ not }) => not);
}
