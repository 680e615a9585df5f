/** The parts of the extension that are loaded when they are wanted: no activation waits for them. */

export const parts = {
  /** The commands. */
  loadCommands: () => import('./commands.ts'),
  /** A server and what lives as long as it does. */
  loadSession: () => import('./session.ts'),
  /** What starts a server as a Node process. */
  loadNodeClient: () => import('./node-client.ts'),
  /** What starts a server as a web worker. */
  loadBrowserClient: () => import('./browser-client.ts'),
};

export type Parts = typeof parts;
