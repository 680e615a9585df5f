import * as vscode from 'vscode';

/** What the server tells about the kernel it analyses a document for. */
export interface KernelStatus {
  readonly uri: string;
  /** `6.1` */
  readonly kernel: string;
  /** One clause that says where the version comes from. */
  readonly reason: string;
}

/** The entry in the language status menu of C files. It exists only while there is a server. */
export interface Status extends vscode.Disposable {
  starting(): void;
  started(): void;
  running(status: KernelStatus): void;
  failed(why: string): void;
}

export function createStatus(selector: vscode.DocumentSelector): Status {
  const item = vscode.languages.createLanguageStatusItem('vfioLifecycle.kernel', selector);
  item.name = 'VFIO Lifecycle';
  const kernels = new Map<string, KernelStatus>();

  const show = (text: string, detail: string, command: vscode.Command): void => {
    item.busy = false;
    item.severity = vscode.LanguageStatusSeverity.Information;
    item.text = text;
    item.detail = detail;
    item.command = command;
  };
  let isRunning = false;
  const showOutput = { title: 'Show output', command: 'vfioLifecycle.showOutput' };
  const showKernel = (): void => {
    if (!isRunning) return;
    const active = kernels.get(vscode.window.activeTextEditor?.document.uri.toString() ?? '');
    // The item is the same for all editors: another file's kernel would be a wrong answer for this one.
    if (active === undefined) return show('VFIO Lifecycle', 'the target kernel is shown for files that mention VFIO', showOutput);
    const command = { title: 'Change target kernel', command: 'workbench.action.openSettings', arguments: ['vfioLifecycle.targetKernel'] };
    show(`VFIO: Linux ${active.kernel}`, active.reason, command);
  };
  const editors = vscode.window.onDidChangeActiveTextEditor(showKernel);

  return {
    starting() {
      isRunning = false;
      kernels.clear();
      show('VFIO Lifecycle', 'starting', showOutput);
      item.busy = true;
    },
    started() {
      isRunning = true;
      showKernel();
    },
    running(status) {
      kernels.set(status.uri, status);
      showKernel();
    },
    failed(why) {
      isRunning = false;
      show('VFIO Lifecycle stopped', why, { title: 'Restart', command: 'vfioLifecycle.restart' });
      item.severity = vscode.LanguageStatusSeverity.Error;
    },
    dispose() {
      editors.dispose();
      item.dispose();
    },
  };
}
