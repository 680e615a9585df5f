/**
 * The driver goes away, on a path of `.remove` or without one, while the device that its probe
 * registered stays registered.
 */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { FunctionIr } from '../ir/types.ts';
import type { EffectOp } from '../kernel/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type {
  ExitObservation,
  ModuleFacts,
  OperationObservation,
  Site,
} from '../lifecycle/types.ts';
import { callOn, isFoundByParent, nameOf, operationsOn, unregisterOf } from './device.ts';
import {
  contains,
  documentOf,
  documentsOf,
  isReferenced,
  isSameSite,
  statementAt,
} from './locate.ts';
import { reachedFrom, reachedFromRoles } from './call-graph.ts';
import { indexOf } from './members.ts';
import { unseenUndoes } from './open-and-close.ts';
import { findingFor, passes } from './report.ts';
import { deferredEnd } from './deferred-ends.ts';
import { isEarlyExit, macroNotes } from './exit-place.ts';
import { insertGuarded } from './fixes/error-style.ts';
import { removeWithoutUnregisterExamples } from './remove-without-unregister.examples.ts';
import { append } from '../text/lists.ts';
import { quoted, say } from './wording.ts';

const messages = {
  ended: '{end}() of {device}, which stays registered; call {unregister}() first',
  early: '{function}() returns here with {device} registered; unregister it on this path too',
  never: '{function}() never unregisters {device}; call {unregister}() first',
  nowhere:
    'nothing unregisters {device}, which {function}() registers; call {unregister}() before this',
  noRemove:
    '{driver} has no .remove: nothing unregisters what {probe}() registers; add one that does',
} as const;

export const removeWithoutUnregister: Rule = {
  id: 'remove-without-unregister',
  severity: 'error',
  isAbsence: true,
  kernels: {},
  fixable: 'safe',
  docs: {
    what: 'A path of `.remove` returns, or the driver has no `.remove`, and the device that probe registered stays registered.',
    why: 'Until `vfio_unregister_group_dev()` returns, user space can open the device and call into the driver. Memory that is freed or put before that is used after its free, and after an early return the driver core considers the device unbound all the same.',
    instead:
      'Call `vfio_unregister_group_dev()` (`vfio_pci_core_unregister_device()` for a vfio-pci core device) in `.remove` on every path, before the put or the free. The driver core ignores whether remove succeeded, so an early return is never right once a device is registered.',
    knownProblems:
      'An unregister in a helper or in a callback given to `devm_add_action()` counts, and so does `if (!p) return;` on drvdata. If the driver registers outside of probe, a put is reported as a warning if no code of the driver unregisters a device. A driver whose `.remove` is in a file that is not part of the analysis is not reported.',
    references: [
      'v6.1 f423fa1bc9fe adds the unregister that i915/gvt missed',
      'v5.13 0bfc6a4ea63c gives unregister its form',
    ],
  },
  examples: removeWithoutUnregisterExamples,
  messages,
  check,
};

const ENDS: ReadonlySet<EffectOp> = new Set<EffectOp>(['put', 'free', 'uninit', 'free-device']);

function check({ facts }: RuleContext): Finding[] {
  const findings: Finding[] = [];
  for (const exit of facts.observations) {
    if (
      exit.kind === 'exit' &&
      exit.role === 'remove' &&
      exit.before.registered === 'yes' &&
      exit.before.memory !== 'null' &&
      !exit.deferred.includes('unregister') &&
      !isUnregisteredByAction(facts) &&
      !mayBeUnregistered(facts, exit)
    )
      append(findings, reportedRemove(facts, exit));
  }
  append(findings, driversWithoutRemove(facts));
  return findings.length > 0 ? findings : putsOfRegistered(facts);
}

/**
 * Whether the path unregisters a device of which nothing is known, as one that a helper in a header
 * that was not found reads from drvdata: it may be this one.
 */
function mayBeUnregistered(facts: ModuleFacts, exit: ExitObservation): boolean {
  return facts.observations.some(
    (one) =>
      one.kind === 'operation' &&
      one.op === 'unregister' &&
      one.function === exit.function &&
      one.before.registered === 'unknown' &&
      [null, exit.device.container].includes(one.device.container) &&
      passes(exit.trace, one),
  );
}

/**
 * The driver registers its devices wherever it does, in work or for each element of an array, and
 * puts them elsewhere, and no code of it unregisters any.
 */
function putsOfRegistered(facts: ModuleFacts): Finding[] {
  const doing = (op: EffectOp): OperationObservation[] =>
    facts.observations.filter(
      (one): one is OperationObservation => one.kind === 'operation' && one.op === op,
    );
  const registers = doing('register').filter(
    ({ device, inner }) => device.container !== null && inner === null,
  );
  if (registers.length === 0 || doing('unregister').length > 0) return [];
  if (documentsOf(facts.module).some(({ text }) => /unregister_(?:group_dev|device)\b/.test(text)))
    return [];
  const index = indexOf(facts.module, facts.kernel);
  if (mayUndoUnseen(facts, index)) return [];
  const registering = reachedFrom(index, [...new Set(registers.map((one) => one.function))]);
  const isElsewhere = ({ function: fn }: OperationObservation): boolean =>
    !registering.has(fn) &&
    !reachedFrom(index, [fn]).functions.some((other) =>
      registers.some((one) => one.function === other),
    );
  const told = new Set<string>();
  return doing('put').flatMap((put): Finding[] => {
    const { container } = put.device;
    const from = registers.find(
      ({ device }) => container === null || device.container === container,
    );
    const key = `${put.site.path}:${put.site.start}`;
    const isEnd = put.inner === null && put.certain && !put.before.escaped;
    if (from === undefined || !isEnd || !isElsewhere(put) || told.has(key)) return [];
    told.add(key);
    const names = { device: nameOf(put), function: from.function.name };
    return [
      {
        ...findingFor({
          rule: removeWithoutUnregister.id,
          severity: 'warning',
          observation: put,
          site: put.site,
          message: say(messages.nowhere, { ...names, unregister: unregisterFor(facts, from) }),
        }),
        related: [{ site: from.site, message: `${from.function.name}() registers it here` }],
      },
    ];
  });
}

/** Whether the driver calls code that is not seen and undoes something by its name. */
function mayUndoUnseen(facts: ModuleFacts, index: ModuleIndex): boolean {
  return index.allFunctions.some(({ item }) => unseenUndoes(facts, index, item).length > 0);
}

/**
 * Nothing where remove starts what unregisters the device; a hint without a fix where something of
 * the module may.
 */
function reportedRemove(facts: ModuleFacts, exit: ExitObservation): Finding[] {
  const later = deferredEnd(facts, exit.function, 'unregister');
  if (later === 'by-this') return [];
  return [
    later === null
      ? reportRemove(facts, exit)
      : { ...reportRemove(facts, { ...exit, certain: false }), fix: null },
  ];
}

function reportRemove(facts: ModuleFacts, exit: ExitObservation): Finding {
  const ends = operationsOn(facts, exit.function, exit.device).filter(
    (one) => ENDS.has(one.op) && one.before.registered === 'yes' && passes(exit.trace, one),
  );
  const [end] = ends.sort((left, right) => left.site.start - right.site.start);
  const isEarly = isEarlyExit(facts, exit.function, exit.returns);
  const site: Site =
    end?.site ??
    (isEarly
      ? exit.returns
      : {
          path: exit.site.path,
          start: exit.function.nameSpan.start,
          end: exit.function.nameSpan.end,
        });
  return findingFor({
    rule: removeWithoutUnregister.id,
    severity: 'error',
    observation: end === undefined ? exit : { ...end, certain: exit.certain },
    site,
    message: messageFor(facts, exit, end, isEarly),
    alsoSee: end === undefined ? macroNotes(facts, exit.function, exit.returns) : [],
    fix: end === undefined || isReferenceLeft(exit, end) ? null : fixFor(facts, exit, end),
  });
}

function messageFor(
  facts: ModuleFacts,
  exit: ExitObservation,
  end: OperationObservation | undefined,
  isEarly: boolean,
): string {
  const device = nameOf(end ?? exit);
  const names = { function: exit.function.name, device, unregister: unregisterFor(facts, exit) };
  if (end !== undefined) return say(messages.ended, { ...names, end: end.api });
  return say(isEarly ? messages.early : messages.never, names);
}

/** More references were taken than are put: an unregister alone does not make that path right. */
function isReferenceLeft(exit: ExitObservation, end: OperationObservation): boolean {
  return end.op === 'put' && exit.before.reference === 'held';
}

/** The undo of the call that registered the device. */
function unregisterFor({ kernel }: ModuleFacts, exit: Pick<ExitObservation, 'before'>): string {
  return exit.before.viaCore ? 'vfio_pci_core_unregister_device' : unregisterOf(kernel);
}

function isUnregisteredByAction(facts: ModuleFacts): boolean {
  return facts.observations.some(
    (one) => one.role === 'action' && one.kind === 'operation' && one.op === 'unregister',
  );
}

/** Safe on a straight path: every path through the statement leaves the device registered. */
function fixFor(facts: ModuleFacts, exit: ExitObservation, end: OperationObservation): Fix | null {
  const file = documentOf(facts.module, exit.function);
  // Up to 5.12 the device is named by its parent, which is not always at hand.
  if (file === null || file.path !== end.site.path || isFoundByParent(facts.kernel)) return null;
  const others = operationsOn(facts, exit.function, exit.device);
  const isStraight = others.every(
    (one) =>
      one.op !== 'unregister' &&
      (!isSameSite(one.site, end.site) || one.before.registered === 'yes'),
  );
  const call = callOn(facts, exit.function, exit.device, file.text, unregisterFor(facts, exit));
  const placed = statementAt(exit.function.body, end.site);
  if (!isStraight || call === null || placed === null) return null;
  // What remove takes down before that may be what callbacks use.
  const first = placed.siblings
    ?.slice(0, placed.index)
    .find((statement) =>
      facts.resources.teardowns.some(
        (one) =>
          one.function === exit.function &&
          one.site.path === file.path &&
          contains(statement, one.site),
      ),
    );
  const edits = insertGuarded(file.text, exit.function, first ?? placed.statement, [`${call};`]);
  return edits === null
    ? null
    : { title: `Add ${call}`, safety: 'safe', edits: [{ path: file.path, edits }] };
}

/**
 * Whether any of the functions is reached otherwise than by a probe, which unregisters on its
 * failing paths: as a callback, or from other functions that something names.
 */
function mayRunAfterProbe(facts: ModuleFacts, functions: ReadonlySet<FunctionIr>): boolean {
  if (functions.size === 0) return false;
  const index = indexOf(facts.module, facts.kernel);
  const probing = reachedFromRoles(facts, index, 'probe');
  const isNamed = (fn: FunctionIr): boolean =>
    facts.roles.get(fn) !== 'probe' &&
    documentsOf(facts.module).some((file) =>
      new RegExp(`\\b${fn.name}\\b(?!\\s*\\()`).test(file.text),
    );
  const others = reachedFrom(
    index,
    index.allFunctions
      .map(({ item }) => item)
      .filter((fn) => (probing.has(fn) ? isNamed(fn) : isReferenced(facts.module, fn))),
  );
  return [...functions].some((fn) => others.has(fn));
}

/**
 * A driver table with a probe that registers, no remove, and nothing else in the module that
 * unregisters.
 */
function driversWithoutRemove(facts: ModuleFacts): Finding[] {
  const tables = facts.driverTables.filter(
    (table) => table.probe !== null && table.remove === null && table.complete,
  );
  // Who unregisters is looked for in all texts of the module, which takes long: nearly every driver
  // has a remove.
  if (tables.length === 0) return [];
  const unregistering = new Set(
    facts.observations.flatMap((one) =>
      one.kind === 'operation' &&
      one.op === 'unregister' &&
      isReferenced(facts.module, one.function)
        ? [one.function]
        : [],
    ),
  );
  if (mayRunAfterProbe(facts, unregistering)) return [];
  return tables.flatMap((table): Finding[] => {
    const success = facts.observations.find(
      (one): one is ExitObservation =>
        one.kind === 'exit' &&
        one.function.name === table.probe &&
        one.outcome !== 'failure' &&
        one.before.registered === 'yes' &&
        one.certain &&
        !one.deferred.includes('unregister') &&
        !one.before.escaped,
    );
    if (success === undefined) return [];
    const { variable } = table;
    if (variable === null) return [];
    const site: Site = {
      path: table.path,
      start: variable.nameSpan.start,
      end: variable.nameSpan.end,
    };
    return [
      findingFor({
        rule: removeWithoutUnregister.id,
        severity: 'error',
        observation: success,
        site,
        message: say(messages.noRemove, {
          driver: quoted(variable.name),
          probe: table.probe ?? '',
        }),
      }),
    ].map((finding) => ({ ...finding, functionName: null }));
  });
}
