/** How a thread of the program knows what it is for. */
import { workerData } from 'node:worker_threads';

/** `server`: serves a client. `scan`: filters files. `answers`: answers questions of a check. */
export type ThreadRole = 'server' | 'scan' | 'answers';

const PREFIX = 'vfio-lifecycle-';

/** The `workerData` of a thread. */
export function threadFor(role: ThreadRole): { readonly role: string } {
  return { role: `${PREFIX}${role}` };
}

/** What this thread was started for: undefined in the first thread, and in those of others. */
export function threadRole(): ThreadRole | undefined {
  const role = (workerData as { role?: unknown } | null)?.role;
  return typeof role === 'string' && role.startsWith(PREFIX)
    ? (role.slice(PREFIX.length) as ThreadRole)
    : undefined;
}
