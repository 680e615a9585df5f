/** Inlay hints: what is owed at returns and labels, and the state after life-cycle calls. */
import type { CancellationToken, InlayHint, InlayHintParams } from 'vscode-languageserver';
import { lifeHints } from '../engine/life-hints.ts';
import type { Session } from './session.ts';

/** None unless the setting `inlayHints` is on. Throws like `Session.load`. */
export async function inlayHints(
  session: Session,
  { textDocument, range }: InlayHintParams,
  token: CancellationToken,
): Promise<InlayHint[]> {
  const { inlayHints: isOn } = await session.shown(textDocument.uri);
  const loaded = isOn ? await session.load(textDocument.uri, token) : undefined;
  if (!loaded) return [];
  return session.inTurn(async () => {
    await loaded.analysis();
    const facts = loaded.engine.facts(loaded.input, loaded.kernel);
    if (!facts) return [];
    const { document } = loaded;
    const stretch = { start: document.offsetAt(range.start), end: document.offsetAt(range.end) };
    return lifeHints(facts, loaded.input.file, stretch).map(({ at, label }) => ({
      position: document.positionAt(at),
      label,
      paddingLeft: true,
    }));
  });
}
