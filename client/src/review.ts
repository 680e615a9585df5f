/**
 * What a person sees of a conversion before it is written: a question, and on request the
 * differences of all files.
 */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { createNotes } from './notes.ts';
import { placeText } from './places.ts';
import { say } from './say.ts';
import { nameOf, writeWhole, type Conversion } from './whole-conversion.ts';

/** Shows conversions and writes those that a person takes. One is shown at a time. */
export interface Review extends vscode.Disposable {
  /** Writes a conversion, after a question where it wants eyes. */
  offer(client: BaseLanguageClient, conversion: Conversion): Promise<void>;
  /** Shows the differences of all files, and the notes; then it can be applied or discarded. */
  show(client: BaseLanguageClient, conversion: Conversion): Promise<void>;
  /** Writes the conversion that is shown. */
  applyShown(): Promise<void>;
  discardShown(): Promise<void>;
  /** Writes a conversion that a person has said yes to. */
  write(client: BaseLanguageClient, conversion: Conversion): Promise<void>;
}

/** The scheme of the documents that hold the converted text. */
const scheme = 'vfio-lifecycle-converted';

/** What the notes are called among the differences. */
const notesName = 'To be looked at.md';

/** How many files the question names before it only counts them. */
const namedFiles = 4;
/** What fits into one line of it. */
const lineLength = 80;

/** What is in the editor of differences. */
interface Shown {
  readonly client: BaseLanguageClient;
  readonly conversion: Conversion;
  /** Of its tab: what tells it from others. */
  readonly title: string;
}

export function createReview(output: () => vscode.LogOutputChannel): Review {
  const found = createNotes();
  let shown: Shown | undefined;
  let count = 0;

  // VS Code puts the number of files behind the title.
  const isShown = (tab: vscode.Tab | undefined): boolean =>
    shown !== undefined &&
    (tab?.label === shown.title || tab?.label.startsWith(`${shown.title} (`) === true);
  const discard = async (): Promise<void> => {
    const tab = vscode.window.tabGroups.all.flatMap((group) => group.tabs).find(isShown);
    shown = undefined;
    if (tab !== undefined) await vscode.window.tabGroups.close(tab);
  };
  const show = async (client: BaseLanguageClient, conversion: Conversion): Promise<void> => {
    await discard();
    count++;
    // VS Code counts the notes too.
    const withNotes = conversion.notes.length === 0 ? '' : ' and notes';
    shown = { client, conversion, title: `Conversion of ${filesOf(conversion)}${withNotes}` };
    const files = conversion.files.map(({ uri }, i) => {
      const original = client.protocol2CodeConverter.asUri(uri);
      // The query tells this conversion from the one that was shown before, whose text VS Code may
      // still have.
      return [original, original, original.with({ scheme, query: `${count}:${i}` })];
    });
    const notes = vscode.Uri.from({ scheme, path: `/${notesName}`, query: `${count}:notes` });
    const resources = conversion.notes.length === 0 ? files : [[notes, undefined, notes], ...files];
    await vscode.commands.executeCommand('vscode.changes', shown.title, resources);
  };
  const write = async (client: BaseLanguageClient, conversion: Conversion): Promise<void> => {
    const problem = await writeWhole(client, conversion);
    if (problem !== undefined) return say(`nothing was converted: ${problem}`);
    say(`converted ${filesOf(conversion)}, not saved yet`);
    found.show(client, conversion);
    void tellNotes(client, conversion, output());
  };
  const followTabs = (): void => {
    const isActive = isShown(vscode.window.tabGroups.activeTabGroup.activeTab);
    void vscode.commands.executeCommand('setContext', 'vfioLifecycle.showsConversion', isActive);
  };

  const owned = vscode.Disposable.from(
    found,
    vscode.workspace.registerTextDocumentContentProvider(scheme, {
      provideTextDocumentContent: ({ query }) => {
        const part = query.split(':')[1];
        return part === 'notes'
          ? notesText(shown?.conversion.notes ?? [])
          : (shown?.conversion.files[Number(part)]?.after ?? '');
      },
    }),
    vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
      if (closed.some(isShown)) shown = undefined;
      followTabs();
    }),
    vscode.window.tabGroups.onDidChangeTabGroups(followTabs),
  );

  return {
    async offer(client, conversion) {
      if (!conversion.wantsEyes) return write(client, conversion);
      const answer = await question(conversion);
      if (answer === 'apply') await write(client, conversion);
      else if (answer === 'show') await show(client, conversion);
    },
    show,
    async applyShown() {
      const taken = shown;
      if (taken === undefined) return;
      await discard();
      await write(taken.client, taken.conversion);
    },
    discardShown: discard,
    write,
    dispose: () => owned.dispose(),
  };
}

/**
 * Says what a person has to look at, and offers what the commit can say. Without notes nothing pops
 * up.
 */
async function tellNotes(
  client: BaseLanguageClient,
  conversion: Conversion,
  output: vscode.LogOutputChannel,
): Promise<void> {
  const { files, notes, message } = conversion;
  if (notes.length === 0) return;
  output.info(`converted ${filesOf(conversion)}; to be looked at:`);
  for (const note of notes) {
    const place = placeText(client.protocol2CodeConverter.asUri(note.uri), note.range.start.line);
    output.info(`${place}: ${note.message}`);
  }
  const what = files.length === 1 ? filesOf(conversion) : `${files.length} files`;
  const things = notes.length === 1 ? 'one thing' : `${notes.length} things`;
  const answers = ['Show', 'Copy Commit Message'] as const;
  const answer = await vscode.window.showInformationMessage(
    `Converted ${what}; ${things} to look at`,
    ...answers,
  );
  if (answer === 'Show') output.show(true);
  else if (answer === 'Copy Commit Message') await vscode.env.clipboard.writeText(message);
}

/** The notes as a text of its own. */
function notesText(notes: Conversion['notes']): string {
  const lines = notes.map(({ text, uri }) => `- ${nameOf(uri)}: ${text}\n`);
  return `To be looked at in the result:\n\n${lines.join('')}`;
}

/** The files by their names, or how many there are. */
function filesOf({ files }: Conversion): string {
  const names = files.map(({ uri }) => nameOf(uri));
  if (names.length > namedFiles || new Set(names).size < names.length)
    return `${names.length} files`;
  const last = names.pop() ?? '';
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`;
}

/** An answer, or a note, which is answered by the changes that it speaks of. */
interface Answer extends vscode.QuickPickItem {
  readonly does?: 'apply' | 'show' | 'nothing';
}

/**
 * Asks in the place where VS Code asks for a choice: it is no pop-up, its first answer is all of
 * the conversion, and Escape leaves all as
 * it is.
 */
async function question(conversion: Conversion): Promise<Answer['does']> {
  const { files, notes } = conversion;
  const what = files.length === 1 ? 'All of it' : `All ${files.length} files`;
  const items: Answer[] = [
    {
      label: '$(check-all) Apply',
      detail: `${what} or nothing: one step to undo, and not saved`,
      does: 'apply',
    },
    {
      label: '$(diff-multiple) Show Changes',
      detail: 'The differences, and then to apply or discard them',
      does: 'show',
    },
    { label: '$(close) Cancel', does: 'nothing' },
    { label: 'to be looked at', kind: vscode.QuickPickItemKind.Separator },
    ...notes.map(({ text }): Answer => ({ ...inLines(text), does: 'show' })),
  ];
  const title = `Convert ${filesOf(conversion)}?`;
  return (
    await vscode.window.showQuickPick(items, {
      title,
      placeHolder: 'Enter applies all of it, Escape changes nothing',
      ignoreFocusOut: true,
    })
  )?.does;
}

/** A note on the two lines that an entry has. */
function inLines(note: string): { label: string; detail: string } {
  const end = note.length <= lineLength ? note.length : note.lastIndexOf(' ', lineLength);
  return { label: note.slice(0, end), detail: note.slice(end).trim() };
}
