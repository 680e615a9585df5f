/** What the rules of the mask share. */
import type { MaskNote } from './node.ts';
import { Kind, type Tokens } from './tokens.ts';

/** One stretch that the parser sees differently. */
export interface MaskChange {
  readonly start: number;
  readonly end: number;
  /** Of the same length, with the same line ends. */
  readonly replacement: string;
  readonly kind: MaskNote['kind'];
}

/** What the rules of the mask share while they go over the tokens of one text. */
export interface MaskState {
  readonly text: string;
  readonly tokens: Tokens;
  readonly changes: MaskChange[];
}

/** Blanks [start, end). */
export function blank(state: MaskState, start: number, end: number, kind: MaskNote['kind']): void {
  state.changes.push({ start, end, replacement: blanks(state.text, start, end), kind });
}

/** Replaces [start, end) by a word that is at most as long, padded with blanks. */
export function replaceWord(
  state: MaskState,
  start: number,
  end: number,
  word: string,
  kind: MaskNote['kind'],
): void {
  if (word.length <= end - start)
    state.changes.push({ start, end, replacement: word.padEnd(end - start), kind });
}

/** As many blanks as [start, end) has code units, with its line ends. */
export function blanks(text: string, start: number, end: number): string {
  const part = text.slice(start, end);
  return part.includes('\n') || part.includes('\r')
    ? part.replace(/[^\r\n]/g, ' ')
    : ' '.repeat(end - start);
}

/** Whether the token is this punctuation character. */
export function isPunctuation({ tokens }: MaskState, index: number, code: number): boolean {
  return tokens.kinds[index] === Kind.punctuation && tokens.values[index] === code;
}

/** The text of a token. */
export function tokenText({ text, tokens }: MaskState, index: number): string {
  return text.slice(tokens.starts[index], tokens.ends[index]);
}
