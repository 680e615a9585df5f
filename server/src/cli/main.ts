import { isServerThread } from '../lsp/node-thread.ts';
import { isScanThread, serveScans } from './scan-pool.ts';

// Entry of dist/cli.cjs, also for the threads that it starts of itself: those load nothing of the rest.
if (isScanThread()) serveScans();
else if (isServerThread()) void import('../lsp/node-server.ts').then(({ serveThread }) => serveThread(__dirname));
else void import('./program.ts').then(({ main }) => main());
