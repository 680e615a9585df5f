/**
 * A mistake of the caller, or an input that cannot be read: said in one line on stderr, exit status
 * 2.
 */
export class UsageError extends Error {}
