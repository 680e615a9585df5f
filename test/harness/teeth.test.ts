import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { whyNot } from '../../scripts/lib/headers.mjs';
import { hazardousDrivers, renderDriver } from '../unit/convert/grammar.ts';
import { HAZARDS, type HazardKind } from '../unit/convert/hazards.ts';

const CONVERT = '../../server/src/convert';
const reason = whyNot('6.1');
/** Drivers with each hazard, from the seed of hazards.test.ts. */
const COUNT = 2;
const SEED = 20260101;
const SLOW = 600_000;

/** A proof of the conversion, with what takes its place when it is left out. */
interface Proof {
  readonly what: string;
  readonly module: string;
  readonly instead: Readonly<Record<string, unknown>>;
  /** What the harness must then find, in at least one driver with a hazard of this kind. */
  readonly kinds: readonly HazardKind[];
}

const PROOFS: readonly Proof[] = [
  {
    what: 'reads and writes decide what the arguments of the init move over',
    module: '../lifecycle/footprint/order.ts',
    instead: { mayMoveOver: () => true, firstOf: () => null },
    kinds: ['late-argument'],
  },
  {
    what: 'an object that is overwritten is refused',
    module: 'plan/overwritten.ts',
    instead: { refuseOverwritten: () => undefined },
    kinds: ['overwritten'],
  },
  {
    what: 'the order of the members is proved to be unseen',
    module: 'plan/member-order/prove-order.ts',
    instead: { proveOrderUnseen: () => undefined },
    kinds: ['layout'],
  },
];

describe.skipIf(reason !== undefined)(
  `without one of its proofs, a conversion is found to be wrong${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vfio-lifecycle-teeth-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test.each(PROOFS)(
      '$what',
      async ({ module, instead, kinds }) => {
        vi.resetModules();
        vi.doMock(`${CONVERT}/${module}`, async (original) => ({
          ...(await original<object>()),
          ...instead,
        }));
        const { trialsIn } = await import('./trial.ts');
        const trials = trialsIn(folder);
        const found: string[] = [];
        const hazards = Object.keys(HAZARDS).filter((name) => kinds.includes(HAZARDS[name]!.kind));
        for (const text of hazards
          .flatMap((name) => fc.sample(hazardousDrivers(name), { numRuns: COUNT, seed: SEED }))
          .map(renderDriver)) {
          const { problems } = await trials.attempt(text, '6.1', 'minimal');
          found.push(...problems);
          if (found.length > 0) break;
        }
        vi.doUnmock(`${CONVERT}/${module}`);
        expect(found).not.toEqual([]);
      },
      SLOW,
    );
  },
);
