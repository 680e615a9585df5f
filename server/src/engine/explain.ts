import { REFUSALS } from '../convert/refusals.ts';
import { explainApi as explainEntry } from '../kernel/hover.ts';
import { renderRuleDocs } from '../rules/docs.ts';
import { ruleById } from '../rules/index.ts';
import type { TargetKernel } from './types.ts';

/** All that is known of a rule (its page, as Markdown), of a kind of refusal or of a name of the kernel's interface; undefined for any other name. */
export function explain(name: string, kernel: TargetKernel): string | undefined {
  return rulePage(name) ?? refusalText(name) ?? explainEntry(name, kernel.version);
}

/** Why a driver is not converted, and what to do about it, as Markdown. */
function refusalText(code: string): string | undefined {
  if (!Object.hasOwn(REFUSALS, code)) return undefined;
  const { what, instead } = REFUSALS[code as keyof typeof REFUSALS];
  return `# ${code}\n\nWhy a driver is not converted: ${what}\n\nWhat to do: ${instead}\n`;
}

/** The page of a rule, as Markdown; undefined for any other name. */
export function rulePage(id: string): string | undefined {
  const rule = ruleById(id);
  return rule ? renderRuleDocs([rule]).get(`${rule.id}.md`) : undefined;
}
