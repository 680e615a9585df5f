import type { Span } from '../text/span.ts';

/** What messages are made of. */

/** Several things in a sentence, each once: `a, b and c`. */
export function listed(texts: readonly string[]): string {
  const all = [...new Set(texts)];
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

/** What a document says at a span, in one line. */
export function written(text: string, { start, end }: Span): string {
  return text.slice(start, end).replace(/\s+/g, ' ');
}
