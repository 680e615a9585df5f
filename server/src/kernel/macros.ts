/**
 * Macros and functions of the kernel that are a value or a test and nothing else; no_free_ptr()
 * also clears its argument (include/linux/cleanup.h).
 */

/** True exactly when argument 0 is: the call stands in a condition like the argument itself. */
const TRANSPARENT = new Set([
  'likely',
  'unlikely',
  'WARN_ON',
  'WARN_ON_ONCE',
  'WARN',
  'WARN_ONCE',
  'WARN_TAINT',
  'WARN_TAINT_ONCE',
  'WARN_ON_SMP',
  'WARN_RATELIMIT',
  'VM_WARN_ON',
  'VM_WARN_ON_ONCE',
  'READ_ONCE',
  'CHECK_DATA_CORRUPTION',
  'data_race',
  '__builtin_expect',
  'GEM_WARN_ON',
]);

/** Calls whose value is that of one argument, by its position. */
const VALUE_OF = new Map<string, number>([
  ...[
    'READ_ONCE',
    'no_free_ptr',
    'rcu_dereference',
    'rcu_dereference_protected',
    'rcu_dereference_check',
    'rcu_dereference_raw',
    'rcu_access_pointer',
    'ERR_CAST',
    'data_race',
    '__builtin_expect',
    'array_index_nospec',
  ].map((name) => [name, 0] as const),
  // They log an errno, or warn of a condition, and give it back.
  ...[
    'dev_err_probe',
    'dev_warn_probe',
    'drm_WARN_ON',
    'drm_WARN_ON_ONCE',
    'drm_WARN',
    'drm_WARN_ONCE',
    'dev_WARN_ONCE',
    'netdev_WARN_ONCE',
  ].map((name) => [name, 1] as const),
]);

/**
 * Those of them that do nothing else: they do not log, and a test without them is the same test.
 */
const SILENT = new Set([
  'likely',
  'unlikely',
  'READ_ONCE',
  'data_race',
  '__builtin_expect',
  'no_free_ptr',
  'rcu_access_pointer',
  'rcu_dereference_raw',
]);

/**
 * They hold for NULL and not for an object; the first for error pointers too (include/linux/err.h),
 * the second for the result of `kmalloc(0)` (include/linux/slab.h).
 */
const NULL_TESTS = new Set(['IS_ERR_OR_NULL', 'ZERO_OR_NULL_PTR']);

const ERROR_POINTERS = new Set([
  'IS_ERR',
  'IS_ERR_OR_NULL',
  'IS_ERR_VALUE',
  'PTR_ERR',
  'PTR_ERR_OR_ZERO',
  'ERR_PTR',
  'ERR_CAST',
]);
const ASSERTIONS = new Set([
  'BUG_ON',
  'GEM_BUG_ON',
  'VM_BUG_ON',
  'KVM_BUG_ON',
  'dev_WARN',
  'RCU_LOCKDEP_WARN',
  'pcibios_err_to_errno',
]);

const NO_RETURN = new Set([
  'BUG',
  'panic',
  'do_exit',
  'make_task_dead',
  'kthread_exit',
  'kthread_complete_and_exit',
  'unreachable',
  '__builtin_unreachable',
  '__builtin_trap',
  'nmi_panic',
  'machine_restart',
]);

/** They lead from one pointer to another, or work out a number, from their arguments alone. */
const COMPUTATIONS = new Set([
  'container_of',
  'container_of_const',
  'list_entry',
  'offsetof',
  'BIT',
  'BIT_ULL',
  'ARRAY_SIZE',
  'GENMASK',
  'DMA_BIT_MASK',
  'PCI_DEVFN',
  'MKDEV',
]);

/** True when a call of `name` works out its value from its arguments and does nothing else. */
export function isComputation(name: string): boolean {
  return COMPUTATIONS.has(name);
}

/**
 * The zero-based position of the argument that a condition `name(…)` tests: it holds exactly when
 * that one does, and mostly has its value: 1 for
 * `dev_err_probe(dev, err, …)`. Undefined for any other call.
 */
export function testedArgument(name: string): number | undefined {
  return VALUE_OF.get(name) ?? (TRANSPARENT.has(name) ? 0 : undefined);
}

/** True when a test of `name(x)` is one of `x` and nothing else, so that it may be left out. */
export function isSilent(name: string): boolean {
  return SILENT.has(name);
}

/** True when `name(p)` holds for NULL and does not hold for an object. */
export function isNullTestMacro(name: string): boolean {
  return NULL_TESTS.has(name);
}

/** True when a call of `name` does not come back. */
export function isNoReturn(name: string): boolean {
  return NO_RETURN.has(name);
}

/** True for the names of this file: they change nothing. */
export function isValueOrTest(name: string): boolean {
  return (
    TRANSPARENT.has(name) ||
    VALUE_OF.has(name) ||
    ERROR_POINTERS.has(name) ||
    NULL_TESTS.has(name) ||
    ASSERTIONS.has(name) ||
    NO_RETURN.has(name)
  );
}
