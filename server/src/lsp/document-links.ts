/** Links from the names of rules in suppression comments to the pages of the rules. */
import type { CancellationToken, DocumentLink, DocumentLinkParams } from 'vscode-languageserver';
import { ruleLinks } from '../engine/rule-links.ts';
import type { Session } from './session.ts';

/** None where nobody knows a place of the pages. Throws like `Session.load`. */
export async function documentLinks(
  session: Session,
  { textDocument }: DocumentLinkParams,
  token: CancellationToken,
): Promise<DocumentLink[]> {
  const { docs } = session;
  const loaded = docs === undefined ? undefined : await session.load(textDocument.uri, token);
  if (!loaded) return [];
  const file = await session.inTurn(() => loaded.engine.lowered(loaded.input));
  return (file ? ruleLinks(file) : []).flatMap(({ id, span }): DocumentLink[] => {
    const range = loaded.positions.range(loaded.input.file, span);
    return range ? [{ range, target: `${docs}${id}.md` }] : [];
  });
}
