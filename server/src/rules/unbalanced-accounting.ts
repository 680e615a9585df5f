/** Probe or `.init` changes a counter, and one path does not undo that. */
import type { Finding, Rule, RuleContext } from './types.ts';
import type { FunctionIr } from '../ir/types.ts';
import type { HeldResource, Leave, ModuleFacts, Undone } from '../lifecycle/types.ts';
import { nameSite } from './locate.ts';
import { macroNotes } from './exit-place.ts';
import { relatedOf } from './related.ts';
import {
  bringsUpDevice,
  endsOf,
  forgetfulRelease,
  leavings,
  nameOfTaken,
  undoneOf,
  whoUndoes,
  type Leaving,
} from './resource-leaks.ts';
import { listedShortly, quoted, say } from './wording.ts';
import { unbalancedAccountingExamples } from './unbalanced-accounting.examples.ts';

const messages = {
  failed: '{what} {is} not changed back on this error path; undo the change, as {who}',
  ended: '{what} {is} not changed back when {function}() ends; undo the change, as {who}',
} as const;

export const unbalancedAccounting: Rule = {
  id: 'unbalanced-accounting',
  severity: 'hint',
  isAbsence: true,
  kernels: {},
  fixable: 'none',
  docs: {
    what: 'Probe or `.init` changes a counter, and one path does not undo that.',
    why: 'A count of devices, ports or megabytes decides whether another device may be created. If a failing path, or `.remove`, does not return its share, the budget shrinks with every failure until no device can be created.',
    instead:
      'Return the share on every path that ends the use. `.init` and `.release` are a natural pair, but a failing `.init` must return its share itself.',
    knownProblems:
      'Only counters that the driver also changes back are checked, and the amounts are not compared. A counter may count attempts, so this is a hint.',
    references: [
      'v6.1 ebb72b765fb4 loses a count of vfio-ccw when vfio_init_device() fails',
      'samples/vfio-mdev/mdpy.c of 6.0 does not restore mdpy_count when the registration fails',
    ],
  },
  examples: unbalancedAccountingExamples,
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  return leavings(facts, (leave, one) => isLost(facts, leave, one)).map((leaving) => {
    const { leave, owed } = leaving;
    const [first] = owed;
    const release = first === undefined ? null : forgetfulRelease(facts, leave, first);
    const site = (release === null ? null : nameSite(facts.module, release)) ?? leaving.site;
    return {
      rule: unbalancedAccounting.id,
      severity: unbalancedAccounting.severity,
      message: messageOf(facts, leaving, release ?? leave.function),
      site,
      functionName: (release ?? leave.function).name,
      related: [
        ...relatedOf(leave.trace, site),
        ...macroNotes(facts, leaving.function, site),
        ...endsOf(facts, owed, leave.trace, (one) => elsewhere(facts, leave, one)),
      ],
      fix: null,
      owed: owed.map((one) => one.site),
    };
  });
}

function isLost(facts: ModuleFacts, leave: Leave, one: HeldResource): boolean {
  if (one.kind !== 'counter' || elsewhere(facts, leave, one) === undefined) return false;
  switch (leave.role) {
    case 'init':
      return leave.outcome === 'failure';
    case 'probe':
    case 'module':
      return leave.outcome === 'failure' && bringsUpDevice(facts, leave.function);
    case 'remove':
      return (
        undoneOf(facts, one).every(({ role, via }) => via === 'call' && role === 'probe') ||
        forgetfulRelease(facts, leave, one) !== null
      );
    default:
      return false;
  }
}

/**
 * Where it is changed back. What only `.release` does is owed by the put, but for `.init`, which
 * has no put.
 */
function elsewhere(facts: ModuleFacts, leave: Leave, one: HeldResource): Undone | undefined {
  const undone = undoneOf(facts, one).filter(
    ({ via, role }) =>
      leave.role === 'init' || (via === 'call' && (role !== 'init' || leave.role === 'remove')),
  );
  return undone.find(({ role }) => role === 'remove') ?? undone[0];
}

function messageOf(facts: ModuleFacts, { leave, owed }: Leaving, by: FunctionIr): string {
  const names = owed.map((one) => nameOfTaken(facts, one)?.replace(/^&/, ''));
  const isOne = new Set(names).size === 1;
  const unnamed = isOne ? 'the count' : 'counts';
  const ends = owed.flatMap((one) => elsewhere(facts, leave, one) ?? []);
  const values = {
    what: names.includes(undefined)
      ? unnamed
      : listedShortly(names.map((name) => quoted(name ?? ''))),
    is: isOne ? 'is' : 'are',
    who: whoUndoes(facts, leave.function, ends),
  };
  return leave.role === 'remove'
    ? say(messages.ended, { ...values, function: by.name })
    : say(messages.failed, values);
}
