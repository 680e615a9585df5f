/** A suppression comment has the wrong form, or names an unknown rule. */
import type { Rule } from './types.ts';
import { SUPPRESSION_MESSAGES, INVALID } from './suppressions.ts';
import { invalidSuppressionExamples } from './suppressions.examples.ts';

/** Reported by withoutSuppressed(), which sees what all rules found. */
export const invalidSuppression: Rule = {
  id: INVALID,
  severity: 'warning',
  kernels: {},
  fixable: 'none',
  docs: {
    what: 'A suppression comment has the wrong form, or names an unknown rule.',
    why: 'Such a comment suppresses nothing. Often there is a typo in it.',
    instead:
      'Write `/* vfio-lifecycle: allow(rule): reason */` with the rule that the finding shows, or several rules with commas between them.',
    knownProblems:
      'A comment of another form counts as a suppression if it begins with `vfio-lifecycle:` or a similar word, or has `allow(` with the name of a rule.',
    references: ['docs/settings.md: comments, and how a rule is switched off for a whole tree'],
  },
  examples: invalidSuppressionExamples,
  messages: SUPPRESSION_MESSAGES.invalid,
  check: () => [],
};
