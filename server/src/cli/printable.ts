/**
 * Text that others chose, such as the names of files, on a terminal or in a log: what a terminal
 * would obey, and what shows it in another order
 * than it is in, is written as an escape.
 */

/**
 * Control characters, those that set the direction of text, and the line ends that are only
 * Unicode's.
 */
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The same without LF and CR, for a text that has lines of its own. */
export const HIDDEN_BUT_LINE_ENDS =
  /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const NAMES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(char: string): string {
  const code = char.charCodeAt(0);
  return (
    NAMES[char] ??
    (code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`)
  );
}

/** One line of text. */
export function printable(text: string): string {
  return text.replace(HIDDEN, escaped);
}

/** A text that keeps its line ends. */
export function printableLines(text: string): string {
  return text.replace(HIDDEN_BUT_LINE_ENDS, escaped);
}
