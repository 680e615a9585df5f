import type { Expr, FileIr, FunctionIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { familyRegisteredBy, type IommuFamily } from '../../kernel/iommu-families.ts';
import { compareVersions, formatVersion } from '../../kernel/version.ts';
import { findAllocation, rootOf } from './allocation.ts';
import { plain, tablesOf } from './arguments.ts';
import { refuseAtomicFrees } from './atomic-free.ts';
import { containerOf, embedsDevice } from './container.ts';
import { drvdataMoves } from './drvdata.ts';
import { planLabels } from '../rewrite/labels.ts';
import { notesOf } from './notes.ts';
import { refuseOverwritten } from './overwritten.ts';
import { collectObstacles } from './obstacles.ts';
import { uncast } from '../../lifecycle/module/statements.ts';
import { provePaths } from './prove-paths.ts';
import { lineOf, refuse, textOf } from '../refusal-error.ts';
import { placeOf } from '../modules/merge.ts';
import {
  callSites,
  isLeftOut,
  levelOf,
  unfollowedRegister,
  type CallSite,
} from '../query/call-sites.ts';
import { elementsOf } from '../query/table-elements.ts';
import { findTable, planTable } from './tables.ts';
import { findTeardown } from './teardown.ts';
import type {
  AllocationPlan,
  Container,
  ConversionInput,
  DevicePlan,
  MovePlan,
  PlanResult,
  TablePlan,
} from '../types.ts';
import { baseName, typeOf } from '../../lifecycle/module/types-of.ts';

/**
 * Plans the conversion of the devices of one document, which may be several merged: only of those
 * that one of `origins`, the document
 * itself or parts of it, has to do with. Throws RefusedError.
 */
export function planFile(
  input: ConversionInput,
  file: FileIr,
  functionName: string | undefined,
  origins: readonly FileIr[],
): PlanResult {
  const { module, kernel } = input;
  const sites = callSites(module, file);
  const all = sites.filter((site) => site.op === 'init');
  const kept = all.filter((site) => !isLeftOut(module, site, kernel));
  // A driver for both models is right as it is, unless a part of the old one is there for the
  // target too.
  if (
    all.length > 0 &&
    kept.length === 0 &&
    sites.every((site) => site.op !== 'uninit' || isLeftOut(module, site, kernel))
  )
    return { status: 'unchanged' };
  const inits = kept.length > 0 ? kept : all;
  if (inits.length === 0) {
    refuseForeignLife(
      module,
      file,
      sites.filter((site) => !isLeftOut(module, site, kernel)),
      functionName,
    );
    return { status: 'unchanged' };
  }
  const groups = groupByContainer(inits);
  const devices: DevicePlan[] = [];
  const tables = new Map<string, TablePlan>();
  for (const group of groups) {
    if (
      !concerns(
        group,
        sites,
        (site) =>
          (functionName === undefined || site.fn.name === functionName) &&
          origins.includes(placeOf(file, site.call.start).file),
      )
    )
      continue;
    if (compareVersions(kernel, [6, 1]) < 0) {
      refuse(
        'target-too-old',
        `vfio_alloc_device is not in kernel ${formatVersion(kernel)}: it came with 6.1. Choose 6.1 or later as the target kernel.`,
        file,
        group[0]!.call,
      );
    }
    const { device, planned } = planDevice(input, file, group, sites, groups.length === 1);
    devices.push(device);
    for (const table of planned) merge(file, tables, table);
  }
  if (devices.length === 0) return { status: 'unchanged' };
  const found = withOneStub(file, [...tables.values()]);
  return {
    status: 'planned',
    plan: {
      file,
      kernel,
      devices,
      tables: found,
      notes: notesOf(module, file, kernel, devices, found),
    },
  };
}

/** One group for each struct that is initialised; what has no known struct stands alone. */
function groupByContainer(inits: readonly CallSite[]): CallSite[][] {
  const groups = new Map<string, CallSite[]>();
  for (const site of inits) {
    const root = rootOf(site.scope, site.target);
    const tag = root && typeOf(site.scope, root)?.tag;
    const key = tag ?? `at ${site.call.start}`;
    groups.set(key, [...(groups.get(key) ?? []), site]);
  }
  return [...groups.values()];
}

/**
 * Whether one of the calls that `asked` is for initialises, or by type takes down, the object that
 * the group initialises.
 */
function concerns(
  group: readonly CallSite[],
  sites: readonly CallSite[],
  asked: (site: CallSite) => boolean,
): boolean {
  if (group.some(asked)) return true;
  const first = group[0]!;
  const root = rootOf(first.scope, first.target);
  const tag = root && typeOf(first.scope, root)?.tag;
  return sites.some(
    (site) =>
      asked(site) &&
      (site.op === 'allocate'
        ? assignedTag(site) === tag
        : ['free', 'uninit', 'register', 'unregister'].includes(site.op) &&
          (typeOf(site.scope, site.target)?.tag === tag || rootTag(site) === tag)),
  );
}

function assignedTag(site: CallSite): string | undefined {
  const target = assignedTo(site);
  return target ? typeOf(site.scope, target)?.tag : undefined;
}

function rootTag(site: CallSite): string | undefined {
  const root = rootOf(site.scope, site.target);
  return root ? typeOf(site.scope, root)?.tag : undefined;
}

/**
 * Plans one device. Checks that do not need each other all run before the first refusal is thrown,
 * so that a person learns of everything
 * that stands in the way.
 */
function planDevice(
  input: ConversionInput,
  file: FileIr,
  group: readonly CallSite[],
  sites: readonly CallSite[],
  alone: boolean,
): { device: DevicePlan; planned: TablePlan[] } {
  const { module } = input;
  for (const site of group) {
    if (site.fn.opaque)
      refuse(
        'opaque-function',
        `${site.fn.name}() has something in it that was not understood, so its paths cannot be followed. Simplify it, or convert by hand.`,
        file,
        site.fn.nameSpan,
      );
  }
  const obstacles = collectObstacles();
  const { attempt } = obstacles;
  attempt(() => refuseSeveralInits(file, group));
  attempt(() => refuseVersionArms(file, group));
  const found = attempt(() =>
    group.map((site) => ({ site, ...findAllocation(module, file, site) })),
  );
  const container =
    found?.[0]?.container ?? attempt(() => containerOfSite(module, file, group[0]!));
  const planned = found?.map((item) => item.plan);
  if (container && planned) attempt(() => refuseOtherAllocations(file, container, planned, sites));
  const teardown =
    container &&
    attempt(() =>
      findTeardown(module, file, container, sites, alone, planned?.[0]?.call ?? group[0]!.call),
    );
  if (container)
    attempt(() => refuseOverwritten(module, file, container, teardown?.frees ?? [], new Set()));
  if (teardown) attempt(() => refuseAtomicFrees(file, teardown.frees));
  const allocations =
    container &&
    planned &&
    teardown &&
    attempt(() => provePaths(module, file, container, planned, teardown));

  const family = container && attempt(() => registration(file, container, group, sites));
  const core = group.some((site) => site.call.name === 'vfio_pci_core_init_device');
  const moves =
    container &&
    allocations &&
    attempt(() => movesOf(file, container, allocations, core ? sites : null));
  const tables =
    family &&
    attempt(() =>
      group.flatMap((site) => tablesOfSite(input, file, site, { family, core, fn: site.fn })),
    );
  if (allocations && teardown && tables)
    attempt(() =>
      checkConditions(file, allocations[0]!.fn, [
        ...teardown.frees.map((item) => item.fn),
        ...teardown.uninits.map((item) => item.fn),
        ...allocations.map((item) => item.fn),
        ...tables.map((item) => item.variable),
      ]),
    );
  const labels =
    container &&
    teardown &&
    attempt(() => planLabels(module, file, container, teardown.frees, teardown.uninits));
  obstacles.report();
  if (!container || !allocations || !teardown || !moves || !tables || !labels)
    throw new Error('a part of the plan is missing, and nothing was refused');
  return {
    device: {
      container,
      allocations,
      uninits: teardown.uninits,
      frees: teardown.frees,
      labels,
      moves,
    },
    planned: tables,
  };
}

/**
 * The struct of the object that a site initialises, where its allocation is not found; undefined
 * where it is not known.
 */
function containerOfSite(module: Module, file: FileIr, site: CallSite): Container | undefined {
  const root = rootOf(site.scope, site.target);
  const tag = root && typeOf(site.scope, root)?.tag;
  return tag ? containerOf(module, file, tag, site.target) : undefined;
}

/** @param sites the calls that set drvdata, where the vfio-pci core wants it set early */
function movesOf(
  file: FileIr,
  container: Container,
  allocations: readonly AllocationPlan[],
  sites: readonly CallSite[] | null,
): MovePlan[] {
  return [
    ...allocations.flatMap((item) =>
      item.before.map((at): MovePlan => ({ file: item.file, at, before: item.at })),
    ),
    ...(sites ? allocations.flatMap((item) => drvdataMoves(file, container, item, sites)) : []),
  ];
}

interface OfDevice {
  readonly family: IommuFamily | 'unknown';
  readonly core: boolean;
  /** The function that allocates. */
  readonly fn: FunctionIr;
}

function tablesOfSite(
  { kernel, callbacks }: ConversionInput,
  file: FileIr,
  site: CallSite,
  { family, core, fn }: OfDevice,
): TablePlan[] {
  const ops = site.call.args[2];
  // The search for the allocation has refused a call without it.
  if (!ops) return [];
  const names = tablesOf(site.scope, ops);
  if (!names)
    refuse(
      'table-chosen-late',
      `Which ops table \`${plain(textOf(file, ops))}\` is cannot be told here. Pass \`&table\`, or a local that is only set to such before the allocation.`,
      file,
      ops,
    );
  return names.flatMap((name) => {
    const table = findTable(file, name, ops);
    // A table of another document may serve the probes of several drivers: what is added there is
    // not named after one of them.
    const own = placeOf(file, table.start).file === placeOf(file, fn.start).file;
    const needs = {
      kernel,
      family,
      core,
      functionName: own ? fn.name : null,
      callbacks: callbacks?.get(name),
    };
    return elementsOf(file, table).map((element) => planTable(file, element, needs));
  });
}

/** An arm that is there for old kernels is right as it is. */
function refuseVersionArms(file: FileIr, group: readonly CallSite[]): void {
  for (const { fn } of group) {
    if (
      !fn.conditions.some((condition) =>
        /\b(?:LINUX_VERSION_CODE|KERNEL_VERSION)\b/.test(condition.test),
      )
    )
      continue;
    refuse(
      'conditional-code',
      `${fn.name}() stands in an #if arm for certain kernels, which the conversion would change into one for others. Convert by hand.`,
      file,
      fn.nameSpan,
    );
  }
}

function refuseSeveralInits(file: FileIr, group: readonly CallSite[]): void {
  for (const site of group) {
    const same = group.filter((other) => other.fn === site.fn);
    if (same.length < 2) continue;
    const lines = same.map((other) => lineOf(file, other.call.start)).join(', ');
    const variables = new Set(same.map((other) => rootOf(other.scope, other.target)?.name));
    if (variables.size === same.length && !variables.has(undefined)) {
      refuse(
        'several-inits',
        `${site.fn.name}() initialises ${same.length} devices of one struct, \`${[...variables].join('` and `')}\` (lines ${lines}), whose ways out cannot be told apart. Initialise each in a helper that allocates one.`,
        file,
        same[1]!.call,
      );
    }
    refuse(
      'several-inits',
      `${site.fn.name}() has ${same.length} calls of ${site.call.name ?? 'the init'}() (lines ${lines}) that reach the same register. Choose the ops table first, in a local variable set before the allocation, then initialise once.`,
      file,
      same[1]!.call,
    );
  }
}

/**
 * The struct is allocated a second time, where no init is seen: frees by type would then hit the
 * wrong object.
 */
function refuseOtherAllocations(
  file: FileIr,
  container: Container,
  allocations: readonly AllocationPlan[],
  sites: readonly CallSite[],
): void {
  for (const site of sites) {
    if (site.op !== 'allocate' || allocations.some((item) => item.call === site.call)) continue;
    const target = assignedTo(site);
    if (
      !target ||
      typeOf(site.scope, target)?.tag !== container.tag ||
      typeOf(site.scope, target)?.pointers !== 1
    )
      continue;
    refuse(
      'several-allocations',
      `\`struct ${container.tag}\` is also allocated at line ${lineOf(file, site.call.start)}, where no device is initialised, so it cannot be told which frees are whose. Give that object a type of its own.`,
      file,
      site.call,
    );
  }
}

/** What an allocation is assigned to. */
function assignedTo(site: CallSite): Expr | null {
  const { stmt } = site.at;
  if (stmt.kind === 'decl')
    return { kind: 'name', name: stmt.name, start: stmt.nameSpan.start, end: stmt.nameSpan.end };
  if (stmt.kind === 'expr' && stmt.expr.kind === 'assign' && uncast(stmt.expr.value) === site.call)
    return stmt.expr.target;
  return null;
}

/**
 * How the device is registered; an mdev is by now registered as one. What only a vendor's core
 * registers may be either.
 */
function registration(
  file: FileIr,
  container: Container,
  group: readonly CallSite[],
  sites: readonly CallSite[],
): IommuFamily | 'unknown' {
  const registers = sites.filter(
    (site) =>
      site.op === 'register' &&
      (levelOf(site.scope, container, site.target) >= 0 || rootTag(site) === container.tag),
  );
  const first = registers[0];
  const wrapped = first ? undefined : unfollowedRegister(group[0]!.scope.module, file);
  if (wrapped)
    refuse(
      'registered-elsewhere',
      `${wrapped.name}() registers the device, as the settings say, but by its parent or together with more: that is not followed. Let it take the device and only register.`,
      file,
      wrapped,
    );
  if (!first) {
    refuse(
      'registered-elsewhere',
      `No register of \`struct ${container.tag}\` is seen in this file: the life cycle is spread over several files. Register it where it is allocated first.`,
      file,
      group[0]!.call,
    );
  }
  const known = registers.filter((site) => familyRegisteredBy(site.call.name) !== undefined);
  if (known.length === 0) return 'unknown';
  const emulated = known.filter((site) => familyRegisteredBy(site.call.name) === 'emulated');
  if (emulated.length > 0 && emulated.length < known.length) {
    refuse(
      'registered-elsewhere',
      `\`struct ${container.tag}\` is registered both with and without an IOMMU of its own; the ops table can serve only one.`,
      file,
      emulated[0]!.call,
    );
  }
  return emulated.length > 0 ? 'emulated' : 'physical';
}

/**
 * All that is edited stands in the same #if arms, so that one program is converted and not a
 * mixture.
 */
function checkConditions(
  file: FileIr,
  first: FunctionIr,
  items: readonly {
    readonly name: string;
    readonly nameSpan: { start: number; end: number };
    readonly conditions: FunctionIr['conditions'];
  }[],
): void {
  const key = (conditions: FunctionIr['conditions']): string =>
    conditions.map((item) => `${item.holds ? '' : '!'}${item.test}`).join(' && ');
  for (const item of items) {
    if (key(item.conditions) === key(first.conditions)) continue;
    refuse(
      'conditional-code',
      `${item.name} and ${first.name}() stand in different #if arms: they are not always the same program. Convert by hand.`,
      file,
      item.nameSpan,
    );
  }
}

/** Two devices may share a table; then both must need the same of it. */
function merge(file: FileIr, tables: Map<string, TablePlan>, table: TablePlan): void {
  const element = `${table.variable.name} ${table.variable.init?.start ?? 0}`;
  const known = tables.get(element);
  if (!known) {
    tables.set(element, table);
    return;
  }
  const key = (plan: TablePlan): string =>
    plan.members
      .filter((item) => item.value !== plan.releaseStub)
      .map((item) => item.value)
      .join();
  if (key(known) !== key(table))
    refuse(
      'table-incomplete',
      `\`${table.variable.name}\` serves devices that need different members. Give each its own table.`,
      file,
      table.variable.nameSpan,
    );
}

/**
 * Tables of one source share a generated `.release` of the same name: it stands above the first of
 * them.
 */
function withOneStub(file: FileIr, tables: readonly TablePlan[]): TablePlan[] {
  const first = new Map<string, TablePlan>();
  const keyOf = (table: TablePlan): string =>
    `${placeOf(file, table.variable.start).file.path}\n${table.releaseStub ?? ''}`;
  for (const table of [...tables].sort((left, right) => left.variable.start - right.variable.start))
    if (!first.has(keyOf(table))) first.set(keyOf(table), table);
  return tables.map((table) =>
    table.releaseStub === null || first.get(keyOf(table)) === table
      ? table
      : { ...table, releaseStub: null },
  );
}

/**
 * A file without an init of its own that nevertheless holds a part of the life of such an object.
 */
function refuseForeignLife(
  module: Module,
  file: FileIr,
  sites: readonly CallSite[],
  functionName: string | undefined,
): void {
  if (sites.some((site) => site.op === 'alloc' || site.op === 'put' || site.op === 'init-device'))
    return;
  const here = (site: CallSite): boolean =>
    functionName === undefined || site.fn.name === functionName;
  const uninit = sites.find((site) => site.op === 'uninit' && here(site));
  if (uninit) {
    refuse(
      'initialised-elsewhere',
      `${uninit.fn.name}() uninitialises a device that another file initialises: the life cycle is spread over several files. Bring probe and remove into one file first.`,
      file,
      uninit.call,
    );
  }
  const initialiser = module.sources.find(
    (other) => other !== file && callSites(module, other).some((site) => site.op === 'init'),
  );
  if (!initialiser) return;
  for (const site of sites) {
    if (site.op !== 'allocate' || !here(site)) continue;
    const target = assignedTo(site);
    const type = target && typeOf(site.scope, target);
    if (
      !target ||
      type?.pointers !== 1 ||
      type.tag === 'vfio_device' ||
      !embedsDevice(module, file, type.tag)
    )
      continue;
    refuse(
      'initialised-elsewhere',
      `\`struct ${type.tag}\` is allocated here but its vfio_device is initialised in ${baseName(initialiser.path)}: the life cycle is spread over several files. Bring the allocation, the init and the register into one file first.`,
      file,
      site.call,
    );
  }
}
