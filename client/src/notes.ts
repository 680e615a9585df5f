/**
 * The notes of conversions as findings on their lines, until the line is edited or the note is
 * dismissed.
 */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { documentationLink } from './documentation.ts';
import { lineAfter } from './line-changes.ts';
import { createOffers } from './offers.ts';
import { linesOf, type Conversion } from './whole-conversion.ts';

/** What tells these findings from those of the server. */
const source = 'VFIO Lifecycle';
const code = 'conversion-note';

const dismissCommand = 'vfioLifecycle.dismissNotes';

/** Of this many conversions the notes are kept. */
const maxConversions = 20;

/** What a person still has to look at. */
export interface Notes extends vscode.Disposable {
  /** Shows the notes of a conversion that was written. */
  show(client: BaseLanguageClient, conversion: Conversion): void;
}

/** A note at its line. */
interface Note {
  readonly uri: vscode.Uri;
  readonly message: string;
  /** Where the text of the line stood when the conversion was written, zero-based. */
  readonly first: vscode.Range;
  /** That text. */
  readonly text: string;
  /** The number of the line now; null when it has another text, or the note was dismissed. */
  line: number | null;
}

interface WrittenFile {
  readonly uri: vscode.Uri;
  readonly before: string;
  readonly after: string;
}

/** A conversion that was written, with its notes. */
interface Written {
  readonly files: readonly WrittenFile[];
  readonly notes: readonly Note[];
}

export function createNotes(): Notes {
  const findings = vscode.languages.createDiagnosticCollection('vfioLifecycle.notes');
  const offers = createOffers();
  /** By a number, which names a conversion in the command that dismisses its notes. */
  const written = new Map<number, Written>();
  let count = 0;

  const publish = (uris: Iterable<vscode.Uri>): void => {
    const all = [...written.values()].flatMap(({ notes }) => notes);
    for (const uri of uris) {
      findings.set(uri, all.filter((note) => isIn(note, uri)).flatMap(toDiagnostic));
    }
  };
  const forget = (isForgotten: (note: Note) => boolean): void => {
    const gone = [...written.values()].flatMap(({ notes }) => notes.filter(isForgotten));
    for (const note of gone) note.line = null;
    publish(gone.map(({ uri }) => uri));
  };
  const follow = (event: vscode.TextDocumentChangeEvent): void => {
    const { document, contentChanges, reason } = event;
    for (const conversion of written.values()) {
      const own = conversion.notes.filter((note) => isIn(note, document.uri));
      for (const note of own) note.line = lineIn(document, note, contentChanges);
      const changed = reason === undefined ? [] : undoneOrRedone(conversion, document);
      publish([...own, ...changed].map(({ uri }) => uri));
    }
  };

  const owned = vscode.Disposable.from(
    findings,
    offers,
    vscode.workspace.onDidChangeTextDocument(follow),
    // What was changed while no editor had the document was not followed.
    vscode.workspace.onDidOpenTextDocument((document) => {
      forget((note) => isIn(note, document.uri) && lineIn(document, note, []) === null);
    }),
    vscode.workspace.onDidDeleteFiles(({ files }) => {
      forget((note) => files.some((uri) => isIn(note, uri)));
    }),
    vscode.commands.registerCommand(dismissCommand, (number: number, index?: number) => {
      const notes = written.get(number)?.notes ?? [];
      forget((note) => (index === undefined ? notes.includes(note) : notes[index] === note));
    }),
    vscode.languages.registerCodeActionsProvider(
      [{ language: 'c' }, { language: 'cpp' }],
      {
        provideCodeActions: ({ uri }, _range, { diagnostics }) => {
          const own = diagnostics.filter((one) => one.source === source && codeOf(one) === code);
          return own.flatMap((one) => dismissals(written, uri, one)).map(offers.named);
        },
      },
      { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
    ),
  );

  return {
    show(client, conversion) {
      const { protocol2CodeConverter: converter } = client;
      const files = conversion.files.map((file) => ({ ...file, uri: converter.asUri(file.uri) }));
      const notes = conversion.notes.map(({ uri, message, range, lineText }): Note => ({
        uri: converter.asUri(uri),
        message,
        first: converter.asRange(range),
        text: lineText,
        line: range.start.line,
      }));
      // One that began with the same text was undone since: done again it would bring its notes
      // back a second time.
      for (const [number, other] of written) {
        if (other.files.some((one) => files.some((file) => isSameBeginning(one, file))))
          written.delete(number);
      }
      written.set(count++, { files, notes });
      written.delete(count - maxConversions);
      publish(notes.map(({ uri }) => uri));
    },
    dispose: () => owned.dispose(),
  };
}

function isSameBeginning(one: WrittenFile, other: WrittenFile): boolean {
  return (
    one.uri.toString() === other.uri.toString() && linesOf(one.before) === linesOf(other.before)
  );
}

function isIn(note: Note, uri: vscode.Uri): boolean {
  return note.uri.toString() === uri.toString();
}

/** The line of a note after edits of its document; null when its text is another. */
function lineIn(
  document: vscode.TextDocument,
  note: Note,
  changes: readonly vscode.TextDocumentContentChangeEvent[],
): number | null {
  if (note.line === null) return null;
  const { character } = note.first.start;
  const line = lineAfter({ line: note.line, character }, changes);
  return line < document.lineCount && document.lineAt(line).text.trim() === note.text ? line : null;
}

/**
 * Takes the notes of a conversion away when it was undone in a document, and brings them back when
 * it was done again: that happens in all its
 * files at once. Returns the notes that this concerns.
 */
function undoneOrRedone({ files, notes }: Written, document: vscode.TextDocument): readonly Note[] {
  const file = files.find(({ uri }) => uri.toString() === document.uri.toString());
  const text = linesOf(document.getText());
  if (file !== undefined && text === linesOf(file.before)) {
    for (const note of notes) note.line = null;
    return notes;
  }
  if (file === undefined || text !== linesOf(file.after)) return [];
  const others = new Set(files.map(({ uri }) => uri.toString()));
  const back = notes.filter((note) => isIn(note, file.uri) || !others.has(note.uri.toString()));
  for (const note of back) note.line = note.first.start.line;
  return back;
}

function toDiagnostic({ line, first, message }: Note): vscode.Diagnostic[] {
  if (line === null) return [];
  const range = new vscode.Range(line, first.start.character, line, first.end.character);
  const diagnostic = new vscode.Diagnostic(range, message, vscode.DiagnosticSeverity.Information);
  diagnostic.source = source;
  diagnostic.code = { value: code, target: documentationLink('conversion-notes.md') };
  return [diagnostic];
}

function codeOf({ code: given }: vscode.Diagnostic): unknown {
  return typeof given === 'object' ? given.value : given;
}

/** The actions that take the note of a finding away, or all notes of its conversion. */
function dismissals(
  written: ReadonlyMap<number, Written>,
  uri: vscode.Uri,
  { range, message }: vscode.Diagnostic,
): vscode.CodeAction[] {
  for (const [number, { notes }] of written) {
    const isIt = (note: Note): boolean =>
      isIn(note, uri) && note.line === range.start.line && note.message === message;
    const index = notes.findIndex(isIt);
    if (index < 0) continue;
    const one = dismissal('Dismiss this note', [number, index]);
    const isOnly = notes.filter(({ line }) => line !== null).length === 1;
    return isOnly ? [one] : [one, dismissal('Dismiss all notes of this conversion', [number])];
  }
  return [];
}

function dismissal(title: string, given: readonly number[]): vscode.CodeAction {
  const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  action.command = { title, command: dismissCommand, arguments: [...given] };
  return action;
}
