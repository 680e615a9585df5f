import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { whyNot } from '../../scripts/lib/headers.mjs';
import { hazardousDrivers, renderDriver } from '../unit/convert/grammar.ts';
import { HAZARDS } from '../unit/convert/hazards.ts';
import { trialsIn } from './trial.ts';

const reason = whyNot('6.1');
/** Drivers with each hazard. */
const COUNT = Number(process.env['HAZARDOUS_DRIVERS'] ?? 1);
const SEED = Number(process.env['GENERATED_SEED'] ?? 20260101);
const SLOW = COUNT * 60_000 + 300_000;

describe.skipIf(reason !== undefined)(
  `drivers that a careless conversion would break${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-hazards-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const trials = trialsIn(folder);

    test.each(Object.keys(HAZARDS))(
      '%s',
      async (hazard) => {
        const drivers = fc
          .sample(hazardousDrivers(hazard), { numRuns: COUNT, seed: SEED })
          .map(renderDriver);
        // The driver is right, else nothing could be told of its conversion.
        expect(await trials.bugs(drivers[0]!)).toEqual([]);
        for (const text of drivers) {
          for (const [kernel, style] of [
            ['6.1', 'minimal'],
            ['6.1', 'fold'],
            ['6.12', 'minimal'],
            ['6.12', 'fold'],
          ] as const) {
            if (whyNot(kernel) !== undefined) continue;
            const { problems } = await trials.attempt(text, kernel, style);
            expect(problems, `${kernel}, ${style}:\n${text}`).toEqual([]);
          }
        }
      },
      SLOW,
    );
  },
);
