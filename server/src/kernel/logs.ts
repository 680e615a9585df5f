/** Functions that only say something: what they are given is read, and nothing else happens. */
const LOGS =
  /^(?:pr_\w+|printk\w*|_printk|dev_(?:err|warn|info|dbg|vdbg|notice|crit|alert|emerg|printk)\w*|(?:pci|mdev|netdev|drm)_(?:err|warn|info|dbg|notice)\w*|trace_\w+|WARN\w*)$/;

/**
 * Messages: their order among other statements is nobody's concern, as far as their arguments do
 * nothing.
 */
export function isLog(name: string): boolean {
  return LOGS.test(name);
}
