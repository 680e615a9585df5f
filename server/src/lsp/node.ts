import { join } from 'node:path';
import { startNodeServer } from './node-server.ts';

/** Entry in Node. The bundle is in dist/web/, the wasm modules in dist/. */
startNodeServer(join(__dirname, '..'));
