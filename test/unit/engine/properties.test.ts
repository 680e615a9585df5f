import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../../server/src/engine/analyse.ts';
import { conversionTarget, convert, planOf } from '../../../server/src/engine/convert.ts';
import { dump, type Stage } from '../../../server/src/engine/debug/dump.ts';
import { fixAll } from '../../../server/src/engine/fix.ts';
import { hoverAt } from '../../../server/src/engine/hover.ts';
import { withEdits } from '../../../server/src/engine/prove.ts';
import type { Analysis } from '../../../server/src/engine/types.ts';
import { BAR_H, LEAKY, OLD, UNCHECKED } from '../../support/drivers.ts';
import { loadParser } from '../../support/parser.ts';
import { kernel, single } from './support.ts';

const DRIVERS = [LEAKY, UNCHECKED, OLD.replace('#include "bar.h"\n', BAR_H)];
const KERNELS = ['5.15', '6.0', '6.1', '6.6'].map(kernel);

/**
 * What people and programs do to a text: a few characters in or out, whole stretches gone, moved or
 * twice.
 */
const edit = fc.record({
  at: fc.nat(),
  remove: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 200 })),
  insert: fc.oneof(
    fc.constant(''),
    fc.constantFrom(
      '{',
      '}',
      '(',
      ')',
      ';',
      '"',
      '/*',
      '*/',
      '#if A\n',
      '#else\n',
      '#endif\n',
      '\\\n',
      '\n',
      ' ',
      'x',
      '\0',
      '\ud83d',
      'goto out;',
      'out:',
      'vfio_put_device(&foo->vdev);',
      'return 0;',
      'if (x) ',
    ),
    fc.string({ maxLength: 8 }),
  ),
});

function apply(
  text: string,
  { at, remove, insert }: { at: number; remove: number; insert: string },
): string {
  const start = at % (text.length + 1);
  return text.slice(0, start) + insert + text.slice(start + remove);
}

const shown = (analysis: Analysis) =>
  analysis.findings.map((one) => ({
    rule: one.rule,
    severity: one.severity,
    message: one.message,
    site: one.site,
    related: one.related,
  }));

async function withEngines(count: number, use: (...engines: Engine[]) => void): Promise<void> {
  const parser = await loadParser();
  const engines = Array.from({ length: count }, () => createEngine(parser));
  try {
    use(...engines);
  } finally {
    for (const one of engines) one.dispose();
  }
}

describe('the engine over damaged drivers', () => {
  it('never fails, whatever it is asked', async () => {
    await withEngines(1, (engine) => {
      fc.assert(
        fc.property(
          fc.constantFrom(...DRIVERS),
          fc.array(edit, { minLength: 1, maxLength: 6 }),
          fc.constantFrom(...KERNELS),
          fc.nat(),
          (driver, edits, target, offset) => {
            const input = single(edits.reduce(apply, driver));
            const text = input.sources[0]!.text;
            expect(
              engine
                .analyse(input, {}, target)
                .notAnalysed.filter((one) => one.reason.startsWith('internal error')),
            ).toEqual([]);
            hoverAt(engine.lowered(input), offset % (text.length + 1), target.version);
            for (const stage of ['tree', 'ir', 'cfg', 'states', 'calls'] satisfies Stage[])
              dump(engine, input, target, stage, undefined);
            const plan = planOf(engine, input, conversionTarget(target), undefined);
            if (plan.status === 'refused') expect(plan.reason).not.toContain('internal error');
            const result = convert(engine, input, conversionTarget(target), undefined);
            if (result.status === 'converted') expect(withEdits(input, result.edits)).toBeDefined();
            if (result.status === 'refused') expect(result.reason).not.toContain('internal error');
          },
        ),
        { numRuns: 150 },
      );
    });
  });

  it('reads every call that has no arguments yet', async () => {
    await withEngines(1, (engine) => {
      for (const driver of DRIVERS) {
        for (const call of driver.matchAll(/\w\(([^()]+)\)/g)) {
          const input = single(
            driver.slice(0, call.index + 2) + driver.slice(call.index + call[0].length - 1),
          );
          for (const target of KERNELS)
            expect(engine.analyse(input, {}, target).notAnalysed, call[0]).toEqual([]);
        }
      }
    });
  });

  it('finds after a chain of edits what it finds in the result alone', async () => {
    await withEngines(2, (edited, fresh) => {
      fc.assert(
        fc.property(
          fc.constantFrom(...DRIVERS),
          fc.array(edit, { minLength: 1, maxLength: 8 }),
          fc.constantFrom(...KERNELS),
          (driver, edits, target) => {
            let text = driver;
            for (const one of edits) {
              text = apply(text, one);
              edited.analyse(single(text), {}, target);
            }
            edited.settle('/w/a.c');
            fresh.forget('/w/a.c');
            expect(shown(edited.analyse(single(text), {}, target))).toEqual(
              shown(fresh.analyse(single(text), {}, target)),
            );
          },
        ),
        { numRuns: 150 },
      );
    });
  });

  it('fixes without a new finding, and has nothing left to fix', async () => {
    await withEngines(1, (engine) => {
      fc.assert(
        fc.property(
          fc.constantFrom(...DRIVERS),
          fc.array(edit, { maxLength: 3 }),
          fc.constantFrom(...KERNELS),
          fc.boolean(),
          (driver, edits, target, unsafe) => {
            const input = single(edits.reduce(apply, driver));
            const before = engine.analyse(input, {}, target).findings;
            const { edits: found, fixed } = fixAll(engine, input, {}, target, { unsafe });
            const after = withEdits(input, found);
            expect(after).toBeDefined();
            const now = engine.analyse(after!, {}, target).findings;
            expect(now.length).toBeLessThanOrEqual(before.length - fixed.length);
            expect(fixAll(engine, after!, {}, target, { unsafe }).edits).toEqual([]);
          },
        ),
        { numRuns: 80 },
      );
    });
  });
});
