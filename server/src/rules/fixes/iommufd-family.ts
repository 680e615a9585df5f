/**
 * Which family of iommufd helpers an ops table needs: it follows the device, then the call that
 * registers it, then what the table has.
 */
import type { FunctionIr } from '../../ir/types.ts';
import type { Span } from '../../text/span.ts';
import { calls } from '../../ir/visit.ts';
import {
  familyOfHelper,
  familyRegisteredBy,
  type IommuFamily,
} from '../../kernel/iommu-families.ts';
import type { ModuleFacts, OperationObservation, OpsTable } from '../../lifecycle/types.ts';
import { loweredCallAt, declaredType, documentAt } from '../locate.ts';
import { reachedFrom } from '../call-graph.ts';
import { indexOf } from '../members.ts';
import { deviceIdentity } from '../device-identity.ts';

/** A family, and whether everything that is seen of the device agrees with it. */
export interface FamilyOfTable {
  readonly family: IommuFamily;
  readonly isCertain: boolean;
}

/** What two callbacks do and undo together. */
const PARTNERS: Readonly<Record<string, string>> = {
  bind_iommufd: 'unbind_iommufd',
  unbind_iommufd: 'bind_iommufd',
  attach_ioas: 'detach_ioas',
  detach_ioas: 'attach_ioas',
};

const IOMMUFD_MEMBERS = Object.keys(PARTNERS);

/**
 * The family of helpers for the members that a table lacks.
 * @param registers the registrations of devices that were allocated with the table.
 * @returns null when a helper would stand beside callbacks of the driver's own that do without it,
 * when what is seen of the device
 * disagrees, and when nothing tells.
 */
export function familyFor(
  facts: ModuleFacts,
  table: OpsTable,
  registers: readonly OperationObservation[],
  absent: readonly string[],
): FamilyOfTable | null {
  const own = IOMMUFD_MEMBERS.flatMap((name) => ownCallback(facts, table, name) ?? []);
  const written = new Set([
    ...[...table.members.values()].flatMap(({ value }) => familyOfHelper(value) ?? []),
    ...own.flatMap(({ families }) => families),
  ]);
  if (written.size > 1 || own.some(({ families }) => families.length === 0)) return null;
  const isHalfOwn = own.some(({ member }) => absent.includes(PARTNERS[member]!));
  const [already] = written;
  const shown = registers.length > 0 ? registers : allRegistrations(facts);
  // A vendor's core registers with a call that is not seen, and may put members into the table
  // itself.
  if (
    already === undefined &&
    shown.some(({ api }) => api !== null && facts.module.wrappers?.has(api) === true)
  )
    return null;
  const registered = registeredAs(shown);
  const isMdev = isForMdev(facts, table);
  const family = already ?? (isMdev ? 'emulated' : registered);
  if (family === null) return null;
  const agrees =
    (registered === null || registered === family) && (!isMdev || family === 'emulated');
  return {
    family,
    isCertain: agrees && !isHalfOwn && (already !== undefined || registers.length > 0),
  };
}

/**
 * A member that is set to a function of the driver's own, with the families of the helpers that it
 * calls.
 */
function ownCallback(
  facts: ModuleFacts,
  table: OpsTable,
  member: string,
): { readonly member: string; readonly families: readonly IommuFamily[] } | null {
  const value = table.members.get(member)?.value;
  if (value === undefined || value === 'NULL' || value === '0' || familyOfHelper(value) !== null)
    return null;
  const index = indexOf(facts.module, facts.kernel);
  const file = documentAt(facts.module, table.path);
  const functions = file === null ? [] : index.functions(file, value).map(({ item }) => item);
  const families = reachedFrom(index, functions).functions.flatMap((fn) =>
    calls(fn).flatMap(({ name }) => familyOfHelper(name ?? '') ?? []),
  );
  return { member, families: [...new Set(families)] };
}

function allRegistrations({ observations }: ModuleFacts): OperationObservation[] {
  return observations.filter(
    (one): one is OperationObservation => one.kind === 'operation' && one.op === 'register',
  );
}

/**
 * What the registrations say together; null when they differ, when there is none, and when a
 * function that no kernel has registers.
 */
function registeredAs(
  registers: readonly { readonly kind: string; readonly api?: string | null }[],
): IommuFamily | null {
  const families = new Set(registers.map(({ api }) => familyRegisteredBy(api) ?? null));
  const [family] = families;
  return families.size === 1 ? (family ?? null) : null;
}

/**
 * Whether a device that the table is given for is a mediated one, which has no IOMMU group of its
 * own since 5.17.
 */
function isForMdev(facts: ModuleFacts, table: OpsTable): boolean {
  return table.givenTo.some((use) => parentOf(facts, use.function, use.site) === 'mdev_device');
}

/**
 * The struct of the parent that a call names by its argument at `position` (vfio_alloc_device()), by its tag, from its type or
 * from the driver whose probe leads there; null where that does not tell.
 */
export function parentOf(
  facts: ModuleFacts,
  fn: FunctionIr,
  allocation: Span,
  position = 2,
): string | null {
  const parent = loweredCallAt(fn, allocation)?.args[position];
  const type =
    parent === undefined ? null : (declaredType(fn, deviceIdentity(fn, parent))?.name ?? null);
  if (type !== null && type !== 'device') return type;
  const index = indexOf(facts.module, facts.kernel);
  const probing = (isMdev: boolean): FunctionIr[] =>
    facts.driverTables
      .filter(({ variable }) => (variable?.type.name === 'mdev_driver') === isMdev)
      .flatMap(({ path, probe }) => {
        const file = documentAt(facts.module, path);
        return file === null || probe === null
          ? []
          : index.functions(file, probe).map(({ item }) => item);
      });
  const mediated = reachedFrom(index, probing(true));
  const others = reachedFrom(index, probing(false));
  return mediated.has(fn) && !others.has(fn) ? 'mdev_device' : null;
}
