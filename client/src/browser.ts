/**
 * Entry of dist/web/extension.js, which is all of the extension in a browser, where it is one file,
 * and in Node what dist/extension.cjs loads when it is wanted.
 */
import type { ExtensionContext } from 'vscode';
import { parts } from './parts.ts';
import { activate as activateShared, type Api } from './shared.ts';

export { parts } from './parts.ts';

/** The extension in a browser: the server is a web worker. */
export function activate(context: ExtensionContext): Promise<Api> {
  return activateShared(context, {
    parts: () => Promise.resolve(parts),
    createClient: async (options) => {
      const { browserClient } = await parts.loadBrowserClient();
      return browserClient(context.extensionUri)(options);
    },
  });
}
