/** The drivers of a module, and the functions in which each begins, uses and ends its devices. */
import type { FileIr, FunctionIr } from '../../ir/types.ts';
import type { EffectOp } from '../../kernel/types.ts';
import { scanOf } from '../../lifecycle/module/function-scan.ts';
import { indexModule, type ModuleIndex } from '../../lifecycle/module/module.ts';
import type { ModuleFacts, OperationObservation, OpsTable, Site } from '../../lifecycle/types.ts';
import { documentAt } from '../../rules/locate.ts';
import { reachedFrom } from '../../rules/call-graph.ts';
import { append } from '../../text/lists.ts';
import { nameOf } from '../project/paths.ts';

/** A callback of an ops table; `function` is null where the module does not define it. */
export interface Callback {
  readonly member: string;
  readonly name: string;
  readonly function: FunctionIr | null;
  /** The function's name, or the member where the function is the kernel's. */
  readonly site: Site;
}

/** What a driver's life is put together from. */
export interface DriverParts {
  readonly name: string;
  readonly begins: readonly FunctionIr[];
  readonly ends: readonly FunctionIr[];
  readonly tables: readonly OpsTable[];
  readonly init: readonly Callback[];
  readonly release: readonly Callback[];
  readonly open: readonly Callback[];
  readonly close: readonly Callback[];
}

/** An object is a device by one of these, and by no allocation alone. */
export const DEVICE_OPERATIONS: ReadonlySet<EffectOp> = new Set([
  'alloc',
  'init',
  'init-device',
  'register',
  'unregister',
  'put',
  'uninit',
]);
const ENDING: ReadonlySet<string> = new Set(['unregister', 'put', 'uninit']);

const known = new WeakMap<ModuleFacts, readonly DriverParts[]>();

/** The drivers in the order of the module's tables; none where no device lives. */
export function driversOf(facts: ModuleFacts): readonly DriverParts[] {
  let drivers = known.get(facts);
  if (drivers === undefined) known.set(facts, (drivers = findDrivers(facts)));
  return drivers;
}

function findDrivers(facts: ModuleFacts): DriverParts[] {
  const index = indexModule(facts.module, facts.kernel);
  const operations = facts.observations.filter(
    (one): one is OperationObservation => one.kind === 'operation' && DEVICE_OPERATIONS.has(one.op),
  );
  const working = new Set(operations.map((one) => one.function));
  const roots = rootsOf(facts, index).filter(({ begins, ends }) =>
    reachedFrom(index, [...begins, ...ends]).functions.some((fn) => working.has(fn)),
  );
  const left = facts.opsTables.filter((table) => !roots.some((root) => uses(index, root, table)));
  const drivers: (Roots & Pick<DriverParts, 'tables'>)[] = roots.map((root) => ({
    ...root,
    tables: facts.opsTables.filter(
      (table) => uses(index, root, table) || (roots.length === 1 && left.includes(table)),
    ),
  }));
  if (drivers.length === 0) append(drivers, withoutTable(facts, operations));
  return drivers.map((driver) => ({ ...driver, ...callbacksOf(index, driver.tables) }));
}

type Roots = Pick<DriverParts, 'name' | 'begins' | 'ends'>;

/** Driver tables; those of one probe are one driver. */
function rootsOf(facts: ModuleFacts, index: ModuleIndex): Roots[] {
  const actions = [...facts.roles].flatMap(([fn, role]) => (role === 'action' ? [fn] : []));
  const roots: Roots[] = [];
  for (const { path, variable, probe, remove } of facts.driverTables) {
    const file = documentAt(facts.module, path);
    if (file === null) continue;
    const begins = named(index, file, probe);
    if (roots.some((one) => one.begins.some((fn) => begins.includes(fn)))) continue;
    const reached = reachedFrom(index, begins);
    const ends = [
      ...named(index, file, remove),
      ...actions.filter((fn) => reached.functions.some((one) => hands(one, fn))),
    ];
    roots.push({ name: variable?.name ?? probe ?? nameOf(path), begins, ends });
  }
  return roots;
}

/** Whether a function hands another to somebody. */
function hands(fn: FunctionIr, other: FunctionIr): boolean {
  return scanOf(fn).names.given.includes(other.name);
}

function named(index: ModuleIndex, file: FileIr, name: string | null): FunctionIr[] {
  return name === null ? [] : index.functions(file, name).map(({ item }) => item);
}

function uses(index: ModuleIndex, { begins }: Roots, table: OpsTable): boolean {
  const reached = reachedFrom(index, begins);
  return table.givenTo.some((one) => reached.has(one.function));
}

/** A module without a driver table is one driver: what begins devices in it and what ends them. */
function withoutTable(
  facts: ModuleFacts,
  operations: readonly OperationObservation[],
): (Roots & Pick<DriverParts, 'tables'>)[] {
  const own = operations.filter(({ role }) => role !== 'callback' && role !== 'release');
  const begins = new Set(own.filter(({ op }) => !ENDING.has(op)).map((one) => one.function));
  const ends = new Set(
    own.filter((one) => ENDING.has(one.op) && !begins.has(one.function)).map((one) => one.function),
  );
  if (begins.size + ends.size + facts.opsTables.length === 0) return [];
  const first = facts.module.sources[0]?.path ?? '';
  const name = facts.opsTables[0]?.variable.name ?? nameOf(first);
  return [{ name, begins: [...begins], ends: [...ends], tables: facts.opsTables }];
}

function callbacksOf(
  index: ModuleIndex,
  tables: readonly OpsTable[],
): Pick<DriverParts, 'init' | 'release' | 'open' | 'close'> {
  const find = (wanted: (table: OpsTable) => readonly string[]): Callback[] =>
    unique(tables.flatMap((table) => wanted(table).flatMap((one) => callback(index, table, one))));
  const isFd = (table: OpsTable): boolean => table.style === 'fd';
  return {
    init: find(() => ['init']),
    release: find((table) => (isFd(table) ? [] : ['release'])),
    open: find((table) => (isFd(table) ? ['open', 'open_device'] : ['open_device'])),
    close: find((table) => (isFd(table) ? ['release', 'close_device'] : ['close_device'])),
  };
}

function callback(index: ModuleIndex, table: OpsTable, member: string): Callback[] {
  const found = table.members.get(member);
  if (found === undefined || found.value === 'NULL') return [];
  const name = found.value.replace(/^&/, '');
  const file = documentAt(index.module, table.path);
  const fn = file && index.functions(file, name)[0];
  const site = fn
    ? { path: fn.file.path, ...fn.item.nameSpan }
    : { path: table.path, ...found.span };
  return [{ member, name, function: fn?.item ?? null, site }];
}

function unique(callbacks: readonly Callback[]): Callback[] {
  return [...new Map(callbacks.map((one) => [one.name, one])).values()];
}
