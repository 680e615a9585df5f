/**
 * A path returns, or frees the container, after `vfio_init_group_dev()` without
 * `vfio_uninit_group_dev()`.
 */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type {
  ExitObservation,
  ModuleFacts,
  Observation,
  OperationObservation,
} from '../lifecycle/types.ts';
import type { Stmt } from '../ir/types.ts';
import { callOn, nameOf, operationsOn } from './device.ts';
import { deferredEnd } from './deferred-ends.ts';
import { exitPlaceOf, macroNotes, returnAt, siteOfExit } from './exit-place.ts';
import { documentOf } from './locate.ts';
import { findingFor, lastOperation } from './report.ts';
import { insertGuarded } from './fixes/error-style.ts';
import { macroFix } from './fixes/macro-use.ts';
import { addAtEnd, canBeSkipped, undoBeforeGoto, undoBeforeReturn } from './fixes/unwind.ts';
import { statementAt, walk } from './locate.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import { missingUninitExamples } from './missing-uninit.examples.ts';
import { append } from '../text/lists.ts';
import { say } from './wording.ts';

const messages = {
  leak: 'this path returns with {device} initialised and leaks its device set; call {uninit}()',
  notUndone: 'this path returns with {device} initialised; call {uninit}()',
  staysRegistered:
    '{device} stays registered on this error path; call {unregister}() and {uninit}()',
  freedWithLeak:
    '{device} is freed while initialised and leaks its device set; call {uninit}() first',
  freed: '{device} is freed while initialised; call {uninit}() first',
} as const;

export const missingUninit: Rule = {
  id: 'missing-uninit',
  severity: 'error',
  isAbsence: true,
  kernels: { since: [5, 15], until: [6, 1] },
  fixable: 'safe',
  docs: {
    what: 'A path returns, or frees the container, after `vfio_init_group_dev()` without `vfio_uninit_group_dev()`.',
    why: 'From 5.15 to 6.0 every `vfio_init_group_dev()` needs one `vfio_uninit_group_dev()`: it releases the device set that `vfio_assign_device_set()` or the registration attached. Without it the `struct vfio_device_set` is leaked, and a set that devices share keeps a dead entry. A path on which no set can be assigned yet leaks nothing today, so it is a warning.',
    instead:
      'Call `vfio_uninit_group_dev()` (or `vfio_pci_core_uninit_device()` after `vfio_pci_core_init_device()`) after the unregister and before the memory is freed, on the failing paths of probe too.',
    knownProblems:
      '5.13 and 5.14 have no such function, and nothing is reported there. The core library of a vendor may do the uninit in a function of its own: after the device was passed to unknown code, a finding is a hint.',
    references: [
      'v5.15 ae03c3771b8c adds vfio_uninit_group_dev',
      'v5.15 42de956ca7e5 adds the call that vfio-ap missed',
    ],
  },
  examples: missingUninitExamples,
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  const findings: Finding[] = [];
  for (const one of facts.observations) {
    if (one.before.model !== 'old' || one.before.initialised !== 'yes') continue;
    if (one.kind === 'operation' && one.op === 'free')
      findings.push(report(facts, one, one.argument === null ? null : freeFix(facts, one)));
    else if (one.kind === 'exit' && leavesUndone(one)) append(findings, reportExit(facts, one));
  }
  return findings;
}

/** What queued work or another function undoes later is not owed where remove ends. */
function reportExit(facts: ModuleFacts, exit: ExitObservation): Finding[] {
  const later = exit.role === 'remove' ? deferredEnd(facts, exit.function, 'uninit') : null;
  if (later === 'by-this') return [];
  return [
    later === null
      ? report(facts, exit, exitFix(facts, exit))
      : report(facts, { ...exit, certain: false }, null),
  ];
}

function leavesUndone(exit: ExitObservation): boolean {
  const { before, role } = exit;
  if (before.memory === 'freed' || exit.deferred.includes('uninit')) return false;
  switch (role) {
    case 'probe':
    case 'module':
      return (
        before.registered !== 'unknown' &&
        exit.reachable !== 'returned' &&
        (exit.outcome === 'failure' || before.registered === 'failed')
      );
    case 'remove':
      return before.registered === 'undone';
    case 'helper':
      return (
        exit.device.originKind === 'allocation' &&
        exit.reachable === 'none' &&
        (exit.outcome === 'failure' || before.registered === 'failed')
      );
    default:
      return false;
  }
}

function report(facts: ModuleFacts, observation: Observation, fix: Fix | null): Finding {
  const site =
    observation.kind === 'exit'
      ? siteOfExit(facts, observation.function, observation.returns)
      : observation.site;
  return findingFor({
    rule: missingUninit.id,
    severity: observation.before.deviceSet ? 'error' : 'warning',
    observation,
    site,
    alsoSee:
      observation.kind === 'exit'
        ? macroNotes(facts, observation.function, observation.returns)
        : [],
    message: messageFor(facts, observation),
    fix,
  });
}

function messageFor(facts: ModuleFacts, observation: Observation): string {
  const device = nameOf(observation);
  const uninit = uninitFor(facts, observation);
  const leaks = observation.before.deviceSet;
  if (observation.kind !== 'exit')
    return say(leaks ? messages.freedWithLeak : messages.freed, { device, uninit });
  if (observation.before.registered !== 'yes')
    return say(leaks ? messages.leak : messages.notUndone, { device, uninit });
  const unregister = uninit.replace(
    /uninit_(group_dev|device)$/,
    (_, rest: string) => `unregister_${rest}`,
  );
  return say(messages.staysRegistered, { device, unregister, uninit });
}

/** The undo of the call that initialised the device. */
function uninitFor(facts: ModuleFacts, one: Observation): string {
  const init =
    one.trace.some(
      (step) => step.op === 'init' && step.text.includes('vfio_pci_core_init_device'),
    ) ||
    operationsOn(facts, one.function, one.device).some(
      (operation) => operation.api === 'vfio_pci_core_init_device',
    );
  return init ? 'vfio_pci_core_uninit_device' : 'vfio_uninit_group_dev';
}

/** The uninit call with its argument as the function writes the device elsewhere. */
function uninitCall(
  facts: ModuleFacts,
  one: Observation,
): { path: string; text: string; call: string } | null {
  const file = documentOf(facts.module, one.function);
  if (file === null) return null;
  const call = callOn(facts, one.function, one.device, file.text, uninitFor(facts, one));
  return call === null ? null : { path: file.path, text: file.text, call: `${call};` };
}

function freeFix(facts: ModuleFacts, free: OperationObservation): Fix | null {
  const uninit = uninitCall(facts, free);
  const placed = statementAt(free.function.body, free.site);
  if (uninit === null || placed === null || free.inner !== null) return null;
  if (!allFreesOwe(facts, free)) {
    const init = lastOperation(free.trace, 'init');
    const early =
      init === null
        ? null
        : undoBeforeGoto(uninit.text, free.function, free.trace, init.site, uninit.call);
    return early === null
      ? null
      : {
          title: `Add ${uninit.call.slice(0, -1)} here (check the order of the unwinding)`,
          safety: 'unsafe',
          edits: [{ path: uninit.path, edits: early }],
        };
  }
  const edits = insertGuarded(uninit.text, free.function, placed.statement, [uninit.call]);
  return edits === null
    ? null
    : {
        title: `Add ${uninit.call.slice(0, -1)}`,
        safety: 'safe',
        edits: [{ path: uninit.path, edits }],
      };
}

/**
 * A label may be reached with and without the init: then the call cannot be added there without a
 * test.
 */
function allFreesOwe(facts: ModuleFacts, free: OperationObservation): boolean {
  const init = lastOperation(free.trace, 'init')?.site;
  if (init !== undefined && canBeSkipped(free.function, init, free.site)) return false;
  return facts.observations.every(
    (one) =>
      one.kind !== 'operation' ||
      one.site.start !== free.site.start ||
      one.function !== free.function ||
      one.op !== 'free' ||
      one.before.initialised === 'yes',
  );
}

function exitFix(facts: ModuleFacts, exit: ExitObservation): Fix | null {
  const uninit = uninitCall(facts, exit);
  if (uninit === null || exit.before.registered === 'yes') return null;
  const fixOf = (edits: Fix['edits'][number]['edits'], safety: Fix['safety']): Fix => ({
    title: `Add ${uninit.call.slice(0, -1)}`,
    safety,
    edits: [{ path: uninit.path, edits }],
  });
  const since = lastOperation(exit.trace, exit.role === 'remove' ? 'unregister' : 'init')?.site;
  const shared =
    since !== undefined &&
    !canBeSkipped(exit.function, since, exit.returns) &&
    facts.observations.every(
      (one) =>
        one.kind !== 'exit' ||
        one.function !== exit.function ||
        one.returns.start !== exit.returns.start ||
        one.device.id !== exit.device.id ||
        (one.before.initialised === 'yes' && leavesUndone(one)),
    );
  const place = exitPlaceOf(facts, exit.function, exit.returns);
  if (place.kind === 'macro') return macroFix(facts, exit, place.use, [uninit.call]);
  const leave = returnAt(exit.function, exit.returns);
  if (leave === null || exit.role === 'remove') {
    if (!shared || (leave !== null && exit.function.body.body.at(-1) !== leave)) return null;
    const edit = addAtEnd(uninit.text, exit.function, [uninit.call]);
    return edit === null ? null : fixOf([edit], 'safe');
  }
  if (!shared || leave.value?.kind === 'call' || isBehindFree(facts, exit, leave, uninit.call))
    return null;
  const undone = operationsOn(facts, exit.function, exit.device).filter(
    (one) => one.op === 'uninit',
  );
  const isUndo = (statement: Stmt): boolean =>
    undone.some((one) => one.site.start >= statement.start && one.site.end <= statement.end);
  const proposal = undoBeforeReturn(
    uninit.text,
    exit.function,
    leave,
    [uninit.call],
    isUndo,
    false,
  );
  return proposal === null ? null : fixOf(proposal.edits, proposal.safety);
}

/**
 * Whether the memory that the call would use is freed in front of the return: such a path is told
 * apart from others, and mended, by a person.
 */
function isBehindFree(
  facts: ModuleFacts,
  exit: ExitObservation,
  leave: Stmt,
  call: string,
): boolean {
  const before =
    statementAt(exit.function.body, leave)?.siblings?.filter((one) => one.end <= leave.start) ?? [];
  const used = new Set(call.match(/[A-Za-z_]\w*/g));
  return before.some((statement) =>
    [...walk(statement)].some((node) => {
      const behaviour =
        node.kind === 'call' && node.name !== null
          ? behaviourOf(node.name, facts.kernel, facts.module.wrappers)
          : undefined;
      const isFree =
        behaviour !== undefined &&
        behaviour !== 'neutral' &&
        behaviour.success.some(({ op }) => op === 'free');
      return (
        isFree &&
        node.kind === 'call' &&
        node.args.some((arg) => arg.kind === 'name' && used.has(arg.name))
      );
    }),
  );
}
