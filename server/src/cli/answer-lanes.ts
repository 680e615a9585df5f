/**
 * Answers many questions on several threads. The files of one module stay together, since the
 * second of them costs little; this thread does its part.
 */
import { availableParallelism } from 'node:os';
import { parentPort, Worker } from 'node:worker_threads';
import type { Engine } from '../engine/analyse.ts';
import type { SourceDocument } from '../engine/types.ts';
import { append } from '../text/lists.ts';
import { ANSWER_THREAD } from './answer-thread.ts';
import { answerFile, type FileAnswer, type FileQuestion } from './file-answer.ts';
import { loadEngine } from './load-engine.ts';
import type { Program } from './process-needs.ts';

/**
 * UTF-16 code units of the modules to look at. A thread loads the engine first, in which time this
 * one looks at as much.
 */
const ENOUGH = 600_000;
const MOST_THREADS = 3;

/** What a question came to: an answer, or the error that the work ended with. */
export type Outcome = { readonly answer: FileAnswer } | { readonly error: string };

interface Told {
  readonly index: number;
  readonly outcome: Outcome;
}

export interface AnswerLanes {
  /** Takes one more question. Threads start as soon as there is enough for them to do. */
  add(question: FileQuestion): void;
  /**
   * What the questions came to.
   * @param onAnswer is called after each.
   */
  outcomes(onAnswer: () => void): Promise<ReadonlyMap<FileQuestion, Outcome>>;
}

/**
 * Answers the questions of one message, each by a message of its own.
 * @param dist the folder of the wasm modules.
 */
export function serveAnswers(dist: string): void {
  const loading = loadEngine(dist);
  parentPort!.on('message', (lane: readonly Asked[]) => {
    void loading.then((engine) => {
      for (const { index, question } of lane)
        parentPort!.postMessage({ index, outcome: outcomeOf(engine, question) });
    });
  });
}

interface Asked {
  readonly index: number;
  readonly question: FileQuestion;
}

function outcomeOf(engine: Engine, question: FileQuestion): Outcome {
  try {
    return { answer: answerFile(engine, question) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/**
 * For one run.
 * @param count of threads beside this one.
 */
export function createAnswerLanes(
  program: Pick<Program, 'self' | 'engine'>,
  count = Math.min(MOST_THREADS, availableParallelism() - 1),
): AnswerLanes {
  const questions: FileQuestion[] = [];
  const documents = createDocumentTable();
  const threads: Worker[] = [];
  const modules = new Map<string, { size: number; readonly asked: Asked[] }>();
  let size = 0;
  return {
    add(question) {
      const index = questions.length;
      const input = {
        ...question.input,
        sources: question.input.sources.map(documents),
        headers: question.input.headers.map(documents),
      };
      questions.push(question);
      const key = `${question.kernel.text}\n${input.sources.map((one) => one.path).join('\n')}`;
      let module = modules.get(key);
      if (!module) {
        module = { size: sizeOf(question), asked: [] };
        modules.set(key, module);
        size += module.size;
      }
      module.asked.push({ index, question: { ...question, input } });
      if (size > ENOUGH && threads.length === 0) startThreads(program.self, count, threads);
    },

    async outcomes(onAnswer) {
      const outcomes = new Map<FileQuestion, Outcome>();
      const take = ({ index, outcome }: Told): void => {
        outcomes.set(questions[index]!, outcome);
        onAnswer();
      };
      const [here, ...others] = lanesOf([...modules.values()], threads.length + 1);
      const there = others.map((lane, i) => answerThere(threads[i]!, lane, take));
      try {
        await answerHere(program, here!, take);
        // What a thread that was ended has not answered.
        for (const left of await Promise.all(there)) await answerHere(program, left, take);
      } finally {
        await Promise.all(threads.map((one) => one.terminate()));
      }
      return outcomes;
    },
  };
}

/** One object for a document: in a message to a thread its text is there once. */
function createDocumentTable(): (document: SourceDocument) => SourceDocument {
  const known = new Map<string, SourceDocument>();
  return (document) => {
    const one = known.get(document.path);
    if (one?.text === document.text) return one;
    known.set(document.path, document);
    return document;
  };
}

function sizeOf({ input: { sources, headers } }: FileQuestion): number {
  return [...sources, ...headers].reduce((sum, { text }) => sum + text.length, 0);
}

/** Without threads all is done here, as in an environment that allows none. */
function startThreads(self: string, count: number, threads: Worker[]): void {
  try {
    for (let i = 0; i < count; i++) threads.push(new Worker(self, { workerData: ANSWER_THREAD }));
  } catch {
    threads.length = 0;
  }
}

/** Shares modules out: the largest first, each to the lane that has least to do. */
function lanesOf(
  modules: readonly { readonly size: number; readonly asked: readonly Asked[] }[],
  count: number,
): readonly (readonly Asked[])[] {
  // A thread that starts now has to load the engine, which is work too.
  const lanes = Array.from({ length: count }, (_, i) => ({
    load: i === 0 ? 0 : ENOUGH / 2,
    asked: [] as Asked[],
  }));
  for (const module of [...modules].sort((one, other) => other.size - one.size)) {
    const lane = lanes.reduce((least, one) => (one.load < least.load ? one : least));
    lane.load += module.size;
    append(lane.asked, module.asked);
  }
  return lanes.map((one) => one.asked);
}

async function answerHere(
  program: Pick<Program, 'engine'>,
  lane: readonly Asked[],
  take: (told: Told) => void,
): Promise<void> {
  if (lane.length === 0) return;
  const engine = await program.engine();
  for (const { index, question } of lane) {
    take({ index, outcome: outcomeOf(engine, question) });
    // Answers of threads come in only between turns of the event loop.
    await new Promise<void>((done) => setImmediate(done));
  }
}

/** Resolves to what the thread has not answered when it ended by itself. */
function answerThere(
  thread: Worker,
  lane: readonly Asked[],
  take: (told: Told) => void,
): Promise<readonly Asked[]> {
  const left = new Map(lane.map((one) => [one.index, one]));
  return new Promise((resolve) => {
    const end = (): void => resolve([...left.values()]);
    thread.on('message', (told: Told) => {
      left.delete(told.index);
      take(told);
      if (left.size === 0) end();
    });
    thread.on('error', end);
    thread.on('exit', end);
    try {
      if (lane.length === 0) end();
      else thread.postMessage(lane);
    } catch {
      // What cannot be handed over is answered here.
      end();
    }
  });
}
