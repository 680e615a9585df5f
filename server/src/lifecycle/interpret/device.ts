/** The states of a device and how an operation changes one. */
import type { EffectOp } from '../../kernel/types.ts';
import type { DeviceState } from '../types.ts';

/** A device of which nothing was seen: a parameter, a field, something found in a list. */
export const UNKNOWN_DEVICE: DeviceState = {
  model: 'unknown',
  reference: 'unknown',
  initialised: 'unknown',
  registered: 'unknown',
  memory: 'unknown',
  allocator: null,
  deviceSet: false,
  viaCore: false,
  checked: false,
  nullTested: false,
  extraReferences: 0,
  escaped: false,
};

/** A device that a lookup has found, and taken a reference of for its caller. */
export const FOUND_DEVICE: DeviceState = {
  ...UNKNOWN_DEVICE,
  reference: 'none',
  memory: 'live',
  checked: true,
  extraReferences: 1,
};

/** Memory just allocated, not yet a vfio_device. */
const FRESH: DeviceState = {
  ...UNKNOWN_DEVICE,
  model: 'none',
  reference: 'none',
  initialised: 'no',
  registered: 'no',
  memory: 'live',
};

/** The device that the core hands to `.init`: memory is there, the reference not yet. */
export const INITIALISING_DEVICE: DeviceState = { ...FRESH, model: 'new', checked: true };
/** The device that the core hands to `.release`: the last reference is gone. */
export const RELEASING_DEVICE: DeviceState = {
  ...FRESH,
  model: 'new',
  reference: 'dropped',
  checked: true,
};

export interface OperationContext {
  readonly api: string;
  readonly ok: boolean;
  readonly viaCore: boolean;
  /** core-release frees the memory in this kernel. */
  readonly frees: boolean;
}

/**
 * The state after an operation. Total: an operation that the contract forbids still has an effect,
 * and a rule says so.
 */
export function transition(
  before: DeviceState,
  op: EffectOp,
  context: OperationContext,
): DeviceState {
  const viaCore = before.viaCore || context.viaCore;
  switch (op) {
    case 'alloc':
      return context.ok
        ? { ...FRESH, model: 'new', reference: 'held', allocator: context.api, viaCore }
        : { ...FRESH, model: 'new', memory: 'error-pointer', allocator: context.api };
    case 'allocate':
      return { ...FRESH, allocator: context.api, checked: true };
    case 'free':
    case 'free-device':
      return { ...before, memory: 'freed' };
    case 'init':
      // Who was given the object before cannot have undone what begins only here.
      return {
        ...before,
        model: 'old',
        initialised: 'yes',
        registered: 'no',
        viaCore,
        escaped: false,
      };
    case 'uninit':
      return {
        ...before,
        model: before.model === 'unknown' ? 'old' : before.model,
        initialised: 'undone',
        deviceSet: false,
        viaCore,
      };
    case 'init-device':
      return {
        ...before,
        model: 'embedded',
        reference: context.ok ? 'held' : 'none',
        registered: 'no',
      };
    case 'assign-set':
      return context.ok ? { ...before, deviceSet: true } : before;
    case 'register':
      return { ...before, registered: context.ok ? 'yes' : 'failed', viaCore };
    case 'unregister':
      return { ...before, registered: 'undone', viaCore };
    case 'get':
      return { ...before, extraReferences: before.extraReferences + 1 };
    case 'put':
      if (before.extraReferences > 0 && !isLastOfFound(before))
        return { ...before, extraReferences: before.extraReferences - 1 };
      return {
        ...before,
        extraReferences: 0,
        reference: 'dropped',
        memory: before.model === 'embedded' ? before.memory : 'freed',
      };
    case 'core-init':
      return { ...before, viaCore: true };
    case 'core-release':
      return { ...before, viaCore: true, memory: context.frees ? 'freed' : before.memory };
    case 'put-registration':
    case 'set-drvdata':
    case 'get-drvdata':
    case 'defer':
      return before;
  }
}

/** The one reference by which a path may use a device that it has found. */
function isLastOfFound({ model, reference, extraReferences }: DeviceState): boolean {
  return model === 'unknown' && reference === 'none' && extraReferences === 1;
}
