/**
 * JSON that people write by hand: what JSON.parse() does not say is where it gave up, and that a
 * key is there twice.
 */
import { lineIndex } from './position.ts';

/** A text that was read, or the sentence that says where and why it was not. */
export type ReadJson =
  | {
      readonly value: unknown;
      /** A sentence for each key that is twice in one object: the last counts. */
      readonly repeated: readonly string[];
    }
  | { readonly problem: string };

/** Reads a text; total. A byte order mark is passed over. */
export function readJson(text: string): ReadJson {
  const json = text.startsWith('\ufeff') ? text.slice(1) : text;
  try {
    const value: unknown = JSON.parse(json);
    return { value, repeated: scan(json).repeated };
  } catch {
    const conflict = CONFLICT.exec(json);
    if (conflict)
      return { problem: `${placeOf(json, conflict.index)}: an unresolved merge conflict` };
    const { offset, expected } = scan(json);
    const found = describe(json, offset);
    return { problem: `${placeOf(json, offset)}: ${found}, where there should be ${expected}` };
  }
}

/** What git leaves in a file for a person to choose from. */
const CONFLICT = /^(?:<{7}|\|{7}|={7}|>{7})(?![^\s])/m;

/** One-based, as editors show it. */
function placeOf(text: string, offset: number): string {
  const { line, character } = lineIndex(text).position(offset);
  return `line ${line + 1}, column ${character + 1}`;
}

function describe(text: string, offset: number): string {
  const rest = text.slice(offset, offset + 20);
  if (rest === '') return 'the text ends';
  if (/^\/[/*]/.test(rest)) return 'a comment';
  if (rest.startsWith('"'))
    return endOfString(text, offset) ? 'a string' : 'a string without an end';
  return /^[\w.+-]+|^[^]/u.exec(rest)![0];
}

interface Scan {
  /** Where the text is no longer JSON; its end where it is. */
  readonly offset: number;
  readonly expected: string;
  readonly repeated: readonly string[];
}

const EXPECTED = {
  value: 'a value',
  'first value': 'a value or ]',
  key: 'a key in double quotes',
  'first key': 'a key in double quotes or }',
  colon: 'a colon',
  'next key': 'a comma or }',
  'next value': 'a comma or ]',
  end: 'nothing more',
} as const;

type State = keyof typeof EXPECTED;

/** What a token leads to, by what is expected where it stands. */
const AFTER: Readonly<Record<string, Partial<Record<State, State | 'open' | 'close' | 'done'>>>> = {
  '{': { value: 'open', 'first value': 'open' },
  '[': { value: 'open', 'first value': 'open' },
  '}': { 'first key': 'close', 'next key': 'close' },
  ']': { 'first value': 'close', 'next value': 'close' },
  ',': { 'next key': 'key', 'next value': 'value' },
  ':': { colon: 'value' },
  string: { value: 'done', 'first value': 'done', key: 'colon', 'first key': 'colon' },
  plain: { value: 'done', 'first value': 'done' },
};

/** Nobody reads of more keys. */
const MAX_REPEATED = 10;

/** Goes over the tokens with a stack of its own: a text may be nested deeper than the program's. */
function scan(text: string): Scan {
  /** The keys of each object that is open, null for a list. */
  const open: (Set<string> | null)[] = [];
  const repeated: string[] = [];
  let state: State = 'value';
  let offset = afterBlanks(text, 0);
  while (offset < text.length) {
    const token = tokenAt(text, offset);
    const next: State | 'open' | 'close' | 'done' | undefined = token && AFTER[token.kind]?.[state];
    if (token === undefined || next === undefined) break;
    if (next === 'open') {
      open.push(token.kind === '{' ? new Set() : null);
      state = token.kind === '{' ? 'first key' : 'first value';
    } else if (next === 'close' || next === 'done') {
      if (next === 'close') open.pop();
      state = afterValue(open);
    } else state = next;
    if (next === 'colon') {
      const key = text.slice(offset, token.end);
      const keys = open[open.length - 1]!;
      if (keys.has(key) && repeated.length < MAX_REPEATED)
        repeated.push(`${placeOf(text, offset)}: ${key} is there twice; the last counts`);
      keys.add(key);
    }
    offset = afterBlanks(text, token.end);
  }
  return { offset, expected: EXPECTED[state], repeated };
}

function afterValue(open: readonly (Set<string> | null)[]): State {
  if (open.length === 0) return 'end';
  return open[open.length - 1] ? 'next key' : 'next value';
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++;
  return at;
}

const PLAIN = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/** The token at an offset, its kind a key of AFTER; undefined for what is none. */
function tokenAt(
  text: string,
  offset: number,
): { readonly kind: string; readonly end: number } | undefined {
  const mark = text[offset]!;
  if ('{}[],:'.includes(mark)) return { kind: mark, end: offset + 1 };
  if (mark === '"') {
    const end = endOfString(text, offset);
    return end === undefined ? undefined : { kind: 'string', end };
  }
  PLAIN.lastIndex = offset;
  return PLAIN.test(text) ? { kind: 'plain', end: PLAIN.lastIndex } : undefined;
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

/** The offset behind a string's closing quotation mark; undefined where it is no whole string. */
function endOfString(text: string, from: number): number | undefined {
  let at = from + 1;
  while (at < text.length && text[at]! >= ' ') {
    if (text[at] === '"') return at + 1;
    if (text[at] === '\\') {
      ESCAPE.lastIndex = at;
      if (!ESCAPE.test(text)) return undefined;
      at = ESCAPE.lastIndex;
    } else at++;
  }
  return undefined;
}
