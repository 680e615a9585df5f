/** Which device a vfio_device is made for, by the type that the module shows. */
import type { EffectOp } from '../kernel/types.ts';
import type { ModuleFacts, OperationObservation } from '../lifecycle/types.ts';
import { parentOf } from './fixes/iommufd-family.ts';
import { isSameSite } from './locate.ts';

/** The parent that the device was allocated or initialised for; null where that is not seen. */
export function parentOfDevice(
  facts: ModuleFacts,
  { device }: OperationObservation,
): string | null {
  const begin = facts.observations.find(
    (one): one is OperationObservation =>
      one.kind === 'operation' &&
      PARENT_OF.has(one.op) &&
      isSameSite(one.device.origin, device.origin),
  );
  return begin === undefined
    ? null
    : parentOf(facts, begin.function, begin.site, PARENT_OF.get(begin.op));
}

/** The argument that names the parent, by what the call does. */
const PARENT_OF: ReadonlyMap<EffectOp, number> = new Map([
  ['alloc', 2],
  ['init', 1],
]);
