/**
 * Keeps a message within its limit whatever names a driver has: what does not fit becomes related
 * information at the same place.
 */
import type { Finding } from './types.ts';
import { MESSAGE_LIMIT } from './wording.ts';

/** The finding with a message of at most MESSAGE_LIMIT characters. */
export function fitMessage(finding: Finding): Finding {
  const notes: string[] = [];
  let message = finding.message;
  for (const separator of ['; ', ': ']) {
    const at = message.lastIndexOf(separator);
    if (message.length <= MESSAGE_LIMIT || at <= 0) continue;
    notes.unshift(message.slice(at + separator.length));
    message = message.slice(0, at);
  }
  if (message.length > MESSAGE_LIMIT) {
    notes.unshift(message);
    message = `${message.slice(0, MESSAGE_LIMIT - 1)}…`;
  }
  if (notes.length === 0) return finding;
  const related = notes.map((note) => ({ site: finding.site, message: note }));
  return { ...finding, message, related: [...finding.related, ...related] };
}
