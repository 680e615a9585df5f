/** How a thread of the server's program knows that it is to serve. */
import { workerData } from 'node:worker_threads';

const ROLE = 'vfio-lifecycle-server';

/** The `workerData` of the thread that serves. */
export const SERVER_THREAD = { role: ROLE };

/**
 * True in a thread that `superviseServer` started: `serveThread` must then be called and nothing
 * else.
 */
export function isServerThread(): boolean {
  return (workerData as { role?: unknown } | null)?.role === ROLE;
}
