import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { convertExamples, copyExamples } from '../../scripts/lib/examples.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-kept-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let number = 0;

/** What becomes of one of the examples when the text of another is made longer. */
function converted(kernel: string, addition = ''): { text: string; other: string; why: unknown } {
  const copy = path.join(folder, String(number++));
  copyExamples(copy);
  const read = (name: string): string => readFileSync(path.join(copy, name), 'utf8');
  writeFileSync(path.join(copy, 'beacon.c'), `${read('beacon.c')}${addition}`);
  const why = convertExamples(copy, kernel, 'minimal');
  return { text: read('kettle.c'), other: read('beacon.c'), why };
}

test('a conversion that is kept is that of the same texts with the same arguments', () => {
  const first = converted('6.1');
  expect(first.text).toContain('vfio_alloc_device(');
  expect(converted('6.1')).toEqual(first);
  const longer = converted('6.1', '/* the end */\n');
  expect(longer).toEqual({ ...first, other: `${first.other}/* the end */\n` });
  expect(converted('6.12').other).not.toBe(first.other);
});
