/**
 * The words by which a user says what a function of a vendor's core library does, with what each
 * means.
 */
import type { Effect, ErrorConvention } from '../../kernel/types.ts';

export interface Meaning {
  /** Completes "does what … does". */
  readonly text: string;
  readonly errors: ErrorConvention;
  readonly effect: (argument: number) => Effect | null;
}

/** The words of `does`. */
export const OPERATIONS = {
  alloc: {
    text: 'Returns a new device whose reference the caller holds, as `vfio_alloc_device()` does.',
    errors: 'err-ptr',
    effect: () => ({ op: 'alloc', target: 'return' }),
  },
  init: {
    text: 'Initialises the device, as `vfio_init_group_dev()` does.',
    errors: 'void',
    effect: (target) => ({ op: 'init', target }),
  },
  uninit: {
    text: 'Takes back the initialisation, as `vfio_uninit_group_dev()` does.',
    errors: 'void',
    effect: (target) => ({ op: 'uninit', target }),
  },
  register: {
    text: 'Registers the device, as `vfio_register_group_dev()` does.',
    errors: 'errno',
    effect: (target) => ({ op: 'register', target }),
  },
  unregister: {
    text: 'Unregisters the device and waits for its users, as `vfio_unregister_group_dev()` does.',
    errors: 'void',
    effect: (target) => ({ op: 'unregister', target }),
  },
  get: {
    text: 'Takes one more reference of the device.',
    errors: 'void',
    effect: (target) => ({ op: 'get', target }),
  },
  put: {
    text: 'Drops a reference of the device, as `vfio_put_device()` does.',
    errors: 'void',
    effect: (target) => ({ op: 'put', target }),
  },
  'assign-set': {
    text: 'Puts the device into a device set, as `vfio_assign_device_set()` does.',
    errors: 'errno',
    effect: (target) => ({ op: 'assign-set', target }),
  },
  'core-init': {
    text: 'Is the `.init` of a device of vfio-pci, as `vfio_pci_core_init_dev()` is.',
    errors: 'errno',
    effect: (target) => ({ op: 'core-init', target }),
  },
  'core-release': {
    text: 'Is the `.release` of a device of vfio-pci, as `vfio_pci_core_release_dev()` is.',
    errors: 'void',
    effect: (target) => ({ op: 'core-release', target }),
  },
  allocate: {
    text: 'Returns memory, as `kzalloc()` does.',
    errors: 'null-ptr',
    effect: () => ({ op: 'allocate', target: 'return' }),
  },
  free: {
    text: 'Frees memory, as `kfree()` does.',
    errors: 'void',
    effect: (target) => ({ op: 'free', target }),
  },
  nothing: {
    text: 'Changes no device, and keeps nothing that it is given.',
    errors: 'value',
    effect: () => null,
  },
} as const satisfies Readonly<Record<string, Meaning>>;

export type Operation = keyof typeof OPERATIONS;

export const OPERATION_WORDS = Object.keys(OPERATIONS) as readonly Operation[];

/** The words of `errors`. */
export const ERRORS = {
  void: 'The call cannot fail.',
  errno: 'The call returns 0 or a negative error code.',
  'err-ptr': 'The call returns a pointer or `ERR_PTR()`.',
  'null-ptr': 'The call returns a pointer or `NULL`.',
} as const satisfies Partial<Record<ErrorConvention, string>>;

export const ERROR_WORDS = Object.keys(ERRORS) as readonly (keyof typeof ERRORS)[];
