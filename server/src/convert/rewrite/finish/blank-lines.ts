/**
 * Where lines were taken out or put in no two blank lines meet, and none begins or ends a block.
 */
import type { Edit } from '../../../text/span.ts';
import { isAsBefore, isTouched, type Pass } from './change.ts';

export const blankLines: Pass = (change) => {
  const { text } = change.after;
  const edits: Edit[] = [];
  // A run of blank lines, with the end of the line above it and the first word below it.
  for (const match of text.matchAll(/(^|[^\s])[ \t]*\r?\n((?:[ \t]*\r?\n)+)(?=[ \t]*(\S?))/g)) {
    const start = match.index + match[0].length - match[2]!.length;
    const run = { start, end: start + match[2]!.length };
    const context = { start: match.index, end: Math.min(text.length, run.end + 1) };
    if (!isTouched(change, run) || isAsBefore(change, context)) continue;
    if (match[1] === '{' || match[3] === '}') edits.push({ span: run, newText: '' });
    else if (match[2]!.split('\n').length > 2) edits.push({ span: run, newText: change.eol });
  }
  return edits;
};
