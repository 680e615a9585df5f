/** The hover: interface, state and findings at the cursor. */
import {
  MarkupKind,
  type CancellationToken,
  type Hover,
  type HoverParams,
} from 'vscode-languageserver';
import { hoverAt } from '../engine/hover.ts';
import { functionHover } from '../engine/function-hover.ts';
import { stateAt } from '../engine/state-hover.ts';
import { lineName } from './places.ts';
import type { Loaded, Session } from './session.ts';

/**
 * The life-cycle interface under the cursor, the state of the device there, and the rule behind
 * each finding.
 */
export async function hover(
  session: Session,
  { textDocument, position }: HoverParams,
  token: CancellationToken,
): Promise<Hover | null> {
  const loaded = await session.load(textDocument.uri, token);
  return loaded ? session.inTurn(() => hoverOf(session, loaded, position)) : null;
}

async function hoverOf(
  session: Session,
  loaded: Loaded,
  position: HoverParams['position'],
): Promise<Hover | null> {
  const { findings: all } = await loaded.analysis();
  const offset = loaded.document.offsetAt(position);
  const api = hoverAt(loaded.engine.lowered(loaded.input), offset, loaded.kernel.version);
  const findings = all.filter(({ site }) => site.start <= offset && offset <= site.end);
  const facts = loaded.engine.facts(loaded.input, loaded.kernel);
  const nameOf = (site: Parameters<typeof lineName>[1]): string | undefined =>
    lineName(loaded, site);
  const state = facts && stateAt(facts, loaded.input.file, offset, nameOf);
  const own = facts && !api ? functionHover(facts, loaded.input.file, offset, nameOf) : undefined;
  const parts = [state, own, api].flatMap((one) => one?.markdown ?? []);
  for (const id of new Set(findings.map((finding) => finding.rule))) {
    const rule = loaded.engine.rules.find((one) => one.id === id);
    if (!rule) continue;
    const page = session.docs === undefined ? `\`${id}\`` : `[${id}](${session.docs}${id}.md)`;
    parts.push(`**${page}**: ${rule.docs.what}\n\n${rule.docs.instead}`);
  }
  if (parts.length === 0) return null;
  const span = api?.span ?? own?.span ?? state?.span ?? findings[0]!.site;
  const range = loaded.positions.range(loaded.input.file, span);
  const value = parts.join('\n\n---\n\n');
  return {
    contents: {
      kind: session.client.markdownHover ? MarkupKind.Markdown : MarkupKind.PlainText,
      value,
    },
    ...(range && { range }),
  };
}
