// Makes up drivers, converts them, and runs both: `npm run test:generated [-- --count N] [--seed
// S]`. Each hazard of test/unit/convert/hazards.ts gets a tenth of the count. Needs a C compiler
// and kernel headers.
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { line } from './lib/counts.mjs';
import { inProject } from './lib/paths.mjs';
import { vitest } from './lib/suites.mjs';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_007) },
  },
});
const count = Number(values.count);
if (!Number.isInteger(count) || count < 1) {
  console.error(`--count takes a number of drivers, not ${values.count}`);
  process.exit(2);
}
console.log(`${count} drivers, seed ${values.seed}`);
mkdirSync(inProject('out'), { recursive: true });
const env = {
  GENERATED_DRIVERS: values.count,
  HAZARDOUS_DRIVERS: String(Math.ceil(count / 10)),
  GENERATED_SEED: values.seed,
};
const counts = vitest('harness', ['generated.test.ts', 'hazards.test.ts'], env);
for (const failure of counts.failures ?? []) console.log(`FAILED ${failure}`);
console.log(line(counts));
process.exit(counts.failed > 0 ? 1 : 0);
