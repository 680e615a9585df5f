/** The call that is being typed: its signature in the target kernel, and what each argument must be. */
import { argumentContract } from '../../kernel/argument-contracts.ts';
import { apiCard } from '../../kernel/describe-entry.ts';
import { apiEntry } from '../../kernel/lifecycle-api.ts';
import type { KernelVersion } from '../../kernel/types.ts';
import type { Span } from '../../text/span.ts';
import { tailOf } from '../word-at.ts';
import { codePlaceAt } from './code-place.ts';

export interface CallSignature {
  /** On one line. */
  readonly label: string;
  /** The contract of the call, as Markdown. */
  readonly documentation: string;
  /** Spans in the label. */
  readonly parameters: readonly { readonly span: Span; readonly contract: string }[];
  /** The parameter at the caret; the number of parameters behind the last. */
  readonly active: number;
}

/**
 * The call of the interface that is open at `offset` (a UTF-16 offset in `text`); undefined where
 * there is none. Total.
 */
export function signatureAt(
  text: string,
  offset: number,
  kernel: KernelVersion,
): CallSignature | undefined {
  const bracket = codePlaceAt(text, offset)?.bracket;
  const name = bracket?.bracket === '(' ? tailOf(bracket.before.trimEnd(), /\w/) : '';
  const entry = apiEntry(name);
  if (!bracket || !entry || (entry.kind !== 'function' && entry.kind !== 'macro')) return undefined;
  const card = apiCard(entry, kernel);
  const label = card.signature.replace(/\s+/g, ' ').replace(/;$/, '');
  const parameters = parametersIn(label, entry.name).map((span, i) => ({
    span,
    contract: argumentContract(entry, i, label.slice(span.start, span.end), kernel),
  }));
  const parts = [
    ...(card.absent === undefined ? [] : [`**${card.absent}**`]),
    card.summary,
    ...(card.ownership === undefined ? [] : [`**After the call:** ${card.ownership}`]),
    ...(card.errors === undefined ? [] : [`**Result:** ${card.errors}`]),
  ];
  return { label, documentation: parts.join('\n\n'), parameters, active: bracket.argument };
}

/** The spans of the parameters of `name` in its declaration. */
function parametersIn(label: string, name: string): Span[] {
  const from = label.indexOf(`${name}(`);
  if (from < 0) return [];
  const spans: Span[] = [];
  let depth = 0;
  let start = from + name.length + 1;
  for (let at = start; at < label.length; at++) {
    const letter = label[at];
    const isEnd = letter === ')' && depth === 0;
    if ((letter === ',' && depth === 0) || isEnd) {
      const part = label.slice(start, at);
      const begin = start + part.length - part.trimStart().length;
      if (part.trim() !== '' && part.trim() !== 'void') spans.push({ start: begin, end: at });
      start = at + 1;
      if (isEnd) break;
    } else if (letter === '(') depth++;
    else if (letter === ')') depth--;
  }
  return spans;
}
