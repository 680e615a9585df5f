/** A suppression comment allows a finding that is not reported. */
import type { Rule } from './types.ts';
import { SUPPRESSION_MESSAGES, UNUSED } from './suppressions.ts';
import { unusedSuppressionExamples } from './suppressions.examples.ts';

/** Reported by withoutSuppressed(), which sees what all rules found. */
export const unusedSuppression: Rule = {
  id: UNUSED,
  severity: 'hint',
  kernels: {},
  fixable: 'unsafe',
  docs: {
    what: 'A suppression comment allows a finding that is not reported.',
    why: 'The defect is gone, or the comment is in the wrong place. If it stays, it may hide the next defect of this kind here.',
    instead:
      'Remove the comment, or the rule from its list. A comment belongs on the line of the finding, on the line before it, or directly before the function.',
    knownProblems:
      'The finding may come for another target kernel only. Then add `unused-suppression` to the list: `allow(missing-uninit, unused-suppression): needed up to 6.0`. A rule that is switched off or is for other kernels, and a function that was not analysed, prove nothing: the comment is not reported then.',
    references: ['docs/settings.md: comments, and how a rule is switched off for a whole tree'],
  },
  examples: unusedSuppressionExamples,
  messages: SUPPRESSION_MESSAGES.unused,
  check: () => [],
};
