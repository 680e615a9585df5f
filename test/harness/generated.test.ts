import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, test } from 'vitest';
import { whyNot } from '../../scripts/lib/headers.mjs';
import { generatedDrivers, renderDriver } from '../unit/convert/grammar.ts';
import { outcomeOf } from '../unit/convert/outcome.ts';
import { trialsIn } from './trial.ts';

const reason = whyNot('6.1');
/** More than the usual number, for a longer search: `GENERATED_DRIVERS=500 npm test -- harness`. */
const COUNT = Number(process.env['GENERATED_DRIVERS'] ?? 8);
const SEED = Number(process.env['GENERATED_SEED'] ?? 20221211);
const MINUTE = 60_000;
/** Where a driver goes whose conversion does something else, as small as it could be made. */
const FOUND = fileURLToPath(new URL('../../out/generated/', import.meta.url));

describe.skipIf(reason !== undefined)(
  `generated drivers${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-generated-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const trials = trialsIn(folder);

    for (const kernel of ['6.1', '6.12']) {
      for (const style of ['minimal', 'fold'] as const) {
        test.skipIf(whyNot(kernel) !== undefined)(
          `do what they did when they are converted for ${kernel}, ${style}`,
          async () => {
            const property = fc.asyncProperty(generatedDrivers, async (shape) => {
              const { problems } = await trials.attempt(renderDriver(shape), kernel, style);
              if (problems.length > 0) throw new Error(problems.join('\n'));
            });
            // Shrinking ends after a while with the smallest driver that it has by then.
            const result = await fc.check(property, {
              numRuns: COUNT,
              seed: SEED,
              interruptAfterTimeLimit: COUNT * 5_000 + 2 * MINUTE,
              markInterruptAsFailure: false,
            });
            if (!result.failed || !result.counterexample) return;
            const [shape] = result.counterexample;
            const before = renderDriver(shape);
            const outcome = outcomeOf(before, kernel, style);
            mkdirSync(FOUND, { recursive: true });
            const name = path.join(FOUND, `${kernel}-${style}`);
            writeFileSync(`${name}.before.c`, before);
            writeFileSync(`${name}.after.c`, outcome.status === 'converted' ? outcome.text : '');
            throw new Error(
              `${String(result.errorInstance)}\n${JSON.stringify(shape)}\nThe driver is in ${name}.before.c and ${name}.after.c.`,
            );
          },
          COUNT * 10_000 + 5 * MINUTE,
        );
      }
    }
  },
);
