/** The entry of the server in Node. */
import { join } from 'node:path';
import { superviseServer } from './node-supervisor.ts';

/** Entry of dist/server.cjs, the server as a process. */
superviseServer(join(__dirname, 'web', 'server.js'));
