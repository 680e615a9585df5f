/** The entry of the bundle of the command line, and of the threads that it starts. */
import { join } from 'node:path';
import { isServerThread } from '../lsp/node-thread.ts';
import { isScanThread, serveScans } from './scan-pool.ts';

/** The folder of the wasm modules. The bundle is in dist/web/, they are in dist/. */
const dist = join(__dirname, '..');

/**
 * The bundle in Node: a thread that something else of it has started, which loads nothing of the
 * rest, or the command line.
 */
export async function start(): Promise<void> {
  if (isScanThread()) return serveScans();
  if (isServerThread()) return (await import('../lsp/node-server.ts')).serveThread(dist);
  await (await import('./program.ts')).main(dist);
}
