/** What a call says about one of its arguments when it stands in a condition or on the right of an assignment. */
export interface TestMeaning {
  /** Zero-based position of the argument. */
  readonly argument: number;
  readonly means:
    | 'same' // true exactly when the argument is: likely(x), WARN_ON(x)
    | 'is-err' // the pointer is an ERR_PTR
    | 'is-err-or-null' // the pointer is an ERR_PTR or NULL
    | 'ptr-err' // the errno in an ERR_PTR
    | 'ptr-err-or-zero' // that errno, or 0 for a valid pointer
    | 'err-ptr' // an errno as a pointer
    | 'stops-if-true'; // execution goes on only when the argument is false: BUG_ON(x)
}

const MEANINGS = new Map<string, TestMeaning>();
function add(means: TestMeaning['means'], argument: number, ...names: string[]): void {
  for (const name of names) MEANINGS.set(name, { argument, means });
}
add('same', 0, 'likely', 'unlikely', 'READ_ONCE', 'WARN_ON', 'WARN_ON_ONCE', 'WARN', 'WARN_ONCE', 'WARN_TAINT', 'WARN_TAINT_ONCE', 'WARN_ON_SMP', 'WARN_RATELIMIT', 'VM_WARN_ON', 'VM_WARN_ON_ONCE',
  'CHECK_DATA_CORRUPTION', 'data_race', '__builtin_expect', 'GEM_WARN_ON', 'RCU_LOCKDEP_WARN', 'pcibios_err_to_errno');
// The first argument of these is a device, the second the condition or the errno that they give back.
add('same', 1, 'drm_WARN_ON', 'drm_WARN_ON_ONCE', 'drm_WARN', 'drm_WARN_ONCE', 'dev_WARN_ONCE', 'netdev_WARN_ONCE', 'dev_err_probe', 'dev_warn_probe', 'KVM_BUG_ON');
add('is-err', 0, 'IS_ERR', 'IS_ERR_PCPU');
add('is-err', 0, 'IS_ERR_VALUE');
add('is-err-or-null', 0, 'IS_ERR_OR_NULL');
add('ptr-err', 0, 'PTR_ERR', 'PTR_ERR_PCPU');
add('ptr-err-or-zero', 0, 'PTR_ERR_OR_ZERO', 'PTR_RET');
add('err-ptr', 0, 'ERR_PTR');
add('stops-if-true', 0, 'BUG_ON', 'GEM_BUG_ON', 'VM_BUG_ON');

/** What `name(…)` says about its argument, or undefined. `ERR_CAST()` is a value of its own: see hasSameValue(). */
export function testMeaning(name: string): TestMeaning | undefined {
  return MEANINGS.get(name);
}

const NEVER_RETURN = new Set(['BUG', 'panic', 'do_exit', 'make_task_dead', 'kthread_exit', 'kthread_complete_and_exit', 'unreachable', '__builtin_unreachable', '__builtin_trap', 'nmi_panic', 'machine_restart']);

/** True when a call of `name` does not come back. */
export function neverReturns(name: string): boolean {
  return NEVER_RETURN.has(name);
}
