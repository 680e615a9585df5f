/** Where a line of a document goes when the document is edited. */

/** A place as VS Code has it: zero-based. */
interface Place {
  readonly line: number;
  readonly character: number;
}

/** An edit: the text between two places is replaced. */
export interface Change {
  readonly range: { readonly start: Place; readonly end: Place };
  readonly text: string;
}

/**
 * The number of a line, zero-based, after edits in the order in which VS Code tells of them.
 * `start` is where the text of the line begins. A
 * line that is edited itself keeps its number: its text tells that it is another.
 */
export function lineAfter(start: Place, changes: readonly Change[]): number {
  let { line } = start;
  for (const { range, text } of changes) {
    const ends = range.end.line === line && range.end.character <= start.character;
    if (range.end.line >= line && !ends) continue;
    line += text.split('\n').length - 1 - (range.end.line - range.start.line);
  }
  return line;
}
