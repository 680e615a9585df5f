/** What a person sees of a conversion before it is written: a question, and on request the differences of all files. */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { say } from './say.ts';
import { nameOf, writeWhole, type Conversion } from './whole-conversion.ts';

/** Shows conversions and writes those that a person takes. One is shown at a time. */
export interface Review extends vscode.Disposable {
  /** Writes a conversion, after a question where it wants eyes. */
  offer(client: BaseLanguageClient, conversion: Conversion): Promise<void>;
}

/** The scheme of the documents that hold the converted text. */
const scheme = 'vfio-lifecycle-converted';
const apply = 'Apply';
const showChanges = 'Show Changes';

/** How many files the question names before it only counts them. */
const namedFiles = 4;
/** How many notes fit into it. */
const shownNotes = 6;

/** What is in the editor of differences. */
interface Shown {
  readonly client: BaseLanguageClient;
  readonly conversion: Conversion;
  /** Of its tab: what tells it from others. */
  readonly title: string;
}

export function createReview(output: () => vscode.LogOutputChannel): Review {
  let shown: Shown | undefined;
  let count = 0;

  // VS Code puts the number of files behind the title.
  const isShown = (tab: vscode.Tab | undefined): boolean =>
    shown !== undefined && (tab?.label === shown.title || tab?.label.startsWith(`${shown.title} (`) === true);
  const discard = async (): Promise<void> => {
    const tab = vscode.window.tabGroups.all.flatMap((group) => group.tabs).find(isShown);
    shown = undefined;
    if (tab !== undefined) await vscode.window.tabGroups.close(tab);
  };
  const show = async (client: BaseLanguageClient, conversion: Conversion): Promise<void> => {
    await discard();
    count++;
    shown = { client, conversion, title: `Conversion of ${filesOf(conversion)}` };
    const resources = conversion.files.map(({ uri }, i) => {
      const original = client.protocol2CodeConverter.asUri(uri);
      // The query tells this conversion from the one that was shown before, whose text VS Code may still have.
      return [original, original, original.with({ scheme, query: `${count}:${i}` })];
    });
    await vscode.commands.executeCommand('vscode.changes', shown.title, resources);
  };
  const followTabs = (): void => {
    const isActive = isShown(vscode.window.tabGroups.activeTabGroup.activeTab);
    void vscode.commands.executeCommand('setContext', 'vfioLifecycle.showsConversion', isActive);
  };

  const owned = vscode.Disposable.from(
    vscode.workspace.registerTextDocumentContentProvider(scheme, {
      provideTextDocumentContent: ({ query }) => shown?.conversion.files[Number(query.split(':')[1])]?.after ?? '',
    }),
    vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
      if (closed.some(isShown)) shown = undefined;
      followTabs();
    }),
    vscode.window.tabGroups.onDidChangeTabGroups(followTabs),
    vscode.commands.registerCommand('vfioLifecycle.applyShownConversion', async () => {
      const taken = shown;
      if (taken === undefined) return;
      await discard();
      await write(taken.client, taken.conversion);
    }),
    vscode.commands.registerCommand('vfioLifecycle.discardShownConversion', discard),
  );

  return {
    async offer(client, conversion) {
      if (!conversion.wantsEyes) return write(client, conversion);
      for (const note of conversion.notes) output().info(note);
      const detail = detailOf(conversion);
      const answer = await vscode.window.showInformationMessage(`Convert ${filesOf(conversion)}?`, { modal: true, detail }, apply, showChanges);
      if (answer === apply) await write(client, conversion);
      else if (answer === showChanges) await show(client, conversion);
    },
    dispose: () => owned.dispose(),
  };
}

async function write(client: BaseLanguageClient, conversion: Conversion): Promise<void> {
  const problem = await writeWhole(client, conversion);
  say(problem === undefined ? `converted ${filesOf(conversion)}, not saved yet` : `nothing was converted: ${problem}`);
}

/** The files by their names, or how many there are. */
function filesOf({ files }: Conversion): string {
  const names = files.map(({ uri }) => nameOf(uri));
  if (names.length > namedFiles || new Set(names).size < names.length) return `${names.length} files`;
  const last = names.pop() ?? '';
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`;
}

/** The notes, and what a yes does. */
function detailOf({ files, notes }: Conversion): string {
  const more = notes.length - shownNotes;
  const points = notes.slice(0, shownNotes).map((note) => `• ${note}`);
  if (more > 0) points.push(`• and ${more} more in the output`);
  const what = files.length === 1 ? 'All of it' : `All ${files.length} files`;
  return [...points, `${what} or nothing: one step to undo, and not saved.`].join('\n\n');
}
