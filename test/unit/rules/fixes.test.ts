import { describe, expect, test } from 'vitest';
import type { Edit, Span } from '../../../server/src/text/span.ts';
import { addFunctionBefore, deleteStatement, insertAfter, insertBefore } from '../../../server/src/rules/fixes/text.ts';
import { analyseText, applyEdits, applyFix, factsOf } from '../../support/analyse.ts';
import { addMember } from '../../../server/src/rules/fixes/ops-table.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { readAnnotations } from '../../support/analyse.ts';

/** The text with the part between « and » as the span. */
function marked(text: string): { text: string; span: Span } {
  const start = text.indexOf('«');
  const end = text.indexOf('»') - 1;
  return { text: text.replace('«', '').replace('»', ''), span: { start, end } };
}

function apply(source: string, make: (text: string, span: Span) => Edit): string {
  const { text, span } = marked(source);
  return applyEdits(text, [make(text, span)]);
}

describe('statements', () => {
  test.each([
    ['with a tab', '{\n\t«foo();»\n}', '{\n\tbar();\n\tfoo();\n}'],
    ['with blanks', '{\n    «foo();»\n}', '{\n    bar();\n    foo();\n}'],
    ['with CRLF', '{\r\n\t«foo();»\r\n}', '{\r\n\tbar();\r\n\tfoo();\r\n}'],
    ['behind other code', '{ x(); «foo();» }', '{ x(); bar();\nfoo(); }'],
  ])('are inserted before another %s', (_, before, after) => {
    expect(apply(before, (text, span) => insertBefore(text, span, ['bar();']))).toBe(after);
  });

  test.each([
    ['with its comment', '\t«foo();» /* why */\n\tx();', '\tfoo(); /* why */\n\tif (y)\n\t\tz();\n\tx();'],
    ['at the end of the text', '\t«foo();»', '\tfoo();\n\tif (y)\n\t\tz();'],
    ['in a document of four blanks', 'f()\n{\n    «foo();»\n}', 'f()\n{\n    foo();\n    if (y)\n        z();\n}'],
  ])('are inserted behind another %s', (_, before, after) => {
    expect(apply(before, (text, span) => insertAfter(text, span, ['if (y)', '\tz();']))).toBe(after);
  });

  test.each([
    ['with their line', 'a();\n\t«foo();»\nb();', 'a();\nb();'],
    ['with the comment behind them', 'a();\n\t«foo();» // gone\nb();', 'a();\nb();'],
    ['over two lines', 'a();\n\t«foo(1,\n\t    2);»\nb();', 'a();\nb();'],
    ['without the code beside them', '{ «foo();» b(); }', '{ b(); }'],
    ['with CRLF', 'a();\r\n\t«foo();»\r\nb();', 'a();\r\nb();'],
    ['in the last line', 'a();\n\t«foo();»', 'a();\n'],
  ])('are deleted %s', (_, before, after) => {
    expect(apply(before, (text, span) => deleteStatement(text, span))).toBe(after);
  });

  test('a function goes above the comment of the item', () => {
    expect(apply('int a;\n\n/*\n * The table.\n */\n«static int x;»\n', (text, span) => addFunctionBefore(text, span, 'void f(void)\n{\n}')))
      .toBe('int a;\n\nvoid f(void)\n{\n}\n\n/*\n * The table.\n */\nstatic int x;\n');
  });
});

describe('members of an ops table', () => {
  const table = (members: string): string => `static const struct vfio_device_ops foo_ops = {\n${members}};\n`;

  test.each([
    ['one blank', '\t.name = "foo",\n\t.open_device = o,\n', '\t.name = "foo",\n\t.release = r,\n\t.open_device = o,\n'],
    ['tabs', '\t.name\t\t= "foo",\n\t.open_device\t= o,\n', '\t.name\t\t= "foo",\n\t.release\t= r,\n\t.open_device\t= o,\n'],
    ['blanks', '    .name        = "foo",\n    .open_device = o,\n', '    .name        = "foo",\n    .release     = r,\n    .open_device = o,\n'],
    ['no comma at the end', '\t.name = "foo"\n', '\t.name = "foo",\n\t.release = r,\n'],
    ['no name', '\t.open_device = o,\n', '\t.release = r,\n\t.open_device = o,\n'],
  ])('stand like their neighbours: %s', (_, before, after) => {
    const text = table(before);
    const [ops] = factsOf(text, '6.1').opsTables;
    const edit = addMember(text, ops!, 'release', 'r');
    expect(applyEdits(text, [edit!])).toBe(table(after));
  });

  test('are left alone when several stand in one line', () => {
    const text = 'static const struct vfio_device_ops foo_ops = { .name = "foo", .open_device = o };\n';
    expect(addMember(text, factsOf(text, '6.1').opsTables[0]!, 'release', 'r')).toBeNull();
  });
});

describe('line endings', () => {
  const fixable = rules.flatMap((rule) => rule.examples.bad.filter((example) => example.fixed !== undefined).map((example) => [rule.id, example.title, example] as const));

  test.each(fixable)('the fix of %s keeps CRLF: %s', (id, _, example) => {
    const code = readAnnotations(example.code).code.replaceAll('\n', '\r\n');
    for (const finding of analyseText(code, example.kernel ?? '6.1')) {
      if (finding.rule !== id || finding.fix === null) continue;
      expect(applyFix(code, finding.fix)).not.toMatch(/(?<!\r)\n|\r(?!\n)/);
    }
  });
});
