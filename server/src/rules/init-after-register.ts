/** The driver sets up state for a callback of the device only after the registration. */
import { showsDevice } from '../kernel/heuristics.ts';
import { INITIALISERS, LINK_INITIALISERS } from '../kernel/memory-uses.ts';
import type { Finding, Fix, Rule, RuleContext, Severity } from './types.ts';
import type { Expr, FunctionIr } from '../ir/types.ts';
import type { ModuleFacts, Role, Site, UseObservation } from '../lifecycle/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { LOCK_INITIALISERS } from '../kernel/locks.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import { operationsOn } from './device.ts';
import { callsIn, contains, documentOf, walk } from './locate.ts';
import { usedWhileRegistered } from './entry-points.ts';
import { handedOn, lateCreations, type Handed, type LateCreation } from './late-creations.ts';
import { reachedFromRoles } from './call-graph.ts';
import { indexOf, memberAccesses, type MemberAccess } from './members.ts';
import { findingFor, lastOperation } from './report.ts';
import { quoted, say, written } from './wording.ts';
import { moveBefore } from './fixes/move.ts';
import { initAfterRegisterExamples } from './init-after-register.examples.ts';
import { smallest } from '../text/lists.ts';

const messages = {
  lock: '{member} is set up after the registration, but {reader}() uses it; set it up before',
  member: '{member} is set after the registration, but {reader}() uses it; set it before',
  readByCore: '{member} is set after the registration, but the core reads it; set it before',
  reset:
    '{member} is reset after the registration, but {setter}() may have set it; reset it before',
  handed:
    '{member} is set up after the registration, but {user}() passes the device on; set it up before',
  unseen: '{setter}() may set {member}, which {reader}() uses; call it before the registration',
} as const;

export const initAfterRegister: Rule = {
  id: 'init-after-register',
  severity: 'warning',
  kernels: {},
  fixable: 'safe',
  docs: {
    what: 'The driver sets up state for a callback of the device only after the registration.',
    why: 'From the moment the registration makes the device visible user space can open it, and every callback of the ops table may run, before the registering function continues. A lock, a list head or a completion that is not initialised then is used as zeroed memory; a pointer is still NULL. `mig_ops`, `migration_flags` and `ops` are read by the core itself.',
    instead:
      'Set up everything that a callback uses before the registration: in `.init`, or between the allocation and the registration.',
    knownProblems:
      'Interrupts and work count if a callback arms or starts them. A member that some other function of the module sets too is not reported. Neither is a flag that is set to a constant such as `true`: callbacks may wait for it. Unknown code makes the finding a hint: a function of another file that may set the state, or code that callbacks pass the device to. A reset to NULL or 0 is reported if a callback sets the member to another value. Lists that the device is added to, debugfs and sysfs files, power management and messages belong after the registration.',
    references: [
      'v6.1 5f6c7e0831a1 moves the mutex_init of vfio-platform from after the registration into .init',
    ],
  },
  examples: initAfterRegisterExamples,
  messages,
  check,
};

/** Initialisers of what callbacks find broken when they are early. */
const LOCKS: ReadonlySet<string> = new Set([...LOCK_INITIALISERS, ...LINK_INITIALISERS]);

const ALL_INITIALISERS: ReadonlySet<string> = new Set([...LOCKS, ...INITIALISERS]);

/** Members of a vfio_device that the core reads. */
const READ_BY_CORE: ReadonlySet<string> = new Set([
  'vfio_device.ops',
  'vfio_device.mig_ops',
  'vfio_device.migration_flags',
  'vfio_device.log_ops',
]);

/** A member that is set up after the registration. */
interface Late {
  readonly use: UseObservation;
  readonly access: MemberAccess;
  /** The function that sets it up, by a call or by an assignment. */
  readonly isLock: boolean;
}

/** What a late reset takes away: where something that may have run already has set the member. */
interface Reset {
  readonly use: UseObservation;
  readonly access: MemberAccess;
  readonly setter: MemberAccess;
}

function check({ facts }: RuleContext): Finding[] {
  const uses = facts.observations.filter(
    (one): one is UseObservation =>
      one.kind === 'use' &&
      one.certain &&
      one.before.registered === 'yes' &&
      SETTING_UP.has(one.role),
  );
  if (uses.length === 0) return [];
  const index = indexOf(facts.module, facts.kernel);
  return [
    ...lateSetUps(facts, index, uses),
    ...lateResets(facts, index, uses),
    ...lateCreations(facts, index, uses).map((late) => findingOfCreation(late)),
  ];
}

function lateSetUps(
  facts: ModuleFacts,
  index: ModuleIndex,
  uses: readonly UseObservation[],
): Finding[] {
  return uses
    .flatMap((use) => lateMembers(facts, index, use))
    .flatMap((late): Finding[] => {
      const isCore = READ_BY_CORE.has(late.access.key) && late.access.form === 'write';
      const reader = isCore ? null : readerOf(facts, index, late.access.key);
      const isUnread = !isCore && reader === null;
      const handed = isUnread && late.isLock ? handedOn(facts, index, late.access.owner) : null;
      if ((isUnread && handed === null) || isSetEarlier(facts, index, late)) return [];
      const register = lastOperation(late.use.trace, 'register');
      if (handed !== null) return [findingOfHanded(late, handed)];
      const severity: Severity = isCore || late.isLock ? 'error' : 'warning';
      return [
        findingFor({
          rule: initAfterRegister.id,
          severity,
          observation: late.use,
          site: late.access.function === late.use.function ? late.access.site : late.use.site,
          message: messageFor(late, reader),
          alsoSee: [
            ...(late.access.function === late.use.function
              ? []
              : [
                  {
                    site: late.access.site,
                    message: `${late.access.function.name}() sets it up here`,
                  },
                ]),
            ...(reader === null
              ? []
              : [{ site: reader.site, message: `${reader.function.name}() uses it` }]),
          ],
          fix: register === null ? null : fixFor(facts, late, register.site),
        }),
      ];
    });
}

/** A hint: what callbacks pass the device to may use what is not initialised yet. */
function findingOfHanded({ use, access }: Late, { call, fn, site }: Handed): Finding {
  return findingFor({
    rule: initAfterRegister.id,
    severity: 'hint',
    observation: use,
    site: access.function === use.function ? access.site : use.site,
    message: say(messages.handed, {
      member: quoted(written(access.file.text, access.node)),
      user: fn.name,
    }),
    alsoSee: [
      {
        site,
        message: `${call.name ?? 'a call'}() passes the device to code that is not seen`,
      },
    ],
  });
}

/** A hint: what sets a member that a callback uses is not seen, and is called after the registration. */
function findingOfCreation({ use, reader, member }: LateCreation): Finding {
  return findingFor({
    rule: initAfterRegister.id,
    severity: 'hint',
    observation: use,
    message: say(messages.unseen, {
      setter: use.api ?? '',
      member: quoted(member),
      reader: reader.function.name,
    }),
    alsoSee: [{ site: reader.site, message: `${reader.function.name}() uses it` }],
  });
}

/** `p->trigger = NULL` after the registration, where a callback sets the member. */
function lateResets(
  facts: ModuleFacts,
  index: ModuleIndex,
  uses: readonly UseObservation[],
): Finding[] {
  return uses
    .filter((use) => use.form === 'write' && !isGivenUp(facts, use))
    .flatMap((use) => resetOf(facts, index, use) ?? [])
    .map(({ use, access, setter }) => {
      return findingFor({
        rule: initAfterRegister.id,
        severity: 'warning',
        observation: use,
        message: say(messages.reset, {
          member: quoted(written(access.file.text, access.node)),
          setter: setter.function.name,
        }),
        alsoSee: [{ site: setter.site, message: `${setter.function.name}() sets it` }],
      });
    });
}

/** The device goes away again later in the function: what is reset on the way is nobody's loss. */
function isGivenUp(facts: ModuleFacts, { function: fn, site, device }: UseObservation): boolean {
  return operationsOn(facts, fn, device).some(
    ({ op, site: at }) => op === 'unregister' && at.start > site.start,
  );
}

function resetOf(facts: ModuleFacts, index: ModuleIndex, use: UseObservation): Reset | null {
  const access = memberAccesses(index, use.function).find(
    (one) => one.form === 'write' && contains(one.node, use.site),
  );
  if (access?.value == null || !isNothing(access.value)) return null;
  const field = access.key.slice(access.key.lastIndexOf('.') + 1);
  for (const fn of usedWhileRegistered(facts, index)) {
    if (fn === use.function || !fn.text.includes(field)) continue;
    const setter = memberAccesses(index, fn).find(
      (one) =>
        one.key === access.key && one.form === 'write' && one.value !== null && !isFlag(one.value),
    );
    if (setter !== undefined) return { use, access, setter };
  }
  return null;
}

/** NULL, 0 or false: what the memory of a new device holds anyway. */
function isNothing(value: Expr): boolean {
  return (
    (value.kind === 'number' && value.value === 0) ||
    (value.kind === 'name' && /^(false|NULL)$/.test(value.name))
  );
}

/** Roles of functions that bring a device up. */
const SETTING_UP: ReadonlySet<Role> = new Set<Role>(['probe', 'helper', 'module']);

/**
 * What a use after the registration sets up: in place, or in a function that is called for it
 * alone.
 */
function lateMembers(facts: ModuleFacts, index: ModuleIndex, use: UseObservation): Late[] {
  const own = memberAccesses(index, use.function);
  if (use.form === 'write') {
    const access = own.find((one) => one.form === 'write' && contains(one.node, use.site));
    return access?.value != null && !isFlag(access.value) && !isNote(access.value)
      ? [{ use, access, isLock: false }]
      : [];
  }
  if (use.form !== 'pass' || use.api === null) return [];
  if (ALL_INITIALISERS.has(use.api)) {
    const access = own.find(
      (one) =>
        one.form === 'address' &&
        one.lowered.call?.name === use.api &&
        contains(use.site, one.node),
    );
    return access === undefined ? [] : [{ use, access, isLock: LOCKS.has(use.api) }];
  }
  return initialisedBy(facts, index, use);
}

/**
 * The locks that a function of the module initialises which is called once, with the device, after
 * the registration, and what it sets that the core reads.
 */
function initialisedBy(facts: ModuleFacts, index: ModuleIndex, use: UseObservation): Late[] {
  const file = index.fileOf(use.function);
  const [callee] = file === undefined || use.api === null ? [] : index.functions(file, use.api);
  if (callee === undefined || callsIn(facts.module, [callee.item.name]).length !== 1) return [];
  return memberAccesses(index, callee.item)
    .filter((one) =>
      one.form === 'address'
        ? LOCKS.has(one.lowered.call?.name ?? '')
        : one.form === 'write' && one.value !== null && READ_BY_CORE.has(one.key),
    )
    .map((access) => ({ use, access, isLock: access.form === 'address' }));
}

/** `p->ready = true`: a state that others may wait for, and no initialisation. */
function isFlag(value: Expr): boolean {
  return (
    (value.kind === 'number' && (value.value === 0 || value.value === 1)) ||
    (value.kind === 'name' && /^(true|false|NULL)$/.test(value.name))
  );
}

/** A file or an entry that shows the device, which is made when the device is there. */
function isNote(value: Expr): boolean {
  return [...walk(value)].some((node) => node.kind === 'call' && showsDevice(node.name ?? ''));
}

/**
 * A use of the member in what may run while the device is registered; one that only sets it is
 * none.
 */
function readerOf(facts: ModuleFacts, index: ModuleIndex, key: string): MemberAccess | null {
  const field = key.slice(key.lastIndexOf('.') + 1);
  for (const fn of usedWhileRegistered(facts, index)) {
    // The text tells faster than the tree that a member is not there.
    if (!fn.text.includes(field)) continue;
    const reader = memberAccesses(index, fn).find(
      (one) =>
        one.key === key &&
        one.form !== 'write' &&
        !ALL_INITIALISERS.has(one.lowered.call?.name ?? ''),
    );
    if (reader !== undefined) return reader;
  }
  return null;
}

/**
 * Whether anything else may have set the member up: before the registration, or in another function
 * that is no part of taking the device down.
 */
function isSetEarlier(facts: ModuleFacts, index: ModuleIndex, late: Late): boolean {
  const { use, access } = late;
  const registers = operationsOn(facts, use.function, use.device)
    .filter((one) => one.op === 'register')
    .map((one) => one.site.start);
  const registered = smallest(registers);
  const ends = reachedFromRoles(facts, index, 'remove', 'release', 'action');
  return index.allFunctions.some(({ item }) => {
    if (item !== use.function && (item === access.function || ends.has(item))) return false;
    return memberAccesses(index, item).some(
      (one) =>
        one !== access &&
        maySet(facts, index, one, access) &&
        (item !== use.function || one.node.start < registered),
    );
  });
}

/**
 * Whether an access may give the wanted member its value: an assignment, an initialiser, or a
 * function that nobody knows.
 */
function maySet(
  facts: ModuleFacts,
  index: ModuleIndex,
  one: MemberAccess,
  wanted: MemberAccess,
): boolean {
  if (one.key === wanted.key)
    return (
      one.form === 'write' ||
      (one.form === 'address' &&
        (one.call === null ||
          ALL_INITIALISERS.has(one.call.name ?? '') ||
          isUnknown(facts, index, one)))
    );
  // The struct around the member, in the hands of somebody else.
  return one.embeds === wanted.owner && one.form === 'address' && isUnknown(facts, index, one);
}

function isUnknown(facts: ModuleFacts, index: ModuleIndex, { call, file }: MemberAccess): boolean {
  return (
    call?.name == null ||
    (index.functions(file, call.name).length === 0 &&
      behaviourOf(call.name, facts.kernel, facts.module.wrappers) === undefined)
  );
}

function messageFor({ access, isLock }: Late, reader: MemberAccess | null): string {
  const member = quoted(written(access.file.text, access.node));
  return reader === null
    ? say(messages.readByCore, { member })
    : say(isLock ? messages.lock : messages.member, { member, reader: reader.function.name });
}

/** Safe for an initialiser and for a plain value: neither can fail. */
function fixFor(facts: ModuleFacts, { use, access }: Late, register: Site): Fix | null {
  const fn: FunctionIr = use.function;
  const file = documentOf(facts.module, fn);
  if (
    file === null ||
    access.function !== fn ||
    register.path !== file.path ||
    !contains(fn, register)
  )
    return null;
  if (
    access.value !== null &&
    [...walk(access.value)].some(
      (node) =>
        node.kind === 'call' ||
        (node.kind === 'member' && node.arrow && !isAddressed(access.value!, node)),
    )
  )
    return null;
  const edits = moveBefore(file.text, fn, access.site, register);
  return edits === null
    ? null
    : {
        title: 'Move it before the registration',
        safety: 'safe',
        edits: [{ path: file.path, edits }],
      };
}

/** `&p->m` reads nothing of p's memory. */
function isAddressed(value: Expr, member: Expr): boolean {
  return value.kind === 'unary' && value.op === '&' && contains(value.operand, member);
}
