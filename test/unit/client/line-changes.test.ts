import { expect, test } from 'vitest';
import { lineAfter } from '../../../client/src/line-changes.ts';

/** An edit from one place to another, each `line:character`. */
function change(from: string, to: string, text: string) {
  const place = (words: string) => {
    const [line, character] = words.split(':').map(Number);
    return { line: line!, character: character! };
  };
  return { range: { start: place(from), end: place(to) }, text };
}

// The text of the line begins at 5:1, behind a tab.
const start = { line: 5, character: 1 };

test.each([
  ['a line above comes', [change('2:0', '2:0', 'int a;\n')], 6],
  ['lines above go', [change('1:0', '4:0', '')], 2],
  ['a line above is replaced by two', [change('1:0', '1:9', 'a\nb')], 6],
  ['a line below comes', [change('6:0', '6:0', 'int a;\n')], 5],
  ['Enter in front of its text', [change('5:1', '5:1', '\n\t')], 6],
  ['the line above is joined', [change('4:7', '5:1', ' ')], 4],
  ['Enter behind it', [change('5:30', '5:30', '\n')], 5],
  ['it is changed itself', [change('5:3', '5:8', 'x\ny')], 5],
  [
    'two edits, the last of the document first',
    [change('9:0', '9:0', '\n'), change('2:0', '3:0', '')],
    4,
  ],
])('%s', (_, changes, line) => {
  expect(lineAfter(start, changes)).toBe(line);
});
