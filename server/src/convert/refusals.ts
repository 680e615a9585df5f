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
    what: 'The target kernel does not have `vfio_alloc_device()`, which came with 6.1. The command line and the editor convert for 6.1 then, and say so.',
    instead: 'Choose 6.1 or later as the target kernel.',
  },
  'opaque-function': {
    what: 'A function holds something that was not understood, so its paths cannot be followed.',
    instead: 'Simplify it, or convert it by hand.',
  },
  'conditional-code': {
    what: 'Parts of the life cycle are in different `#if` arms: they are different programs, and a conversion would mix them.',
    instead: 'Move the arms into functions of their own, or convert by hand.',
  },
  library: {
    what: 'A function initialises devices on behalf of callers that are not at hand.',
    instead: 'Make it an `.init` helper, and convert it together with its callers.',
  },
  'helper-initialises': {
    what: 'A helper initialises a device that its caller allocates, and the call cannot be moved next to the allocation.',
    instead: 'Move it there first.',
  },
  'initialised-elsewhere': {
    what: 'The device is initialised in another file than the one that was asked for.',
    instead: 'Bring the allocation, the init and the register into one file, or convert that file.',
  },
  'several-inits': {
    what: 'Several init calls reach the same register, and which of them runs cannot be told before the allocation without another effect.',
    instead:
      'Choose the ops table first, in a local variable set before the allocation, then initialise once.',
  },
  'allocated-elsewhere': {
    what: 'The object that embeds the device is not allocated where the device is initialised: it comes from another driver, a global or another object.',
    instead:
      'Split the object: let probe allocate a struct that embeds the `vfio_device` and points to the rest.',
  },
  'several-allocations': {
    what: 'More than one allocation of the struct, or assignment of the variable, could be the one that is meant.',
    instead: 'Give the other object a variable or a type of its own.',
  },
  'unsuitable-allocation': {
    what: 'The allocation is not one zeroed object of the struct: another size, an array, memory that is not zeroed, a context that may not sleep, an automatic free; or it shares its line with other code.',
    instead: 'Allocate the struct on its own, in a line of its own, with `kzalloc()` first.',
  },
  'managed-allocation': {
    what: 'devres allocates the object, and something frees or uninitialises it in a way that an action cannot take over.',
    instead: 'Use `kzalloc()` with explicit frees first.',
  },
  'unchecked-allocation': {
    what: 'The result of the allocation is not tested in the statement after it.',
    instead: 'Test it there.',
  },
  'unsuitable-check': {
    what: 'The test of the allocation asks for more than the pointer, or its branch does not return, or the function returns NULL to callers that cannot all be made to test for an error pointer.',
    instead: 'Test the pointer alone, and leave.',
  },
  'split-span': {
    what: 'The allocation and the init are not always executed together, or something between them overwrites the device.',
    instead: 'Put them in one block, and drop what clears memory that is zeroed.',
  },
  'object-overwritten': {
    what: 'The object, or the `vfio_device` in it, is overwritten while the vfio core still works on it, between the allocation and the last put; or its free wipes it, which the put does not.',
    instead:
      'Overwrite only what comes after the `vfio_device`, member by member, and free with `kfree()`.',
  },
  'argument-not-available': {
    what: 'The device or the ops table that the init gets is only known after the allocation, but `vfio_alloc_device()` takes it.',
    instead: 'Set it up before the allocation.',
  },
  'struct-not-found': {
    what: 'The struct has several definitions, or none that is seen and no single member of its own that the code uses as the device, so the offset of its `vfio_device` cannot be proved.',
    instead: 'Define it in the file or a header that it quotes.',
  },
  'struct-anonymous': {
    what: 'The driver allocates a bare `struct vfio_device`.',
    instead: 'Embed it as the first member of a struct of the driver.',
  },
  'member-not-first': {
    what: 'The `vfio_device` is not the first member of its struct, and something relies on the order of the members.',
    instead: 'Move it by hand, and check that place.',
  },
  'table-elsewhere': {
    what: 'The ops table is not defined where the conversion could give it the members that the target wants.',
    instead: 'Move it into the file.',
  },
  'table-chosen-late': {
    what: 'Which ops table the device gets cannot be told.',
    instead: 'Pass `&table`, or a local variable that is only set to such.',
  },
  'table-of-old-kernel': {
    what: 'The ops table has `.open` or `.release` of kernels up to 5.14, which run for each file descriptor, and they cannot be seen here or refuse a second one; or it has an `.init` already.',
    instead:
      'Make them `.open_device` and `.close_device`, which run for the first and the last only, and see that this is right.',
  },
  'table-incomplete': {
    what: 'Members of the ops table are given by position, are under `#if`, or are functions of the driver that the new members must match.',
    instead: 'Name them, or add the new ones by hand.',
  },
  'freed-elsewhere': {
    what: 'Another file, or a function that knows the object only as `void *`, frees it.',
    instead: 'Give the pointer its type there, or move the free into the file.',
  },
  'freed-outside-release': {
    what: '`vfio_free_device()` is called elsewhere than in `.release`.',
    instead: 'Put the device there instead.',
  },
  'initialised-in-place': {
    what: 'The driver uses `vfio_init_device()`, which only 6.1 has.',
    instead:
      'Split the object: let probe allocate a struct that embeds the `vfio_device` and points to the rest.',
  },
  'ambiguous-object': {
    what: 'The file has several structs with a `vfio_device`, and which of them a bare pointer is in cannot be told.',
    instead: 'Use `container_of()` in that function.',
  },
  'other-count': {
    what: 'The object is freed at the end of a count of its own (kref, kobject, RCU), beside which the core would count too.',
    instead: 'Drop the other count, or split the object.',
  },
  macro: {
    what: 'A macro holds a call of the old model, or frees the object.',
    instead: 'Make it a function, or write the free out.',
  },
  'never-freed': {
    what: 'No free is seen on a path, or at all, so there is no place for the put.',
    instead: 'Free the object where its life ends.',
  },
  'free-of-nothing': {
    what: 'A free or a use is also reached when the allocation has failed: harmless for NULL, not for an error pointer.',
    instead: 'Give that path a label after it.',
  },
  'freed-twice': {
    what: 'A free is reached with the object freed already.',
    instead: 'Free it once on each path.',
  },
  'used-after-free': {
    what: 'The object is used after it was freed.',
    instead: 'Correct that first.',
  },
  'uninit-without-free': {
    what: 'A path uninitialises the object and does not free it, so that one put cannot do both.',
    instead: 'Keep both in one place.',
  },
  'unsuitable-statement': {
    what: 'An init, uninit or free is part of another statement, is under a condition of its own, would leave an empty block, or frees with a lock held under which `vfio_put_device()`, which may sleep, must not be called.',
    instead: 'Make it a statement of its own, next to the free it belongs to.',
  },
  'registered-elsewhere': {
    what: 'No register of the device is seen, or it is registered both with and without an IOMMU of its own.',
    instead: 'Register it where it is allocated.',
  },
  'older-interface': {
    what: 'The driver uses `vfio_add_group_dev()` of kernels up to 5.12 in a way that has no counterpart.',
    instead: 'Do what the reason says, or convert to `vfio_init_group_dev()` by hand first.',
  },
  'unknown-interface': {
    what: 'The driver calls a function of the life cycle in a form that no release of Linux has, or passes its ops table to a function that is not at hand.',
    instead:
      'Bring it to the interface of a released kernel first, or name the file of that function too.',
  },
  'iommu-group': {
    what: "The driver uses the IOMMU group for more than taking it before the register and giving it back, and since 5.16 `vfio_iommu_group_get()` is the core's own; or an mdev is isolated by the IOMMU of another device, which ended with 5.15.",
    instead: 'Take the calls out by hand.',
  },
  drvdata: {
    what: 'Registering through vfio-pci fails since 5.19 unless drvdata is the core device already, and the driver sets it late or to something else.',
    instead: 'Set it before the register, to the core device.',
  },
  'same-name': {
    what: 'Two documents of the module use one name for different things that work on devices.',
    instead: 'Rename one of them.',
  },
};
