import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyEdits } from '../../../server/src/text/edits.ts';
import { createJudge } from '../../mutants/judge.ts';
import { goalsOf } from '../../mutants/main.ts';
import { operators } from '../../mutants/operators/index.ts';
import { lower, ownSubjects } from '../../mutants/subjects.ts';
import type { Operator } from '../../mutants/types.ts';
import { rules } from '../../../server/src/rules/index.ts';
import { inRange } from '../../../server/src/kernel/version.ts';
import { loadParser } from '../../support/parser.ts';

const parser = await loadParser();
const root = join(import.meta.dirname, '../../..');
const subjects = ownSubjects(parser, root);

function planted(operator: Operator) {
  return subjects
    .filter((one) => inRange(one.kernel, operator.kernels))
    .flatMap((subject) => operator.plant(subject).map((defect) => ({ subject, defect })));
}

/** Two of each driver: `npm run test:mutants` analyses every one, and one that is no C is not found. */
function firstAndLast(all: ReturnType<typeof planted>) {
  return subjects.flatMap((subject) => {
    const own = all.filter((one) => one.subject === subject);
    return own.length > 2 ? [own[0]!, own.at(-1)!] : own;
  });
}

describe.each(operators.map((one) => [one.id, one] as const))('%s', (_, operator) => {
  const all = planted(operator);

  test('there is something to break', () => {
    expect(all.some(({ defect }) => defect.equivalent === undefined)).toBe(true);
  });

  test('what it writes is C, and not what it was', () => {
    const broken = firstAndLast(all).filter(({ subject, defect }) => {
      const before = [...subject.sources, ...subject.headers].find(
        (one) => one.path === defect.path,
      )!;
      const text = applyEdits(before.text, defect.edits);
      const after = lower(parser, defect.path, text);
      const isOpaque =
        after.functions.filter((one) => one.opaque).length >
          before.functions.filter((one) => one.opaque).length ||
        after.lost.length > before.lost.length;
      return (
        isOpaque ||
        after.functions.length !== before.functions.length ||
        (text === before.text) !== (defect.kernel !== undefined)
      );
    });
    expect(
      broken.map(({ subject, defect }) => `${subject.name}: ${defect.path} at ${defect.at}`),
    ).toEqual([]);
  });
});

test('every rule that reports errors is asked for', () => {
  const asked = new Set(operators.flatMap((one) => one.rules));
  expect(
    rules.filter((one) => one.severity === 'error' && !asked.has(one.id)).map((one) => one.id),
  ).toEqual([]);
});

describe('the goals', () => {
  const subject = subjects.find((one) => one.name === 'clean/busy-probe.c')!;
  const operator = operators.find((one) => one.id === 'drop the put')!;
  const rows = (judge: ReturnType<typeof createJudge>) => [
    {
      operator,
      verdicts: operator.plant(subject).map((defect) => judge(operator, subject, defect)),
    },
  ];

  test('are met where the defect is found', () => {
    expect(goalsOf(rows(createJudge(parser)), true).filter((one) => !one.isMet)).toEqual([]);
  });

  test('are missed where nothing is found', () => {
    expect(
      goalsOf(rows(createJudge(parser, () => () => [])), true).map((one) => one.isMet),
    ).toEqual([false, true, false]);
  });

  test('are missed where something else is found', () => {
    const finding = {
      rule: 'double-put',
      severity: 'error',
      message: '',
      functionName: 'kiln_probe',
      site: { path: '', start: 0, end: 0 },
      related: [],
      fix: null,
    } as const;
    const judge = createJudge(
      parser,
      () => (sources) => (sources[0] === subject.sources[0] ? [] : [finding]),
    );
    expect(goalsOf(rows(judge), true).map((one) => one.isMet)).toEqual([false, false, false]);
  });

  test('are missed where there was nothing to break', () => {
    expect(goalsOf([{ operator, verdicts: [] }], true).map((one) => one.isMet)).toEqual([
      false,
      true,
      false,
    ]);
  });
});
