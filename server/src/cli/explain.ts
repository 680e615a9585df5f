import { explain, proposedNames } from '../engine/explain.ts';
import { kernelStages } from '../engine/stages.ts';
import type { Command } from './command.ts';
import { UsageError } from './usage-error.ts';
import type { Program } from './program.ts';
import { keyOf, openWorkspace } from './workspace.ts';
import { largest } from '../text/lists.ts';

/** Prints what is known of a rule, of a kind of refusal or of a name of the kernel's interface, for the kernel of the working folder. */
export async function runExplain({ subject, kernel }: Extract<Command, { name: 'explain' }>, { output }: Program): Promise<number> {
  const text = explain(subject, await openWorkspace({ kernel }, output).target(keyOf('.vfio-lifecycle')));
  if (text === undefined) {
    const near = proposedNames(subject);
    const proposal = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '';
    throw new UsageError(`explain: no rule, no kind of refusal and no kernel function is called ${JSON.stringify(subject)}${proposal}`);
  }
  output.out(`${text.trimEnd()}\n`);
  return 0;
}

/** Prints the catalogue. */
export function runRules({ format }: Extract<Command, { name: 'rules' }>, { output }: Program): number {
  const { rules } = kernelStages;
  if (format === 'json') {
    const range = (version: readonly [number, number] | undefined): string | null => (version ? version.join('.') : null);
    const list = rules.map((rule) => ({ id: rule.id, severity: rule.severity, since: range(rule.kernels.since), until: range(rule.kernels.until), fix: rule.fixable, what: rule.docs.what }));
    output.out(`${JSON.stringify({ version: 1, rules: list }, null, 2)}\n`);
    return 0;
  }
  const width = largest([0, ...rules.map((rule) => rule.id.length)]);
  output.out(rules.map((rule) => `${rule.id.padEnd(width)}  ${rule.severity.padEnd(11)}  ${rule.docs.what}\n`).join(''));
  return 0;
}
