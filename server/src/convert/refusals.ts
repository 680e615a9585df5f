/** The kinds of refusals, as the documentation has them. */
import type { RefusalCode } from './types.ts';

/** What a kind of refusal is about, for the table in docs/refusals.md. */
export interface RefusalDoc {
  /** What stands in the way: a sentence. */
  readonly what: string;
  /** What to do about it: a sentence. */
  readonly instead: string;
}

/** One row for each code. The reason that a person gets names the place and is more exact. */
export const REFUSALS: Readonly<Record<RefusalCode, RefusalDoc>> = {
  'target-too-old': {
    what: 'The target kernel does not have `vfio_alloc_device()`, which is new in 6.1. The command line and the editor then convert for 6.1, and say so.',
    instead: 'Choose 6.1 or later as the target kernel.',
  },
  'opaque-function': {
    what: 'A function has code that could not be parsed, so its paths cannot be followed.',
    instead: 'Simplify it, or convert it by hand.',
  },
  'conditional-code': {
    what: 'Parts of the life cycle are in different `#if` arms. These are different programs, and a conversion would mix them.',
    instead: 'Move each arm into a function of its own, or convert by hand.',
  },
  library: {
    what: 'A function initialises devices for callers in other files.',
    instead: 'Convert it together with its callers, or turn it into an `.init` helper.',
  },
  'helper-initialises': {
    what: 'A helper initialises a device that its caller allocates, and the call cannot be moved next to the allocation.',
    instead: 'Move the call there first.',
  },
  'initialised-elsewhere': {
    what: 'The device is initialised in another file than the named one.',
    instead:
      'Convert that file, or move the allocation, the init and the registration into one file.',
  },
  'several-inits': {
    what: 'Several init calls lead to the same registration, and the choice between them cannot be made before the allocation without side effects.',
    instead:
      'Set a local variable to the ops table before the allocation, and initialise the device once.',
  },
  'allocated-elsewhere': {
    what: 'The object that embeds the device is not allocated where the device is initialised: it comes from another driver, a global or another object.',
    instead:
      'Split the object: let probe allocate a struct that embeds the `vfio_device` and points to the rest.',
  },
  'several-allocations': {
    what: 'The struct has several allocations, or the variable several assignments, and any of them could be the device.',
    instead: 'Give the other objects their own variable or type.',
  },
  'unsuitable-allocation': {
    what: 'The allocation is not one zeroed object of the struct. It has another size, is an array, is not zeroed, must not sleep, is freed automatically, or shares its line with other code.',
    instead: 'First allocate the struct alone, with `kzalloc()` and on a line of its own.',
  },
  'managed-allocation': {
    what: 'devres allocates the object, and the driver frees or uninitialises it in a way that a devres action cannot replace.',
    instead: 'First use `kzalloc()` and explicit frees.',
  },
  'unchecked-allocation': {
    what: 'The statement after the allocation does not test its result.',
    instead: 'Test the result there.',
  },
  'unsuitable-check': {
    what: 'The test of the allocation also tests something else, or its branch does not return, or the function returns NULL to callers that cannot all be changed to test for an error pointer.',
    instead: 'Test the pointer alone, and return.',
  },
  'split-span': {
    what: 'The allocation and the init do not always run together, or code between them overwrites the device.',
    instead: 'Put them in one block, and remove code that clears zeroed memory again.',
  },
  'object-overwritten': {
    what: 'The driver overwrites the object, or the `vfio_device` in it, between the allocation and the last put, while the vfio core still uses it; or its free wipes the memory, which the put does not.',
    instead: 'Overwrite only members after the `vfio_device`, one by one, and free with `kfree()`.',
  },
  'argument-not-available': {
    what: 'The parent device or the ops table is only known after the allocation, but `vfio_alloc_device()` takes it.',
    instead: 'Compute it before the allocation.',
  },
  'struct-not-found': {
    what: 'The struct has several definitions, or none was found and the code does not show which member is the device. The offset of its `vfio_device` cannot be proved.',
    instead: 'Define the struct in the file or in a header that the file includes with quotes.',
  },
  'struct-anonymous': {
    what: 'The driver allocates a bare `struct vfio_device`.',
    instead: 'Embed it as the first member of a struct of the driver.',
  },
  'member-not-first': {
    what: 'The `vfio_device` is not the first member of its struct, and code relies on the order of the members.',
    instead: 'Move it by hand, and check that code.',
  },
  'table-elsewhere': {
    what: 'The ops table is not defined where the conversion can add the members that the target kernel needs.',
    instead: 'Move the table into the file.',
  },
  'table-chosen-late': {
    what: 'The ops table of the device is not known.',
    instead: 'Pass `&table`, or a local variable that is only set to addresses of tables.',
  },
  'table-of-old-kernel': {
    what: 'The ops table has `.open` or `.release` of kernels up to 5.14, which run for each file descriptor. Their code was not found, or it refuses a second descriptor. Or the table already has an `.init`.',
    instead:
      'Turn them into `.open_device` and `.close_device`, which run for the first and the last descriptor only, and check that this is right.',
  },
  'table-incomplete': {
    what: 'Members of the ops table are initialised by position, are under `#if`, or are functions of the driver that the new members must match.',
    instead: 'Use designated initialisers, or add the new members by hand.',
  },
  'freed-elsewhere': {
    what: 'Another file frees the object, or a function that takes it as `void *`.',
    instead: 'Give that pointer its type, or move the free into the file.',
  },
  'freed-outside-release': {
    what: '`vfio_free_device()` is called outside of `.release`.',
    instead: 'Call `vfio_put_device()` there instead.',
  },
  'initialised-in-place': {
    what: 'The driver uses `vfio_init_device()`, which only 6.1 has.',
    instead:
      'Split the object: let probe allocate a struct that embeds the `vfio_device` and points to the rest.',
  },
  'ambiguous-object': {
    what: 'The file has several structs with a `vfio_device`, and a bare pointer does not show which of them it belongs to.',
    instead: 'Use `container_of()` in that function.',
  },
  'other-count': {
    what: 'The driver frees the object by a reference count of its own (kref, kobject) or by RCU. The core would be a second count.',
    instead: 'Remove the other count, or split the object.',
  },
  macro: {
    what: 'A macro calls a function of the old model, or frees the object.',
    instead: 'Turn the macro into a function, or write its code where it is used.',
  },
  'never-freed': {
    what: 'A path does not free the object, or no path does, so there is no place for the put.',
    instead: 'Free the object where its life ends.',
  },
  'free-of-nothing': {
    what: 'A free or a use is also reached after a failed allocation. That is harmless with NULL, but not with an error pointer.',
    instead: 'Let that path jump to a label after the free.',
  },
  'freed-twice': {
    what: 'A path frees the object twice.',
    instead: 'Free it once on each path.',
  },
  'used-after-free': {
    what: 'The object is used after its free.',
    instead: 'Fix that first.',
  },
  'uninit-without-free': {
    what: 'A path uninitialises the object but does not free it. A single put would do both.',
    instead: 'Uninitialise and free in the same place.',
  },
  'unsuitable-statement': {
    what: 'An init, uninit or free is part of another statement, has a condition of its own, is alone in its block, or runs under a spinlock, where `vfio_put_device()` must not be called because it may sleep.',
    instead:
      'Make it a statement of its own, next to the free that it belongs to and outside of the lock.',
  },
  'registered-elsewhere': {
    what: 'No registration of the device was found, or the device is registered both with and without an IOMMU of its own.',
    instead: 'Register the device where it is allocated.',
  },
  'older-interface': {
    what: 'The driver uses `vfio_add_group_dev()` of kernels up to 5.12 in a way that the new interface does not have.',
    instead:
      'Make the change that the reason names, or first convert to `vfio_init_group_dev()` by hand.',
  },
  'unknown-interface': {
    what: 'The driver calls a function of the life cycle with arguments that no release of Linux has, or passes its ops table to a function that was not found.',
    instead: 'First port the driver to a released kernel, or name the file of that function too.',
  },
  'iommu-group': {
    what: 'The driver uses the IOMMU group for more than a get before the registration and a put after it. Since 5.16 `vfio_iommu_group_get()` is internal to the core. Or the IOMMU of another device isolates an mdev, which was removed after 5.15.',
    instead: 'Remove the calls by hand.',
  },
  drvdata: {
    what: 'Since 5.19 registration with vfio-pci-core fails unless drvdata is the core device. The driver sets it later, or to another pointer.',
    instead: 'Set drvdata to the core device before the registration.',
  },
  'same-name': {
    what: 'Two files of the module use one name for different functions, variables or macros that work on devices.',
    instead: 'Rename one of them.',
  },
};
