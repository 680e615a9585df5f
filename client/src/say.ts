/** Tells the user what came of a command, without a pop-up. */
import { window } from 'vscode';

/** Tells the user what came of a command, without a pop-up: in the status bar, for ten seconds. */
export function say(what: string): void {
  window.setStatusBarMessage(`VFIO Lifecycle: ${what}`, 10_000);
}
