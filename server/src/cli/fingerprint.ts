import { createHash } from 'node:crypto';
import type { Finding } from '../rules/types.ts';
import type { Workspace } from './workspace.ts';

/** Part of a fingerprint's name: another way of making them has another version. */
export const FINGERPRINT = 'vfioLifecycle/v1';

/**
 * What makes a finding the same one in a later version of its file: the rule, the file, the
 * function and the text of the flagged
 * lines without their blanks and comments. Lines that move, and code that changes around it, leave
 * it as it is. Two findings may
 * have one fingerprint (`return ret;` twice in a function): whoever compares must count.
 * @param path the file as every checkout names it: relative, with `/`.
 * @returns 16 hexadecimal digits.
 */
export function fingerprintOf(finding: Finding, path: string, workspace: Workspace): string {
  const { start, end } = finding.site;
  const lines = workspace.lines(finding.site.path);
  const text = workspace
    .original(finding.site.path)
    .text.slice(
      lines.lineStart(lines.position(start).line),
      lines.offset({ line: lines.position(end).line, character: Infinity }),
    );
  const code = text.replace(/\/\*.*?(?:\*\/|$)|\/\/[^\r\n]*/gs, '').replace(/\s+/g, '');
  return createHash('sha256')
    .update([finding.rule, path, finding.functionName ?? '', code].join('\0'))
    .digest('hex')
    .slice(0, 16);
}
