// A setup file of the unit tests.
import fc from 'fast-check';
import { setCompilerFlags } from '../../server/src/lsp/node-compiler-flags.ts';

// Every property tries the same inputs in every run, so that a failure is the change's.
// `SEED=7 npm test -- unit` looks at others.
fc.configureGlobal({ seed: Number(process.env['SEED'] ?? 20221117) });

// As the program does, and for the same reason: a sixth less processor time.
setCompilerFlags();
