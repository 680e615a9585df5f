/**
 * Starts the thread that serves. It is a file of its own so that the thread begins before what
 * supervises it is loaded.
 */
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { COLLECT_FLAG } from './node-collect.ts';
import { setCompilerFlags } from './node-compiler-flags.ts';
import { threadFor } from './node-thread.ts';

/**
 * Megabytes for what has just been made, which is what V8 calls three halves of the new space: 4 MB
 * each. Left alone each grows to 16.
 */
const YOUNG_GENERATION = 12;

/**
 * An editor's server lives for days beside many others. Left alone V8 lets the heap grow to several
 * times what is alive, because each keystroke leaves much garbage.
 */
const SMALL_HEAP = ['--heap-growing-percent=20'];

/**
 * Bytes of bytecode that V8's optimising compiler copies into one function: a ninth of what it does
 * by itself. Each of its threads keeps the memory that its largest function took.
 */
const SMALL_COMPILER = ['--max-inlined-bytecode-size-cumulative=100'];

/**
 * The optimising compiler leaves the grammar alone: its largest function takes tens of megabytes, of
 * which a third is never given back, and what an edit changes is parsed as quickly without.
 */
const PLAIN_GRAMMAR = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering'];

const FLAGS = [...SMALL_HEAP, ...SMALL_COMPILER, ...PLAIN_GRAMMAR, COLLECT_FLAG];

/**
 * @param program the file that the thread runs, dist/server.cjs: it asks `threadRole` what it is
 * for.
 */
export function startServerThread(program: string): Worker {
  for (const flag of FLAGS) setFlagsFromString(flag);
  setCompilerFlags();
  return new Worker(program, {
    workerData: threadFor('server'),
    stdout: true,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
  });
}
