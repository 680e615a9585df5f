/** Debian's headers of one kernel series. */
export interface Headers {
  readonly kernel: string;
  /** The folder of what all architectures share. */
  readonly common: string;
  /** The folder of what the configuration of amd64 has generated; kbuild starts there. */
  readonly configured: string;
}
export function findHeaders(kernel: string): Headers | undefined;
export function whyNot(kernel: string): string | undefined;
