/** Functions and macros of the kernel that write a message. */
const LOGS = /^(?:pr_\w+|printk\w*|_printk|dev_(?:err|warn|info|dbg|vdbg|notice|crit|alert|emerg|printk)\w*|(?:pci|mdev|netdev|drm)_(?:err|warn|info|dbg|notice|crit)\w*|trace_\w+|WARN\w*)$/;

/** True when a call of `name` prints its arguments, or what they point to, and changes nothing. */
export function isLog(name: string): boolean {
  return LOGS.test(name);
}
