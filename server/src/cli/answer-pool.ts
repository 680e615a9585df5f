/**
 * Answers the questions of a check on several threads. The files of a module go to one thread, which
 * analyses the module once.
 */
import { Worker } from 'node:worker_threads';
import { haveSameTexts } from '../engine/plans.ts';
import { threadFor } from '../lsp/node-thread.ts';
import { isSameList } from '../text/lists.ts';
import type { Answered, Asked, ModuleQuestion } from './answer-thread.ts';
import { answerFile, type FileAnswer, type FileQuestion } from './file-answer.ts';
import type { Program } from './process-needs.ts';

/** Starting threads costs more than answering this many questions on the spot. */
const FEW = 8;
/** Each thread has an engine of its own: more of them cost more memory than they save time. */
const MAX_THREADS = 4;

export interface AnswerPool {
  /** The answer, which may wait for settle(). Rejects where the question could not be worked on. */
  answer(question: FileQuestion): Promise<FileAnswer>;
  /** To be called when there are no more questions: the few that there were are answered here. */
  settle(): Promise<void>;
  /** Ends the threads. */
  close(): Promise<void>;
}

interface Waiting {
  readonly question: FileQuestion;
  resolve(answer: FileAnswer): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  /** In the order in which they were asked, which is that of the answers. */
  readonly waiting: Waiting[];
  /** The question that was asked last. */
  last?: FileQuestion;
}

/** Starts threads once there are enough questions. */
export function createAnswerPool({
  self,
  threads: possible,
  engine,
}: Pick<Program, 'self' | 'threads' | 'engine'>): AnswerPool {
  const held: Waiting[] = [];
  /** Those that are alive; undefined before any is started. */
  let threads: Thread[] | undefined;
  let failure = new Error('no thread could be started');
  const ofModule = new Map<string, Thread>();
  const count = Math.min(MAX_THREADS, possible);

  function start(): Thread {
    const thread: Thread = {
      worker: new Worker(self, { workerData: threadFor('answers') }),
      waiting: [],
    };
    thread.worker.on('message', (answered: Answered) => {
      // An answer may come after the end of its thread: then its question has failed already.
      const waiting = thread.waiting.shift();
      if ('answer' in answered) waiting?.resolve(answered.answer);
      else waiting?.reject(new Error(answered.failure));
    });
    // What is asked of a thread that is gone is never answered.
    const end = (error: Error): void => {
      threads = threads?.filter((other) => other !== thread);
      failure = error;
      for (const { reject } of thread.waiting.splice(0)) reject(error);
    };
    thread.worker.on('error', end);
    thread.worker.on('exit', (code) => {
      if (threads?.includes(thread)) end(new Error(`a thread stopped with status ${code}`));
    });
    return thread;
  }

  function ask(one: Waiting, alive: readonly Thread[]): void {
    if (alive.length === 0) return one.reject(failure);
    const { input } = one.question;
    const key = input.sources.map(({ path }) => path).join('\n');
    const known = ofModule.get(key);
    const thread =
      known && alive.includes(known)
        ? known
        : alive.reduce((least, other) => (sizeOf(other) < sizeOf(least) ? other : least));
    ofModule.set(key, thread);
    const isSame = thread.last !== undefined && isSameModule(thread.last, one.question);
    thread.last = one.question;
    thread.waiting.push(one);
    const asked: Asked = {
      ...(!isSame && { module: moduleOf(one.question) }),
      file: input.file,
    };
    thread.worker.postMessage(asked);
  }

  return {
    answer: (question) =>
      new Promise((resolve, reject) => {
        const one: Waiting = { question, resolve, reject };
        if (threads) return ask(one, threads);
        held.push(one);
        if (held.length <= FEW || count < 2) return;
        threads = Array.from({ length: count }, start);
        for (const each of held.splice(0)) ask(each, threads);
      }),
    async settle() {
      for (const { question, resolve, reject } of held.splice(0))
        await engine()
          .then((own) => answerFile(own, question))
          .then(resolve, reject);
    },
    async close() {
      await Promise.all((threads ?? []).map(({ worker }) => worker.terminate()));
    },
  };
}

/** How much a thread has before it: the text of the modules that it is asked about. */
function sizeOf({ waiting }: Thread): number {
  const modules = new Set(waiting.map(({ question }) => question.input.sources[0]?.path));
  return waiting.reduce((sum, { question: { input } }) => {
    if (!modules.delete(input.sources[0]?.path)) return sum;
    return sum + input.sources.reduce((size, { text }) => size + text.length, 0);
  }, 0);
}

function isSameModule(one: FileQuestion, other: FileQuestion): boolean {
  return (
    one.config === other.config &&
    one.kernel === other.kernel &&
    one.provesFixes === other.provesFixes &&
    one.input.build === other.input.build &&
    isSameList(one.rows, other.rows) &&
    haveSameTexts(one.input.sources, other.input.sources) &&
    haveSameTexts(one.input.headers, other.input.headers)
  );
}

/** The rows of the wrappers are made anew from the settings: they are known by their object. */
function moduleOf({ input, ...rest }: FileQuestion): ModuleQuestion {
  const { sources, headers, build } = input;
  return { ...rest, input: { sources, headers, build } };
}
