/** The entry of the server in Node, and of its thread. */
import { runProgram } from './node-compiled.ts';
import { programHandedOver, startServerThread } from './node-start-thread.ts';
import { threadRole } from './node-thread.ts';

/** Milliseconds after which a server has compiled what it needs, and is at rest. */
const SETTLED = 5000;

/**
 * Entry of dist/server.cjs: the server as a process, whose thread is the same file. The thread
 * loads nothing of what supervises it.
 */
if (threadRole() === 'server') {
  const { wasKept, keep } = runProgram(programHandedOver(__dirname));
  if (!wasKept) setTimeout(keep, SETTLED).unref();
} else {
  const thread = startServerThread(__filename);
  void import('./node-supervisor.ts').then(({ superviseServer }) => superviseServer(thread));
}
