/**
 * What the form of a kernel function's name says for certain: families that the kernel itself keeps
 * (include/linux of 6.12), too large to list. Guesses are in heuristics.ts.
 */

const MANAGED = /^(?:devm|pcim|drmm|dmam|devres)_/;

/** What the call takes is given back when the driver is unbound, or it works on such things. */
export function isManaged(name: string): boolean {
  return MANAGED.test(name);
}

const PHYSICAL = /^k[mzc]alloc/;
const VIRTUAL = /^k?v[mzc]/;

/** The memory that the allocator returns is physically contiguous. */
export function allocatesContiguous(name: string): boolean {
  return PHYSICAL.test(name);
}

/** The memory that the allocator returns may be of vmalloc(). */
export function mayAllocateVirtual(name: string): boolean {
  return VIRTUAL.test(name);
}

const DMA =
  /^(?:dmam?_(?:alloc|map|pool_create)_?\w*|pci_alloc_consistent|pci_zalloc_consistent|dma_pool_alloc)$/;

/** A function of the DMA API that needs a domain of the kernel's. */
export function usesKernelDma(name: string): boolean {
  return DMA.test(name);
}

const OVERWRITING = /^(?:mem(?:set|cpy|move|zero_explicit)|__mem(?:set|cpy))\w*$/;

/** The memory that its first argument leads to is written over. */
export function overwritesMemory(name: string): boolean {
  return OVERWRITING.test(name);
}

const MAY_BE_POSITIVE =
  /^(?:wait_(?:for|event)\w*_timeout\w*|copy_(?:from|to)_user|(?:mem|str|strn|strcase|strncase)cmp)$/;

/**
 * The result is how much is left, or which is greater (<linux/completion.h>, <linux/wait.h>,
 * <linux/uaccess.h>, <linux/string.h> of 6.1).
 */
export function answersPositive(name: string): boolean {
  return MAY_BE_POSITIVE.test(name);
}

const STORING = /^(?:INIT_\w+|timer_setup|tasklet_\w+|hrtimer_\w+|init_irq_work)$/;

/** It is given a function to store it, and does not run it now. */
export function storesFunction(name: string): boolean {
  return STORING.test(name);
}

const SET_UP = /^(?:INIT_\w+|timer_setup|hash_init)$/;

/** It makes something of memory that it is given, and takes nothing. */
export function onlySetsUp(name: string): boolean {
  return SET_UP.test(name);
}

const WALKING =
  /^(?:list_for_each|hlist_for_each|llist_for_each|for_each_(?:set|clear)_bit|xa_for_each|idr_for_each_entry)/;

/** A loop that only walks a list, or the set bits or entries of something that it is given. */
export function onlyWalks(macro: string): boolean {
  return WALKING.test(macro);
}

const LOOP = /^(?:list_for_each|for_each_)/;

/** A macro that is the head of a loop and nothing else. */
export function isLoopHead(macro: string): boolean {
  return LOOP.test(macro);
}

const ENTRY_LOOP = /^h?list_for_each_entry/;

/** A loop whose cursor is the element, and after the last one the head of the list. */
export function walksEntries(macro: string): boolean {
  return ENTRY_LOOP.test(macro);
}

const UNLINKING = /^(?:h?list_del(?:_init|_rcu)?|hash_del(?:_rcu)?)$/;

/** It takes an element off a list, and does nothing else with it. */
export function takesOffList(name: string): boolean {
  return UNLINKING.test(name);
}

const LINKING = /^(?:h?list_add|hash_add)/;

/** It puts an element into a list. */
export function putsOnList(name: string): boolean {
  return LINKING.test(name);
}

const SETS_DRVDATA = /^(?:dev|pci|platform|mdev|amba|fsl_mc)_set_drvdata$/;

/** It sets the drvdata of a device of a bus. */
export function setsDrvdata(name: string): boolean {
  return SETS_DRVDATA.test(name);
}

const ATTRIBUTE = /^(?:BIN_ATTR|DEVICE_ATTR|__ATTR)(?:_[A-Z]+)?$/;

/** It makes an attribute, with the functions that it names: include/linux/device.h. */
export function makesAttribute(macro: string): boolean {
  return ATTRIBUTE.test(macro);
}

const DRIVER = /^module_(?:\w+_)?driver$/;

/** It registers the driver table that it names with the module. */
export function registersDriver(macro: string): boolean {
  return DRIVER.test(macro);
}

const ENTRY = /^module_|^EXPORT_SYMBOL|_initcall$/;

/** It makes an entry of the module, or shows a function of it to others. */
export function opensModule(macro: string): boolean {
  return ENTRY.test(macro);
}

const IOMMUFD = /^(?:(?:un)?bind_iommufd|(?:at|de)tach_ioas)$/;

/** A member of the ops table by which a device is given to iommufd. */
export function isIommufdMember(name: string): boolean {
  return IOMMUFD.test(name);
}
