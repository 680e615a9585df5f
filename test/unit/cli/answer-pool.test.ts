import { afterEach, describe, expect, it } from 'vitest';
import { createAnswerPool, type AnswerPool } from '../../../server/src/cli/answer-pool.ts';
import type { FileQuestion } from '../../../server/src/cli/file-answer.ts';
import { createEngine, type Engine } from '../../../server/src/engine/analyse.ts';
import { temporaryFolder, type Folder } from '../../support/folder.ts';
import { loadParser } from '../../support/parser.ts';

let folder: Folder | undefined;
afterEach(() => {
  folder?.remove();
  folder = undefined;
});

/** A pool of two other threads, which do with each message what a text says. */
function onTwoThreads(
  does: string,
  engine = (): Promise<Engine> => Promise.reject(new Error('this thread was asked')),
): AnswerPool {
  folder = temporaryFolder({
    'thread.cjs': `const { parentPort, threadId } = require('node:worker_threads');
parentPort.on('message', (asked) => { ${does} });
`,
  });
  return createAnswerPool({
    self: `${folder.path}/thread.cjs`,
    threads: 3,
    engine,
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

/** What became of the questions, of which this thread answers none. */
async function asked(
  pool: AnswerPool,
  about: readonly FileQuestion[],
): Promise<readonly PromiseSettledResult<unknown>[]> {
  const answers = about.map((one) => pool.answer(one));
  const [, ...results] = await Promise.allSettled([pool.settle(), ...answers]);
  return results;
}

/** The answers of the other threads, by the position of the question. */
async function answered<T>(
  pool: AnswerPool,
  about: readonly FileQuestion[],
): Promise<readonly [at: number, answer: T][]> {
  const results = await asked(pool, about);
  return results.flatMap((one, i) => (one.status === 'fulfilled' ? [[i, one.value as T]] : []));
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

  it('starts threads for the questions that it is told of, and keeps one module here', async () => {
    for (const [told, byOthers] of [
      [8, []],
      [9, [0, 1]],
    ] as const) {
      const pool = onTwoThreads('parentPort.postMessage({ answer: { threadId } })');
      pool.expect(told);
      expect((await answered(pool, questions(4))).map(([i]) => i)).toEqual(byOthers);
      await pool.close();
      folder!.remove();
    }
  });

  it('gives the files of a module to one thread, with its texts once', async () => {
    const pool = onTwoThreads(
      'parentPort.postMessage({ answer: { threadId, file: asked.file, texts: asked.module?.input.sources.length ?? 0 } })',
    );
    const told = await answered<{ threadId: number; file: string; texts: number }>(
      pool,
      questions(12),
    );
    expect(told.length).toBeGreaterThanOrEqual(4);
    for (const [i, { file, texts }] of told) {
      expect(file).toBe(questions(12)[i]!.input.file);
      expect(texts).toBe(i % 2 === 0 ? 2 : 0);
    }
    const threadsOf = (module: number) =>
      told.filter(([i]) => i >> 1 === module).map(([, { threadId }]) => threadId);
    for (let module = 0; module < 6; module++) {
      const [first, ...others] = threadsOf(module);
      if (first !== undefined) expect(others).toEqual([first]);
    }
    expect(new Set(told.map(([, { threadId }]) => threadId)).size).toBe(2);
    await pool.close();
  });

  it('gives a thread the largest module that is left', async () => {
    const pool = onTwoThreads(`globalThis.count = (globalThis.count ?? 0) + 1;
      parentPort.postMessage({ answer: { threadId, count: globalThis.count } });`);
    pool.expect(24);
    const told = await answered<{ threadId: number; count: number }>(pool, questions(24, 1));
    for (const thread of new Set(told.map(([, { threadId }]) => threadId))) {
      const order = told
        .filter(([, { threadId }]) => threadId === thread)
        .sort(([, one], [, other]) => one.count - other.count)
        .map(([i]) => i >> 1);
      // What was given out while the questions were put was the largest then.
      const then = [...new Set(order)].filter((module) => module > 4);
      expect(then).toEqual([...then].sort((one, other) => other - one));
    }
    await pool.close();
  });

  it('fails the question that could not be worked on, and no other', async () => {
    const pool = onTwoThreads(
      "parentPort.postMessage(asked.file.endsWith('f1.c') ? { failure: 'no' } : { answer: {} })",
    );
    pool.expect(12);
    const told = await asked(pool, questions(12));
    expect(told.slice(0, 2).map((one) => one.status)).toEqual(['fulfilled', 'rejected']);
    expect(told[1]).toMatchObject({ reason: { message: 'no' } });
    await pool.close();
  });

  it('fails what a thread that dies had before it, and answers the rest in this one', async () => {
    let here = 0;
    const pool = onTwoThreads("throw new Error('gone')", () => {
      here++;
      return Promise.reject(new Error('this thread was asked'));
    });
    const told = await asked(pool, questions(12));
    const reasons = told.map((one) => one.status === 'rejected' && (one.reason as Error).message);
    expect(here).toBeGreaterThan(0);
    expect(reasons.filter((reason) => reason === 'this thread was asked')).toHaveLength(here);
    expect(reasons.filter((reason) => reason === 'gone')).toHaveLength(12 - here);
    await pool.close();
  });

  it('answers the smallest modules in this thread, one after the other', async () => {
    // The other threads never answer: they were given three modules of the first nine questions.
    const order: number[] = [];
    const pool = onTwoThreads('');
    for (const [i, one] of questions(24, 1).entries())
      pool.answer(one).catch(() => order.push(i >> 1));
    await pool.settle();
    expect(order).toEqual([0, 1, 5, 6, 7, 8, 9, 10, 11].flatMap((module) => [module, module]));
    await pool.close();
  });

  it.each([
    ['dies', "throw new Error('gone')"],
    ['ends', 'process.exit()'],
  ])('asks no more of a thread that %s', async (_, does) => {
    const pool = onTwoThreads(`asked.file.endsWith('f1.c') ? (() => { ${does} })()
      : parentPort.postMessage({ answer: { threadId } })`);
    pool.expect(12);
    const [first, second] = await asked(pool, questions(12));
    expect(first!.status).toBe('fulfilled');
    expect(second!.status).toBe('rejected');
    // Of the same module too: the other thread is given it with another one that is left.
    const again = questions(4).filter((_question, i) => i !== 1);
    expect((await asked(pool, again))[0]!.status).toBe('fulfilled');
    await pool.close();
  });

  it('answers here what comes when no thread is left', async () => {
    const pool = onTwoThreads("throw new Error('gone')");
    await asked(pool, questions(9));
    await expect(asked(pool, questions(1))).resolves.toMatchObject([
      { reason: { message: 'this thread was asked' } },
    ]);
    await pool.close();
  });
});
