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
    why: 'Whoever reads the code later has to know why a finding does not count here, or cannot tell whether it still does not. Without a reason the comment suppresses nothing.',
    instead:
      'Say after a colon who does what the finding misses: `/* vfio-lifecycle: allow(missing-put): the bus drops the reference */`.',
    knownProblems: 'Any word is taken for a reason.',
    references: ['docs/settings.md: comments, and how a rule is switched off for a whole tree'],
  },
  examples: suppressionWithoutReasonExamples,
  messages: SUPPRESSION_MESSAGES.withoutReason,
  check: () => [],
};
