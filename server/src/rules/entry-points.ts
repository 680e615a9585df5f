/**
 * From where code outside of a driver comes into it: the tables that name its functions, and the
 * handlers that it arms.
 */
import { makesAttribute } from '../kernel/name-forms.ts';
import type { CallExpr, Expr, FileIr, FunctionIr } from '../ir/types.ts';
import { ASYNC_KINDS } from '../kernel/async.ts';
import { referenced } from '../lifecycle/module/driver-tables.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type { Outline } from '../lifecycle/module/outline.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import { callersOf, callsOneOf } from './function-traits.ts';
import { functionsIn } from './locate.ts';
import { namesOfFunctions, reachedFrom } from './call-graph.ts';
import { memberAccesses } from './members.ts';

/** Tables whose functions run for a device that is registered, beside its ops table. */
const WHILE_REGISTERED: ReadonlySet<string> = new Set([
  'vfio_migration_ops',
  'vfio_log_ops',
  'pci_error_handlers',
]);

/**
 * Tables whose functions run whether the device is open or not: include/linux/{pci,device,sysfs,pm}.h.
 */
const WHETHER_OPEN_OR_NOT: ReadonlySet<string> = new Set([
  'pci_error_handlers',
  'device_attribute',
  'bin_attribute',
  'kobj_attribute',
  'dev_pm_ops',
]);

const known = new WeakMap<ModuleIndex, ReadonlySet<FunctionIr>>();

/**
 * The functions that may run while a device is registered: the callbacks of the ops tables and of
 * the tables beside them, the handlers that these arm, and what all of them call.
 */
export function usedWhileRegistered(
  facts: ModuleFacts,
  index: ModuleIndex,
): ReadonlySet<FunctionIr> {
  let found = known.get(index);
  if (found === undefined) {
    const roots = [
      ...functionsIn(facts, 'callback'),
      ...namedInTables(facts, index, WHILE_REGISTERED),
    ];
    let reached = reachedFrom(index, roots).functions;
    for (let size = -1; size < reached.length;) {
      size = reached.length;
      reached = reachedFrom(index, [...reached, ...handlersOf(index, reached)]).functions;
    }
    known.set(index, (found = new Set(reached)));
  }
  return found;
}

const entriesByOutline = new WeakMap<Outline, readonly number[]>();

/** The functions that may run whether a device is open or not, those of the tables only. */
export function runWhetherOpenOrNot(facts: ModuleFacts, index: ModuleIndex): FunctionIr[] {
  let positions = entriesByOutline.get(index.outline);
  if (positions === undefined) {
    const functions = [
      ...namedInTables(facts, index, WHETHER_OPEN_OR_NOT),
      ...ofAttributes(facts, index),
    ];
    positions = functions.flatMap((fn) => index.positionOf(fn) ?? []);
    entriesByOutline.set(index.outline, positions);
  }
  return positions.map((at) => index.allFunctions[at]!.item);
}

/** The functions of the module that tables of some types name. */
function namedInTables(
  facts: ModuleFacts,
  index: ModuleIndex,
  types: ReadonlySet<string>,
): FunctionIr[] {
  return facts.module.sources.flatMap((file) =>
    file.variables.flatMap(({ type, init }) =>
      types.has(type.name) && init !== null ? named(index, file, init) : [],
    ),
  );
}

function named(index: ModuleIndex, file: FileIr, value: Expr): FunctionIr[] {
  if (value.kind === 'initializer')
    return value.entries.flatMap((entry) => named(index, file, entry.value));
  const name = referenced(value);
  return name === null ? [] : index.functions(file, name).map(({ item }) => item);
}

/** `DEVICE_ATTR_RW(speed)` names speed_show() and speed_store(). */
function ofAttributes(facts: ModuleFacts, index: ModuleIndex): FunctionIr[] {
  const names = namesOfFunctions(facts.module);
  return facts.module.sources.flatMap((file) =>
    file.fileMacros
      .filter(({ name }) => makesAttribute(name))
      .flatMap(({ args }) => args)
      .flatMap((arg) => [arg, `${arg}_show`, `${arg}_store`, `${arg}_read`, `${arg}_write`])
      .filter((name) => names.has(name))
      .flatMap((name) => index.functions(file, name).map(({ item }) => item)),
  );
}

/**
 * What the work, timers, interrupts and threads run that functions arm, or start where the arming
 * is elsewhere.
 */
function handlersOf(index: ModuleIndex, functions: readonly FunctionIr[]): FunctionIr[] {
  const started = new Set(
    functions.flatMap((fn) => (callsOneOf(fn, STARTS) ? keysIn(index, fn, STARTS) : [])),
  );
  const elsewhere =
    started.size === 0
      ? []
      : callersOf(index, ARMS).flatMap(({ item }) =>
          callsOf(item, ARMS).filter((call) =>
            keysOf(index, item, call).some((key) => started.has(key)),
          ),
        );
  return [...functions.flatMap((fn) => callsOf(fn, ARMS)), ...elsewhere].flatMap((call) =>
    call.args.flatMap((arg) => {
      const name = referenced(arg);
      return name === null
        ? []
        : index.allFunctions.filter(({ item }) => item.name === name).map(({ item }) => item);
    }),
  );
}

const ARMS: ReadonlySet<string> = new Set(ASYNC_KINDS.flatMap(({ arm }) => [...arm.keys()]));
const STARTS: ReadonlySet<string> = new Set(ASYNC_KINDS.flatMap(({ start }) => [...start.keys()]));

function callsOf(fn: FunctionIr, names: ReadonlySet<string>): CallExpr[] {
  return callsOneOf(fn, names) ? scanOf(fn).calls.filter(({ name }) => names.has(name ?? '')) : [];
}

/** The members of structs that a function hands to calls of some names. */
function keysIn(index: ModuleIndex, fn: FunctionIr, names: ReadonlySet<string>): string[] {
  return memberAccesses(index, fn).flatMap(({ key, lowered }) =>
    names.has(lowered.call?.name ?? '') ? [key] : [],
  );
}

function keysOf(index: ModuleIndex, fn: FunctionIr, { name }: CallExpr): string[] {
  return keysIn(index, fn, new Set([name ?? '']));
}
