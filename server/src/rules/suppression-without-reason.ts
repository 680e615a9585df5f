/** A suppression comment gives no reason. */
import type { Rule } from './types.ts';
import { SUPPRESSION_MESSAGES, WITHOUT_REASON } from './suppressions.ts';
import { suppressionWithoutReasonExamples } from './suppressions.examples.ts';

/** Reported by withoutSuppressed(), which sees what all rules found. */
export const suppressionWithoutReason: Rule = {
  id: WITHOUT_REASON,
  severity: 'warning',
  kernels: {},
  fixable: 'none',
  docs: {
    what: 'A suppression comment gives no reason.',
    why: 'A later reader has to know why the finding does not count here, and whether that is still true. Without a reason the comment suppresses nothing.',
    instead:
      'After a colon, say where the missing step happens: `/* vfio-lifecycle: allow(missing-put): the bus drops the reference */`.',
    knownProblems: 'Any word counts as a reason.',
    references: ['docs/settings.md: comments, and how a rule is switched off for a whole tree'],
  },
  examples: suppressionWithoutReasonExamples,
  messages: SUPPRESSION_MESSAGES.withoutReason,
  check: () => [],
};
