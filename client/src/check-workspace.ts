/**
 * The check of the whole workspace as a person asks for it: progress that counts, a way to end it,
 * and what came of it.
 */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { say } from './say.ts';

/** What the server answers. */
interface Summary {
  readonly files: number;
  readonly analysed: number;
  readonly withFindings: number;
  readonly notAnalysed: number;
  readonly error: number;
  readonly warning: number;
  readonly information: number;
}

/** Checks every file of the workspace, or those that are named; one check at a time. */
export interface WorkspaceCheck extends vscode.Disposable {
  run(client: BaseLanguageClient, uris?: readonly vscode.Uri[]): Promise<void>;
  cancel(): void;
  isRunning(): boolean;
}

const isChecking = 'vfioLifecycle.isChecking';

export function createWorkspaceCheck(output: () => vscode.LogOutputChannel): WorkspaceCheck {
  let current: vscode.CancellationTokenSource | undefined;

  async function check(
    client: BaseLanguageClient,
    source: vscode.CancellationTokenSource,
    uris: readonly vscode.Uri[] | undefined,
  ): Promise<Summary | undefined> {
    const title = `VFIO Lifecycle: checking ${uris === undefined ? 'the workspace' : 'the changes'}`;
    const { WorkDoneProgress } = await import('vscode-languageclient');
    return vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      async (progress, token) => {
        const workDoneToken = `check ${Date.now()}`;
        let percentage = 0;
        const reports = client.onProgress(WorkDoneProgress.type, workDoneToken, (value) => {
          if (value.kind !== 'report') return;
          progress.report({
            message: value.message,
            increment: (value.percentage ?? percentage) - percentage,
          });
          percentage = value.percentage ?? percentage;
        });
        const button = token.onCancellationRequested(() => source.cancel());
        try {
          const named = uris && {
            uris: uris.map((uri) => client.code2ProtocolConverter.asUri(uri)),
          };
          const request = {
            command: 'vfioLifecycle.checkWorkspace',
            arguments: named === undefined ? [] : [named],
            workDoneToken,
          };
          return await client.sendRequest<Summary>(
            'workspace/executeCommand',
            request,
            source.token,
          );
        } catch (error) {
          if (!source.token.isCancellationRequested) throw error;
          return undefined;
        } finally {
          vscode.Disposable.from(reports, button).dispose();
        }
      },
    );
  }

  return {
    async run(client, uris) {
      if (vscode.workspace.workspaceFolders === undefined)
        return say('no folder is open that could be checked');
      current?.cancel();
      const source = (current = new vscode.CancellationTokenSource());
      void vscode.commands.executeCommand('setContext', isChecking, true);
      try {
        const summary = await check(client, source, uris);
        if (summary === undefined)
          say('the check was cancelled; what was found until then is in Problems');
        else void tell(summary, output());
      } catch (error) {
        output().error(String(error));
        say('the workspace was not checked; the output says why');
      } finally {
        source.dispose();
        if (current === source) {
          current = undefined;
          void vscode.commands.executeCommand('setContext', isChecking, false);
        }
      }
    },
    cancel: () => current?.cancel(),
    isRunning: () => current !== undefined,
    dispose: () => current?.cancel(),
  };
}

/** Says what was found, in the place where the progress was, and leads there. */
async function tell(summary: Summary, output: vscode.LogOutputChannel): Promise<void> {
  const sentence = sentenceOf(summary);
  output.info(sentence);
  if (summary.notAnalysed > 0)
    output.info(
      `${counted(summary.notAnalysed, 'function or file', 'functions or files')} not analysed: see above`,
    );
  if (summary.withFindings === 0) return void vscode.window.showInformationMessage(sentence);
  const show = 'Show Problems';
  if ((await vscode.window.showInformationMessage(sentence, show)) === show) {
    await vscode.commands.executeCommand('workbench.actions.view.problems');
  }
}

/** `Checked 71 of 2,304 files, which mention VFIO: 6 errors and 2 warnings in 3 files.` */
function sentenceOf({
  files,
  analysed,
  withFindings,
  error,
  warning,
  information,
}: Summary): string {
  if (files === 0) return 'There is no C file in the workspace.';
  if (analysed === 0) return `None of ${counted(files, 'C file', 'C files')} mentions VFIO.`;
  const sorts = [
    [error, 'error'],
    [warning, 'warning'],
    [information, 'remark'],
  ] as const;
  const found = sorts
    .filter(([count]) => count > 0)
    .map(([count, sort]) => counted(count, sort, `${sort}s`));
  const problems = found.length === 0 ? 'no problem' : found.join(', ');
  const where =
    found.length === 0 || analysed === 1 ? '' : ` in ${counted(withFindings, 'file', 'files')}`;
  return `Checked ${whatOf(analysed, files)}: ${problems}${where}.`;
}

function whatOf(analysed: number, files: number): string {
  if (analysed === files) return counted(files, 'C file', 'C files');
  const all = files.toLocaleString('en-US');
  return analysed === 1
    ? `the one file of ${all} that mentions VFIO`
    : `the ${counted(analysed, 'file', 'files')} of ${all} that mention VFIO`;
}

function counted(count: number, one: string, more: string): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : more}`;
}
