/** An mdev that is registered as a device with an IOMMU of its own is registered as what it is. */
import type { CallExpr, FileIr, FunctionIr, InitializerExpr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { rootOf } from '../plan/allocation.ts';
import { tablesOf } from '../plan/arguments.ts';
import { isMediated } from '../query/buses.ts';
import { allExpressions, statementsOf } from '../../lifecycle/module/statements.ts';
import { lineOf, refuse } from '../refusal-error.ts';
import { rewriting } from '../modules/rewriting.ts';
import { callSites, isLeftOut, type CallSite } from '../query/call-sites.ts';
import { typeOf } from '../../lifecycle/module/types-of.ts';
import type { Step, StepInput } from './types.ts';

const PLAIN = 'vfio_register_group_dev';
const EMULATED = 'vfio_register_emulated_iommu_dev';

/** What begins or ends the life of a device, in either model. */
const OF_LIFE: ReadonlySet<string> = new Set([
  'allocate',
  'alloc',
  'init',
  'register',
  'unregister',
  'uninit',
  'put',
  'free',
]);

/**
 * Up to 5.15 the mdev core gave each mdev an IOMMU group, which plain registering found. Since
 * c68ea0d00ad8 (5.16) it does not: registering fails
 * unless the unsafe no-IOMMU mode is on. The calls for a mediated device become the one for devices
 * without an IOMMU, and the iommufd
 * members of its ops table those of the emulated family. Throws RefusedError where an mdev is
 * isolated by the IOMMU of another device.
 */
export const registerMediated: Step = (step) => {
  const {
    input: { module, kernel },
  } = step;
  const sites = module.sources
    .flatMap((source) => callSites(module, source))
    .filter((site) => !isLeftOut(module, site, kernel));
  const out = rewriting();
  const calls = sites.filter(
    (site) => site.op === 'register' && site.call.name === PLAIN && isAsked(step, sites, site),
  );
  const touched = new Set<string>();
  for (const site of calls) {
    const life = lifeOf(sites, site);
    const answer = isMediated(module, seedsOf(life));
    if (answer === 'no') continue;
    const { file } = site.scope;
    if (answer === 'both') {
      refuse(
        'registered-elsewhere',
        `${site.fn.name}() registers mediated devices, which have no IOMMU group since 5.16, and devices of another bus in one call. Register each with a call of its own.`,
        file,
        site.call,
      );
    }
    refuseIommuDevice(module, life);
    out.edit(file, 'allocation', { span: site.call.callee, newText: EMULATED });
    touched.add(site.fn.name);
    for (const table of tablesIn(life)) renameMembers(out.edit, module, table);
  }
  if (touched.size === 0) return null;
  return {
    edits: out.done(),
    notes: [
      `An mdev has no IOMMU group of its own since 5.16, so it is now registered with ${EMULATED}().`,
    ],
    touched: [...touched],
  };
};

/** The device of the call is one that the request has to do with. */
function isAsked(
  { file, functionName }: StepInput,
  sites: readonly CallSite[],
  site: CallSite,
): boolean {
  return lifeOf(sites, site).some(
    (one) =>
      one.scope.file === file && (functionName === undefined || one.fn.name === functionName),
  );
}

/**
 * The calls on objects of the struct that a device is in; only the call itself where that is not
 * known.
 */
function lifeOf(sites: readonly CallSite[], site: CallSite): readonly CallSite[] {
  const tag = tagOf(site);
  return tag === undefined || tag === 'vfio_device'
    ? [site]
    : [site, ...sites.filter((one) => one !== site && OF_LIFE.has(one.op) && tagOf(one) === tag)];
}

function seedsOf(life: readonly CallSite[]): FunctionIr[] {
  return [
    ...new Set(
      life
        .filter((one) => one.op === 'init' || one.op === 'alloc' || one.op === 'register')
        .map((one) => one.fn),
    ),
  ];
}

/**
 * The struct of the object: the tag that vfio_alloc_device() is given, or the type of the variable
 * at the root.
 */
function tagOf(site: CallSite): string | undefined {
  const [first] = site.call.args;
  if (site.op === 'alloc') return first?.kind === 'name' ? first.name : undefined;
  const { stmt } = site.at;
  if (site.op === 'allocate' && stmt.kind === 'decl') return stmt.type.name;
  const target =
    site.op === 'allocate' && stmt.kind === 'expr' && stmt.expr.kind === 'assign'
      ? stmt.expr.target
      : site.target;
  const root = rootOf(site.scope, target);
  return root ? typeOf(site.scope, root)?.tag : undefined;
}

/** The driver leaves the mapping to the IOMMU of another device, which no kernel does any more. */
function refuseIommuDevice(module: Module, life: readonly CallSite[]): void {
  for (const fn of seedsOf(life)) {
    const file = module.sources.find((source) => source.functions.includes(fn))!;
    const call = statementsOf(fn)
      .flatMap(({ stmt }) => allExpressions(stmt))
      .find(
        (expr): expr is CallExpr => expr.kind === 'call' && expr.name === 'mdev_set_iommu_device',
      );
    if (!call) continue;
    refuse(
      'iommu-group',
      `${fn.name}() has an mdev isolated by the IOMMU of another device: mdev_set_iommu_device(), line ${lineOf(file, call.start)}. That was removed after 5.15. Since then the driver of an mdev pins what the device reads and writes with vfio_pin_pages(), and registers it with ${EMULATED}(). Change that first.`,
      file,
      call,
    );
  }
}

interface Table {
  readonly file: FileIr;
  readonly name: string;
}

/** The argument that is the table of operations. */
const OPS_ARGUMENT: Readonly<Partial<Record<CallSite['op'], number>>> = { alloc: 3, init: 2 };

function tablesIn(life: readonly CallSite[]): Table[] {
  return life.flatMap((site) => {
    const position = OPS_ARGUMENT[site.op];
    const ops = position === undefined ? undefined : site.call.args[position];
    return ops
      ? (tablesOf(site.scope, ops) ?? []).map((name) => ({ file: site.scope.file, name }))
      : [];
  });
}

/** `vfio_iommufd_physical_bind` becomes `vfio_iommufd_emulated_bind`. */
function renameMembers(
  edit: ReturnType<typeof rewriting>['edit'],
  module: Module,
  table: Table,
): void {
  for (const file of new Set([table.file, ...module.sources])) {
    const init = file.variables.find(
      (item) => item.name === table.name && item.init?.kind === 'initializer',
    )?.init as InitializerExpr | undefined;
    for (const { value } of init?.entries ?? []) {
      if (value.kind !== 'name' || !value.name.startsWith('vfio_iommufd_physical_')) continue;
      edit(file, 'ops-table', { span: value, newText: value.name.replace('physical', 'emulated') });
    }
    if (init) return;
  }
}
