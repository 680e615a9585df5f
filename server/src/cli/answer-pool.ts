/**
 * Answers the questions of a check on several threads. The files of a module go to one thread, which
 * analyses the module once. A thread that has nearly done what it was given is given the largest
 * module that is left. The first thread answers too once all questions are put, beginning with the
 * smallest: between them it gives out the others, so that all threads end at about the same time.
 */
import { Worker } from 'node:worker_threads';
import { haveSameTexts } from '../engine/plans.ts';
import { threadFor } from '../lsp/node-thread.ts';
import { isSameList } from '../text/lists.ts';
import type { Answered, Asked, ModuleQuestion } from './answer-thread.ts';
import type { FileAnswer, FileQuestion } from './file-answer.ts';
import type { Program } from './process-needs.ts';

/** Starting threads costs more than answering this many questions on the spot. */
const FEW = 8;
/** Each thread has an engine of its own: more of them cost more memory than they save time. */
const MAX_THREADS = 4;
/** A thread has a question more before it than the one that it works on, so that it never waits. */
const AHEAD = 1;

export interface AnswerPool {
  /** So many questions come next: threads that they need boot while the questions are put. */
  expect(questions: number): void;
  /** The answer, which may wait for settle(). Rejects where the question could not be worked on. */
  answer(question: FileQuestion): Promise<FileAnswer>;
  /** To be called when there are no more questions: what no other thread has is answered here. */
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
  let asked = 0;
  let isSettling = false;
  /** Those that are alive; undefined before any is started. */
  let threads: Thread[] | undefined;
  const ofModule = new Map<string, Thread>();
  /** The modules that no thread has been given, with what is asked about them. */
  const left = new Map<string, Waiting[]>();
  const others = Math.min(MAX_THREADS, possible) - 1;

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
      giveOut();
    });
    // What is asked of a thread that is gone is never answered.
    const end = (error: Error): void => {
      threads = threads?.filter((other) => other !== thread);
      for (const { reject } of thread.waiting.splice(0)) reject(error);
      giveOut();
    };
    thread.worker.on('error', end);
    thread.worker.on('exit', (code) => {
      if (threads?.includes(thread)) end(new Error(`a thread stopped with status ${code}`));
    });
    return thread;
  }

  function ask(one: Waiting): void {
    const key = one.question.input.sources.map(({ path }) => path).join('\n');
    const known = ofModule.get(key);
    if (known && threads!.includes(known)) return send(known, one);
    const same = left.get(key);
    if (same) same.push(one);
    else left.set(key, [one]);
  }

  function giveOut(): void {
    // One module is for the first thread: it is there already, others have to boot.
    while (left.size > (isSettling ? 0 : 1)) {
      const [first] = [...(threads ?? [])].sort(
        (one, other) => one.waiting.length - other.waiting.length,
      );
      if (!first || first.waiting.length > AHEAD) return;
      const [key, questions] = taken((size, most) => size > most);
      ofModule.set(key, first);
      for (const one of questions) send(first, one);
    }
  }

  /** Takes the module that is left whose size comes `before` that of all others. */
  function taken(before: (size: number, other: number) => boolean): [string, Waiting[]] {
    const next = [...left].reduce((best, one) => (before(sizeOf(one), sizeOf(best)) ? one : best));
    left.delete(next[0]);
    return next;
  }

  function send(thread: Thread, one: Waiting): void {
    const isSame = thread.last !== undefined && isSameModule(thread.last, one.question);
    thread.last = one.question;
    thread.waiting.push(one);
    const message: Asked = {
      ...(!isSame && { module: moduleOf(one.question) }),
      file: one.question.input.file,
    };
    thread.worker.postMessage(message);
  }

  function startFor(questions: number): void {
    if (questions > FEW && others > 0) threads ??= Array.from({ length: others }, start);
  }

  return {
    expect: (questions) => startFor(asked + questions),
    answer: (question) =>
      new Promise((resolve, reject) => {
        asked++;
        ask({ question, resolve, reject });
        startFor(asked);
        giveOut();
      }),
    async settle() {
      isSettling = true;
      while (left.size > 0) {
        const [, questions] = taken((size, least) => size < least);
        const { answerFile } = await import('./file-answer.ts');
        for (const { question, resolve, reject } of questions)
          await engine()
            .then((own) => answerFile(own, question))
            .then(resolve, reject);
        // What the other threads have answered comes in only between turns of the event loop.
        await new Promise<void>((done) => setImmediate(done));
      }
    },
    async close() {
      await Promise.all((threads ?? []).map(({ worker }) => worker.terminate()));
    },
  };
}

/** How much text a module has, which says how long it takes. */
function sizeOf([, [first]]: readonly [string, readonly Waiting[]]): number {
  return first!.question.input.sources.reduce((size, { text }) => size + text.length, 0);
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
