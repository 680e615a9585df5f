// Installs a real VS Code from npm where there is none.
import { need } from './debian.mjs';
import { inProject } from './paths.mjs';
import { runMeanwhile } from './run.mjs';

/** The stand-in for VS Code's executable. */
export const shim = inProject('test/editor-host/shim.mjs');

/**
 * Installs the editor host unless it is there. `browser`: with a Chromium to show it. Rejects when
 * something is missing.
 */
export async function installEditorHost({ browser }) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      'the editor host runs on Linux x64 only; set VSCODE_EXE to the executable of a VS Code instead',
    );
  }
  if (browser) need('chromium', 'fonts-dejavu-core');
  try {
    need('g++', 'make', 'python3');
  } catch (error) {
    console.warn(`${error.message} (only VS Code's Output panel needs them)`);
  }
  await runMeanwhile('bash', [inProject('test/editor-host/setup.sh')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
