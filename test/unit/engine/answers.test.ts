/**
 * What conversions and fixes may cost, and that nothing is proved by what was not looked at. Work
 * is counted, never timed.
 */
import { describe, expect, it } from 'vitest';
import { ANSWER_BUDGET } from '../../../server/src/engine/answers.ts';
import { convert, planOf } from '../../../server/src/engine/convert.ts';
import { convertFolding } from '../../../server/src/engine/fold.ts';
import { fixAll } from '../../../server/src/engine/fix.ts';
import { proofOf } from '../../../server/src/engine/fix-proof.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import { workDone } from '../../../server/src/budget/work.ts';
import { BAR_H, LEAKY, OLD } from '../../support/drivers.ts';
import { engineWith, kernel, single } from './support.ts';

const DRIVER = OLD.replace('#include "bar.h"\n', BAR_H);
const K61 = kernel('6.1');

/** The driver with statements before the registration in its probe. */
const withRows = (rows: string): string => {
  const text = DRIVER.replace(/\n(\tret = vfio_register)/, `\n${rows}$1`);
  if (text === DRIVER) throw new Error('the driver registers nothing');
  return text;
};
const many = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('');

const NESTS: Readonly<Record<string, string>> = {
  'loops in loops': `${many(60, (i) => `\tfor (int i${i} = 0; i${i} < 9; i${i}++)\n`)}\t\tmore(bar);\n`,
  'loops that end in the middle': `${many(50, (i) => `\twhile (more(${i})) {\n\t\tif (less(${i}))\n\t\t\tcontinue;\n`)}${many(50, () => '\t}\n')}`,
  'blocks in blocks': `\t${'{'.repeat(250)} more(bar); ${'}'.repeat(250)}\n`,
};

describe('an answer', () => {
  it.each(Object.entries(NESTS))(
    'about %s is given up before it costs too much',
    async (_, rows) => {
      const engine = await engineWith(kernelStages.rules);
      const before = workDone();
      const { status } = convert(engine, single(withRows(rows)), K61, undefined);
      expect(['refused', 'converted']).toContain(status);
      expect(workDone() - before).toBeLessThan(2 * ANSWER_BUDGET);
    },
  );

  it('says so', async () => {
    const engine = await engineWith(kernelStages.rules, {
      *analyseModule(...args) {
        const facts = yield* kernelStages.analyseModule(...args);
        return { ...facts, work: { spent: ANSWER_BUDGET, most: ANSWER_BUDGET } };
      },
    });
    const input = single(DRIVER);
    expect(convert(engine, input, K61, undefined)).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('too complex to follow'),
    });
    expect(convertFolding(engine, input, K61, undefined)).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('too complex to follow'),
    });
    expect(planOf(engine, input, K61, undefined).status).toBe('planned');
    const leaky = single(LEAKY);
    const found = engine.analyse(leaky, {}, K61).findings.find((one) => one.fix !== null)!;
    expect(proofOf(engine, leaky, {}, K61, found).isWrong).toBe(true);
    expect(fixAll(engine, leaky, {}, K61, { unsafe: false }).edits).toEqual([]);
  });
});

describe('a proof', () => {
  /** An engine that gives up what it is told to. */
  const givingUp = (name: string, isGiven: (text: string) => boolean) =>
    engineWith(kernelStages.rules, {
      *analyseModule(...args) {
        const facts = yield* kernelStages.analyseModule(...args);
        const { path, text } = args[0].sources[0]!;
        return isGiven(text)
          ? { ...facts, notAnalysed: [{ path, function: name, reason: 'too much work' }] }
          : facts;
      },
    });
  const isNew = (text: string): boolean => text.includes('vfio_alloc_device');

  it('of a conversion fails where a function that it changes was not analysed', async () => {
    const engine = await givingUp('bar_probe', () => true);
    expect(convert(engine, single(DRIVER), K61, undefined)).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('bar_probe() was not analysed: too much work'),
    });
    const after = await givingUp('', isNew);
    expect(convert(after, single(DRIVER), K61, undefined)).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('was not analysed'),
    });
  });

  it('does not need a function that stays as it is', async () => {
    const engine = await givingUp('unrelated', () => true);
    const text = `${DRIVER}static int unrelated(void)\n{\n\treturn 0;\n}\n`;
    expect(convert(engine, single(text), K61, undefined).status).toBe('converted');
  });

  it('of a fix fails where its function was not analysed', async () => {
    const engine = await givingUp('foo_probe', (text) => text !== LEAKY);
    const found = engine
      .analyse(single(LEAKY), {}, K61)
      .findings.find((one) => one.fix?.safety === 'safe')!;
    expect(proofOf(engine, single(LEAKY), {}, K61, found).isWrong).toBe(true);
  });
});

it('a variable that nothing declares is converted by nobody, and no error', async () => {
  const engine = await engineWith(kernelStages.rules);
  for (const [from, to] of [
    [/\tstruct bar \*bar;\n/, ''],
    [/\tstruct bar \*bar;\n/, '\tstruct bar other;\n'],
  ] as const) {
    const text = DRIVER.replace(from, to).replace(
      /\n\tvfio_init_group_dev\(([^,]*), ([^,]*), ([^)]*)\);/,
      '\n\tif (dev->id)\n\t\tvfio_init_group_dev($1, $2, $3);\n\telse\n\t\tvfio_init_group_dev($1, $2, &bar_other);',
    );
    expect(text).toContain('bar_other');
    const result = convert(engine, single(text), K61, undefined);
    expect(result.status).not.toBe('converted');
    if (result.status === 'refused') expect(result.reason).not.toContain('internal error');
  }
});
