import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, test } from 'vitest';
import { findHeaders, whyNot } from '../../scripts/lib/headers.mjs';
import { generatedDrivers, renderDriver, type GeneratedDriver } from '../unit/convert/grammar.ts';
import { outcomeOf, type Style } from '../unit/convert/outcome.ts';
import { build } from './build.ts';
import { compare } from './compare.ts';
import { run } from './run.ts';

const reason = whyNot('6.1');
/** More than the usual number, for a longer search: `GENERATED_DRIVERS=500 npm test -- harness`. */
const COUNT = Number(process.env['GENERATED_DRIVERS'] ?? 8);
const SEED = Number(process.env['GENERATED_SEED'] ?? 20221211);
const MINUTE = 60_000;
/** Where a driver goes whose conversion does something else, as small as it could be made. */
const FOUND = fileURLToPath(new URL('../../out/generated/', import.meta.url));

describe.skipIf(reason !== undefined)(`generated drivers${reason === undefined ? '' : ` (${reason})`}`, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-generated-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let number = 0;

  async function runs(text: string, kernel: string, oldModel: boolean): Promise<Awaited<ReturnType<typeof run>>> {
    const own = path.join(folder, String(++number));
    mkdirSync(own);
    writeFileSync(path.join(own, 'driver.c'), text);
    const result = await run(await build({ sources: [path.join(own, 'driver.c')], oldModel, tidy: true }, findHeaders(kernel)!, own));
    rmSync(own, { recursive: true });
    return result;
  }

  /** What is wrong with the conversion; nothing for a refused one. */
  async function problemsOf(shape: GeneratedDriver, kernel: string, style: Style): Promise<readonly string[]> {
    const before = renderDriver(shape);
    const outcome = outcomeOf(before, kernel, style);
    if (outcome.status !== 'converted') return [];
    return compare(await runs(before, '6.1', true), await runs(outcome.text, kernel, false)).problems;
  }

  for (const kernel of ['6.1', '6.12']) {
    for (const style of ['minimal', 'fold'] as const) {
      test.skipIf(whyNot(kernel) !== undefined)(`do what they did when they are converted for ${kernel}, ${style}`, async () => {
        const property = fc.asyncProperty(generatedDrivers, async (shape) => {
          const problems = await problemsOf(shape, kernel, style);
          if (problems.length > 0) throw new Error(problems.join('\n'));
        });
        // Shrinking ends after a while with the smallest driver that it has by then.
        const result = await fc.check(property, { numRuns: COUNT, seed: SEED, interruptAfterTimeLimit: COUNT * 5_000 + 2 * MINUTE, markInterruptAsFailure: false });
        if (!result.failed || !result.counterexample) return;
        const [shape] = result.counterexample;
        const before = renderDriver(shape);
        const outcome = outcomeOf(before, kernel, style);
        mkdirSync(FOUND, { recursive: true });
        const name = path.join(FOUND, `${kernel}-${style}`);
        writeFileSync(`${name}.before.c`, before);
        writeFileSync(`${name}.after.c`, outcome.status === 'converted' ? outcome.text : '');
        throw new Error(`${String(result.errorInstance)}\n${JSON.stringify(shape)}\nThe driver is in ${name}.before.c and ${name}.after.c.`);
      }, COUNT * 10_000 + 5 * MINUTE);
    }
  }
});
