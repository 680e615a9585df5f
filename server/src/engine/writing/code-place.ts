/**
 * Where a caret is in C that is being typed: by its brackets alone, since such a text seldom parses.
 */
import { COMMENT_OR_LITERAL } from '../../text/lexical.ts';
import { tailOf } from '../word-at.ts';

/** The innermost bracket that is open at a caret. */
export interface OpenBracket {
  readonly bracket: '(' | '{' | '[';
  /** Its offset. */
  readonly at: number;
  /** The code before it, without comments and strings. */
  readonly before: string;
  /** How many commas of its own list are before the caret. */
  readonly argument: number;
  /** The code between it and the caret, likewise. */
  readonly inside: string;
}

/** What a caret is in; no bracket at file scope. */
export interface CodePlace {
  readonly bracket: OpenBracket | undefined;
  /** The part of a word before the caret. */
  readonly word: string;
  /** The code before the caret, with blanks in the place of comments and strings. */
  readonly code: string;
}

const CLOSING: Readonly<Record<string, string>> = { ')': '(', '}': '{', ']': '[' };

/** Undefined in a comment, a string and a line of the preprocessor. */
export function codePlaceAt(text: string, offset: number): CodePlace | undefined {
  const before = text.slice(0, offset);
  let isOpen = false;
  const code = before.replace(COMMENT_OR_LITERAL, (part, at: number) => {
    isOpen ||= at + part.length === offset && !isClosed(part);
    return part.replace(/[^\r\n]/g, ' ');
  });
  const line = code.slice(code.lastIndexOf('\n') + 1);
  if (isOpen || /^\s*#/.test(line)) return undefined;
  return { bracket: bracketIn(code), word: tailOf(line, /\w/), code };
}

function isClosed(part: string): boolean {
  if (part.startsWith('/*')) return part.length >= 4 && part.endsWith('*/');
  return !part.startsWith('//') && part.length >= 2 && part.endsWith(part[0]!);
}

function bracketIn(code: string): OpenBracket | undefined {
  const closed: string[] = [];
  let argument = 0;
  for (let at = code.length - 1; at >= 0; at--) {
    const letter = code[at]!;
    const opening = CLOSING[letter];
    // A brace in the first column begins or ends what stands at file scope, whatever is open.
    if (letter === '}' && isFirstColumn(code, at)) return undefined;
    if (opening !== undefined) closed.push(opening);
    else if (letter === ',' && closed.length === 0) argument++;
    else if (letter === '(' || letter === '{' || letter === '[') {
      if (closed.length === 0)
        return {
          bracket: letter,
          at,
          before: code.slice(0, at),
          argument,
          inside: code.slice(at + 1),
        };
      closed.pop();
    }
  }
  return undefined;
}

function isFirstColumn(code: string, at: number): boolean {
  return at === 0 || code[at - 1] === '\n';
}
