import { join } from 'node:path';
import { serveThread } from './node-server.ts';

/** Entry of the thread that serves in Node. The bundle is in dist/web/, the wasm modules in dist/. */
serveThread(join(__dirname, '..'));
