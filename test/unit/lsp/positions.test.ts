import { TextDocument } from 'vscode-languageserver-textdocument';
import { expect, test } from 'vitest';
import { createLineTables, positionsIn } from '../../../server/src/lsp/positions.ts';

const PATH = 'file:///foo.c';
const TEXT = 'int a;\nint b;\n';
const change = (document: TextDocument, text: string): void => {
  const start = { line: 0, character: 0 };
  TextDocument.update(document, [{ range: { start, end: start }, text }], document.version + 1);
};

test('places are those of the text of the module, whatever the open document has by now', () => {
  const document = TextDocument.create(PATH, 'c', 1, TEXT);
  const input = { file: PATH, sources: [{ path: PATH, text: TEXT }], headers: [] };
  const positions = positionsIn(
    input,
    createLineTables(() => document),
  );
  const range = { start: { line: 1, character: 4 }, end: { line: 1, character: 5 } };
  expect(positions.range(PATH, { start: 11, end: 12 })).toEqual(range);
  change(document, '\n\n');
  expect(positions.range(PATH, { start: 11, end: 12 })).toEqual(range);
  expect(positions.range('file:///other.c', { start: 0, end: 1 })).toBeUndefined();
});

test('a table is made once for a text, and by the open document for its own', () => {
  const document = TextDocument.create(PATH, 'c', 1, TEXT);
  const tables = createLineTables((path) => (path === PATH ? document : undefined));
  expect(tables.of(PATH, TEXT)).toBe(document);
  const header = tables.of('file:///foo.h', TEXT);
  expect(tables.of('file:///foo.h', TEXT)).toBe(header);
  expect(tables.of('file:///foo.h', `\n${TEXT}`).positionAt(1)).toEqual({ line: 1, character: 0 });
  change(document, '\n');
  expect(tables.of(PATH, document.getText())).toBe(document);
  expect(tables.of(PATH, TEXT).positionAt(7)).toEqual({ line: 1, character: 0 });
});
