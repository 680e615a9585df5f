import { afterEach, describe, expect, it } from 'vitest';
import { createAnswerPool, type AnswerPool } from '../../../server/src/cli/answer-pool.ts';
import type { FileQuestion } from '../../../server/src/cli/file-answer.ts';
import { createEngine } from '../../../server/src/engine/analyse.ts';
import { temporaryFolder, type Folder } from '../../support/folder.ts';
import { loadParser } from '../../support/parser.ts';

let folder: Folder | undefined;
afterEach(() => {
  folder?.remove();
  folder = undefined;
});

/** A pool of threads that do with each message what a text says. */
function onTwoThreads(does: string): AnswerPool {
  folder = temporaryFolder({
    'thread.cjs': `const { parentPort, threadId } = require('node:worker_threads');
parentPort.on('message', (asked) => { ${does} });
`,
  });
  return createAnswerPool({
    self: `${folder.path}/thread.cjs`,
    threads: 2,
    engine: () => Promise.reject(new Error('this thread was asked')),
  });
}

const config = {};
const kernel = { version: { major: 6, minor: 1 }, text: '6.1', source: 'default', reason: '' };

/** Questions about files of modules of two, the later modules larger or as large as the first. */
function questions(count: number, growth = 0): FileQuestion[] {
  return Array.from({ length: count }, (_, i) => {
    const at = i - (i % 2);
    const text = ';'.repeat(10 + growth * at);
    const sources = [at, at + 1].map((one) => ({ path: `/drv/f${one}.c`, text }));
    const input = { file: `/drv/f${i}.c`, sources, headers: [] };
    return { input, config, kernel, rows: [], provesFixes: true } as unknown as FileQuestion;
  });
}

/** The answer to a single question. */
async function here(pool: AnswerPool): Promise<unknown> {
  const answer = pool.answer(questions(1)[0]!);
  await Promise.all([pool.settle(), answer]);
  return answer;
}

describe('the pool of a check', () => {
  it('answers a few questions in this thread, when no more come', async () => {
    const engine = createEngine(await loadParser());
    const pool = createAnswerPool({
      self: '/no/such/program',
      threads: 2,
      engine: () => Promise.resolve(engine),
    });
    const answers = questions(8).map((one) => pool.answer(one));
    await pool.settle();
    expect(await Promise.all(answers)).toHaveLength(8);
    await pool.close();
  });

  it('starts threads for the questions that it is told of', async () => {
    const pool = onTwoThreads('parentPort.postMessage({ answer: { threadId } })');
    pool.expect(8);
    await expect(here(pool)).rejects.toThrow('this thread was asked');
    pool.expect(9);
    expect(await here(pool)).toEqual({ threadId: expect.any(Number) });
    await pool.close();
  });

  it('gives the files of a module to one thread, with its texts once', async () => {
    const pool = onTwoThreads(
      'parentPort.postMessage({ answer: { threadId, file: asked.file, texts: asked.module?.input.sources.length ?? 0 } })',
    );
    const answers = questions(12).map((one) => pool.answer(one));
    await pool.settle();
    const told = (await Promise.all(answers)) as unknown as {
      threadId: number;
      file: string;
      texts: number;
    }[];
    expect(told.map(({ file }) => file)).toEqual(questions(12).map(({ input }) => input.file));
    expect(told.map(({ texts }) => texts)).toEqual(told.map((_, i) => (i % 2 === 0 ? 2 : 0)));
    for (let i = 0; i < 12; i += 2) expect(told[i]!.threadId).toBe(told[i + 1]!.threadId);
    expect(new Set(told.map(({ threadId }) => threadId)).size).toBe(2);
    await pool.close();
  });

  it('gives a thread the largest module that is left', async () => {
    const pool = onTwoThreads(`globalThis.count = (globalThis.count ?? 0) + 1;
      parentPort.postMessage({ answer: { threadId, count: globalThis.count } });`);
    const told = (await Promise.all(
      questions(24, 1).map((one) => pool.answer(one)),
    )) as unknown as { threadId: number; count: number }[];
    for (const thread of new Set(told.map(({ threadId }) => threadId))) {
      const order = told
        .flatMap((one, i) =>
          one.threadId === thread ? [{ count: one.count, module: i >> 1 }] : [],
        )
        .sort((one, other) => one.count - other.count)
        .map(({ module }) => module);
      // Of the modules of the first nine questions these three were given out at once.
      const then = [...new Set(order)].filter((module) => ![2, 3, 4].includes(module));
      expect(then).toEqual([...then].sort((one, other) => other - one));
    }
    await pool.close();
  });

  it('fails the question that could not be worked on, and no other', async () => {
    const pool = onTwoThreads(
      "parentPort.postMessage(asked.file.endsWith('f3.c') ? { failure: 'no' } : { answer: {} })",
    );
    const answers = questions(12).map((one) => pool.answer(one));
    await pool.settle();
    const told = await Promise.allSettled(answers);
    expect(told.flatMap(({ status }, i) => (status === 'rejected' ? i : []))).toEqual([3]);
    await pool.close();
  });

  it('fails what a thread that dies had before it', async () => {
    const pool = onTwoThreads("throw new Error('gone')");
    const answers = questions(12).map((one) => pool.answer(one));
    await pool.settle();
    const told = await Promise.allSettled(answers);
    expect(told.every((one) => one.status === 'rejected')).toBe(true);
    await pool.close();
  });

  it.each([
    ['dies', "throw new Error('gone')"],
    ['ends', 'process.exit()'],
  ])('asks no more of a thread that %s', async (_, does) => {
    const pool = onTwoThreads(`asked.file.endsWith('f3.c') ? (() => { ${does} })()
      : parentPort.postMessage({ answer: { threadId } })`);
    const first = await Promise.allSettled(questions(12).map((one) => pool.answer(one)));
    const failed = first.findIndex(({ status }) => status === 'rejected');
    expect(failed).toBeGreaterThanOrEqual(2);
    // Of the same modules too: the other thread has nothing else before it.
    const rest = questions(12).filter(({ input }) => !input.file.endsWith('f3.c'));
    const then = await Promise.allSettled(rest.map((one) => pool.answer(one)));
    expect(then.map(({ status }) => status)).toEqual(rest.map(() => 'fulfilled'));
    await pool.close();
  });

  it('fails what comes when no thread is left', async () => {
    const pool = onTwoThreads("throw new Error('gone')");
    await Promise.allSettled(questions(12).map((one) => pool.answer(one)));
    await expect(pool.answer(questions(1)[0]!)).rejects.toThrow('gone');
    await pool.close();
  });
});
