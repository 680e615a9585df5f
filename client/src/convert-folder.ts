/** The conversion of all drivers of a folder: a list with a verdict for each, and one edit. */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { sourcesIn } from './files.ts';
import { mentionsVfio } from './gate.ts';
import { askRefusal, type Obstacle } from './refusal.ts';
import type { Review } from './review.ts';
import { say } from './say.ts';
import type { Conversion } from './whole-conversion.ts';

/** What became of a driver. */
type Verdict =
  | { readonly uri: vscode.Uri; readonly conversion: Conversion }
  | {
      readonly uri: vscode.Uri;
      readonly reason: string;
      readonly obstacles: readonly Obstacle[];
    };

type Converted = Extract<Verdict, { conversion: Conversion }>;
type Refused = Exclude<Verdict, Converted>;

const title = 'Convert All Drivers in Folder';

/** Asks which of the drivers of a folder are converted, and what becomes of the conversions. */
export async function convertFolder(
  client: BaseLanguageClient,
  review: Review,
  output: vscode.LogOutputChannel,
  given?: vscode.Uri,
): Promise<void> {
  const folder = given ?? (await askFolder());
  if (folder === undefined) return say('no folder is open whose drivers could be converted');
  const verdicts = await judge(client, folder);
  if (verdicts === undefined) return say('the drivers were not converted: cancelled');
  const converted = withoutRepeats(verdicts.filter((one) => 'conversion' in one));
  const refused = verdicts.filter((one) => 'reason' in one);
  for (const one of refused)
    output.info(`not converted: ${nameIn(folder, one.uri)}: ${one.reason}`);
  if (converted.length + refused.length === 0) return say('nothing to convert in this folder');
  const chosen = await pick(folder, converted, refused, output);
  if (chosen === undefined || chosen.length === 0) return;
  await take(client, review, folder, joined(chosen));
}

async function askFolder(): Promise<vscode.Uri | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length <= 1) return folders[0]?.uri;
  return (await vscode.window.showWorkspaceFolderPick())?.uri;
}

/** A verdict for each file of which there is something to say; undefined when it was cancelled. */
function judge(
  client: BaseLanguageClient,
  folder: vscode.Uri,
): Thenable<readonly Verdict[] | undefined> {
  const place = vscode.ProgressLocation.Notification;
  return vscode.window.withProgress(
    { location: place, title: 'VFIO Lifecycle: looking for drivers', cancellable: true },
    async (progress, token) => {
      const uris = (await sourcesIn(folder, token)).filter(({ path }) => path.endsWith('.c'));
      uris.sort((left, right) => (left.path < right.path ? -1 : 1));
      const verdicts: Verdict[] = [];
      for (const [i, uri] of uris.entries()) {
        if (token.isCancellationRequested) return undefined;
        progress.report({
          message: `${i + 1} of ${uris.length} files`,
          increment: 100 / uris.length,
        });
        const verdict = await judgeFile(client, uri);
        if (verdict !== undefined) verdicts.push(verdict);
      }
      return verdicts;
    },
  );
}

async function judgeFile(
  client: BaseLanguageClient,
  uri: vscode.Uri,
): Promise<Verdict | undefined> {
  const text = await Promise.resolve(vscode.workspace.fs.readFile(uri)).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => '',
  );
  if (!mentionsVfio(text)) return undefined;
  const document = await vscode.workspace.openTextDocument(uri);
  const data = {
    uri: client.code2ProtocolConverter.asUri(uri),
    version: document.version,
    style: 'minimal',
  };
  try {
    const conversion = await client.sendRequest<Conversion>('vfioLifecycle/conversion', data);
    return { uri, conversion };
  } catch (error) {
    const refusal = await askRefusal(client, data).catch(() => undefined);
    if (refusal?.status === 'unchanged') return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    return { uri, reason, obstacles: refusal?.obstacles ?? [] };
  }
}

/** The same conversion is offered from each file of a driver. */
function withoutRepeats(converted: readonly Converted[]): readonly Converted[] {
  const taken = new Set<string>();
  return converted.filter(({ conversion: { files } }) => {
    // Of two conversions that change one file only the first can be written as it is.
    if (files.some(({ uri }) => taken.has(uri))) return false;
    for (const { uri } of files) taken.add(uri);
    return true;
  });
}

interface DriverItem extends vscode.QuickPickItem {
  readonly verdict?: Verdict;
}

/** The list; what cannot be converted stands in it with its reason, and cannot be chosen. */
async function pick(
  folder: vscode.Uri,
  converted: readonly Converted[],
  refused: readonly Refused[],
  output: vscode.LogOutputChannel,
): Promise<readonly Converted[] | undefined> {
  const list = vscode.window.createQuickPick<DriverItem>();
  const why = { iconPath: new vscode.ThemeIcon('go-to-file'), tooltip: 'Go to what is in the way' };
  const items: DriverItem[] = converted.map((verdict) => ({
    label: nameIn(folder, verdict.uri),
    description: verdictOf(verdict.conversion),
    verdict,
  }));
  const others: DriverItem[] = refused.map((verdict) => ({
    label: `$(circle-slash) ${nameIn(folder, verdict.uri)}`,
    description: 'not converted',
    detail: verdict.reason,
    buttons: [why],
    verdict,
  }));
  const cannot = refused.length === 0 ? '' : `, ${refused.length} cannot`;
  list.title = `${title}: ${converted.length} can be converted${cannot}`;
  list.placeholder = 'Which of them?';
  list.canSelectMany = true;
  list.ignoreFocusOut = true;
  list.matchOnDescription = list.matchOnDetail = true;
  const hasBoth = items.length > 0 && others.length > 0;
  const between = { label: '', kind: vscode.QuickPickItemKind.Separator };
  list.items = [...items, ...(hasBoth ? [between] : []), ...others];
  list.selectedItems = items;
  const canBeChosen = ({ verdict }: DriverItem): boolean =>
    verdict !== undefined && 'conversion' in verdict;
  list.onDidChangeSelection((selected) => {
    if (!selected.every(canBeChosen)) list.selectedItems = selected.filter(canBeChosen);
  });
  list.onDidTriggerItemButton(({ item: { verdict } }) => {
    if (verdict === undefined || !('reason' in verdict)) return;
    output.info(`not converted: ${nameIn(folder, verdict.uri)}: ${verdict.reason}`);
    void goToObstacle(verdict);
  });
  try {
    return await new Promise<readonly Converted[] | undefined>((resolve) => {
      list.onDidAccept(() =>
        resolve(
          list.selectedItems.flatMap(({ verdict }) =>
            verdict !== undefined && 'conversion' in verdict ? [verdict] : [],
          ),
        ),
      );
      list.onDidHide(() => resolve(undefined));
      list.show();
    });
  } finally {
    list.dispose();
  }
}

async function goToObstacle({ uri, obstacles }: Refused): Promise<void> {
  const [first] = obstacles;
  const line = first?.range?.start.line ?? 0;
  await vscode.window.showTextDocument(first === undefined ? uri : vscode.Uri.parse(first.uri), {
    selection: new vscode.Range(line, 0, line, 0),
    preserveFocus: true,
  });
}

function verdictOf({ files, notes }: Conversion): string {
  const where = files.length === 1 ? '' : `${files.length} files`;
  const what = notes.length === 1 ? 'one thing to look at' : `${notes.length} things to look at`;
  return ['can be converted', where, notes.length === 0 ? '' : what].filter(Boolean).join(', ');
}

function nameIn(folder: vscode.Uri, uri: vscode.Uri): string {
  const start = folder.path.endsWith('/') ? folder.path : `${folder.path}/`;
  return uri.path.startsWith(start) ? uri.path.slice(start.length) : uri.path;
}

function joined(chosen: readonly Converted[]): Conversion {
  const conversions = chosen.map(({ conversion }) => conversion);
  return {
    files: conversions.flatMap(({ files }) => files),
    notes: conversions.flatMap(({ notes }) => notes),
    wantsEyes: true,
    message: conversions.map(({ message }) => message).join('\n'),
  };
}

/** One edit, the differences, or a patch file. */
async function take(
  client: BaseLanguageClient,
  review: Review,
  folder: vscode.Uri,
  conversion: Conversion,
): Promise<void> {
  const answers = [
    { label: '$(check-all) Apply', detail: 'One step to undo, and not saved', does: 'apply' },
    { label: '$(diff-multiple) Show Changes', detail: 'And then apply or discard', does: 'show' },
    { label: '$(save) Save as Patch…', detail: 'For git apply; no file changes', does: 'patch' },
  ] as const;
  const does = (await vscode.window.showQuickPick(answers, { title, ignoreFocusOut: true }))?.does;
  if (does === 'apply') await review.write(client, conversion);
  else if (does === 'show') await review.show(client, conversion);
  else if (does === 'patch') await savePatch(client, folder, conversion);
}

async function savePatch(
  client: BaseLanguageClient,
  folder: vscode.Uri,
  { files }: Conversion,
): Promise<void> {
  const target = await vscode.window.showSaveDialog({
    title: 'Save the Conversion as a Patch',
    defaultUri: vscode.Uri.joinPath(folder, 'vfio-conversion.patch'),
    filters: { Patch: ['patch', 'diff'] },
  });
  if (target === undefined) return;
  const texts = files.map(({ uri, before, after }) => ({
    path: nameIn(folder, client.protocol2CodeConverter.asUri(uri)),
    before,
    after,
  }));
  const { patch } = await client.sendRequest<{ patch: string }>('vfioLifecycle/patch', {
    files: texts,
  });
  await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(patch));
  say(`saved a patch of ${files.length === 1 ? 'one file' : `${files.length} files`}`);
}
