/** Plans the conversion of the devices of a document, by the proofs of the other files. */
import type { FileIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { compareVersions, formatVersion } from '../../kernel/version.ts';
import { findAllocation, rootOf } from './allocation.ts';
import { refuseAtomicFrees } from './atomic-free.ts';
import { containerOf } from './container.ts';
import { drvdataMoves } from './drvdata.ts';
import { planLabels } from '../rewrite/labels.ts';
import { notesOf } from './notes.ts';
import { refuseOverwritten } from './overwritten.ts';
import { collectObstacles } from './obstacles.ts';
import { provePaths } from './prove-paths.ts';
import { refuse } from '../refusal-error.ts';
import { placeOf } from '../modules/merge.ts';
import { assignedTo, callSites, isLeftOut, type CallSite } from '../query/call-sites.ts';
import { mergeTable, tablesOfSite, withOneStub } from './tables-of-device.ts';
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
import { typeOf } from '../../lifecycle/module/types-of.ts';
import {
  checkConditions,
  refuseForeignLife,
  refuseOtherAllocations,
  refuseSeveralInits,
  refuseVersionArms,
  registration,
  rootTag,
} from './whole-life.ts';

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
    for (const table of planned) mergeTable(file, tables, table);
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
        `${site.fn.name}() has code that could not be parsed, so its paths cannot be followed. Simplify it, or convert by hand.`,
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
  if (teardown) attempt(() => refuseAtomicFrees(module, teardown.frees));
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
