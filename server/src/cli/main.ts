/** The entry of the bundle of the command line, and of the threads that it starts. */
import { join } from 'node:path';
import { threadRole } from '../lsp/node-thread.ts';

/** The folder of the wasm modules. The bundle is in dist/web/, they are in dist/. */
const dist = join(__dirname, '..');

/**
 * The bundle in Node: a thread that something else of it has started, which loads nothing of the
 * rest, or the command line.
 */
export async function start(): Promise<void> {
  switch (threadRole()) {
    case 'scan':
      // cli-main.ts has them: they need nothing of this bundle.
      return;
    case 'answers':
      return (await import('./answer-thread.ts')).serveAnswers(dist);
    case 'server':
      return (await import('../lsp/node-server.ts')).serveThread(dist);
    case undefined:
      return (await import('./program.ts')).main(dist);
  }
}
