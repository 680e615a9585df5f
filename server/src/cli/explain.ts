/** The commands `explain` and `rules`, which print what the tables and the rules know. */
import { explainableList, explainKind, explainName, proposedNames } from '../engine/explain.ts';
import { kernelStages } from '../engine/pipeline.ts';
import type { ExplainCommand, RulesCommand } from './command.ts';
import { renderMarkdown } from './markdown.ts';
import { UsageError } from './usage-error.ts';
import type { Program } from './process-needs.ts';
import type { Style } from './style.ts';
import { keyOf, openWorkspace } from './workspace.ts';
import { largest } from '../text/lists.ts';

/**
 * Prints what is known of a rule, of a kind of refusal or of a name of the kernel's interface, for
 * the kernel of the working folder.
 */
export async function runExplain(
  { subject, kernel }: ExplainCommand,
  program: Program,
): Promise<number> {
  const { output } = program;
  if (subject === null) {
    const width = largest([0, ...explainableList().map(({ name }) => name.length)]);
    for (const { name, what } of explainableList()) output.out(`${name.padEnd(width)}  ${what}\n`);
    return 0;
  }
  const text =
    explainKind(subject) ??
    explainName(subject, await openWorkspace({ kernel }, output).target(keyOf('.vfio-lifecycle')));
  if (text === undefined) {
    const near = proposedNames(subject);
    const proposal =
      near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'explain --list has all names';
    throw new UsageError(
      `explain: ${JSON.stringify(subject)} is no rule, no kind of refusal and no name of the VFIO interface; ${proposal}`,
    );
  }
  output.out(forReader(text, program));
  return 0;
}

/** On a terminal as a person reads it; elsewhere the Markdown as it is. */
function forReader(markdown: string, { style }: Program): string {
  if (style.columns === undefined && !style.hasColors) return `${markdown.trimEnd()}\n`;
  return renderMarkdown(markdown, style);
}

/** A paragraph at the width of the terminal, four columns in. */
function indented(markdown: string, style: Style): string {
  const narrow = { ...style, columns: style.columns && style.columns - 4 };
  return renderMarkdown(markdown, narrow).replace(/^(?=.)/gm, '    ');
}

/** Prints the catalogue: on a terminal each rule with its text below, elsewhere a line for each. */
export function runRules({ format }: RulesCommand, { output, style, facts }: Program): number {
  const { rules } = kernelStages;
  if (format === 'json') {
    const range = (version: readonly (number | undefined)[] | undefined): string | null =>
      version ? version.join('.') : null;
    const list = rules.map((rule) => ({
      id: rule.id,
      severity: rule.severity,
      since: range(rule.kernels.since),
      until: range(rule.kernels.until),
      fix: rule.fixable,
      what: rule.docs.what,
    }));
    output.out(`${JSON.stringify({ version: 1, rules: list }, null, 2)}\n`);
    return 0;
  }
  if (style.columns !== undefined) {
    const entries = rules.map(
      ({ id, severity, docs }) =>
        `${style.link(style.paint('strong', id), facts.rulePages && `${facts.rulePages}${id}.md`)}  ${style.paint(severity, severity)}\n${indented(docs.what, style)}`,
    );
    output.out(`${entries.join('')}`);
    return 0;
  }
  const width = largest([0, ...rules.map((rule) => rule.id.length)]);
  output.out(
    rules
      .map((rule) => `${rule.id.padEnd(width)}  ${rule.severity.padEnd(11)}  ${rule.docs.what}\n`)
      .join(''),
  );
  return 0;
}
