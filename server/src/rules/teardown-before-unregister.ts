/**
 * `.remove` frees, destroys or clears what the callbacks of the device use, before it unregisters
 * the device.
 */
import { soundsLikeQuiescing, showsDevice } from '../kernel/heuristics.ts';
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { Span } from '../text/span.ts';
import type { CallExpr, FunctionIr } from '../ir/types.ts';
import type { ModuleFacts, OperationObservation, Teardown } from '../lifecycle/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { givenBackBy } from '../kernel/resource-pairs.ts';
import { moveBefore } from './fixes/move.ts';
import { drvdataCalls } from './drvdata.ts';
import { readerOfDrvdata } from './drvdata-after-register.ts';
import { callAt, contains, documentOf, isNull, statementAt, walk } from './locate.ts';
import { usedWhileRegistered } from './entry-points.ts';
import { indexOf, keyOf, memberAccesses, type MemberAccess } from './members.ts';
import { relatedOf } from './related.ts';
import { testedIn, testedKeys } from './tested-members.ts';
import { findingFor } from './report.ts';
import { teardownBeforeUnregisterExamples } from './teardown-before-unregister.examples.ts';
import { quoted, say } from './wording.ts';

const messages = {
  drvdataCleared: 'drvdata is cleared, but {reader}() may still read it; call {unregister}() first',
  called: '{call}() is called on {member}, but {reader}() may still use it; unregister first',
  cleared: '{member} is cleared, but {reader}() may still use it; unregister first',
} as const;

export const teardownBeforeUnregister: Rule = {
  id: 'teardown-before-unregister',
  severity: 'warning',
  kernels: {},
  fixable: 'safe',
  docs: {
    what: '`.remove` frees, destroys or clears state that the callbacks of the device use, before it unregisters the device.',
    why: 'Until `vfio_unregister_group_dev()` returns the device can be open and every callback of the ops table may run. It waits for the users, so their state must exist until then.',
    instead:
      'Unregister first, then tear down the state of the callbacks. Steps that only stop new users may come before: disabling SR-IOV, removing debugfs files, unregistering from a notifier.',
    knownProblems:
      'Only members that a callback names are checked. Nothing is reported if remove first sets a flag that the callbacks test, or waits for them itself, or if a callback tests the pointer that remove clears.',
    references: ['v6.1 vfio_unregister_group_dev() waits until the last file descriptor is closed'],
  },
  examples: teardownBeforeUnregisterExamples,
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  return [...membersTakenDown(facts), ...clearedDrvdata(facts)];
}

/** The drvdata of the parent is cleared although a callback reads it. */
function clearedDrvdata(facts: ModuleFacts): Finding[] {
  const index = indexOf(facts.module, facts.kernel);
  return facts.observations.flatMap((unregister): Finding[] => {
    if (
      unregister.kind !== 'operation' ||
      unregister.op !== 'unregister' ||
      unregister.role !== 'remove' ||
      unregister.before.registered === 'undone'
    )
      return [];
    const fn = unregister.function;
    const cleared = drvdataCalls(index, fn, 'set-drvdata', facts.kernel).find(
      (call) => isCleared(call) && isPassedBefore(fn, call, unregister),
    );
    const reader = cleared === undefined ? null : readerOfDrvdata(facts, fn, cleared);
    if (cleared === undefined || reader === null || isNullTested(reader)) return [];
    return [
      findingFor({
        rule: teardownBeforeUnregister.id,
        severity: 'warning',
        observation: unregister,
        site: { path: unregister.site.path, start: cleared.start, end: cleared.end },
        message: say(messages.drvdataCleared, {
          reader: reader.function.name,
          unregister: unregister.api,
        }),
        alsoSee: [
          { site: reader.site, message: `${reader.function.name}() reads it` },
          { site: unregister.site, message: `${unregister.api}() comes only here` },
        ],
      }),
    ];
  });
}

/** The function looks whether there was any drvdata. */
function isNullTested({ function: fn, site }: { function: FunctionIr; site: Span }): boolean {
  const names = new Set<string>();
  const tested = new Set<string>();
  for (const node of walk(fn.body)) {
    if (node.kind === 'decl' && node.init !== null && contains(node.init, site))
      names.add(node.name);
    if (node.kind === 'assign' && node.target.kind === 'name' && contains(node.value, site))
      names.add(node.target.name);
    if (node.kind === 'if' || node.kind === 'conditional')
      for (const expr of testedIn(node.condition)) if (expr.kind === 'name') tested.add(expr.name);
  }
  return [...names].some((name) => tested.has(name));
}

function isCleared({ args }: CallExpr): boolean {
  return args[1] !== undefined && isNull(args[1]);
}

/** Both stand in one list of statements, the one before the other. */
function isPassedBefore(fn: FunctionIr, call: CallExpr, { site }: OperationObservation): boolean {
  const first = statementAt(fn.body, call);
  const second = statementAt(fn.body, site);
  return (
    first?.siblings != null && first.siblings === second?.siblings && first.index < second.index
  );
}

function membersTakenDown(facts: ModuleFacts): Finding[] {
  const teardowns = facts.resources.teardowns.filter(
    (one) => one.certain && one.device.container !== null && (one.api === null || endsUse(one.api)),
  );
  if (teardowns.length === 0) return [];
  const index = indexOf(facts.module, facts.kernel);
  const callbacks = [...usedWhileRegistered(facts, index)];
  return teardowns.flatMap((one): Finding[] => {
    const file = index.fileOf(one.function);
    const unregister = unregisterBehind(facts, one);
    if (file === undefined || unregister === null) return [];
    const key = keyOf(index, file, one.device.container!, one.member);
    const reader = readerOf(index, callbacks, key);
    if (reader === null || isAnnounced(index, callbacks, one, key)) return [];
    return [
      {
        rule: teardownBeforeUnregister.id,
        severity: teardownBeforeUnregister.severity,
        message: messageOf(file.text, one, reader),
        site: one.site,
        functionName: one.function.name,
        related: [
          ...relatedOf(one.trace, one.site),
          ...(one.inner === null
            ? []
            : [
                {
                  site: one.inner,
                  message: one.api === null ? 'it is cleared here' : `${one.api}() is called here`,
                },
              ]),
          { site: reader.site, message: `${reader.function.name}() uses it` },
          { site: unregister.site, message: `${unregister.api}() comes only here` },
        ],
        fix: fixFor(facts, one, unregister),
      },
    ];
  });
}

/**
 * What leaves nothing behind that could be used: memory and other things that a call returned,
 * locks and tables.
 */
function endsUse(api: string): boolean {
  return (
    !showsDevice(api) &&
    givenBackBy(api).some(({ taken, isContent }) => taken === 'return' || isContent === true)
  );
}

/** The unregister that comes later in the same function; without one the defect is another. */
function unregisterBehind(facts: ModuleFacts, one: Teardown): OperationObservation | null {
  return (
    facts.observations.find(
      (other): other is OperationObservation =>
        other.kind === 'operation' &&
        other.op === 'unregister' &&
        other.function === one.function &&
        other.device.id === one.device.id &&
        other.site.start > one.site.start,
    ) ?? null
  );
}

function readerOf(
  index: ModuleIndex,
  callbacks: readonly FunctionIr[],
  key: string,
): MemberAccess | null {
  const field = key.slice(key.lastIndexOf('.') + 1);
  for (const fn of callbacks) {
    const reader = fn.text.includes(field)
      ? memberAccesses(index, fn).find((one) => one.key === key && one.form !== 'write')
      : undefined;
    if (reader !== undefined) return reader;
  }
  return null;
}

/**
 * Whether the callbacks are told, or waited for: remove has set a member that they test, clears the
 * pointer and they test that, or calls what waits.
 */
function isAnnounced(
  index: ModuleIndex,
  callbacks: readonly FunctionIr[],
  one: Teardown,
  key: string,
): boolean {
  const tested = new Set(callbacks.flatMap((fn) => testedKeys(index, fn)));
  const writes = memberAccesses(index, one.function).filter(
    ({ form }) => form === 'write' || form === 'address',
  );
  if (
    writes.some(
      (other) => tested.has(other.key) && other.key !== key && other.node.start < one.site.start,
    )
  )
    return true;
  if (tested.has(key)) return true;
  return [...walk(one.function.body)].some(
    (node) =>
      node.kind === 'call' &&
      node.name !== null &&
      node.start < one.site.start &&
      soundsLikeQuiescing(node.name),
  );
}

function messageOf(text: string, one: Teardown, reader: MemberAccess): string {
  const call = one.api === null ? null : callAt(one.function.body, one.site);
  const argument =
    call?.name === one.api
      ? call.args.find((arg) =>
          text.slice(arg.start, arg.end).endsWith(one.member.split('.').at(-1)!),
        )
      : undefined;
  const isPlain = one.api === null && one.inner === null;
  const place = isPlain
    ? /^[^=]*/.exec(text.slice(one.site.start, one.site.end))![0].trim()
    : one.member;
  const written = argument === undefined ? place : text.slice(argument.start, argument.end);
  const names = { member: quoted(written.replace(/^&/, '')), reader: reader.function.name };
  return one.api === null
    ? say(messages.cleared, names)
    : say(messages.called, { ...names, call: one.api });
}

/** The unregister moves up over nothing but other such statements. */
function fixFor(facts: ModuleFacts, one: Teardown, unregister: OperationObservation): Fix | null {
  const file = documentOf(facts.module, one.function);
  if (file === null || unregister.inner !== null) return null;
  const moved = statementAt(one.function.body, unregister.site);
  const target = statementAt(one.function.body, one.site);
  const call = callAt(one.function.body, unregister.site);
  const device =
    call?.args[0] === undefined ? null : file.text.slice(call.args[0].start, call.args[0].end);
  if (moved?.siblings == null || target?.siblings !== moved.siblings || device === null)
    return null;
  const passed = moved.siblings.slice(target.index, moved.index);
  const isTeardown = passed.every(
    (statement) =>
      facts.resources.teardowns.some(
        (other) => other.function === one.function && contains(statement, other.site),
      ) && !file.text.slice(statement.start, statement.end).includes(device),
  );
  const edits = isTeardown ? moveBefore(file.text, one.function, unregister.site, one.site) : null;
  return edits === null
    ? null
    : {
        title: `Call ${unregister.api}() first`,
        safety: 'safe',
        edits: [{ path: file.path, edits }],
      };
}
