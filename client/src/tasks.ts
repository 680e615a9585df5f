/**
 * The task that checks a folder with the command line, for a run that stays on the screen, and for
 * tasks.json.
 */
import * as vscode from 'vscode';

/** As package.json declares it. */
const type = 'vfio-lifecycle';
const matcher = '$vfio-lifecycle';

/** What tasks.json says of a task. */
interface CheckDefinition extends vscode.TaskDefinition {
  /** More arguments of `check`: `["--kernel", "6.6"]`. */
  readonly arguments?: readonly string[];
}

/**
 * Offers the task for every folder on a disk.
 * @param program the command line, run by `node`, which may be VS Code's own executable.
 */
export function registerTasks(node: string, program: string): vscode.Disposable {
  const create = (
    definition: CheckDefinition,
    folder: vscode.WorkspaceFolder,
    name: string,
  ): vscode.Task => {
    const given = (definition.arguments ?? []).map(String);
    const execution = new vscode.ProcessExecution(
      node,
      // What the matcher reads, and nothing else.
      [program, 'check', '--format', 'short', '--color', 'never', '--quiet', ...given, '.'],
      { cwd: folder.uri.fsPath, env: { ELECTRON_RUN_AS_NODE: '1' } },
    );
    return new vscode.Task(definition, folder, name, 'VFIO Lifecycle', execution, matcher);
  };
  return vscode.tasks.registerTaskProvider(type, {
    provideTasks: () =>
      (vscode.workspace.workspaceFolders ?? [])
        .filter(({ uri }) => uri.scheme === 'file')
        .map((folder) => create({ type }, folder, 'check')),
    resolveTask({ definition, scope, name }) {
      const folder = typeof scope === 'object' ? scope : vscode.workspace.workspaceFolders?.[0];
      return folder === undefined ? undefined : create(definition, folder, name);
    },
  });
}
