/** The entry of the bundle that nearly all of the extension is in. */
import type { ExtensionContext } from 'vscode';
import type { Api } from './shared.ts';

/**
 * Entry of dist/web/extension.js, which is the extension in a browser and, by way of
 * dist/extension.cjs, in Node: nearly all of it is the same. Either
 * half is loaded only where it can run.
 */
export async function activate(context: ExtensionContext): Promise<Api> {
  const host =
    typeof importScripts === 'function'
      ? await import('./browser.ts')
      : await import('./extension.ts');
  return host.activate(context);
}
