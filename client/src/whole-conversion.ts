/** A conversion as the server hands it over, and the one way to write it: all of it or nothing. */
import * as vscode from 'vscode';
import type { BaseLanguageClient, Range, TextEdit } from 'vscode-languageclient';

/** One file of a conversion: `after` is `before` with all edits made. */
export interface ConvertedFile {
  readonly uri: string;
  readonly before: string;
  readonly after: string;
  readonly edits: readonly TextEdit[];
}

/** A note at the line of the result that it speaks of. */
export interface ConversionNote {
  /** For a list: it may name lines, of the text before where it does not say otherwise. */
  readonly text: string;
  /** For where it stands at its line. */
  readonly message: string;
  readonly uri: string;
  /** Of the text of the line, without the blanks around it. */
  readonly range: Range;
  /** That text. */
  readonly lineText: string;
}

/** What the server answers to `vfioLifecycle/conversion`. */
export interface Conversion {
  readonly files: readonly ConvertedFile[];
  /** A person should say yes first. */
  readonly wantsEyes: boolean;
  /** What the person who reads the result has to look at. */
  readonly notes: readonly ConversionNote[];
  /** A subject and a body for the commit. */
  readonly message: string;
}

/**
 * Writes the conversion into the editors, one step to undo over all files, and saves none. Returns
 * undefined, or, when nothing at all was
 * written, why: a clause. A file that cannot be read or has another text than the one that was
 * converted is such a reason.
 */
export async function writeWhole(
  client: BaseLanguageClient,
  { files }: Conversion,
): Promise<string | undefined> {
  const edit = new vscode.WorkspaceEdit();
  for (const { uri, before, edits } of files) {
    const document = await openDocument(client.protocol2CodeConverter.asUri(uri));
    if (document === undefined) return `${nameOf(uri)} cannot be read`;
    if (linesOf(document.getText()) !== linesOf(before)) return `${nameOf(uri)} has changed`;
    edit.set(document.uri, await client.protocol2CodeConverter.asTextEdits([...edits]));
  }
  // VS Code knows the versions of the documents that were opened here, and makes no part of an edit
  // when one of them is another by now.
  return (await vscode.workspace.applyEdit(edit))
    ? undefined
    : 'a file has changed meanwhile or cannot be written';
}

/** The name of a file as a person knows it. */
export function nameOf(uri: string): string {
  // What is not saved yet has a name behind a colon: `untitled:a.c`.
  return uri.slice(Math.max(uri.lastIndexOf('/'), uri.lastIndexOf(':')) + 1);
}

async function openDocument(uri: vscode.Uri): Promise<vscode.TextDocument | undefined> {
  try {
    return await vscode.workspace.openTextDocument(uri);
  } catch {
    return undefined;
  }
}

/**
 * A text with one kind of line end: VS Code gives a document one, and the places of edits are the
 * same with any.
 */
export function linesOf(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}
