/** Filters files by their content on several threads. */
import { availableParallelism } from 'node:os';
import { parentPort, Worker } from 'node:worker_threads';
import { scan, type ScanResult } from '../lsp/node-scan.ts';
import { threadFor } from '../lsp/node-thread.ts';

/** Starting a thread costs more than scanning this many files on the spot. */
const FEW = 1_500;
const BATCH = 400;

/** Answers the pool until it closes the thread. */
export function serveScans(): void {
  parentPort!.on('message', (paths: string[]) => parentPort!.postMessage(scan(paths)));
}

/**
 * Filters paths by content, on other threads when there are many. The results are yielded as they
 * come, in no order, while the paths are taken and the threads go on: what the caller finds out of
 * the first ones keeps processors busy that wait for the listing of folders.
 * @param program the file that the threads run: the bundle itself.
 */
export async function* scanAll(
  paths: Iterable<string>,
  program: string,
  onProgress: (scanned: number) => void,
): AsyncGenerator<ScanResult> {
  const results: ScanResult[] = [];
  const pool: { worker: Worker; waiting: number }[] = [];
  let sent = 0;
  let pending = 0;
  let wake: () => void = () => undefined;
  let failure: Error | undefined;

  const start = (): void => {
    for (let i = 0; i < Math.min(4, Math.max(2, availableParallelism())); i++) {
      const slot = { worker: new Worker(program, { workerData: threadFor('scan') }), waiting: 0 };
      slot.worker.on('message', (result: ScanResult) => {
        slot.waiting--;
        pending--;
        results.push(result);
        wake();
      });
      slot.worker.on('error', (error) => {
        failure = error;
        wake();
      });
      pool.push(slot);
    }
  };
  const send = (batch: string[]): void => {
    if (batch.length === 0) return;
    if (pool.length === 0) start();
    const slot = pool.reduce((least, one) => (one.waiting < least.waiting ? one : least));
    slot.waiting++;
    pending++;
    slot.worker.postMessage(batch);
    sent += batch.length;
    onProgress(sent);
  };

  try {
    let batch: string[] = [];
    for (const path of paths) {
      batch.push(path);
      if (batch.length < (pool.length === 0 ? FEW : BATCH)) continue;
      for (let i = 0; i < batch.length; i += BATCH) send(batch.slice(i, i + BATCH));
      batch = [];
      // Answers come in only between turns of the event loop, and tell which thread has least to
      // do.
      await new Promise<void>((done) => setImmediate(done));
      yield* results.splice(0);
    }
    if (pool.length === 0) yield scan(batch);
    else send(batch);
    while (pending > 0 || results.length > 0) {
      if (failure) throw failure;
      const result = results.shift();
      if (result) yield result;
      else
        await new Promise<void>((done) => {
          wake = done;
        });
    }
  } finally {
    await Promise.all(pool.map(({ worker }) => worker.terminate()));
  }
}
