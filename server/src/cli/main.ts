import { isScanThread, serveScans } from './scan-pool.ts';

// Entry of dist/cli.cjs, also for the threads that it starts of itself: those load nothing of the rest.
if (isScanThread()) serveScans();
else void import('./program.ts').then(({ main }) => main());
