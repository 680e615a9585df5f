/**
 * No part of an edit is what a client writes when a person presses its default button: each edit of
 * the server is taken as a whole.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CodeActionRequest,
  CodeActionResolveRequest,
  type AnnotatedTextEdit,
  type ChangeAnnotation,
  type CodeAction,
  type ClientCapabilities,
  type SnippetTextEdit,
  type TextDocumentEdit,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { rules } from '../../server/src/rules/index.ts';
import { readAnnotations } from '../support/analyse.ts';
import { FULL, startClient, type TestClient } from './client.ts';

const ROOT = new URL('../../', import.meta.url);

/** A client with all that lets an edit be taken in parts. */
const PREVIEWS: ClientCapabilities = {
  ...FULL,
  workspace: {
    ...FULL.workspace,
    workspaceEdit: {
      documentChanges: true,
      changeAnnotationSupport: { groupsOnLabel: true },
      snippetEditSupport: true,
    },
  },
};

/**
 * Folders with drivers of the project, and how many edits of each kind they are good for at least.
 */
const FOLDERS = [
  ['test/fixtures/convert/', { conversions: 15, comments: 7 }],
  ['test/fixtures/convert/forms/', { conversions: 5, comments: 3 }],
  ['test/fixtures/convert/fold/', { conversions: 10, comments: 3 }],
  ['test/fixtures/convert/several-files/', { conversions: 3, comments: 1 }],
  ['test/fixtures/drivers/', { conversions: 0, comments: 0 }],
  ['test/fixtures/rules/', { conversions: 0, comments: 0 }],
  ['examples/', { conversions: 2, comments: 2 }],
] as const;

let client: TestClient;
beforeAll(async () => {
  client = await startClient({
    capabilities: PREVIEWS,
    workspaceFolders: [ROOT.href.replace(/\/$/, '')],
  });
});
afterAll(async () => void (await client.stop()));

const FOR_ALL_KERNELS = 'Convert, keeping the old model under #if';
/** How many of these were offered in a folder. */
let sourcesForAllKernels = 0;

/** What is open but on no disk, by URI. */
const typed = new Map<string, string>();

describe('an edit leaves the text as it was or changes all of it that it can, by what is ticked without a person', () => {
  it.each(FOLDERS)('for the drivers of %s', async (folder, least) => {
    sourcesForAllKernels = 0;
    const found: CodeAction[] = [];
    for (const name of sources(folder))
      found.push(...(await provedActions(new URL(name, ROOT).href)));
    const count = (kind: string, start = ''): number =>
      found.filter((one) => one.kind?.startsWith(kind) && one.title.startsWith(start)).length;
    expect(count('refactor')).toBeGreaterThanOrEqual(least.conversions);
    expect(count('refactor', FOR_ALL_KERNELS)).toBeGreaterThanOrEqual(Math.sign(least.conversions));
    expect(count('quickfix', 'Suppress')).toBeGreaterThanOrEqual(least.comments);
  });

  it('for the examples of the rules, with all of their fixes', async () => {
    const found: CodeAction[] = [];
    for (const [i, example] of rules
      .flatMap((rule) => rule.examples.bad.filter((one) => one.fixed !== undefined))
      .entries()) {
      const uri = `untitled:example-${i}.c`;
      typed.set(uri, readAnnotations(example.code).code);
      found.push(...(await provedActions(uri)));
    }
    expect(
      found.filter((one) => one.kind === 'quickfix' && !one.title.startsWith('Suppress')).length,
    ).toBeGreaterThanOrEqual(20);
    expect(found.filter((one) => one.kind === 'source.fixAll.vfio').length).toBeGreaterThanOrEqual(
      5,
    );
  });
});

/** The actions for a document that have an edit, each of which is taken as a whole. */
async function provedActions(uri: string): Promise<CodeAction[]> {
  const actions = (await actionsFor(uri)).filter((action) => action.edit !== undefined);
  for (const { edit, title } of actions) {
    const whole = textsAfter(edit!, () => true);
    const byDefault = textsAfter(edit!, (annotation) => annotation?.needsConfirmation !== true);
    expect([whole, textsAfter(edit!, () => false)], `${uri}: ${title}`).toContainEqual(byDefault);
  }
  return actions;
}

/**
 * Every third driver of a folder, without those of folders that have an entry of their own: what an
 * edit looks like depends on its kind, and the unit tests make the edits of all drivers.
 */
function sources(folder: string): string[] {
  const deep = folder.endsWith('several-files/') || !folder.startsWith('test/fixtures/convert/');
  return readdirSync(fileURLToPath(new URL(folder, ROOT)), { recursive: deep })
    .map((name) => `${folder}${String(name)}`)
    .filter((name) => name.endsWith('.c'))
    .sort()
    .filter((_, i) => i % 3 === 0);
}

/** All that the server offers for a document, with the edits that it gives. */
async function actionsFor(uri: string): Promise<CodeAction[]> {
  const document = TextDocument.create(uri, 'c', 1, textOf(uri));
  client.open(uri, document.getText());
  const diagnostics = await client.diagnostics(uri);
  const range = {
    start: { line: 0, character: 0 },
    end: document.positionAt(document.getText().length),
  };
  const ask = async (only?: string[]): Promise<CodeAction[]> =>
    ((await client.connection.sendRequest(CodeActionRequest.type, {
      textDocument: { uri },
      range,
      context: { diagnostics, ...(only && { only }) },
    })) ?? []) as CodeAction[];
  const offered = [
    ...(await ask(['quickfix'])),
    ...(await ask(['refactor.rewrite.vfio'])),
    ...(await ask(['source.fixAll.vfio'])),
  ];
  const resolved: CodeAction[] = [];
  for (const action of offered.filter(isToBeDone))
    resolved.push(action.edit || action.disabled ? action : await resolve(action));
  client.close(uri);
  return resolved;
}

/**
 * One source for old and new kernels is proved for each of them, which takes longer than all other
 * actions for a driver: of a folder's it is every third, from the first on.
 */
function isToBeDone({ title }: CodeAction): boolean {
  return !title.startsWith(FOR_ALL_KERNELS) || sourcesForAllKernels++ % 3 === 0;
}

/** What is refused once it is to be done has no edit. */
async function resolve(action: CodeAction): Promise<CodeAction> {
  try {
    return await client.connection.sendRequest(CodeActionResolveRequest.type, action);
  } catch {
    return action;
  }
}

/**
 * The texts of all documents of an edit with those parts of it that `takes` takes, by what they are
 * annotated with.
 */
function textsAfter(
  edit: WorkspaceEdit,
  takes: (annotation: ChangeAnnotation | undefined) => boolean,
): Record<string, string> {
  return Object.fromEntries(
    (edit.documentChanges as TextDocumentEdit[]).map(({ textDocument: { uri }, edits }) => {
      const taken = edits
        .filter((one) => takes(edit.changeAnnotations?.[(one as AnnotatedTextEdit).annotationId]))
        .map(plain);
      return [uri, TextDocument.applyEdits(TextDocument.create(uri, 'c', 0, textOf(uri)), taken)];
    }),
  );
}

function plain(edit: TextEdit | SnippetTextEdit): TextEdit {
  return 'snippet' in edit ? { range: edit.range, newText: edit.snippet.value } : edit;
}

function textOf(uri: string): string {
  return typed.get(uri) ?? readFileSync(fileURLToPath(uri), 'utf8');
}
