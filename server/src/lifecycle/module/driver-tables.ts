/** Where a module says which of its functions begin a device's life and which end it. */
import { movedFrom } from '../../ir/lower.ts';
import type { Expr, FunctionIr, InitializerExpr, VariableIr } from '../../ir/types.ts';
import { opensModule } from '../../kernel/name-forms.ts';
import type { ModuleIndex } from './module.ts';
import { actingIn, kernelCallers, scanOf, type Acting } from './function-scan.ts';
import { madeOfAll, ofEachFunction, type KeptByOutline, type MadeByOutline } from './outline.ts';
import { writtenTables } from './written-tables.ts';
import type { EffectOp, KernelVersion } from '../../kernel/types.ts';
import type { DriverTable } from '../types.ts';

/** Members that begin and end a device's life, by their names. */
interface Pair {
  readonly probe: string;
  readonly remove: readonly string[];
  /** The types of which this is known: of these a table without the second has none. */
  readonly type: RegExp;
  /** Whether the names say it of a table of any other type too. */
  readonly isAny: boolean;
}

/**
 * struct device_driver and those around it, struct bus_type (device/bus.h), struct ccw_driver
 * (arch/s390/include/asm/ccwdev.h), mdev_parent_ops (before 6.1), component_ops, subsys_interface
 * and class_interface.
 */
const PAIRS: readonly Pair[] = [
  { probe: 'probe', remove: ['remove', 'remove_new'], type: /_driver$/, isAny: true },
  { probe: 'set_online', remove: ['set_offline'], type: /^ccw_driver$/, isAny: true },
  { probe: 'bind', remove: ['unbind'], type: /^component_ops$/, isAny: true },
  { probe: 'create', remove: ['remove'], type: /^mdev_parent_ops$/, isAny: false },
  {
    probe: 'add_dev',
    remove: ['remove_dev'],
    type: /^subsys_interface$|^class_interface$/,
    isAny: false,
  },
];

/** What one table has for members, by the last of their names: `.driver.probe` is a probe. */
interface Members {
  readonly path: string;
  readonly variable: VariableIr | null;
  readonly type: string;
  readonly names: ReadonlyMap<string, string>;
  readonly complete: boolean;
}

/**
 * The driver tables of a module, where probe and remove meet: initialisers, with those inside of
 * them, and tables that are filled in at run time.
 */
export function driverTables(index: ModuleIndex, kernel: KernelVersion): DriverTable[] {
  const acting = namesOfActing(index, kernel);
  const tables = [...initialised(index), ...filled(index)].flatMap((members) => {
    const named = pairsOf(members);
    if (named.length > 0) return named;
    // Few tables have a function that does anything.
    for (const name of members.names.values())
      if (acting.has(name)) return pairByDeeds(index, kernel, members);
    return [];
  });
  return tables.length > 0 ? tables : withoutTable(index, kernel);
}

const actingNames = new WeakMap<Acting, ReadonlySet<string>>();

function namesOfActing(index: ModuleIndex, kernel: KernelVersion): ReadonlySet<string> {
  const acting = actingIn(index, kernel);
  let names = actingNames.get(acting);
  if (!names) {
    names = new Set(acting.positions.map((position) => index.roots[position]!.name));
    actingNames.set(acting, names);
  }
  return names;
}

/**
 * In the table of a bus of the driver's own, whose members have names that only that bus knows:
 * the one that registers a device as the drvdata of what it is given, and the one that finds it
 * there and ends it.
 */
function pairByDeeds(
  index: ModuleIndex,
  kernel: KernelVersion,
  { path, variable, names }: Members,
): DriverTable[] {
  const inTable = new Set(names.values());
  const deeds = kernelCallers(index, kernel)
    .filter(({ file, item }) => inTable.has(item.name) && (file.path === path || !item.isStatic))
    .map(({ item, ops }) => ({ name: item.name, done: ops }));
  const doing = (ops: readonly EffectOp[]) => [
    ...new Set(deeds.filter(({ done }) => ops.every((op) => done.has(op))).map(({ name }) => name)),
  ];
  const [probe, ...otherProbes] = doing(['alloc', 'register', 'set-drvdata']);
  const [remove, ...otherRemoves] = [
    ...new Set([...doing(['get-drvdata', 'unregister']), ...doing(['get-drvdata', 'put'])]),
  ].filter((name) => name !== probe);
  return probe !== undefined &&
    remove !== undefined &&
    otherProbes.length + otherRemoves.length === 0
    ? [{ path, variable, probe, remove, complete: false }]
    : [];
}

/**
 * Where no table names any, the function that makes, keeps and registers a device begins its life,
 * and the one that finds it again and unregisters it ends it: the table is not typed yet.
 */
function withoutTable(index: ModuleIndex, kernel: KernelVersion): DriverTable[] {
  // A module with an entry of its own, or that shows its functions to others, has other ways.
  const isOpen = index.module.sources.every(({ fileMacros }) =>
    fileMacros.every(({ name }) => !opensModule(name)),
  );
  if (!isOpen) return [];
  const names = index.allFunctions.map(({ item }) => scanOf(item).names);
  const isNamed = (name: string) =>
    names.some(({ called, given }) => called.includes(name) || given.includes(name));
  const doing = (ops: readonly EffectOp[]) =>
    kernelCallers(index, kernel).filter(
      ({ item, ops: done }) =>
        item.isStatic && ops.every((op) => done.has(op)) && !isNamed(item.name),
    );
  const [probe, ...others] = doing(['alloc', 'register', 'set-drvdata']);
  const removes = doing(['get-drvdata', 'unregister']);
  if (!probe || others.length > 0 || removes.length > 1) return [];
  const remove = removes[0]?.item.name ?? null;
  const { path } = probe.file;
  const named = { path, variable: null, probe: probe.item.name, remove };
  return [{ ...named, complete: false, isGuess: true }];
}

function pairsOf({ path, variable, type, names, complete }: Members): DriverTable[] {
  return PAIRS.flatMap((pair) => {
    // Most tables have neither, whatever their type is.
    if (!names.has(pair.probe) && !pair.remove.some((name) => names.has(name))) return [];
    const isKnown = pair.type.test(type);
    if (!isKnown && !pair.isAny) return [];
    const probe = names.get(pair.probe) ?? null;
    const remove = pair.remove.map((name) => names.get(name)).find((name) => name) ?? null;
    // One of the names alone may mean anything in a table that nobody knows.
    const isPair = isKnown ? probe !== null || remove !== null : probe !== null && remove !== null;
    return isPair ? [{ path, variable, probe, remove, complete: complete && isKnown }] : [];
  });
}

function initialised(index: ModuleIndex): Members[] {
  return writtenTables(index).flatMap((table): Members[] => {
    const { file, variable, isByMacro } = table,
      { type } = variable;
    if (type.name === 'vfio_device_ops') return [];
    // Where an edit has moved the table only, what it has is what it had.
    const root = movedFrom(variable)?.from;
    const { names, complete } = contentsOf(root && !isByMacro ? root.init! : table.init);
    return [{ path: file.path, variable, type: type.name, names, complete }];
  });
}

type Contents = Pick<Members, 'names' | 'complete'>;

const contents = new WeakMap<Expr, Contents>();

function contentsOf(init: Expr): Contents {
  let known = contents.get(init);
  if (!known) {
    const names = new Map<string, string>();
    if (init.kind === 'initializer') addMembers(init, names);
    known = { names, complete: init.kind === 'initializer' && isComplete(init) };
    contents.set(init, known);
  }
  return known;
}

function addMembers(init: InitializerExpr, names: Map<string, string>): void {
  for (const { designators, value } of init.entries) {
    const member = designators.at(-1);
    const name = referenced(value);
    if (value.kind === 'initializer') addMembers(value, names);
    else if (member !== undefined && name !== null && name !== 'NULL' && !names.has(member))
      names.set(member, name);
  }
}

/** Tables whose members functions set: `foo_driver.probe = foo_probe;`. */
function filled(index: ModuleIndex): Members[] {
  const found: Members[] = [];
  const all = ofEachFunction(settingsKept, index, settingsIn);
  const setting = madeOfAll(settersKept, index, all, (values) =>
    values.flatMap(({ length }, i) => (length > 0 ? [i] : [])),
  );
  for (const i of setting) {
    const { file } = index.allFunctions[i]!;
    const byTable = new Map<string, Map<string, string>>();
    for (const { table, member, name } of all.values[i]!) {
      if (index.functions(file, name).length === 0) continue;
      const names = byTable.get(table) ?? new Map<string, string>();
      byTable.set(table, names.set(member, name));
    }
    for (const [table, names] of byTable) {
      const variable = index.variable(file, table)?.item ?? null;
      const type = variable?.type.name ?? '';
      found.push({ path: file.path, variable, type, names, complete: false });
    }
  }
  return found;
}

/** `table.member = name`, of a member that begins or ends a device's life. */
interface Setting {
  readonly table: string;
  readonly member: string;
  readonly name: string;
}

const settingsKept: KeptByOutline<readonly Setting[]> = new WeakMap();
/** Where those are that set any. */
const settersKept: MadeByOutline<readonly number[]> = new WeakMap();

function settingsIn(_: unknown, root: FunctionIr): readonly Setting[] {
  const settings = scanOf(root).memberAssigns.flatMap(({ target, value }): Setting[] => {
    const name = referenced(value);
    return target.kind === 'member' && name !== null && BEGINNING.has(target.field)
      ? [{ table: rootName(target) ?? '', member: target.field, name }]
      : [];
  });
  return settings.length > 0 ? settings : NO_SETTINGS;
}

const NO_SETTINGS: readonly Setting[] = [];

const BEGINNING: ReadonlySet<string> = new Set(PAIRS.flatMap((one) => [one.probe, ...one.remove]));

/** The name in `name` or `&name`, through casts. */
export function referenced(expr: Expr): string | null {
  if (expr.kind === 'name') return expr.name;
  if (expr.kind === 'cast') return referenced(expr.operand);
  return expr.kind === 'unary' && expr.op === '&' ? referenced(expr.operand) : null;
}

/** The variable that a member is of, or leads to. */
function rootName(expr: Expr): string | null {
  let root = expr;
  while (root.kind === 'member' || root.kind === 'index') root = root.base;
  return referenced(root);
}

/** Neither an #if nor a macro that stands for members (`FOO_COMMON_OPS,`) may hide one. */
function isComplete(init: InitializerExpr): boolean {
  return isReadable(init) && init.entries.every((one) => one.conditions.length === 0);
}

export function isReadable(init: InitializerExpr): boolean {
  return init.complete && init.entries.every((one) => one.designators.length > 0);
}
