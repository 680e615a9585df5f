/** Answers of several threads are those of one, also where a thread does not do its part. */
import { afterEach, expect, it } from 'vitest';
import { createAnswerLanes, type Outcome } from '../../../server/src/cli/answer-lanes.ts';
import { answerFile, type FileQuestion } from '../../../server/src/cli/file-answer.ts';
import { createEngine } from '../../../server/src/engine/analyse.ts';
import { LEAKY, UNCHECKED } from '../../support/drivers.ts';
import { temporaryFolder, type Folder } from '../../support/folder.ts';
import { loadParser } from '../../support/parser.ts';
import { kernel, single } from '../engine/support.ts';

const engine = createEngine(await loadParser());
const COMMENT = `/* ${'long '.repeat(30_000)}*/\n`;
/** Modules of so much text that threads are started for them. */
const QUESTIONS = Array.from({ length: 8 }, (_, i): FileQuestion => ({
  input: single(`${COMMENT}${i % 2 === 0 ? LEAKY : UNCHECKED}`, `/w/${i}/a.c`),
  config: {},
  kernel: kernel('6.1'),
  rows: [],
  provesFixes: true,
}));

let folder: Folder | undefined;
afterEach(() => {
  folder?.remove();
  folder = undefined;
});

/** What the questions come to with a thread that runs this code. */
async function outcomesWith(code: string): Promise<readonly (Outcome | undefined)[]> {
  folder = temporaryFolder({ 'thread.mjs': code });
  const lanes = createAnswerLanes(
    { self: folder.pathOf('thread.mjs'), engine: () => Promise.resolve(engine) },
    1,
  );
  for (const question of QUESTIONS) lanes.add(question);
  let count = 0;
  const outcomes = await lanes.outcomes(() => count++);
  expect(count).toBe(QUESTIONS.length);
  return QUESTIONS.map((one) => outcomes.get(one));
}

const EXPECTED = QUESTIONS.map((one) => ({ answer: answerFile(engine, one) }));

it.each([
  ['cannot be loaded', 'import "./nothing.mjs";'],
  ['ends at once', ''],
  [
    'ends in the middle',
    'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => process.exit(1));',
  ],
])('answers all where a thread %s', async (_, code) => {
  expect(await outcomesWith(code)).toEqual(EXPECTED);
});

it('takes the answers of a thread, and what it was wrong at', async () => {
  const outcomes = await outcomesWith(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', (lane) => {
      const [one, other] = lane;
      parentPort.postMessage({ index: one.index, outcome: { error: 'out of order' } });
      parentPort.postMessage({ index: other.index, outcome: { answer: 'of the thread' } });
      throw new Error('no more');
    });`);
  const theirs = outcomes.filter((one, i) => one !== undefined && !isEqual(one, EXPECTED[i]!));
  expect(theirs).toHaveLength(2);
  expect(theirs).toEqual(
    expect.arrayContaining([{ error: 'out of order' }, { answer: 'of the thread' }]),
  );
});

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
