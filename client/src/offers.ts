/**
 * Names for the commands of code actions. VS Code keeps the arguments of such a command only until
 * it has a newer list of actions, which may
 * come between the click and the command; a command without arguments does not depend on that.
 */
import * as vscode from 'vscode';

/** The commands that were on offer. */
export interface Offers extends vscode.Disposable {
  /** The same action with a command of its own in the place of the arguments. */
  named<Action extends vscode.CodeAction | vscode.Command>(action: Action): Action;
}

export function createOffers(): Offers {
  const latest = new Map<string, unknown[]>();
  const commands: vscode.Disposable[] = [];

  /**
   * Of one thing that is offered again only the version differs, so that there are no more names
   * than things.
   */
  const nameFor = (command: string, given: unknown[]): string => {
    const name = `${command} ${JSON.stringify(given, (key, value: unknown) => (key === 'version' ? undefined : value))}`;
    const isNew = !latest.has(name);
    latest.set(name, given);
    const run = (): Thenable<unknown> =>
      vscode.commands.executeCommand(command, ...(latest.get(name) ?? []));
    if (isNew) commands.push(vscode.commands.registerCommand(name, run));
    return name;
  };

  return {
    named(action) {
      const { command } = action;
      if (typeof command !== 'object' || command.arguments === undefined) return action;
      action.command = {
        title: command.title,
        command: nameFor(command.command, command.arguments),
      };
      return action;
    },
    dispose: () => vscode.Disposable.from(...commands).dispose(),
  };
}
