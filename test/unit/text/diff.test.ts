import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { changedLines, splitLines, unifiedDiff } from '../../../server/src/text/diff.ts';

const folder = mkdtempSync(join(tmpdir(), 'vfio-lifecycle-diff-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What git makes of a file with a patch. */
function gitApply(name: string, before: string, patch: string): string {
  writeFileSync(join(folder, name), before);
  // Without a repository around it, so that no configuration of one decides on line ends.
  execFileSync('git', ['apply', '--whitespace=nowarn', '-'], {
    cwd: folder,
    input: patch,
    env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
  });
  return readFileSync(join(folder, name), 'utf8');
}

test('shows the function, context and missing line end', () => {
  const before = 'static int foo(void)\n{\n\tint a;\n\tint b;\n\tint c;\n\n\treturn 0;\n}';
  expect(unifiedDiff('drivers/foo.c', before, before.replace('return 0', 'return 1')))
    .toMatchInlineSnapshot(`
    "--- a/drivers/foo.c
    +++ b/drivers/foo.c
    @@ -4,5 +4,5 @@ static int foo(void)
     	int b;
     	int c;
     
    -	return 0;
    +	return 1;
     }
    \\ No newline at end of file
    "
  `);
});

test('joins changes that are near and separates those that are not', () => {
  const lines = Array.from({ length: 30 }, (_, i) => `${i}\n`);
  const change = (...at: number[]): string =>
    unifiedDiff(
      'f',
      lines.join(''),
      lines.map((line, i) => (at.includes(i) ? `x${line}` : line)).join(''),
    );
  expect(change(5, 12).match(/^@@.*$/gm)).toEqual(['@@ -3,14 +3,14 @@']);
  expect(change(5, 13).match(/^@@.*$/gm)).toEqual(['@@ -3,7 +3,7 @@', '@@ -11,7 +11,7 @@']);
});

test.each([
  ['a line without its end becomes one with it', 'a\nb', 'a\nb\n'],
  ['and the reverse', 'a\nb\n', 'a\nb'],
  ['CR LF is kept', 'a\r\nb\r\nc\r\n', 'a\r\nX\r\nc\r\n'],
  ['CR LF becomes LF', 'a\r\nb\r\n', 'a\nb\n'],
  ['all is deleted', 'a\nb\n', ''],
  ['into an empty file', '', 'a\nb'],
  ['a first and a last line', 'b\n', 'a\nb\nc'],
  ['a form feed and blanks at line ends', 'a \n\f\nb\n', 'a \t\n\f\nc\n'],
])('git takes it: %s', (_name, before, after) => {
  expect(gitApply('file.c', before, unifiedDiff('file.c', before, after))).toBe(after);
});

test.each(['with blank.c', 'quote".c', 'b\\ack.c', 'ümlaut.c', 'tab\t.c'])(
  'git takes the name %j',
  (name) => {
    expect(gitApply(name, 'a\n', unifiedDiff(name, 'a\n', 'b\n'))).toBe('b\n');
  },
);

test('git takes any difference', () => {
  const text = fc
    .tuple(
      fc.array(fc.constantFrom('a', 'b', '\tc', '}', '', '\r', 'x\r'), { maxLength: 30 }),
      fc.boolean(),
    )
    .map(([lines, end]) => lines.join('\n') + (end ? '\n' : ''));
  fc.assert(
    fc.property(text, text, (before, after) => {
      fc.pre(before !== after);
      expect(gitApply('file.c', before, unifiedDiff('file.c', before, after))).toBe(after);
    }),
    { numRuns: 60 },
  );
});

test('equal texts have no difference', () => {
  expect(unifiedDiff('f', 'a\n', 'a\n')).toBe('');
});

test('the changed lines are as few as possible', () => {
  /** Length of the longest common subsequence, the textbook way. */
  const common = (left: readonly string[], right: readonly string[]): number => {
    const table = Array.from({ length: left.length + 1 }, () =>
      new Array<number>(right.length + 1).fill(0),
    );
    for (let i = 1; i <= left.length; i++) {
      for (let index = 1; index <= right.length; index++)
        table[i]![index] =
          left[i - 1] === right[index - 1]
            ? table[i - 1]![index - 1]! + 1
            : Math.max(table[i - 1]![index]!, table[i]![index - 1]!);
    }
    return table[left.length]![right.length]!;
  };
  const lines = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n'), { maxLength: 12 });
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const changes = changedLines(before, after);
      const touched = changes.reduce(
        (sum, change) => sum + change.oldEnd - change.oldStart + change.newEnd - change.newStart,
        0,
      );
      expect(touched).toBe(before.length + after.length - 2 * common(before, after));
      for (let i = 1; i < changes.length; i++)
        expect(changes[i]!.oldStart).toBeGreaterThan(changes[i - 1]!.oldEnd);
    }),
    { numRuns: 300 },
  );
});

test('texts without a common line are replaced as a whole', () => {
  const many = (letter: string): string =>
    Array.from({ length: 5000 }, (_, i) => `${letter}${i}\n`).join('');
  expect(changedLines(splitLines(many('a')), splitLines(many('b')))).toEqual([
    { oldStart: 0, oldEnd: 5000, newStart: 0, newEnd: 5000 },
  ]);
});
