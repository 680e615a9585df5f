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
  const showKernel = (): void => {
    const active = kernels.get(vscode.window.activeTextEditor?.document.uri.toString() ?? '');
    if (active === undefined) return;
    const command = { title: 'Change target kernel', command: 'workbench.action.openSettings', arguments: ['vfioLifecycle.targetKernel'] };
    show(`VFIO: Linux ${active.kernel}`, active.reason, command);
  };
  const editors = vscode.window.onDidChangeActiveTextEditor(showKernel);

  return {
    starting() {
      kernels.clear();
      show('VFIO Lifecycle', 'starting', { title: 'Show output', command: 'vfioLifecycle.showOutput' });
      item.busy = true;
    },
    running(status) {
      kernels.set(status.uri, status);
      showKernel();
    },
    failed(why) {
      show('VFIO Lifecycle stopped', why, { title: 'Restart', command: 'vfioLifecycle.restart' });
      item.severity = vscode.LanguageStatusSeverity.Error;
    },
    dispose() {
      editors.dispose();
      item.dispose();
    },
  };
}
