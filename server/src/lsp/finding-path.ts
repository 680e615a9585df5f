/** The findings of a document and the path of one of them, as commands give them. */
import type { CancellationToken, Diagnostic, Position } from 'vscode-languageserver';
import type { Finding } from '../rules/types.ts';
import { toDiagnostic } from './diagnostics.ts';
import { placeOf, type Place } from './places.ts';
import type { Session } from './session.ts';

/** The command: `{ uri }` in, the findings of the document out, as diagnostics. */
export const CHECK_DOCUMENT_COMMAND = 'vfio-lifecycle.check';
/** The command: `{ uri, position }` in, FindingPath out, or null where no finding is near. */
export const PATH_COMMAND = 'vfio-lifecycle.path';

/** A finding with the way that leads to it. */
export interface FindingPath {
  readonly rule: string;
  readonly message: string;
  /** From the oldest place to the finding itself. */
  readonly path: readonly { readonly place: Place; readonly message: string }[];
}

/** None for a document that is not open or without VFIO. Throws like `Session.load`. */
export async function checkDocument(
  session: Session,
  uri: string,
  token: CancellationToken,
): Promise<Diagnostic[]> {
  const loaded = await session.load(uri, token);
  if (!loaded) return [];
  const { findings } = await session.inTurn(() => loaded.analysis());
  return findings.flatMap((finding) => toDiagnostic(session, loaded, finding) ?? []);
}

/** The path of the finding at a position, else of one in its line. Throws like `Session.load`. */
export async function findingPath(
  session: Session,
  uri: string,
  position: Position,
  token: CancellationToken,
): Promise<FindingPath | null> {
  const loaded = await session.load(uri, token);
  if (!loaded) return null;
  const { findings } = await session.inTurn(() => loaded.analysis());
  const offset = loaded.document.offsetAt(position);
  const lineOf = (at: number): number => loaded.document.positionAt(at).line;
  const found =
    findings.find(({ site }) => site.start <= offset && offset <= site.end) ??
    findings.find(({ site }) => lineOf(site.start) === position.line);
  if (!found) return null;
  const { rule, message, related, site }: Finding = found;
  return {
    rule,
    message,
    path: [...related, { site, message }].map((one) => ({
      place: placeOf(session, loaded, one.site),
      message: one.message,
    })),
  };
}
