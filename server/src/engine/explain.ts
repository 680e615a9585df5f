import { explainApi as explainEntry } from '../kernel/hover.ts';
import { renderRuleDocs } from '../rules/docs.ts';
import { ruleById } from '../rules/index.ts';
import type { TargetKernel } from './types.ts';

/** All that is known of a rule (its page, as Markdown) or of a name of the kernel's interface; undefined for any other name. */
export function explain(name: string, kernel: TargetKernel): string | undefined {
  return rulePage(name) ?? explainEntry(name, kernel.version);
}

/** The page of a rule, as Markdown; undefined for any other name. */
export function rulePage(id: string): string | undefined {
  const rule = ruleById(id);
  return rule ? renderRuleDocs([rule]).get(`${rule.id}.md`) : undefined;
}
