import { startNodeServer } from './node-server.ts';

/** Entry of dist/server.cjs. */
startNodeServer(__dirname);
