/** The other end of what is at a place: as references of the interface's names, and as a command. */
import type { CancellationToken, Location, Position, ReferenceParams } from 'vscode-languageserver';
import { otherEnds } from '../engine/other-end.ts';
import { placeOf } from './places.ts';
import type { Session } from './session.ts';

/** The command: `{ uri, position }` in, places out. */
export const OTHER_END_COMMAND = 'vfio-lifecycle.otherEnd';

/** None for a document that is not open or without VFIO. Throws like `Session.load`. */
export async function otherEndsAt(
  session: Session,
  uri: string,
  position: Position,
  token: CancellationToken,
): Promise<Location[]> {
  const loaded = await session.load(uri, token);
  if (!loaded) return [];
  return session.inTurn(async () => {
    await loaded.analysis();
    const facts = loaded.engine.facts(loaded.input, loaded.kernel);
    const offset = loaded.document.offsetAt(position);
    const found = facts ? otherEnds(facts, loaded.input.file, offset) : [];
    return found.map((site) => placeOf(session, loaded, site));
  });
}

/** The other ends as references: what another server says of the name itself stands beside them. */
export function references(
  session: Session,
  { textDocument, position }: ReferenceParams,
  token: CancellationToken,
): Promise<Location[]> {
  return otherEndsAt(session, textDocument.uri, position, token);
}
