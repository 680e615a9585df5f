/** What can be put in at a caret. */
import type { Span } from '../../text/span.ts';

export interface Completion {
  readonly label: string;
  readonly kind: 'member' | 'struct' | 'field' | 'variable' | 'rule' | 'snippet';
  /** One line beside the label. */
  readonly detail: string;
  readonly insert: string;
  /** `insert` has the syntax of a snippet. */
  readonly isSnippet?: true;
  /** What it takes the place of. */
  readonly span: Span;
  /** A member of an ops table, for its page. */
  readonly entry?: { readonly owner: string; readonly member: string };
  /** A function that is put in with it. */
  readonly stub?: { readonly at: number; readonly newText: string };
}
