/**
 * Every C file of a tree through mask, parser, lowering, analysis and rules, also where nothing
 * mentions VFIO. A file is a job of a thread that
 * can be ended: what never comes back is named and the rest goes on.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { decode } from '../../server/src/cli/text-file.ts';
import { kernelStages } from '../../server/src/engine/pipeline.ts';
import type { FileIr } from '../../server/src/ir/types.ts';
import { inRange } from '../../server/src/kernel/version.ts';
import { atOnce } from '../../server/src/budget/work.ts';
import { loadParser } from '../support/parser.ts';
import { startCounting, takeCount } from './work.ts';

const ROLE = 'hostile-tree';
/**
 * Seconds of the processor after which a file counts as one that never ends. The largest of Linux
 * 6.0 takes ten.
 */
const PATIENCE = 300;
/** How often that is looked at, in milliseconds. */
const GLANCE = 2_000;
const KERNEL = [6, 0] as const;

interface Answer {
  readonly work: number;
  readonly size: number;
  readonly problem: string | null;
  readonly notAnalysed: readonly string[];
}

/** What is known of a file after its turn. */
interface Turn extends Answer {
  readonly path: string;
}

/** True in a thread that `checkTree` started; `serveTree` must then be called and nothing else. */
export function isTreeThread(): boolean {
  return !isMainThread && (workerData as { role?: unknown } | null)?.role === ROLE;
}

/** Answers `checkTree` until it ends the thread. */
export async function serveTree(): Promise<void> {
  const parser = await loadParser();
  startCounting();
  parentPort!.on('message', (path: string) => {
    const text = decode(readFileSync(path)).text;
    let problem: string | null = null;
    let notAnalysed: readonly string[] = [];
    takeCount();
    try {
      const tree = parser.parse(text);
      let file: FileIr;
      try {
        file = kernelStages.lowering.lower(path, tree, kernelStages.lowering.createCache(), parser);
      } finally {
        tree.dispose();
      }
      const facts = atOnce(
        kernelStages.analyseModule(
          { sources: [file], headers: [], wrappers: undefined },
          KERNEL,
          kernelStages.createCache(),
        ),
      );
      notAnalysed = facts.notAnalysed.map((one) => `${one.function}(): ${one.reason}`);
      for (const rule of kernelStages.rules)
        if (inRange(KERNEL, rule.kernels)) rule.check({ facts, kernel: KERNEL });
    } catch (error) {
      problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    parentPort!.postMessage({
      work: takeCount(),
      size: text.length,
      problem,
      notAnalysed,
    } satisfies Answer);
  });
  parentPort!.postMessage('ready');
}

/**
 * Prints what threw, what never ended, the files with the most work and the peak of memory. Returns
 * how many files were well and how many not.
 * @param program the bundle that this is in, for the thread.
 * @param every takes only each so-manieth file.
 */
export async function checkTree(
  folder: string,
  program: string,
  every: number,
): Promise<{ passed: number; failed: number; skipped: number }> {
  const paths = (
    statSync(folder).isDirectory()
      ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
      : ['']
  )
    .filter((name) => name === '' || /\.[ch]$/.test(name))
    .sort()
    .filter((_, index) => index % every === 0)
    .map((name) => join(folder, name));
  const turns: Turn[] = [];
  let worker: Worker | undefined;
  let peak = 0;
  for (const path of paths) {
    worker ??= await startThread(program);
    const answer = await ask(worker, path);
    if (answer === null) {
      await worker.terminate();
      worker = undefined;
    }
    turns.push({
      path,
      ...(answer ?? {
        work: 0,
        size: statSync(path).size,
        problem: 'it never ended',
        notAnalysed: [],
      }),
    });
    peak = Math.max(peak, process.memoryUsage.rss());
    if (turns.length % 1000 === 0)
      console.log(`${turns.length} of ${paths.length} files, peak ${megabytes(peak)}`);
  }
  await worker?.terminate();
  const shown = (path: string): string => relative(folder, path);
  const failed = turns.filter((one) => one.problem !== null);
  for (const one of failed) console.log(`FAILED ${shown(one.path)}: ${one.problem}`);
  const given = turns.filter((one) => one.notAnalysed.length > 0);
  for (const one of given)
    console.log(`given up: ${shown(one.path)}: ${one.notAnalysed.slice(0, 3).join('; ')}`);
  const slowest = [...turns].sort((left, right) => right.work - left.work).slice(0, 15);
  console.log('the most work, in functions and blocks that ran:');
  for (const one of slowest)
    console.log(
      `${one.work} ${shown(one.path)} (${one.size} characters, ${Math.round(one.work / Math.max(1, one.size))} each)`,
    );
  console.log(`${given.length} files with functions that were given up, peak ${megabytes(peak)}`);
  return { passed: turns.length - failed.length, failed: failed.length, skipped: 0 };
}

async function startThread(program: string): Promise<Worker> {
  const worker = new Worker(program, { workerData: { role: ROLE } });
  await new Promise<void>((done, fail) => {
    worker.once('message', () => done());
    worker.once('error', fail);
  });
  return worker;
}

function ask(worker: Worker, path: string): Promise<Answer | null> {
  return new Promise((done) => {
    const end = (answer: Answer | null): void => {
      clearInterval(timer);
      worker.removeAllListeners('message').removeAllListeners('error');
      done(answer);
    };
    const begun = process.cpuUsage();
    const timer = setInterval(() => {
      const { user } = process.cpuUsage(begun);
      if (user > PATIENCE * 1e6) end(null);
    }, GLANCE);
    worker.on('message', end);
    worker.on('error', (error) =>
      end({ work: 0, size: 0, problem: String(error), notAnalysed: [] }),
    );
    worker.postMessage(path);
  });
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
