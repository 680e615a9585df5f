/** What the mask cuts a text into. */

/**
 * What a token is. Comments and blanks are no tokens; annotations are only reported (see
 * ScanResult).
 */
export const Kind = {
  end: 0,
  word: 1, // identifier or keyword; its meaning is in `words`
  punctuation: 2, // one character, in `chars`
  literal: 3, // number, string, character
  ellipsis: 4,
  directive: 5, // a whole preprocessor line with its continuation lines; its meaning is in `chars`
} as const;

/**
 * What a preprocessor line does to the structure. A chain is `openUnbalanced` when an arm does not
 * leave the same brackets open as
 * there were before it.
 */
export const Directive = { none: 0, open: 1, middle: 2, close: 3, openUnbalanced: 4 } as const;

/** Punctuation that the mask looks at, by character code. */
export const CHAR = {
  openParenthesis: 40,
  closeParenthesis: 41,
  star: 42,
  comma: 44,
  dot: 46,
  colon: 58,
  semicolon: 59,
  equals: 61,
  openBracket: 91,
  closeBracket: 93,
  openBrace: 123,
  closeBrace: 125,
} as const;
/** The value of a closing brace that also closes everything around it. */
export const CLOSE_ALL = 1;

/**
 * The tokens of a text as parallel arrays of `count` entries; the entry after the last has kind
 * `end`.
 */
export interface Tokens {
  readonly count: number;
  readonly kinds: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** For a word its Word, for punctuation its character code, for a directive its Directive. */
  readonly values: Uint8Array;
  /**
   * For a bracket the index of its partner, for a directive of an #if chain the index of the
   * chain's next; -1 where there is none.
   */
  readonly partners: Int32Array;
}
