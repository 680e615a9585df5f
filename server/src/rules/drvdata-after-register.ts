/**
 * The drvdata of the parent device is set after the registration although a callback reads it, or
 * never to the device that vfio-pci core expects.
 */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { CallExpr, Expr, FunctionIr } from '../ir/types.ts';
import type { ModuleFacts, OperationObservation, Site, Step } from '../lifecycle/types.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { backported, from } from '../kernel/behaviour-builders.ts';
import { inRange } from '../kernel/version.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import { drvdataCalls } from './drvdata.ts';
import {
  loweredCallAt,
  contains,
  declaredType,
  documentOf,
  functionsIn,
  isNull,
  isSameSite,
  walk,
} from './locate.ts';
import { reachedFrom, reachedFromRoles, type Reached } from './call-graph.ts';
import { fieldType, indexOf, memberAccesses, type MemberAccess } from './members.ts';
import { unseenCalls } from './open-and-close.ts';
import { deviceIdentity } from './device-identity.ts';
import { findingFor } from './report.ts';
import { moveBefore } from './fixes/move.ts';
import { drvdataAfterRegisterExamples } from './drvdata-after-register.examples.ts';
import { say } from './wording.ts';

const messages = {
  neverSet: '{register}() fails: drvdata is never set; set it to the core device',
  otherObject: '{register}() fails: drvdata is another object; set it to the core device',
  refused:
    'drvdata is set after vfio_pci_core_register_device(), which fails without it; set it before',
  readEarlier:
    'drvdata is set after the registration, but {reader}() may read it earlier; set it before',
} as const;

export const drvdataAfterRegister: Rule = {
  id: 'drvdata-after-register',
  severity: 'error',
  kernels: { since: [5, 13] },
  fixable: 'safe',
  docs: {
    what: 'The drvdata of the parent device is set after the registration although a callback reads it, or never to the device that vfio-pci core expects.',
    why: 'Since 5.19, and in 5.18.y since 5.18.18, `vfio_pci_core_register_device()` compares the drvdata of the PCI device with the core device and refuses the registration when they differ, so that probe never succeeds. With every registration the device can be opened before it returns: a callback that reads the drvdata then finds NULL.',
    instead:
      'Set the drvdata before the registration. For vfio-pci core it is the address of the `struct vfio_pci_core_device`.',
    knownProblems:
      'If neither a callback of the ops table nor the registration reads drvdata, the order does not matter and nothing is reported. Sysfs attributes, interrupt handlers and work items are not checked.',
    references: ['v5.19 91be0bd6c6cf makes vfio-pci core compare drvdata'],
  },
  examples: drvdataAfterRegisterExamples,
  messages,
  check,
};

const CORE_COMPARES = backported(from('5.19'), '5.18.18');

function check({ facts }: RuleContext): Finding[] {
  return [...setLate(facts), ...neverSet(facts)];
}

/** Registrations of the core whose parent has no drvdata, or that of another object. */
function neverSet(facts: ModuleFacts): Finding[] {
  if (!inRange(facts.kernel, CORE_COMPARES)) return [];
  const index = indexOf(facts.module, facts.kernel);
  return facts.observations.flatMap((register): Finding[] => {
    if (
      register.kind !== 'operation' ||
      register.op !== 'register' ||
      register.api !== 'vfio_pci_core_register_device' ||
      register.device.originKind !== 'allocation' ||
      facts.observations.some((one) => one.kind === 'operation' && one.op === 'set-drvdata')
    )
      return [];
    const setters = index.allFunctions.flatMap(({ item }) =>
      drvdataCalls(index, item, 'set-drvdata', facts.kernel)
        .filter(({ args }) => args[1] !== undefined && !isNull(args[1]))
        .map((call) => ({ fn: item, call })),
    );
    const other = setters.find(({ fn, call }) => isOtherObject(index, fn, call));
    if (setters.length > 0 && (other === undefined || setters.length > 1)) return [];
    if (isHandedOn(facts, index, register)) return [];
    const path = other === undefined ? undefined : index.fileOf(other.fn)?.path;
    return [
      findingFor({
        rule: drvdataAfterRegister.id,
        severity: 'error',
        observation: register,
        message: say(other === undefined ? messages.neverSet : messages.otherObject, {
          register: register.api,
        }),
        alsoSee:
          other === undefined || path === undefined
            ? []
            : [
                {
                  site: { path, start: other.call.start, end: other.call.end },
                  message: `${other.call.name}() sets it to something else`,
                },
              ],
      }),
    ];
  });
}

/** The value is a pointer to a struct in which no vfio_device is. */
function isOtherObject(index: ModuleIndex, fn: FunctionIr, { args: [, value] }: CallExpr): boolean {
  const file = index.fileOf(fn);
  if (file === undefined || value?.kind !== 'name') return false;
  const type = declaredType(fn, value.name);
  const struct = type?.pointers === 1 ? index.struct(file, type.name) : null;
  return (
    struct != null &&
    struct.item.complete &&
    struct.item.fields.every((one) => one.type.pointers > 0 || one.type.keyword !== 'struct')
  );
}

/** Code that is not seen gets the PCI device, or the object, before it is registered. */
function isHandedOn(
  facts: ModuleFacts,
  index: ModuleIndex,
  register: OperationObservation,
): boolean {
  const probes = functionsIn(facts, 'probe', 'init');
  return reachedFrom(index, [...probes, register.function]).functions.some((fn) =>
    unseenCalls(facts, index, fn).some(({ args }) =>
      args.some((arg) => {
        const type = declaredType(fn, deviceIdentity(fn, arg))?.name;
        return type === 'pci_dev' || type === 'device' || type === register.device.container;
      }),
    ),
  );
}

function setLate(facts: ModuleFacts): Finding[] {
  return facts.observations.flatMap((one): Finding[] => {
    if (
      one.kind !== 'operation' ||
      one.op !== 'set-drvdata' ||
      one.before.registered !== 'yes' ||
      one.role === 'remove'
    )
      return [];
    const register = one.trace.findLast((step) => step.op === 'register');
    // A second setter replaces a value that is there.
    if (register === undefined || hasValue(facts, one) || !isOfParent(facts, one)) return [];
    const byCore =
      one.before.viaCore &&
      register.text.startsWith('vfio_pci_core_register_device') &&
      inRange(facts.kernel, CORE_COMPARES);
    const setter = loweredCallAt(one.function, one.site);
    const reader = byCore || setter === null ? null : readerOfDrvdata(facts, one.function, setter);
    if (!byCore && reader === null) return [];
    return [
      findingFor({
        rule: drvdataAfterRegister.id,
        severity: byCore ? 'error' : 'warning',
        observation: one,
        message:
          reader === null
            ? messages.refused
            : say(messages.readEarlier, { reader: reader.function.name }),
        alsoSee:
          reader === null
            ? []
            : [
                {
                  site: reader.site,
                  message: `${reader.function.name}() reads it; a user may have opened the device by then`,
                },
              ],
        fix: fixFor(facts, one, register),
      }),
    ];
  });
}

/**
 * Whether drvdata is set to the object before it is registered too: here, or in the function that
 * allocates it.
 */
function hasValue(facts: ModuleFacts, one: OperationObservation): boolean {
  return facts.observations.some(
    (other) =>
      other.kind === 'operation' &&
      other.op === 'set-drvdata' &&
      other.before.registered !== 'yes' &&
      (other.device.id === one.device.id || isSameSite(other.device.origin, one.device.origin)),
  );
}

/**
 * Whether the drvdata is that of the device that the vfio_device was made for, as far as the
 * function shows both.
 */
function isOfParent(facts: ModuleFacts, one: OperationObservation): boolean {
  const fn = one.function;
  const file = documentOf(facts.module, fn);
  const setter = loweredCallAt(fn, one.site);
  const origin =
    contains(fn, one.device.origin) && one.device.origin.path === file?.path
      ? loweredCallAt(fn, one.device.origin)
      : null;
  if (file === null || setter?.name !== one.api) return false;
  const parent = parentOf(fn, origin, facts);
  const [target] = setter.args;
  return (
    parent === null ||
    (target !== undefined && deviceIdentity(fn, parent) === deviceIdentity(fn, target))
  );
}

/**
 * The device argument of the allocation or, in the old model, of the init; null when neither is in
 * the function.
 */
function parentOf(fn: FunctionIr, allocation: CallExpr | null, facts: ModuleFacts): Expr | null {
  if (allocation?.name === 'vfio_alloc_device') return allocation.args[2] ?? null;
  for (const { name, args } of scanOf(fn).calls) {
    const behaviour = name === null ? undefined : behaviourOf(name, facts.kernel);
    if (
      behaviour !== undefined &&
      behaviour !== 'neutral' &&
      behaviour.success.some((effect) => effect.op === 'init' || effect.op === 'init-device')
    )
      return args[1] ?? null;
  }
  return null;
}

/**
 * A callback of an ops table, or what it calls, that reads the drvdata of the device whose drvdata
 * a call in a function sets.
 */
export function readerOfDrvdata(
  facts: ModuleFacts,
  setting: FunctionIr,
  { args: [target] }: CallExpr,
): { readonly function: FunctionIr; readonly site: Site } | null {
  const index = indexOf(facts.module, facts.kernel);
  const parent = target === undefined ? null : structOf(setting, target);
  const reached = reachedFromRoles(facts, index, 'callback');
  for (const fn of reached.functions) {
    const file = index.fileOf(fn);
    const call = drvdataCalls(index, fn, 'get-drvdata', facts.kernel).find(
      ({ args }) => args[0] !== undefined && isOfSameParent(index, reached, fn, args[0], parent, 0),
    );
    if (file !== undefined && call !== undefined)
      return { function: fn, site: { path: file.path, start: call.start, end: call.end } };
  }
  return null;
}

/**
 * Whether a device is the parent of the vfio_device, as far as its type and its way there tell:
 * `vdev->dev`, or a device of the bus
 * that probe was given; that of a parent's parent, of the physical function or of another bus is
 * other data.
 */
function isOfSameParent(
  index: ModuleIndex,
  reached: Reached,
  fn: FunctionIr,
  device: Expr,
  parent: string | null,
  depth: number,
): boolean {
  const identity = deviceIdentity(fn, device);
  if (/parent|physfn|^\?/.test(identity)) return false;
  const type =
    declaredType(fn, identity)?.name ??
    memberAccesses(index, fn).flatMap((one) =>
      contains(device, one.node)
        ? [one.key === 'vfio_device.dev' ? 'vfio_device' : (typeOfMember(index, one) ?? '')]
        : [],
    )[0];
  if (type === 'vfio_device') return true;
  if (type !== undefined && type !== 'device') return type === parent;
  // A plain struct device comes from the caller.
  const position = fn.params.findIndex(({ name }) => name === identity);
  const caller = reached.callerOf(fn);
  if (position < 0 || caller === null || depth > 3) return false;
  return [...walk(caller.body)].some(
    (node) =>
      node.kind === 'call' &&
      node.name === fn.name &&
      node.args[position] !== undefined &&
      isOfSameParent(index, reached, caller, node.args[position], parent, depth + 1),
  );
}

/**
 * The struct of what a device expression names below the views of buses, by the declaration of its
 * variable.
 */
function structOf(fn: FunctionIr, device: Expr): string | null {
  return declaredType(fn, deviceIdentity(fn, device))?.name ?? null;
}

function typeOfMember(index: ModuleIndex, { file, owner, key }: MemberAccess): string | null {
  return fieldType(index, file, owner, key.slice(owner.length + 1))?.name ?? null;
}

function fixFor(facts: ModuleFacts, one: OperationObservation, register: Step): Fix | null {
  const file = documentOf(facts.module, one.function);
  if (
    file === null ||
    one.inner !== null ||
    register.site.path !== file.path ||
    !contains(one.function, register.site)
  )
    return null;
  const edits = moveBefore(file.text, one.function, one.site, register.site);
  return edits === null
    ? null
    : {
        title: 'Set drvdata before the registration',
        safety: 'safe',
        edits: [{ path: file.path, edits }],
      };
}
