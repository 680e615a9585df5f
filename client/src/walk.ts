/** The path of a finding, walked step by step: the text follows. */
import * as vscode from 'vscode';
import { WALK_PATH } from './command-names.ts';
import { ruleOf } from './documentation.ts';
import { lineAfter } from './line-changes.ts';
import { reveal } from './places.ts';
import { say } from './say.ts';

/** A place on the way to a finding, and what happens there. */
export interface WalkStep {
  readonly uri: vscode.Uri;
  readonly range: vscode.Range;
  readonly message: string;
}

/** The way to a finding of a rule; the finding itself is the last step. */
export interface WalkPath {
  readonly rule: string;
  readonly steps: readonly WalkStep[];
}

/** Where a walk is. */
export interface WalkPlace {
  /** What was given to `start`, at its lines of today. */
  readonly path: WalkPath;
  readonly step: number;
  readonly count: number;
  /** `2 of 3: the registration fails` */
  readonly text: string;
}

/** One path is walked at a time. */
export interface Walk extends vscode.Disposable {
  /** Goes to the first step. */
  start(path: WalkPath, preserveFocus?: boolean): Promise<void>;
  /** One step on, or back; nothing happens at an end. */
  go(by: 1 | -1, preserveFocus?: boolean): Promise<void>;
  end(): void;
  readonly place: WalkPlace | undefined;
  readonly onDidChange: vscode.Event<void>;
}

interface Walking {
  path: WalkPath;
  step: number;
}

const isWalking = 'vfioLifecycle.isWalking';

export function createWalk(): Walk {
  const changed = new vscode.EventEmitter<void>();
  const line = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.stackFrameHighlightBackground'),
    overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.warningForeground'),
    after: {
      margin: '0 0 0 2em',
      color: new vscode.ThemeColor('editor.foreground'),
      fontStyle: 'italic',
    },
  });
  let item: vscode.StatusBarItem | undefined;
  let walking: Walking | undefined;

  const currentStep = (): WalkStep | undefined => walking?.path.steps[walking.step];
  const place = (): WalkPlace | undefined => {
    const step = currentStep();
    if (walking === undefined || step === undefined) return undefined;
    const { path, step: number } = walking;
    const count = path.steps.length;
    return { path, step: number, count, text: `${number + 1} of ${count}: ${step.message}` };
  };
  const decorate = (): void => {
    const step = currentStep();
    const contentText = place()?.text;
    for (const editor of vscode.window.visibleTextEditors) {
      const isIt = step?.uri.toString() === editor.document.uri.toString();
      editor.setDecorations(
        line,
        isIt && step
          ? [
              {
                range: step.range,
                hoverMessage: contentText,
                renderOptions: { after: { contentText } },
              },
            ]
          : [],
      );
    }
  };
  const tell = (): void => {
    const text = place()?.text;
    void vscode.commands.executeCommand('setContext', isWalking, text !== undefined);
    if (text === undefined) {
      item?.dispose();
      item = undefined;
    } else {
      item ??= vscode.window.createStatusBarItem('vfioLifecycle.walk', 1);
      item.name = 'VFIO Lifecycle: Path of a Finding';
      item.text = `$(debug-step-over) ${text}`;
      item.tooltip = `${text}\n\nA click goes to the next step of the path.`;
      item.command = 'vfioLifecycle.nextStep';
      item.accessibilityInformation = { label: `Step ${text}`, role: 'button' };
      item.show();
    }
    decorate();
    changed.fire();
  };
  const show = async (preserveFocus: boolean): Promise<void> => {
    const step = currentStep();
    if (step === undefined) return;
    const editor = await reveal(step.uri, step.range, preserveFocus);
    if (editor === undefined) say(`the file of this step cannot be opened: ${step.message}`);
    tell();
  };
  const walk: Walk = {
    async start(path, preserveFocus = false) {
      if (path.steps.length === 0) return;
      walking = { path, step: 0 };
      await show(preserveFocus);
    },
    async go(by, preserveFocus = false) {
      const next = (walking?.step ?? 0) + by;
      if (walking?.path.steps[next] === undefined) return;
      walking.step = next;
      await show(preserveFocus);
    },
    end() {
      walking = undefined;
      tell();
    },
    get place() {
      return place();
    },
    onDidChange: changed.event,
    dispose: () => owned.dispose(),
  };

  const owned = vscode.Disposable.from(
    changed,
    line,
    { dispose: () => item?.dispose() },
    vscode.window.onDidChangeVisibleTextEditors(decorate),
    vscode.workspace.onDidChangeTextDocument((event) => {
      if (walking === undefined || event.contentChanges.length === 0) return;
      const { rule, steps } = walking.path;
      walking.path = { rule, steps: steps.map((step) => moved(step, event)) };
      decorate();
    }),
  );
  return walk;
}

/** Whether two ways lead by the same lines to findings of one rule. */
export function isSamePath(one: WalkPath, other: WalkPath): boolean {
  return (
    one.rule === other.rule &&
    one.steps.length === other.steps.length &&
    one.steps.every(({ uri, range }, i) => {
      const there = other.steps[i]!;
      return there.uri.toString() === uri.toString() && there.range.start.line === range.start.line;
    })
  );
}

/** A step after an edit of its document. */
function moved(
  step: WalkStep,
  { document, contentChanges }: vscode.TextDocumentChangeEvent,
): WalkStep {
  if (document.uri.toString() !== step.uri.toString()) return step;
  const by = lineAfter(step.range.start, contentChanges) - step.range.start.line;
  return by === 0 ? step : { ...step, range: shifted(step.range, by) };
}

function shifted({ start, end }: vscode.Range, by: number): vscode.Range {
  const line = Math.max(0, start.line + by);
  return new vscode.Range(line, start.character, Math.max(line, end.line + by), end.character);
}

/** Walks that finding, else the one at the caret, else one that a person picks. */
export async function walkFinding(
  walk: Walk,
  uri?: vscode.Uri,
  finding?: vscode.Diagnostic,
): Promise<void> {
  if (uri !== undefined && finding !== undefined) return walk.start(pathOf(uri, finding));
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) return;
  const findings = vscode.languages
    .getDiagnostics(editor.document.uri)
    .filter((one) => ruleOf(one) !== undefined && hasPath(one));
  const wanted = await choose(findings, editor.selection.active);
  if (wanted !== undefined) await walk.start(pathOf(editor.document.uri, wanted));
  else if (findings.length === 0) say('no finding with a path in this file');
}

function hasPath({ relatedInformation = [] }: vscode.Diagnostic): boolean {
  return relatedInformation.length > 0;
}

async function choose(
  findings: readonly vscode.Diagnostic[],
  caret: vscode.Position,
): Promise<vscode.Diagnostic | undefined> {
  const here = findings.filter(({ range }) => range.contains(caret));
  const onLine = findings.filter(({ range }) => range.start.line === caret.line);
  const nearest = [here, onLine, findings].find((some) => some.length > 0) ?? [];
  if (nearest.length <= 1 && nearest !== findings) return nearest[0];
  const items = nearest.map((finding) => ({
    label: finding.message,
    description: `line ${finding.range.start.line + 1}`,
    detail: ruleOf(finding),
    finding,
  }));
  const title = 'The Path of a Finding';
  return (await vscode.window.showQuickPick(items, { title }))?.finding;
}

/** What a finding tells of the way to it, and then the finding itself. */
function pathOf(uri: vscode.Uri, finding: vscode.Diagnostic): WalkPath {
  const related = (finding.relatedInformation ?? []).map(({ location, message }) => ({
    uri: location.uri,
    range: location.range,
    message,
  }));
  const { range, message } = finding;
  return { rule: ruleOf(finding) ?? '', steps: [...related, { uri, range, message }] };
}

/** An action for each of the diagnostics that has a path. */
export function walkActions(
  uri: vscode.Uri,
  diagnostics: readonly vscode.Diagnostic[],
): vscode.CodeAction[] {
  return diagnostics
    .filter((one) => ruleOf(one) !== undefined && hasPath(one))
    .map((finding) => {
      const title = `Walk the path of this finding (${ruleOf(finding)})`;
      const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
      action.command = { title, command: WALK_PATH, arguments: [uri, finding] };
      action.diagnostics = [finding];
      return action;
    });
}
