import { explainApi as explainEntry } from '../kernel/hover.ts';
import { renderRuleDocs } from '../rules/docs.ts';
import { ruleById } from '../rules/index.ts';
import type { TargetKernel } from './types.ts';

/** All that is known of a rule (its page, as Markdown) or of a name of the kernel's interface; undefined for any other name. */
export function explain(name: string, kernel: TargetKernel): string | undefined {
  const rule = ruleById(name);
  return rule ? renderRuleDocs([rule]).get(`${rule.id}.md`) : explainEntry(name, kernel.version);
}
