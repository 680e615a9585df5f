/** The entry of the language status menu with the target kernel. */
import * as vscode from 'vscode';

/** What the server tells about the kernel it analyses a document for. */
export interface KernelStatus {
  readonly uri: string;
  /** `6.1` */
  readonly kernel: string;
  /** One clause that says where the version comes from. */
  readonly reason: string;
  /** The names of the other files that the answer rests on. */
  readonly files: readonly string[];
  /** The settings that count, as JSON. */
  readonly settings: string;
}

/** The entry in the language status menu of C files. It exists only while there is a server. */
export interface Status extends vscode.Disposable {
  starting(): void;
  started(): void;
  running(status: KernelStatus): void;
  /** What is to be known of a document beside its kernel; null takes it back. */
  notice(notice: { readonly uri: string; readonly text: string | null }): void;
  failed(why: string): void;
  /** What is known of the document in the active editor. */
  active(): KernelStatus | undefined;
}

export function createStatus(selector: vscode.DocumentSelector): Status {
  const item = vscode.languages.createLanguageStatusItem('vfioLifecycle.kernel', selector);
  item.name = 'VFIO Lifecycle';
  const kernels = new Map<string, KernelStatus>();
  const notices = new Map<string, string>();

  const show = (text: string, detail: string, command: vscode.Command): void => {
    item.busy = false;
    item.severity = vscode.LanguageStatusSeverity.Information;
    item.text = text;
    item.detail = detail;
    item.command = command;
  };
  let isRunning = false;
  const showMenu = { title: 'Options…', command: 'vfioLifecycle.showMenu' };
  const active = (): KernelStatus | undefined =>
    kernels.get(vscode.window.activeTextEditor?.document.uri.toString() ?? '');
  const showKernel = (): void => {
    if (!isRunning) return;
    const known = active();
    // The item is the same for all editors: another file's kernel would be a wrong answer for this
    // one.
    if (known === undefined)
      show('VFIO Lifecycle', 'the target kernel is shown for files that mention VFIO', showMenu);
    else
      show(
        `VFIO: Linux ${known.kernel}`,
        [known.reason, notices.get(known.uri)].filter(Boolean).join('; '),
        showMenu,
      );
    if (known !== undefined && notices.has(known.uri))
      item.severity = vscode.LanguageStatusSeverity.Warning;
  };
  const editors = vscode.window.onDidChangeActiveTextEditor(showKernel);

  return {
    active,
    starting() {
      isRunning = false;
      kernels.clear();
      notices.clear();
      show('VFIO Lifecycle', 'starting', showMenu);
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
    notice({ uri, text }) {
      if (text === null) notices.delete(uri);
      else notices.set(uri, text);
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
