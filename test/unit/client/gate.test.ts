import type { TextDocument, TextDocumentContentChangeEvent } from 'vscode';
import { describe, expect, test } from 'vitest';
import { editMentionsVfio, mentionsVfio } from '../../../client/src/gate.ts';

describe('a text mentions VFIO', () => {
  test.each([
    '#include <linux/vfio.h>',
    '#include "hisi_acc_vfio_pci.h"',
    'struct vfio_device vdev;',
    'ret = my_vfio_register(d);',
  ])('%s', (text) => expect(mentionsVfio(text)).toBe(true));

  test.each(['', 'int vfi;', 'VFIO', '/* talk about vfio alone */', '#include <linux/virtio.h>'])(
    'not: %s',
    (text) => {
      expect(mentionsVfio(text)).toBe(false);
    },
  );
});

describe('an edit mentions VFIO', () => {
  test('by what is typed into a word that was there', () => {
    expect(edit('a\nvfio_device\nb', { line: 1, text: 'd' })).toBe(true);
  });
  test('by a line of a paste', () => {
    expect(edit('a\nb\nvfio_device\nc', { line: 1, text: 'b\r\nvfio_device\n' })).toBe(true);
  });
  test('not by a line that it left alone', () => {
    expect(edit('vfio_device\nb', { line: 1, text: 'b' })).toBe(false);
  });
  test('of several changes, in any of their lines', () => {
    expect(edit('vfio_device\nb', { line: 1, text: 'b' }, { line: 0, text: 'd' })).toBe(true);
  });
  test('past the end of the document it only stops', () => {
    expect(edit('a', { line: 0, text: 'a\nb\nc' })).toBe(false);
  });
});

/** The event of VS Code as far as the gate reads it. */
function edit(after: string, ...changes: { line: number; text: string }[]): boolean {
  const lines = after.split('\n');
  const document = {
    getText: () => after,
    lineCount: lines.length,
    lineAt: (line: number) => ({ text: lines[line] }),
  };
  return editMentionsVfio({
    document: document as unknown as TextDocument,
    contentChanges: changes.map(
      ({ line, text }) =>
        ({ text, range: { start: { line } } }) as unknown as TextDocumentContentChangeEvent,
    ),
  });
}
