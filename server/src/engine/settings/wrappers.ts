/**
 * What a user can say of a function of a vendor's core library, and the row of the knowledge base
 * that it becomes.
 */
import { isKernelName, type ExtraFunctions } from '../../kernel/lookup.ts';
import { ALWAYS } from '../../kernel/behaviour-builders.ts';
import type { Behaviour, Effect, ErrorConvention } from '../../kernel/types.ts';

/** A function as the settings describe it. */
export interface Wrapper {
  readonly name: string;
  readonly does: Operation | readonly Operation[];
  /** The position of the device among the arguments, from 1. */
  readonly argument?: number;
  /** The device is the drvdata of that argument. */
  readonly through?: 'drvdata';
  /** The position of what the new device is stored in, where it is not the result. */
  readonly out?: number;
  readonly errors?: WrapperErrors;
  /** What has happened although the call failed. */
  readonly onFailure?: Operation | readonly Operation[];
}

interface Meaning {
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

/** The words of `errors`. */
export const ERRORS = {
  void: 'The call cannot fail.',
  errno: 'The call returns 0 or a negative error code.',
  'err-ptr': 'The call returns a pointer or `ERR_PTR()`.',
  'null-ptr': 'The call returns a pointer or `NULL`.',
} as const satisfies Partial<Record<ErrorConvention, string>>;

export type WrapperErrors = keyof typeof ERRORS;

export interface WrapperRows {
  /** Undefined when there is none, as for a module without wrappers. */
  readonly rows: ExtraFunctions | undefined;
  /** One sentence for each wrapper that was passed over. */
  readonly problems: readonly string[];
}

const known = new WeakMap<readonly Wrapper[], WrapperRows>();

/** The rows of some wrappers: one object for one list, because results are kept by it. */
export function rowsOf(wrappers: readonly Wrapper[]): WrapperRows {
  let made = known.get(wrappers);
  if (!made) known.set(wrappers, (made = makeRows(wrappers)));
  return made;
}

function makeRows(wrappers: readonly Wrapper[]): WrapperRows {
  const rows = new Map<string, readonly Behaviour[]>();
  const problems: string[] = [];
  for (const wrapper of wrappers) {
    const { name } = wrapper;
    const row = behaviourOf(wrapper);
    if (isKernelName(name))
      problems.push(`wrappers: ${name} is a function of the kernel, whose meaning is known`);
    else if (rows.has(name))
      problems.push(`wrappers: ${name} is described twice; the first description counts`);
    else if (typeof row === 'string') problems.push(`wrappers: ${name}: ${row}`);
    else rows.set(name, [row]);
  }
  return { rows: rows.size > 0 ? rows : undefined, problems };
}

/** The row, or why there is none. */
function behaviourOf(wrapper: Wrapper): Behaviour | string {
  const meanings = listOf(wrapper.does).map((word): Meaning => OPERATIONS[word]);
  const success = effectsOf(listOf(wrapper.does), wrapper);
  const failure = effectsOf(listOf(wrapper.onFailure ?? []), wrapper);
  const makes = [...success, ...failure].some(
    (effect) => 'target' in effect && effect.target === 'return',
  );
  const usual = meanings.find((one) => one.errors !== 'void')?.errors ?? 'void';
  const errors = wrapper.errors ?? (wrapper.out === undefined ? usual : 'errno');
  if (wrapper.out !== undefined && !makes)
    return 'it has "out", where it stores what it makes, and makes nothing';
  if (wrapper.out !== undefined && errors !== 'errno' && errors !== 'void')
    return `it stores what it makes in its argument ${wrapper.out}, so that "errors" is errno or void, not ${errors}`;
  if (wrapper.out === undefined && makes && errors !== 'err-ptr' && errors !== 'null-ptr')
    return `it returns what it makes, so that "errors" is err-ptr or null-ptr, not ${errors}; name the argument with "out" where it stores that in one`;
  if (failure.length > 0 && (errors === 'void' || errors === 'value'))
    return 'it has "onFailure" but no "errors" that tell of a failure';
  return { kernels: ALWAYS, errors, success, ...(failure.length > 0 && { failure }) };
}

/** What the words stand for, on the argument that the row names. */
function effectsOf(words: readonly Operation[], wrapper: Wrapper): Effect[] {
  const { argument = 1, through, out } = wrapper;
  return words
    .flatMap((word) => (OPERATIONS[word] as Meaning).effect(argument - 1) ?? [])
    .map((effect) => {
      if (effect.op === 'alloc' || effect.op === 'allocate')
        return out === undefined ? effect : { ...effect, out: out - 1 };
      return through === undefined ? effect : { ...effect, through };
    });
}

function listOf(words: Operation | readonly Operation[]): readonly Operation[] {
  return typeof words === 'string' ? [words] : words;
}
