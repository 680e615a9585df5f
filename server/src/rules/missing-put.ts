/**
 * A path returns with the reference of `vfio_alloc_device()` still held, and nothing can drop it
 * later.
 */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { ExitObservation, ModuleFacts } from '../lifecycle/types.ts';
import type { Span } from '../text/span.ts';
import type { Expr, FunctionIr, ReturnStmt, Stmt } from '../ir/types.ts';
import { isLog } from '../kernel/heuristics.ts';
import { deviceExpression, nameOf, operationsOn } from './device.ts';
import { deferredEnd } from './deferred-ends.ts';
import { exitPlaceOf, macroNotes, returnAt, siteOfExit } from './exit-place.ts';
import { contains, documentOf, isSameSite, statementAt, walk } from './locate.ts';
import { givenBackTwice } from './given-back.ts';
import { findingFor, lastOperation } from './report.ts';
import { insertGuarded, type Proposal } from './fixes/error-style.ts';
import { putPlace } from './fixes/put-place.ts';
import { insertBefore } from './fixes/text.ts';
import { macroFix } from './fixes/macro-use.ts';
import {
  addAtEnd,
  canBeSkipped,
  jumpToUndo,
  undoBeforeGoto,
  undoOnFailedTail,
} from './fixes/unwind.ts';
import { missingPutExamples } from './missing-put.examples.ts';
import { say } from './wording.ts';

const messages = {
  leftToActions:
    'no devm action of {function}() drops the reference of {device}; call vfio_put_device()',
  fewerPuts:
    '{function}() drops fewer references of {device} than were taken; add a vfio_put_device()',
  neverPut: '{function}() never drops the reference of {device}; call vfio_put_device() at the end',
  staysRegistered:
    '{device} stays registered on this error path; call {unregister}() and vfio_put_device()',
  failedRegister:
    'the reference of {device} is leaked when registration fails; call vfio_put_device()',
  lookup: 'this path keeps the reference of {device} that {function}() took; put it',
  leak: 'this path returns without dropping the reference of {device}; call vfio_put_device()',
} as const;

export const missingPut: Rule = {
  id: 'missing-put',
  severity: 'error',
  isAbsence: true,
  kernels: { since: [6, 1] },
  fixable: 'safe',
  docs: {
    what: 'A path returns with the reference of `vfio_alloc_device()` still held, and nothing can drop it later.',
    why: 'The caller of `vfio_alloc_device()` owns one reference until it calls `vfio_put_device()`. A failed registration does not take it, and neither does `vfio_unregister_group_dev()`. Without the put `.release` never runs: the container, its index, its device set and everything that `.release` would free are leaked. After a failed probe the driver core does not call `.remove`.',
    instead:
      'Call `vfio_put_device()` on every failing path after the allocation, and at the end of `.remove` after the unregister. A path that fails after a successful registration owes the unregister first. A probe cannot end with `return vfio_register_group_dev(…);`, because the failure needs the put. The fix adds the put after the last use of the device, and before the release of resources that the device needs. It is safe if the order is known and nothing else is owed. It never jumps to a label after which the device is used after its put.',
    knownProblems:
      'A device that was passed to code outside the module counts as owned there; a finding is then a hint. A put in a helper, in a callback given to `devm_add_action_or_reset()` or through an alias is followed. If `.remove` starts work, a timer, a thread or the release of a reference count that makes the last put, nothing is reported. If other code of the module may make it, the finding is a hint without a fix.',
    references: [
      'v6.1 cb9ff3f3b84c adds vfio_alloc_device and vfio_put_device',
      'v6.1 63d7c77989de shows both ends in vfio-pci',
    ],
  },
  examples: missingPutExamples,
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  const findings: Finding[] = [];
  for (const exit of facts.observations) {
    if (exit.kind === 'exit' && isLostFinding(exit)) findings.push(findingOfLookup(facts, exit));
    if (exit.kind !== 'exit' || !isLeak(facts, exit)) continue;
    const fn = exit.function;
    const isEnd = exit.role === 'remove' || exit.role === 'action';
    const later = deferredEnd(facts, fn, 'put');
    if (isEnd && later === 'by-this') continue;
    // Somebody else may make the last put: a reader can tell, a fix cannot.
    const isLater = isEnd ? later !== null : later === 'by-this';
    findings.push(
      findingFor({
        rule: missingPut.id,
        severity: exit.device.isElement || isKeptElsewhere(exit) ? 'warning' : 'error',
        observation:
          (exit.reachable === 'stored' &&
            !isEnd &&
            !exit.device.isElement &&
            !isKeptElsewhere(exit)) ||
          isShared(exit) ||
          isLater
            ? { ...exit, certain: false }
            : exit,
        site: siteOfExit(facts, fn, exit.returns),
        message: messageFor(exit),
        alsoSee: macroNotes(facts, fn, exit.returns),
        fix: isLater ? null : fixFor(facts, exit),
      }),
    );
  }
  return findings;
}

/** A path ends with the reference that a lookup took for it. */
function isLostFinding({ device, before, reachable, certain }: ExitObservation): boolean {
  return (
    device.originKind === 'return' &&
    before.reference === 'none' &&
    before.extraReferences > 0 &&
    reachable === 'none' &&
    certain
  );
}

function findingOfLookup(facts: ModuleFacts, exit: ExitObservation): Finding {
  const by = exit.trace.findLast((step) => step.op === 'get')?.text.split('(')[0] ?? 'the lookup';
  return findingFor({
    rule: missingPut.id,
    severity: 'warning',
    observation: exit,
    site: siteOfExit(facts, exit.function, exit.returns),
    message: say(messages.lookup, { device: nameOf(exit), function: by }),
    alsoSee: macroNotes(facts, exit.function, exit.returns),
    fix: null,
  });
}

/**
 * A probe that fails has left the device in an object of somebody else, who has been given nothing
 * that speaks of a put.
 */
function isKeptElsewhere(exit: ExitObservation): boolean {
  return exit.role === 'probe' && exit.outcome === 'failure' && exit.reachable === 'stored';
}

/**
 * A reference beyond the first was taken on the way, for somebody who may put it: a worker, a
 * callback.
 */
function isShared(exit: ExitObservation): boolean {
  return exit.trace.some((step) => step.op === 'get');
}

/**
 * Whether the reference is lost on this path: it is held, and neither an owner nor a later callback
 * of the driver can drop it.
 */
function isLeak(facts: ModuleFacts, exit: ExitObservation): boolean {
  const { before, role } = exit;
  // A path that puts by the wrong name has that defect: put-name-confusion.
  if (exit.trace.some((step) => step.op === 'put-registration')) return false;
  if (before.model !== 'new' || before.reference !== 'held' || before.memory === 'freed')
    return false;
  if (
    before.memory === 'error-pointer' ||
    before.memory === 'null' ||
    exit.deferred.includes('put')
  )
    return false;
  if (exit.device.isElement) return before.registered === 'undone' && isOwedByAll(facts, exit);
  switch (role) {
    case 'probe':
    case 'module':
      if (exit.reachable === 'returned') return false;
      if (exit.outcome === 'failure') return true;
      if (before.registered === 'failed') return !isEntryByGuess(facts);
      if (isLeftToActions(facts, exit)) return true;
      return (
        exit.reachable === 'none' && before.registered !== 'yes' && before.registered !== 'unknown'
      );
    case 'remove':
      // While it is registered the missing unregister is the defect: remove-without-unregister.
      return (
        before.registered !== 'yes' && before.registered !== 'unknown' && !isPutByAction(facts)
      );
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

/** No table names probe: it is what a table that is not typed yet will most likely name. */
function isEntryByGuess({ driverTables }: ModuleFacts): boolean {
  return driverTables.some(({ isGuess }) => isGuess === true);
}

/**
 * A driver without a remove leaves the end to its devm actions, which unregister the device and do
 * not put it.
 */
function isLeftToActions(facts: ModuleFacts, { deferred, function: fn, role }: ExitObservation) {
  const tables = facts.driverTables.filter(({ probe }) => probe === fn.name);
  return (
    role === 'probe' &&
    deferred.includes('unregister') &&
    tables.length > 0 &&
    tables.every(({ remove, complete }) => remove === null && complete)
  );
}

/**
 * The elements that a helper unregisters may be put by another one, which its callers call: where
 * the module puts elements, only probe and remove owe it themselves.
 */
function isOwedByAll(facts: ModuleFacts, exit: ExitObservation): boolean {
  if (exit.role === 'probe' || exit.role === 'remove') return !isPutByAction(facts);
  return (
    exit.role === 'helper' &&
    facts.observations.every(
      (one) =>
        one.kind !== 'operation' || one.op !== 'put' || one.device.originKind === 'allocation',
    )
  );
}

/** A devm action runs after remove: what it puts, remove does not owe. */
function isPutByAction(facts: ModuleFacts): boolean {
  return facts.observations.some(
    (one) => one.role === 'action' && one.kind === 'operation' && one.op === 'put',
  );
}

function messageFor(exit: ExitObservation): string {
  const device = nameOf(exit);
  const names = { function: exit.function.name, device };
  if (exit.deferred.includes('unregister') && exit.outcome !== 'failure')
    return say(messages.leftToActions, names);
  if (exit.role === 'remove')
    return lastOperation(exit.trace, 'put') === null
      ? say(messages.neverPut, names)
      : say(messages.fewerPuts, names);
  if (exit.before.registered === 'yes')
    return say(messages.staysRegistered, { device, unregister: 'vfio_unregister_group_dev' });
  return say(exit.before.registered === 'failed' ? messages.failedRegister : messages.leak, names);
}

function fixFor(facts: ModuleFacts, exit: ExitObservation): Fix | null {
  const file = documentOf(facts.module, exit.function);
  if (file === null || exit.before.registered === 'yes' || exit.device.isElement) return null;
  if (exit.deferred.includes('unregister')) return null;
  const device = deviceExpression(facts, exit.function, exit.device, file.text);
  if (device === null) return null;
  const put = `vfio_put_device(${device});`;
  const fixOf = (edits: Fix['edits'][number]['edits'], wished: Fix['safety']): Fix => {
    // A path that reports success without an owner may lack an owner rather than a put.
    const safety = exit.outcome === 'failure' || exit.role === 'remove' ? wished : 'unsafe';
    const title =
      safety === 'safe'
        ? `Add ${put.slice(0, -1)}`
        : `Add ${put.slice(0, -1)} here (check the order of the unwinding)`;
    return { title, safety, edits: [{ path: file.path, edits }] };
  };
  const place = exitPlaceOf(facts, exit.function, exit.returns);
  if (place.kind === 'macro') return macroFix(facts, exit, place.use, [put]);
  const leave = returnAt(exit.function, exit.returns);
  if (
    exit.role !== 'remove' &&
    leave !== null &&
    leave.value !== null &&
    [...walk(leave.value)].some((node) => node.kind === 'call' && node.name !== 'PTR_ERR')
  ) {
    const edits =
      exit.before.registered === 'failed'
        ? undoOnFailedTail(file.text, exit.function, leave, put)
        : null;
    return edits === null ? null : fixOf(edits, 'safe');
  }
  const shared = allOweAt(facts, exit);
  if (!shared && leave !== null && isSingleExit(facts, exit, leave)) {
    const result = text(file.text, leave.value!);
    return fixOf([insertBefore(file.text, leave, [`if (${result})`, `\t${put}`])], 'safe');
  }
  if (!shared && exit.role !== 'remove') {
    const edits = undoBeforeGoto(file.text, exit.function, exit.trace, exit.device.origin, put);
    return edits === null ? null : fixOf(edits, 'unsafe');
  }
  if (leave === null || exit.role === 'remove') {
    if (!shared || (leave !== null && exit.function.body.body.at(-1) !== leave)) return null;
    const proposal = putInRemove(facts, exit, device, file.text);
    return proposal === null ? null : fixOf(proposal.edits, proposal.safety);
  }
  const proposal = putBeforeReturn(facts, exit, leave, device, file.text);
  return proposal === null ? null : fixOf(proposal.edits, proposal.safety);
}

/**
 * The put behind the unregister: at the end, or in front of what the device needs until it is gone.
 */
function putInRemove(
  facts: ModuleFacts,
  exit: ExitObservation,
  device: string,
  source: string,
): Proposal | null {
  const fn = exit.function;
  const put = `vfio_put_device(${device});`;
  const body = fn.body.body;
  const unregisters = operationsOn(facts, fn, exit.device).filter((one) => one.op === 'unregister');
  const from = body.findLastIndex((statement) =>
    unregisters.some(({ site }) => contains(statement, site)),
  );
  const rest = body.slice(from + 1).filter((statement) => statement.kind !== 'return');
  const place = putPlace(facts, fn, exit.device, device, source, rest);
  const isCertain = from >= 0 && place.isCertain;
  if (place.before !== null) {
    const edits = insertGuarded(source, fn, place.before, [put]);
    return edits === null ? null : { edits, safety: isCertain ? 'safe' : 'unsafe' };
  }
  const edit = addAtEnd(source, fn, [put]);
  return edit === null ? null : { edits: [edit], safety: 'safe' };
}

/** The put on a failing path: by the label that has it, else among the statements of the branch. */
function putBeforeReturn(
  facts: ModuleFacts,
  exit: ExitObservation,
  leave: ReturnStmt,
  device: string,
  source: string,
): Proposal | null {
  const fn = exit.function;
  const puts = operationsOn(facts, fn, exit.device).filter((one) => one.op === 'put');
  // A label behind which the device is used after its put hands its mistake on to every path that
  // comes to it.
  const wrong = facts.observations.filter(
    (one) =>
      one.function === fn &&
      one.device.id === exit.device.id &&
      (one.kind === 'use' || one.kind === 'operation') &&
      one.before.reference === 'dropped',
  );
  const isPut = (statement: Stmt): boolean => puts.some(({ site }) => contains(statement, site));
  const isUndo = (statement: Stmt): boolean =>
    isPut(statement) && wrong.every(({ site }) => site.start < statement.start);
  const rest = branchBefore(facts, exit, leave);
  const jump = rest.every((statement) => isMessage(statement))
    ? jumpToUndo(source, fn, leave, isUndo)
    : null;
  if (jump !== null) return { edits: jump, safety: 'safe' };
  if (leave.value !== null && mentions(leave.value, device)) return null;
  const place = putPlace(facts, fn, exit.device, device, source, rest);
  // What `.release` gives back no branch owes.
  const isTwice = (statement: Stmt): boolean =>
    wrong.some(
      (one) =>
        one.kind === 'use' && contains(statement, one.site) && givenBackTwice(facts, one) !== null,
    );
  const isDone = (statement: Stmt): boolean => isPut(statement) || isTwice(statement);
  const edits = insertGuarded(source, fn, place.before ?? leave, [`vfio_put_device(${device});`]);
  const isWhole =
    fn.body.body.at(-1) === leave ||
    (owesNothingElse(facts, exit) && undoesLikeLabels(fn, rest, isDone, source));
  return edits === null ? null : { edits, safety: isWhole && place.isCertain ? 'safe' : 'unsafe' };
}

/** The statements between what the path has passed for certain, or the label, and the return. */
function branchBefore(
  facts: ModuleFacts,
  exit: ExitObservation,
  leave: ReturnStmt,
): readonly Stmt[] {
  const before =
    statementAt(exit.function.body, leave)?.siblings?.filter((one) => one.end <= leave.start) ?? [];
  const passed = operationsOn(facts, exit.function, exit.device).filter(
    ({ op }) => op === 'alloc' || op === 'register' || op === 'put',
  );
  const from = before.findLastIndex(
    (one) =>
      one.kind === 'label' || one.kind === 'case' || passed.some(({ site }) => contains(one, site)),
  );
  return before.slice(from + 1);
}

function isMessage(statement: Stmt): boolean {
  return (
    statement.kind === 'expr' && statement.expr.kind === 'call' && isLog(statement.expr.name ?? '')
  );
}

/** Nothing that the driver gives back elsewhere is held on the paths that leave here. */
function owesNothingElse(facts: ModuleFacts, exit: ExitObservation): boolean {
  const leaves = facts.resources.leaves.filter(
    (one) => one.function === exit.function && isSameSite(one.returns, exit.returns),
  );
  return leaves.length > 0 && leaves.every(({ held }) => held.length === 0);
}

/**
 * Whether a branch undoes all that the labels of the function undo, besides the put and what is no
 * branch's: else it may owe more than anybody can see.
 */
function undoesLikeLabels(
  fn: FunctionIr,
  branch: readonly Stmt[],
  isDone: (statement: Stmt) => boolean,
  source: string,
): boolean {
  const from = fn.body.body.findIndex(({ kind }) => kind === 'label');
  if (from < 0) return [...walk(fn.body)].every(({ kind }) => kind !== 'label');
  const done = new Set(branch.map((one) => text(source, one)));
  return fn.body.body
    .slice(from)
    .every(
      (one) =>
        one.kind === 'label' || one.kind === 'return' || isDone(one) || done.has(text(source, one)),
    );
}

/**
 * One return at the end for success, which owes nothing, and for failures, which all owe the put:
 * the returned variable tells them apart.
 */
function isSingleExit(facts: ModuleFacts, exit: ExitObservation, leave: ReturnStmt): boolean {
  if (
    exit.role === 'remove' ||
    exit.function.body.body.at(-1) !== leave ||
    leave.value?.kind !== 'name'
  )
    return false;
  if (canBeSkipped(exit.function, exit.device.origin, leave)) return false;
  return facts.observations.every(
    (one) =>
      one.kind !== 'exit' ||
      one.function !== exit.function ||
      one.returns.start !== leave.start ||
      one.device.id !== exit.device.id ||
      (isLeak(facts, one) && one.outcome === 'failure' && one.before.registered !== 'yes') ||
      (one.outcome === 'success' && one.before.registered === 'yes'),
  );
}

function text(source: string, span: Span): string {
  return source.slice(span.start, span.end);
}

/** Whether an expression uses a variable of another. */
function mentions(expr: Expr, device: string): boolean {
  const names = new Set(device.match(/[A-Za-z_]\w*/g));
  return [...walk(expr)].some((node) => node.kind === 'name' && names.has(node.name));
}

/** Whether every path that leaves here owes the put: only then may it be added without a test. */
function allOweAt(facts: ModuleFacts, exit: ExitObservation): boolean {
  const since =
    exit.role === 'remove' ? lastOperation(exit.trace, 'unregister')?.site : exit.device.origin;
  if (since === undefined || canBeSkipped(exit.function, since, exit.returns)) return false;
  return facts.observations.every(
    (one) =>
      one.kind !== 'exit' ||
      one.function !== exit.function ||
      one.returns.start !== exit.returns.start ||
      one.device.id !== exit.device.id ||
      (isLeak(facts, one) && one.before.registered !== 'yes'),
  );
}
