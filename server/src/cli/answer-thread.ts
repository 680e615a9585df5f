/** A thread of the answer pool. */
import { parentPort } from 'node:worker_threads';
import { rowsOf } from '../engine/settings/wrappers.ts';
import type { ModuleInput } from '../engine/types.ts';
import { answerFile, type FileAnswer, type FileQuestion } from './file-answer.ts';
import { loadEngine } from './load-engine.ts';

/** All of a question but which file of the module it is about. */
export type ModuleQuestion = Omit<FileQuestion, 'input'> & {
  readonly input: Omit<ModuleInput, 'file' | 'wrappers'>;
};

/** A question to the thread. */
export interface Asked {
  /** Missing where it is the one of the last question still. */
  readonly module?: ModuleQuestion;
  readonly file: string;
}

/** A message of the thread: the answers come in the order of the questions. */
export type Answered = { readonly answer: FileAnswer } | { readonly failure: string };

/**
 * Answers the pool until it closes the thread.
 * @param dist the folder of the wasm modules.
 */
export function serveAnswers(dist: string): void {
  const engine = loadEngine(dist);
  let module: ModuleQuestion | undefined;
  const answer = async (asked: Asked): Promise<Answered> => {
    module = asked.module ?? module!;
    // Made anew from the settings: results are kept by the object, and the same settings have one.
    const wrappers = module.config.wrappers && rowsOf(module.config.wrappers).rows;
    const input = { ...module.input, file: asked.file, wrappers };
    try {
      return { answer: await answerFile(await engine, { ...module, input }) };
    } catch (error) {
      return { failure: error instanceof Error ? error.message : String(error) };
    }
  };
  let turn = Promise.resolve();
  parentPort!.on('message', (asked: Asked) => {
    turn = turn.then(async () => parentPort!.postMessage(await answer(asked)));
  });
}
