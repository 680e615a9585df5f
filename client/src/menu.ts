/** What the status item leads to: the target kernel, and what else there is to do. */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { SHOW_LIFE_CYCLE } from './command-names.ts';
import { say } from './say.ts';
import type { Session } from './session.ts';
import type { KernelStatus } from './status.ts';

/** What the server answers to `vfioLifecycle/kernels`. */
interface Kernels {
  /** The newest first. */
  readonly kernels: readonly { readonly version: string; readonly brings: string }[];
  /** What the target of the active document is without a setting. */
  readonly found?: { readonly kernel: string; readonly reason: string };
}

interface Entry extends vscode.QuickPickItem {
  readonly command?: string;
}

/** Offers what there is to do; the commands do it. */
export async function showMenu(session: Session | undefined, isChecking: boolean): Promise<void> {
  const status = session?.activeStatus();
  const items: Entry[] = [
    {
      label: '$(versions) Target Kernel…',
      description: status && `Linux ${status.kernel}`,
      detail: status?.reason ?? 'of files that mention VFIO',
      command: 'vfioLifecycle.pickKernel',
    },
    isChecking
      ? {
          label: '$(stop-circle) Cancel the Check of the Workspace',
          command: 'vfioLifecycle.cancelCheck',
        }
      : {
          label: '$(checklist) Check Workspace',
          detail: 'Problems of files that are not open too',
          command: 'vfioLifecycle.checkWorkspace',
        },
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    { label: '$(type-hierarchy) Show Life Cycle', command: SHOW_LIFE_CYCLE },
    { label: '$(new-file) Create Driver…', command: 'vfioLifecycle.createDriver' },
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    { label: '$(output) Show Output', command: 'vfioLifecycle.showOutput' },
    {
      label: '$(copy) Copy Report for a Bug',
      detail: 'Versions, target kernel, files of the module and settings',
      command: 'vfioLifecycle.copyReport',
    },
    {
      label: '$(report) Report Issue…',
      detail: 'The same report in the form for an issue',
      command: 'vfioLifecycle.reportIssue',
    },
    { label: '$(debug-restart) Restart Server', command: 'vfioLifecycle.restart' },
    { label: '$(book) Documentation of the Rules', command: 'vfioLifecycle.showRules' },
  ];
  const picked = await vscode.window.showQuickPick(items, { title: 'VFIO Lifecycle' });
  if (picked?.command !== undefined) await vscode.commands.executeCommand(picked.command);
}

interface KernelItem extends vscode.QuickPickItem {
  readonly version: string | undefined;
}

/** Lets a person pick the target kernel, and writes it into the settings of the workspace. */
export async function pickKernel(
  client: BaseLanguageClient,
  status: KernelStatus | undefined,
): Promise<void> {
  const request = status === undefined ? {} : { uri: status.uri };
  const { kernels, found } = await client.sendRequest<Kernels>('vfioLifecycle/kernels', request);
  const now = (version: string): string | undefined =>
    version === status?.kernel ? 'the target now' : undefined;
  const items: KernelItem[] = [
    {
      label: 'As found',
      description: found && `Linux ${found.kernel}`,
      detail: found?.reason ?? 'from the kernel tree or the driver',
      version: undefined,
    },
    ...kernels.map(({ version, brings }) => ({
      label: version,
      description: now(version),
      detail: brings,
      version,
    })),
  ];
  const placeHolder =
    status === undefined
      ? 'The kernel to check for and to convert to'
      : `Linux ${status.kernel}, ${status.reason}`;
  const picked = await vscode.window.showQuickPick(items, {
    title: 'Target Kernel',
    placeHolder,
    matchOnDetail: true,
  });
  if (picked !== undefined) await writeTarget(picked.version);
}

/** Without a folder there is no workspace that could have settings. */
async function writeTarget(version: string | undefined): Promise<void> {
  const settings = vscode.workspace.getConfiguration('vfioLifecycle');
  const hasWorkspace = vscode.workspace.workspaceFolders !== undefined;
  const place = hasWorkspace
    ? vscode.ConfigurationTarget.Workspace
    : vscode.ConfigurationTarget.Global;
  // An empty setting is as good as none, and hides one of the user's.
  const isHidden =
    hasWorkspace &&
    version === undefined &&
    settings.inspect('targetKernel')?.globalValue !== undefined;
  await settings.update('targetKernel', isHidden ? '' : version, place);
  say(
    version === undefined
      ? 'the target kernel is the one that is found'
      : `the target kernel is Linux ${version}`,
  );
}

/** Puts what a report of a bug needs on the clipboard. */
export async function copyReport(version: string, status: KernelStatus | undefined): Promise<void> {
  await vscode.env.clipboard.writeText(reportText(version, status));
  say('the report is on the clipboard');
}

/**
 * Opens VS Code's own form for an issue of an extension with the report in it. In a browser that
 * form is the page of the issues without what an extension gives: there the report is on the
 * clipboard.
 */
export async function reportIssue(
  extension: vscode.Extension<unknown>,
  status: KernelStatus | undefined,
): Promise<void> {
  const { version, bugs } = extension.packageJSON as {
    readonly version: string;
    readonly bugs: { readonly url: string };
  };
  const report = reportText(version, status);
  const issueBody = `What happened, and what should have happened?\n\n\n\`\`\`\n${report}\`\`\`\n`;
  if (vscode.env.uiKind === vscode.UIKind.Desktop) {
    const form = { extensionId: extension.id, issueBody };
    await vscode.commands.executeCommand('workbench.action.openIssueReporter', form);
  } else {
    await vscode.env.clipboard.writeText(issueBody);
    say('the report is on the clipboard, to be pasted into the issue');
    await vscode.env.openExternal(vscode.Uri.parse(`${bugs.url}/new`));
  }
}

/** Versions, the target kernel, the files of the module, settings and what was found. */
function reportText(version: string, status: KernelStatus | undefined): string {
  const lines = [
    `VFIO Lifecycle ${version} in ${vscode.env.appName} ${vscode.version} (${platform()})`,
  ];
  if (status === undefined) lines.push('no file that mentions VFIO is in the active editor');
  else {
    lines.push(
      `file: ${status.uri.slice(status.uri.lastIndexOf('/') + 1)}`,
      `target: Linux ${status.kernel}, ${status.reason}`,
      `read with it: ${status.files.join(', ') || 'nothing'}`,
      `settings: ${status.settings}`,
    );
    const uri = vscode.Uri.parse(status.uri);
    const found = vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'vfio');
    lines.push(
      'found:',
      ...found.map((one) => `- line ${one.range.start.line + 1}: ${one.message} [${ruleOf(one)}]`),
    );
  }
  return `${lines.join('\n')}\n`;
}

function ruleOf({ code }: vscode.Diagnostic): string {
  return String(typeof code === 'object' ? code.value : code);
}

function platform(): string {
  return typeof process === 'undefined' ? 'web' : process.platform;
}
