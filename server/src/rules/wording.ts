/** What the messages of rules are made of: templates with names in braces, and how names are written. */
import type { Span } from '../text/span.ts';

/** The most characters that a message has: a list of problems shows one line of it. */
export const MESSAGE_LIMIT = 100;

/** The messages of a rule: the defect first, then `; ` and the remedy. `{name}` is filled in. */
export type Messages = Readonly<Record<string, string>>;

/** The names in braces of a template. */
type PartsOf<Template extends string> = Template extends `${string}{${infer Part}}${infer Rest}`
  ? Part | PartsOf<Rest>
  : never;

/** A message from its template, every name in braces replaced by its value. */
export function say<Template extends string>(
  template: Template,
  values: Readonly<Record<PartsOf<Template>, string>>,
): string {
  const given: Readonly<Record<string, string>> = values;
  return template.replace(/\{(\w+)\}/g, (whole, part: string) => given[part] ?? whole);
}

/** Several things in a sentence, each once: `a, b and c`. */
export function listed(texts: readonly string[]): string {
  const all = [...new Set(texts)];
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

/** The room that a list takes in a message. */
const LIST_LIMIT = 72;

/** As listed(), but no longer than a message has room for: `a, b and 3 more`. */
export function listedShortly(texts: readonly string[]): string {
  const all = [...new Set(texts)];
  const whole = listed(all);
  if (whole.length <= LIST_LIMIT) return whole;
  let shown = 1;
  while (all.slice(0, shown + 1).join(', ').length + ' and 9 more'.length <= LIST_LIMIT) shown++;
  const rest = all.length - shown;
  return rest === 0 ? whole : `${all.slice(0, shown).join(', ')} and ${rest} more`;
}

/** What a document says at a span, in one line. */
export function written(text: string, { start, end }: Span): string {
  return text.slice(start, end).replace(/\s+/g, ' ');
}

/** The most characters of an expression that a message quotes. */
const QUOTE_LIMIT = 40;

/** An expression of the driver in a message: `` `foo->config` ``, without the middle of a long one. */
export function quoted(text: string): string {
  const half = QUOTE_LIMIT / 2 - 1;
  return text.length <= QUOTE_LIMIT
    ? `\`${text}\``
    : `\`${text.slice(0, half)}…${text.slice(-half)}\``;
}
