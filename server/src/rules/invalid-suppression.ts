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
    why: 'Such a comment suppresses nothing, although its writer meant it to. Often a letter is wrong.',
    instead:
      'Write `/* vfio-lifecycle: allow(rule): reason */` with the id that the finding shows, or several ids with commas between.',
    knownProblems:
      'A comment that is not of the form is taken for a suppression where it begins with `vfio-lifecycle:`, or has a word like that, or the id of a rule, with `allow(`.',
    references: ['docs/settings.md: comments, and how a rule is switched off for a whole tree'],
  },
  examples: invalidSuppressionExamples,
  messages: SUPPRESSION_MESSAGES.invalid,
  check: () => [],
};
