import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { scan, type ScanResult } from './scan.ts';

const ROLE = 'vfio-lifecycle-scan';
/** Starting a thread costs more than scanning this many files on the spot. */
const FEW = 1_500;
const BATCH = 400;

/** True in a thread that the pool started; `serveScans` must then be called and nothing else. */
export function isScanThread(): boolean {
  return !isMainThread && (workerData as { role?: unknown } | null)?.role === ROLE;
}

/** Answers the pool until it closes the thread. */
export function serveScans(): void {
  parentPort!.on('message', (paths: string[]) => parentPort!.postMessage(scan(paths)));
}

/**
 * Filters a stream of paths by content, on other threads when there are many, so that the folder walk goes on meanwhile.
 * `program` is the file that the threads run: the bundle itself. Hits come back sorted.
 */
export async function scanAll(paths: Iterable<string>, program: string, onProgress: (scanned: number) => void): Promise<ScanResult> {
  const hits: string[] = [];
  const unreadable: { path: string; code: string }[] = [];
  const take = (result: ScanResult): void => {
    hits.push(...result.hits);
    unreadable.push(...result.unreadable);
  };

  const pool: { worker: Worker; waiting: number }[] = [];
  let scanned = 0;
  let pending = 0;
  let wake: () => void = () => {};
  let failure: Error | undefined;

  const start = (): void => {
    for (let i = 0; i < Math.min(4, Math.max(2, availableParallelism())); i++) {
      const slot = { worker: new Worker(program, { workerData: { role: ROLE } }), waiting: 0 };
      slot.worker.on('message', (result: ScanResult) => {
        slot.waiting--;
        pending--;
        take(result);
        wake();
      });
      slot.worker.on('error', (error) => {
        failure = error;
        wake();
      });
      pool.push(slot);
    }
  };

  const first: string[] = [];
  let batch: string[] = [];
  const send = async (): Promise<void> => {
    if (batch.length === 0) return;
    const slot = pool.reduce((least, one) => (one.waiting < least.waiting ? one : least));
    slot.waiting++;
    pending++;
    slot.worker.postMessage(batch);
    scanned += batch.length;
    batch = [];
    onProgress(scanned);
    // Let answers in; without a turn of the event loop the walk would queue the whole tree first.
    await new Promise<void>((done) => setImmediate(done));
  };

  try {
    for (const path of paths) {
      if (pool.length === 0) {
        first.push(path);
        if (first.length < FEW) continue;
        start();
        for (let i = 0; i < first.length; i += BATCH) {
          batch = first.slice(i, i + BATCH);
          await send();
        }
        continue;
      }
      batch.push(path);
      if (batch.length >= BATCH) await send();
    }
    if (pool.length === 0) take(scan(first));
    else await send();
    while (pending > 0 && !failure) await new Promise<void>((done) => { wake = done; });
    if (failure) throw failure;
  } finally {
    await Promise.all(pool.map(({ worker }) => worker.terminate()));
  }
  hits.sort(comparePaths);
  return { hits, unreadable };
}

/** By folder, then by name: code-unit order, the same on every machine. */
export function comparePaths(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
