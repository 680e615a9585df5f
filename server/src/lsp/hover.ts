import { MarkupKind, type CancellationToken, type Hover, type HoverParams } from 'vscode-languageserver';
import { hoverAt } from '../engine/hover.ts';
import type { Session } from './session.ts';

/** The life-cycle interface under the cursor, and the rule behind each finding there. */
export async function hover(session: Session, { textDocument, position }: HoverParams, token: CancellationToken): Promise<Hover | null> {
  const loaded = await session.load(textDocument.uri, token);
  if (!loaded) return null;
  const offset = loaded.document.offsetAt(position);
  const api = hoverAt(loaded.engine.lowered(loaded.input), offset, loaded.kernel.version);
  const findings = loaded.analysis().findings.filter(({ site }) => site.start <= offset && offset <= site.end);
  const parts = api ? [api.markdown] : [];
  for (const id of new Set(findings.map((finding) => finding.rule))) {
    const rule = loaded.engine.rules.find((one) => one.id === id);
    if (!rule) continue;
    const page = session.docs === undefined ? `\`${id}\`` : `[${id}](${session.docs}${id}.md)`;
    parts.push(`**${page}**: ${rule.docs.what}\n\n${rule.docs.why}\n\n${rule.docs.instead}`);
  }
  if (parts.length === 0) return null;
  const span = api?.span ?? findings[0]!.site;
  const range = loaded.positions.range(loaded.input.file, span);
  const value = parts.join('\n\n---\n\n');
  return { contents: { kind: session.client.markdownHover ? MarkupKind.Markdown : MarkupKind.PlainText, value }, ...(range && { range }) };
}
