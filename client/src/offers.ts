/**
 * Names for the commands of code actions. VS Code keeps the arguments of such a command only until
 * it has a newer list of actions, which may
 * come between the click and the command; a command without arguments does not depend on that.
 */
import * as vscode from 'vscode';

/** So many offers stay, of which a list has a few and the lists before it are gone. */
const kept = 100;

/** The commands that were on offer. */
export interface Offers extends vscode.Disposable {
  /** The same action with a command of its own in the place of the arguments. */
  named<Action extends vscode.CodeAction | vscode.Command>(action: Action): Action;
}

export function createOffers(): Offers {
  const latest = new Map<
    string,
    { readonly given: unknown[]; readonly owned: vscode.Disposable }
  >();

  /** Of one thing that is offered again at the same place only the version differs. */
  const nameFor = (command: string, given: unknown[]): string => {
    const name = `${command} ${JSON.stringify(given, (key, value: unknown) => (key === 'version' ? undefined : value))}`;
    const run = (): Thenable<unknown> =>
      vscode.commands.executeCommand(command, ...(latest.get(name)?.given ?? []));
    const owned = latest.get(name)?.owned ?? vscode.commands.registerCommand(name, run);
    // The latest comes last.
    latest.delete(name);
    latest.set(name, { given, owned });
    const [oldest] = latest;
    if (oldest !== undefined && latest.size > kept) {
      latest.delete(oldest[0]);
      oldest[1].owned.dispose();
    }
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
    dispose: () => {
      for (const { owned } of latest.values()) owned.dispose();
    },
  };
}
