import * as vscode from 'vscode';

/** What the server tells about the kernel it analyses for. */
export interface KernelStatus {
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
  const show = (text: string, detail: string, command: vscode.Command): void => {
    item.busy = false;
    item.severity = vscode.LanguageStatusSeverity.Information;
    item.text = text;
    item.detail = detail;
    item.command = command;
  };
  return {
    starting() {
      show('VFIO Lifecycle', 'starting', { title: 'Show output', command: 'vfioLifecycle.showOutput' });
      item.busy = true;
    },
    running({ kernel, reason }) {
      show(`VFIO: Linux ${kernel}`, reason, {
        title: 'Change target kernel', command: 'workbench.action.openSettings', arguments: ['vfioLifecycle.targetKernel'],
      });
    },
    failed(why) {
      show('VFIO Lifecycle stopped', why, { title: 'Restart', command: 'vfioLifecycle.restart' });
      item.severity = vscode.LanguageStatusSeverity.Error;
    },
    dispose: () => item.dispose(),
  };
}
