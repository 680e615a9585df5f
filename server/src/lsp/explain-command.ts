/** All that is known of a name, as a command gives it. */
import type { CancellationToken } from 'vscode-languageserver';
import { explainKind, explainName, proposedNames } from '../engine/explain.ts';
import type { Session } from './session.ts';

/** The command: `{ name, uri? }` in, Explanation out. */
export const EXPLAIN_COMMAND = 'vfio-lifecycle.explain';

export interface Explanation {
  /** Null for a name that nobody knows. */
  readonly markdown: string | null;
  /** The names that may have been meant. */
  readonly proposals: readonly string[];
}

/**
 * A rule, a kind of refusal, or a name of the interface for the kernel of the document `uri`;
 * without one, for that of a driver that is nowhere. Throws like `Session.load`.
 */
export async function explanationOf(
  session: Session,
  name: string,
  uri: string | undefined,
  token: CancellationToken,
): Promise<Explanation> {
  const loaded = uri === undefined ? undefined : await session.load(uri, token);
  const kernel = loaded?.kernel ?? (await session.foundKernel(uri ?? 'untitled:driver.c'));
  const markdown = explainKind(name) ?? explainName(name, kernel) ?? null;
  return { markdown, proposals: markdown === null ? proposedNames(name) : [] };
}
