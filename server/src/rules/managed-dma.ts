/**
 * A driver of a bus with an IOMMU hands its devices to user space and does not say that it manages
 * their DMA.
 */
import type { Finding, Rule, RuleContext } from './types.ts';
import { BUS_DRIVERS, type BusDriver } from '../kernel/bus-drivers.ts';
import { familyRegisteredBy } from '../kernel/iommu-families.ts';
import { inRange } from '../kernel/version.ts';
import type { DriverTable, ModuleFacts, OperationObservation } from '../lifecycle/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import { managedDmaExamples } from './managed-dma.examples.ts';
import { documentAt } from './locate.ts';
import { reachedFrom } from './call-graph.ts';
import { indexOf } from './members.ts';
import { parentOfDevice } from './parent-of-device.ts';
import { quoted, say } from './wording.ts';

const MEMBER = 'driver_managed_dma';

const messages = {
  absent: '{driver} has no .driver_managed_dma: user space cannot open its devices; set it to true',
} as const;

export const managedDma: Rule = {
  id: 'managed-dma',
  severity: 'hint',
  isAbsence: true,
  kernels: { since: [5, 19] },
  fixable: 'none',
  docs: {
    what: 'The driver struct of a bus with an IOMMU has no `.driver_managed_dma`, although its devices are registered with their own IOMMU group.',
    why: "Since 5.19 the driver core takes the IOMMU group of a device for the kernel's own DMA before it calls probe, unless the driver struct says that the driver manages DMA itself. The registration succeeds all the same; opening the device fails with `-EBUSY`.",
    instead:
      'Set `.driver_managed_dma = true` in the driver struct: struct pci_driver, platform_driver, amba_driver, fsl_mc_driver or cdx_driver.',
    knownProblems:
      'It is a hint: a device without an IOMMU works without it in the unsafe no-IOMMU mode. A driver struct with an `#if` or a macro in it, one that a function fills in, and one whose probe also registers emulated devices are not reported.',
    references: [
      'v5.19 512881eacfa7 adds driver_managed_dma and the calls of the buses',
      'v5.19 70693f470848 makes vfio rely on it',
      'v5.19 drivers/iommu/iommu.c, iommu_device_use_default_domain() and iommu_group_claim_dma_owner()',
    ],
  },
  examples: managedDmaExamples,
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  const index = indexOf(facts.module, facts.kernel);
  return facts.driverTables.flatMap((table): Finding[] => {
    const bus = busOf(facts, table);
    if (bus === null || table.variable === null || isSetLater(index)) return [];
    const registers = registersOf(facts, index, table);
    const [register] = registers;
    if (register === undefined || !registers.every((one) => isOfBus(facts, one, bus))) return [];
    const { name, nameSpan } = table.variable;
    return [
      {
        rule: managedDma.id,
        severity: managedDma.severity,
        message: say(messages.absent, { driver: quoted(name) }),
        site: { path: table.path, start: nameSpan.start, end: nameSpan.end },
        functionName: null,
        related: [
          { site: register.site, message: `${register.api}() registers the device with its group` },
        ],
        fix: null,
      },
    ];
  });
}

/** The bus of a whole driver struct that lacks the member in the target kernel, or null. */
function busOf(facts: ModuleFacts, { variable, complete }: DriverTable): BusDriver | null {
  const init = variable?.init;
  if (variable === null || init?.kind !== 'initializer' || !complete) return null;
  const bus = BUS_DRIVERS.find(({ tag }) => tag === variable.type.name);
  if (bus?.managedDma === undefined || !inRange(facts.kernel, bus.managedDma)) return null;
  return init.entries.some(({ designators }) => designators.at(-1) === MEMBER) ? null : bus;
}

/** Whether any function of the module sets the member of a driver struct. */
function isSetLater(index: ModuleIndex): boolean {
  return index.allFunctions.some(
    ({ item }) =>
      item.text.includes(MEMBER) &&
      scanOf(item).memberAssigns.some(
        ({ target }) => target.kind === 'member' && target.field === MEMBER,
      ),
  );
}

/** The registrations that probe leads to. */
function registersOf(
  facts: ModuleFacts,
  index: ModuleIndex,
  { path, probe }: DriverTable,
): OperationObservation[] {
  const file = documentAt(facts.module, path);
  const roots = file === null || probe === null ? [] : index.functions(file, probe);
  const reached = reachedFrom(
    index,
    roots.map(({ item }) => item),
  );
  return facts.observations.filter(
    (one): one is OperationObservation =>
      one.kind === 'operation' && one.op === 'register' && reached.has(one.function),
  );
}

/** Whether a device is registered with its own group, and is not seen to be of another bus. */
function isOfBus(facts: ModuleFacts, register: OperationObservation, bus: BusDriver): boolean {
  if (familyRegisteredBy(register.api) !== 'physical') return false;
  const parent = parentOfDevice(facts, register);
  return parent === null || parent === 'device' || parent === bus.device;
}
