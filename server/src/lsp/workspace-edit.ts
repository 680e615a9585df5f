import type { AnnotatedTextEdit, ChangeAnnotation, TextEdit, WorkspaceEdit } from 'vscode-languageserver';
import type { ConversionEdit } from '../engine/types.ts';
import type { Loaded, Session } from './session.ts';

type Kind = NonNullable<ConversionEdit['kind']>;

/** What an edit of a conversion is for, as the client's preview groups and names it. A client that previews leaves out what needs confirmation until a person ticks it. */
const ANNOTATIONS: Readonly<Record<Kind, ChangeAnnotation>> = {
  'allocation': { label: 'Allocate and initialise with vfio_alloc_device()' },
  'teardown': { label: 'Free with vfio_put_device()' },
  'ops-table': { label: 'Complete the ops table' },
  'tidy': { label: 'Take out what is no longer needed' },
  'signature': { label: 'Change what other files see', description: 'Prototypes and parameters of helpers, and ops tables that other files name' },
  'layout': { label: 'Move the device to the front of its struct', description: 'The conversion needs it, and the layout changes for everything that uses the struct', needsConfirmation: true },
  'fold': { label: 'Move state into .init and .release', description: 'What .release undoes is undone at the last put, which may be later than remove', needsConfirmation: true },
};

/** Edits of documents of the loaded module, in the most telling form that the client takes. */
export function workspaceEdit(session: Session, loaded: Loaded, files: readonly { readonly path: string; readonly edits: readonly ConversionEdit[] }[]): WorkspaceEdit {
  const { versionedEdits, changeAnnotations } = session.client;
  const used = new Set<Kind>();
  const converted = files.map(({ path, edits }) => ({
    uri: session.uriOf(path),
    edits: edits.flatMap(({ span, newText, kind }): (TextEdit | AnnotatedTextEdit)[] => {
      const range = loaded.positions.range(path, span);
      if (!range) return [];
      if (!changeAnnotations || kind === undefined) return [{ range, newText }];
      used.add(kind);
      return [{ range, newText, annotationId: kind }];
    }),
  }));
  if (!versionedEdits) return { changes: Object.fromEntries(converted.map(({ uri, edits }) => [uri, edits])) };
  return {
    // The version lets the client refuse an edit that was made for another text.
    documentChanges: converted.map(({ uri, edits }) => ({ textDocument: { uri, version: session.documents.get(uri)?.version ?? null }, edits })),
    ...(used.size > 0 && { changeAnnotations: Object.fromEntries([...used].map((kind) => [kind, ANNOTATIONS[kind]])) }),
  };
}
