/** `.init` fails after it took a resource, and does not release it. */
import type { Finding, Rule, RuleContext } from './types.ts';
import type { HeldResource, Leave, ModuleFacts } from '../lifecycle/types.ts';
import { giveBackFix } from './fixes/give-back.ts';
import { initLeaksOnErrorExamples } from './init-leaks-on-error.examples.ts';
import { macroNotes } from './exit-place.ts';
import { relatedOf } from './related.ts';
import { endsOf, leavings, lostWords, taken, undoneOf, type Leaving } from './resource-leaks.ts';
import { listedShortly, say } from './wording.ts';

const messages = {
  leak: '{what} {lost} on this error path; call {undo}',
} as const;

export const initLeaksOnError: Rule = {
  id: 'init-leaks-on-error',
  severity: 'error',
  isAbsence: true,
  kernels: { since: [6, 1] },
  fixable: 'unsafe',
  docs: {
    what: '`.init` fails after it took a resource, and does not release it.',
    why: '`vfio_alloc_device()` runs `.init`. When `.init` fails the core frees the container and returns the error: `.release` does not run, and the driver never sees the device. Resources that `.init` took before are leaked.',
    instead:
      'Let `.init` undo its own steps in reverse order before it returns the error. The device set of `vfio_assign_device_set()` is not owed: the core releases it.',
    knownProblems:
      'The rule only checks resources that another path of the driver releases. A function that is only known by its name makes it a warning. Counters are reported by unbalanced-accounting. `vfio_pci_core_init_dev()` cannot fail before 6.19, so nothing is owed after it.',
    references: [
      'v6.1 cb9ff3f3b84c: when .init fails vfio_init_device() releases the device set and the index, and nothing of the driver',
    ],
  },
  examples: initLeaksOnErrorExamples,
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  return leavings(facts, (leave, one) => isLeaked(facts, leave, one)).map((leaving) => {
    const { leave, site, owed } = leaving;
    return {
      rule: initLeaksOnError.id,
      severity: owed.some(({ kind }) => kind === 'pair')
        ? ('error' as const)
        : ('warning' as const),
      message: messageOf(facts, leaving),
      site,
      functionName: leaving.function.name,
      related: [
        ...relatedOf(leave.trace, site),
        ...macroNotes(facts, leaving.function, site),
        ...endsOf(facts, owed, leave.trace, (one) => undoneOf(facts, one)[0]),
      ],
      fix: giveBackFix(facts, leaving),
      owed: owed.map((one) => one.site),
    };
  });
}

function isLeaked(facts: ModuleFacts, leave: Leave, one: HeldResource): boolean {
  return (
    leave.role === 'init' &&
    leave.outcome === 'failure' &&
    one.kind !== 'counter' &&
    !one.shared &&
    undoneOf(facts, one).length > 0
  );
}

function messageOf(facts: ModuleFacts, { owed }: Leaving): string {
  return say(messages.leak, {
    what: listedShortly(owed.map((one) => taken(facts, one))),
    lost: lostWords(owed),
    undo: listedShortly(
      owed.flatMap((one) => undoneOf(facts, one)[0]?.api ?? []).map((api) => `${api}()`),
    ),
  });
}
