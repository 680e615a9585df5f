/** What tells the nodes of a function apart, also those that a macro brings to one place. */
import type { CodeNode } from './types.ts';

/**
 * A number that no other node of the function has that is as it was written: where it starts, or
 * for what a macro brings a number of its own, which no place of a document is.
 */
export function identityOf(node: CodeNode): number {
  return node.expansion?.identity ?? node.start;
}
