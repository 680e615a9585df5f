import type { Configuration } from '../engine/types.ts';
import type { Severity } from '../rules/types.ts';

/** The settings that were understood, and one sentence for each that was not. */
export interface Settings {
  readonly configuration: Configuration;
  readonly problems: readonly string[];
}

const SEVERITIES: readonly (Severity | 'off')[] = ['error', 'warning', 'information', 'hint', 'off'];

/** Reads the section `vfioLifecycle`, which a user typed. Total: a bad setting is passed over, and the rest works. */
export function readSettings(section: unknown): Settings {
  const problems: string[] = [];
  if (typeof section !== 'object' || section === null) return { configuration: {}, problems };
  const { targetKernel, rules } = section as { targetKernel?: unknown; rules?: unknown };
  const read: { targetKernel?: string; rules?: Record<string, Severity | 'off'> } = {};
  if (typeof targetKernel === 'string') read.targetKernel = targetKernel;
  else if (targetKernel !== undefined && targetKernel !== null) problems.push('vfioLifecycle.targetKernel is not a string');
  if (typeof rules === 'object' && rules !== null) {
    read.rules = {};
    for (const [rule, value] of Object.entries(rules)) {
      const severity = SEVERITIES.find((one) => one === value);
      if (severity) read.rules[rule] = severity;
      else problems.push(`vfioLifecycle.rules: ${rule} is none of ${SEVERITIES.join(', ')}`);
    }
  } else if (rules !== undefined && rules !== null) {
    problems.push('vfioLifecycle.rules is not an object');
  }
  return { configuration: read, problems };
}
