// The part of VS Code's command line that @vscode/test-electron and this project use.
import path from 'node:path';

/** Flags that mean nothing in code-server, or that it always gets. */
const ignored = new Set([
  'no-sandbox',
  'disable-gpu-sandbox',
  'disable-gpu',
  'disable-updates',
  'skip-welcome',
  'skip-release-notes',
  'disable-workspace-trust',
  'new-window',
  'wait',
]);

/**
 * Reads the arguments of VS Code's executable: paths to open, folders of its state, what to load
 * for a test. Unknown flags are returned in `unknown`.
 */
export function parseArguments(args) {
  const options = { open: [], developed: [], unknown: [] };
  for (const argument of args) {
    const [, flag, value] = /^--([^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
    if (flag === undefined) options.open.push(path.resolve(argument));
    else if (flag === 'extensionDevelopmentPath') options.developed.push(value);
    else if (flag === 'extensionTestsPath') options.tests = value;
    else if (flag === 'user-data-dir') options.userData = value;
    else if (flag === 'extensions-dir') options.extensions = value;
    else if (flag === 'disable-extensions') options.disableExtensions = true;
    else if (flag === 'remote-debugging-port') options.debugPort = value;
    else if (!ignored.has(flag)) options.unknown.push(argument);
  }
  return options;
}
