/**
 * Starts the thread that serves. It is a file of its own so that the thread begins before what
 * supervises it is loaded.
 */
import { setFlagsFromString } from 'node:v8';
import { dirname, join } from 'node:path';
import { parentPort, receiveMessageOnPort, Worker, workerData } from 'node:worker_threads';
import { COLLECT_FLAG } from './node-collect.ts';
import { compiledFolder, readProgram, type Program } from './node-compiled.ts';
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
  const isThere = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const thread = new Worker(program, {
    workerData: { ...threadFor('server'), isThere },
    stdout: true,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
  });
  handOver(thread, dirname(program));
  Atomics.store(isThere, 0, 1);
  Atomics.notify(isThere, 0);
  return thread;
}

/** While the thread boots, this one has the time to read what it runs. */
function handOver(thread: Worker, dist: string): void {
  let program: Program | undefined;
  try {
    program = programIn(dist);
  } catch {
    // The thread tries it too, and says what is wrong.
  }
  const buffers = [program?.text.buffer, program?.code?.buffer];
  thread.postMessage(
    program,
    buffers.filter((one) => one !== undefined),
  );
}

/**
 * In the thread: what it runs, for which it may have to wait. No other message has come before.
 * @param dist the folder of the file that it was started with.
 */
export function programHandedOver(dist: string): Program {
  Atomics.wait((workerData as { isThere: Int32Array }).isThere, 0, 0);
  const received = receiveMessageOnPort(parentPort!) as { message?: Program } | undefined;
  return received?.message ?? programIn(dist);
}

function programIn(dist: string): Program {
  return readProgram(join(dist, 'web', 'server.js'), compiledFolder());
}
