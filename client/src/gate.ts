/** Decides whether a C document mentions VFIO, and so whether the server starts. */
import type { TextDocument, TextDocumentChangeEvent } from 'vscode';

/**
 * A name of the VFIO interface (`vfio_device`, `to_vfio_ccw`) or a header of it (`<linux/vfio.h>`,
 * `"foo_vfio_pci.h"`).
 */
const vfioName = /vfio_\w|vfio\.h/;

/**
 * Whether a piece of C mentions VFIO by an identifier or a header. One linear scan; a false
 * positive only starts the server.
 */
export function mentionsVfio(text: string): boolean {
  return vfioName.test(text);
}

/**
 * Whether an edit made its document mention VFIO. It reads the lines that changed, not the
 * document: this runs on every keystroke in every C file.
 */
export function editMentionsVfio({
  document,
  contentChanges,
}: Pick<TextDocumentChangeEvent, 'document' | 'contentChanges'>): boolean {
  // Several changes of one event move each other's lines, so that only the whole text is certain to
  // hold them all.
  const [change] = contentChanges;
  if (change === undefined) return false;
  if (contentChanges.length > 1) return mentionsVfio(document.getText());
  const first = change.range.start.line;
  const last = Math.min(first + lineBreaks(change.text), document.lineCount - 1);
  return linesMentionVfio(document, first, last);
}

function linesMentionVfio(document: TextDocument, first: number, last: number): boolean {
  for (let line = first; line <= last; line++) {
    if (mentionsVfio(document.lineAt(line).text)) return true;
  }
  return false;
}

function lineBreaks(text: string): number {
  return text.split(/\r\n|\r|\n/).length - 1;
}
