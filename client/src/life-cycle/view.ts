/** The view of a life cycle beside its driver: it follows the text, the caret and the walk. */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { mentionsVfio } from '../gate.ts';
import { reveal } from '../places.ts';
import { say } from '../say.ts';
import { isSamePath, type Walk, type WalkPath } from '../walk.ts';
import { LIFE_CYCLE_VIEW } from './name.ts';
import { layOut } from './layout.ts';
import { contentOf, emptyContent, frameOf } from './page.ts';
import { svgFile } from './svg.ts';
import type { DriverLife, LifeCycle, LifeFinding, LifePlace } from './types.ts';

/** The view; one is shown at a time. */
export interface LifeCycleView extends vscode.Disposable {
  /** Shows the life of the driver in the active editor. */
  show(client: BaseLanguageClient): Promise<void>;
  /** Goes on with the view of a window that was loaded again, of which the script kept a state. */
  restore(panel: vscode.WebviewPanel, state: unknown): Promise<void>;
}

/** What the view says. */
type Message =
  | { readonly type: 'ready' }
  | { readonly type: 'driver'; readonly index: number }
  | { readonly type: 'goTo'; readonly place: number }
  | { readonly type: 'walk'; readonly finding: string }
  | { readonly type: 'step'; readonly where: 'next' | 'previous' }
  | { readonly type: 'export'; readonly what: string };

const command = 'vfio-lifecycle.lifeCycle';
/** So long after the last key the picture is drawn anew, in milliseconds. */
const pause = 400;

/**
 * @param running the server's client, undefined while there is none.
 */
export function createLifeCycleView(
  extension: vscode.Uri,
  walk: Walk,
  running: () => Promise<BaseLanguageClient | undefined>,
): LifeCycleView {
  let open: OpenView | undefined;
  const openIn = (panel: vscode.WebviewPanel): OpenView =>
    openView(panel, extension, walk, running, () => {
      open = undefined;
    });
  return {
    async show(client) {
      const document = vscode.window.activeTextEditor?.document;
      if (document === undefined) return say('no file is open whose life cycle could be shown');
      open ??= openIn(
        vscode.window.createWebviewPanel(LIFE_CYCLE_VIEW, 'Life Cycle', {
          viewColumn: vscode.ViewColumn.Beside,
          preserveFocus: true,
        }),
      );
      await open.follow(client, document.uri);
    },
    async restore(panel, state) {
      const { uri, driver } = (state ?? {}) as { readonly uri?: string; readonly driver?: number };
      // Only one is followed.
      if (open !== undefined || uri === undefined) return panel.dispose();
      open = openIn(panel);
      await open.restore(vscode.Uri.parse(uri), driver ?? 0);
    },
    dispose: () => open?.dispose(),
  };
}

interface OpenView extends vscode.Disposable {
  follow(client: BaseLanguageClient, uri: vscode.Uri): Promise<void>;
  restore(uri: vscode.Uri, driver: number): Promise<void>;
}

function openView(
  panel: vscode.WebviewPanel,
  extension: vscode.Uri,
  walk: Walk,
  running: () => Promise<BaseLanguageClient | undefined>,
  closed: () => void,
): OpenView {
  const { webview } = panel;
  let uri: vscode.Uri | undefined;
  let life: LifeCycle | undefined;
  let index = 0;
  let html = '';
  let places: readonly LifePlace[] = [];
  let asked = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const driver = (): DriverLife | undefined => life?.drivers[index] ?? life?.drivers[0];
  const send = (): void => {
    void webview.postMessage({ type: 'content', html, uri: uri?.toString(), driver: index });
    mark();
  };
  const sayInside = (why: string): void => {
    html = emptyContent(why);
    send();
  };
  const draw = (): void => {
    const numbered: LifePlace[] = [];
    html =
      life === undefined
        ? emptyContent('There is no device of VFIO in this file.')
        : contentOf(life, index, (place) => numbered.push(place) - 1);
    places = numbered;
    const shown = driver();
    panel.title = shown === undefined ? 'Life Cycle' : `Life Cycle of ${shown.name}`;
    send();
  };
  const mark = (): void => {
    const walked = walk.place;
    const finding =
      walked && driver()?.findings.find((one) => isSamePath(pathOf(one), walked.path));
    void webview.postMessage({
      type: 'mark',
      functionName: functionAtCaret(driver(), uri)?.name ?? null,
      ...(finding && {
        finding: finding.id,
        step: walked.step,
        count: walked.count,
        text: walked.text,
      }),
    });
  };
  const ask = async (client: BaseLanguageClient | undefined): Promise<void> => {
    const number = ++asked;
    if (client === undefined || uri === undefined) return;
    try {
      const given = { command, arguments: [{ uri: client.code2ProtocolConverter.asUri(uri) }] };
      const answer = await client.sendRequest<LifeCycle | null>('workspace/executeCommand', given);
      if (number !== asked) return;
      life = answer ?? undefined;
      draw();
    } catch (error) {
      if (number !== asked) return;
      if (isOutdated(error)) return askSoon();
      life = undefined;
      sayInside(`The picture cannot be drawn: ${String(error)}`);
    }
  };
  const askSoon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void running().then(ask), pause);
  };
  const follow = async (client: BaseLanguageClient, next: vscode.Uri): Promise<void> => {
    if (uri?.toString() !== next.toString()) index = 0;
    uri = next;
    panel.reveal(undefined, true);
    await ask(client);
  };
  const restore = async (next: vscode.Uri, driverIndex: number): Promise<void> => {
    [uri, index] = [next, driverIndex];
    // The server answers for documents that are open, which this one is not in a tab that was not
    // shown since.
    try {
      await vscode.workspace.openTextDocument(next);
    } catch {
      return sayInside('The file cannot be opened any more.');
    }
    const client = await running();
    if (client === undefined) sayInside('There is no server that could analyse the file.');
    else await ask(client);
  };
  const goTo = async (place: LifePlace | undefined): Promise<void> => {
    if (place === undefined) return;
    if ((await reveal(uriOf(place), rangeOf(place))) === undefined)
      say('the file cannot be opened');
  };
  const startWalk = async (id: string): Promise<void> => {
    const finding = driver()?.findings.find((one) => one.id === id);
    if (finding !== undefined) await walk.start(pathOf(finding), true);
  };
  const answerView = async (message: Message): Promise<void> => {
    if (message.type === 'ready') send();
    else if (message.type === 'goTo') await goTo(places[message.place]);
    else if (message.type === 'walk') await startWalk(message.finding);
    else if (message.type === 'step') await walk.go(message.where === 'next' ? 1 : -1, true);
    else if (message.type === 'export') await exportLife(message.what, life, driver());
    else {
      index = message.index;
      draw();
    }
  };

  const owned = vscode.Disposable.from(
    { dispose: () => clearTimeout(timer) },
    webview.onDidReceiveMessage(answerView),
    walk.onDidChange(mark),
    vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
      if (textEditor.document.uri.toString() === uri?.toString()) mark();
    }),
    vscode.window.onDidChangeActiveTextEditor((editor) => {
      if (editor === undefined || !isDriver(editor.document)) return mark();
      if (editor.document.uri.toString() === uri?.toString()) return mark();
      void running().then((client) => client && follow(client, editor.document.uri));
    }),
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (contentChanges.length > 0 && isShown(document.uri, uri, life)) askSoon();
    }),
    panel.onDidDispose(() => {
      owned.dispose();
      closed();
    }),
  );
  const nonce = crypto.randomUUID().replaceAll('-', '');
  const folder = vscode.Uri.joinPath(extension, 'dist/web');
  webview.options = { enableScripts: true, localResourceRoots: [folder] };
  const script = webview.asWebviewUri(vscode.Uri.joinPath(folder, 'life-cycle-view.js'));
  html = emptyContent('Waiting for the analysis.');
  webview.html = frameOf({ nonce, script: script.toString() });
  return { follow, restore, dispose: () => panel.dispose() };
}

/** The document has changed meanwhile, or the server had to do something else. */
function isOutdated(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return [-32800, -32801, -32802].includes(Number(code));
}

function isDriver(document: vscode.TextDocument): boolean {
  return document.languageId === 'c' && mentionsVfio(document.getText());
}

/** Whether a document is the one that is shown, or another that the picture speaks of. */
function isShown(
  document: vscode.Uri,
  uri: vscode.Uri | undefined,
  life: LifeCycle | undefined,
): boolean {
  if (document.toString() === uri?.toString()) return true;
  const steps = life?.drivers.flatMap((driver) => driver.steps) ?? [];
  return steps.some(
    ({ place }) => place !== null && uriOf(place).toString() === document.toString(),
  );
}

/** The function in which the caret is, in the editor of the driver. */
function functionAtCaret(
  driver: DriverLife | undefined,
  uri: vscode.Uri | undefined,
): DriverLife['functions'][number] | undefined {
  const editor = vscode.window.visibleTextEditors.find(
    ({ document }) => document.uri.toString() === uri?.toString(),
  );
  if (editor === undefined) return undefined;
  const { line } = editor.selection.active;
  return driver?.functions.find(
    ({ place }) =>
      uriOf(place).toString() === uri?.toString() &&
      place.range.start.line <= line &&
      line <= place.range.end.line,
  );
}

function pathOf({ rule, path }: LifeFinding): WalkPath {
  const steps = path.map(({ place, message }) => ({
    uri: uriOf(place),
    range: rangeOf(place),
    message,
  }));
  return { rule, steps };
}

function uriOf({ uri }: LifePlace): vscode.Uri {
  return vscode.Uri.parse(uri);
}

function rangeOf({ range: { start, end } }: LifePlace): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}

/** Writes the picture where a person says, or puts its text on the clipboard. */
async function exportLife(
  what: string,
  life: LifeCycle | undefined,
  driver: DriverLife | undefined,
): Promise<void> {
  if (life === undefined || driver === undefined) return say('there is no picture yet');
  if (what === 'mermaid') {
    await vscode.env.clipboard.writeText(life.mermaid);
    return say('the text for Mermaid is on the clipboard');
  }
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const name = `${driver.name.replace(/[^\w.-]+/g, '-')}.svg`;
  const target = await vscode.window.showSaveDialog({
    title: 'Save the Life Cycle as SVG',
    filters: { 'SVG image': ['svg'] },
    ...(folder && { defaultUri: vscode.Uri.joinPath(folder, name) }),
  });
  if (target === undefined) return;
  const text = svgFile(layOut(driver), `Life cycle of ${driver.name}`);
  await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
  say('the picture is saved');
}
