// A setup file: every property tries the same inputs in every run, so that a failure is the
// change's. `SEED=7 npm test -- unit` looks at others.
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['SEED'] ?? 20221117) });
