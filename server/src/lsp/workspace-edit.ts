/** Edits of the loaded module's documents as the protocol has them. */
import {
  LSPErrorCodes,
  ResponseError,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver';
import type { FileEdits } from '../text/span.ts';
import type { Loaded, Session } from './session.ts';

/** A document with its edits; `before` is the text that they are made for. */
export interface DocumentChange {
  readonly uri: string;
  /** The version that is open in the client, null where the document is only on the disk. */
  readonly version: number | null;
  readonly before: string;
  readonly edits: readonly TextEdit[];
}

/**
 * The documents that `files` change, with zero-based lines and UTF-16 characters. Throws the
 * protocol's error when one of them has
 * another text by now: an edit whose parts depend on each other is made as a whole or not at all.
 */
export function documentChanges(
  session: Session,
  loaded: Loaded,
  files: readonly FileEdits[],
): DocumentChange[] {
  return files.map(({ path, edits }) => {
    const { sources, headers } = loaded.input;
    const before = [...sources, ...headers].find((one) => one.path === path)?.text;
    if (before === undefined)
      throw new ResponseError(LSPErrorCodes.RequestFailed, `${path} is not part of the module`);
    const uri = session.uriOf(path);
    const open = session.documents.get(uri);
    if (open && open.getText() !== before)
      throw new ResponseError(LSPErrorCodes.ContentModified, `${path} changed`);
    return {
      uri,
      version: open?.version ?? null,
      before,
      edits: edits.map(({ span, newText }) => ({
        range: loaded.positions.range(path, span)!,
        newText,
      })),
    };
  });
}

/**
 * The edits in the most telling form that the client takes. They carry no annotations: a client's
 * preview would let some parts be ticked
 * and others not, and no part of an edit of ours is right without the others.
 */
export function workspaceEdit(
  session: Session,
  loaded: Loaded,
  files: readonly FileEdits[],
): WorkspaceEdit {
  const changes = documentChanges(session, loaded, files);
  if (!session.client.versionedEdits)
    return { changes: Object.fromEntries(changes.map(({ uri, edits }) => [uri, [...edits]])) };
  // The version lets the client refuse an edit that was made for another text.
  return {
    documentChanges: changes.map(({ uri, version, edits }) => ({
      textDocument: { uri, version },
      edits: [...edits],
    })),
  };
}
