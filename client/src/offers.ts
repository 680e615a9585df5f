/**
 * The commands of the conversions that are on offer. VS Code keeps the arguments of a code action's command only until it has a newer list
 * of actions, which may come between the click and the command; a command without arguments does not depend on that.
 */
import * as vscode from 'vscode';
import { APPLY_CONVERSION, type ConversionData } from './convert.ts';

/** What was offered, by the commands that convert it. */
export interface Offers extends vscode.Disposable {
  /** The same action with a command of its own; every other action as it is. */
  named<Action extends vscode.CodeAction | vscode.Command>(action: Action): Action;
}

export function createOffers(): Offers {
  const latest = new Map<string, ConversionData>();
  const commands: vscode.Disposable[] = [];

  /** One name for each device and style, so that there are no more of them than there are conversions. */
  const nameFor = (data: ConversionData): string => {
    const name = `${APPLY_CONVERSION} ${JSON.stringify({ ...data, version: undefined })}`;
    const isNew = !latest.has(name);
    latest.set(name, data);
    if (isNew) commands.push(vscode.commands.registerCommand(name, () => vscode.commands.executeCommand(APPLY_CONVERSION, latest.get(name))));
    return name;
  };

  return {
    named(action) {
      const { command } = action;
      if (typeof command !== 'object' || command.command !== APPLY_CONVERSION) return action;
      const [data] = command.arguments as [ConversionData];
      action.command = { title: command.title, command: nameFor(data) };
      return action;
    },
    dispose: () => vscode.Disposable.from(...commands).dispose(),
  };
}
