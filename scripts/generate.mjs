// Writes all that is derived from the sources: the pages and messages of the rules, the pages of the
// interface, the schemas, the settings in package.json, and the names in the grammar. `npm test`
// fails where one of these is not what the sources say.
import { bin, start } from './lib/suites.mjs';

/** The tests that hold a file against the sources; with -u they write it. */
const DERIVED = [
  'test/unit/rules/docs.test.ts',
  'test/unit/rules/messages.test.ts',
  'test/unit/engine/settings.test.ts',
  'test/unit/kernel/hover.test.ts',
  'test/unit/kernel/grammar.test.ts',
];

const isWritten = start(bin('vitest'), ['run', '--project', 'unit', ...DERIVED, '-u']);
process.exit(isWritten ? 0 : 1);
