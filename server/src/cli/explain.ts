import { explainApi, explainRule } from '../engine/explain.ts';
import { kernelStages } from '../engine/stages.ts';
import { UsageError, type Command } from './args.ts';
import type { Program } from './main.ts';

/** Prints what is known of a rule or of a kernel function, as Markdown. */
export function runExplain({ subject }: Extract<Command, { name: 'explain' }>, { output }: Program): number {
  // `vfio_put_device()` and `.release` are how people write them.
  const name = subject.replace(/\(\)$/, '');
  const text = explainRule(name) ?? explainApi(name);
  if (text === undefined) throw new UsageError(`explain: no rule and no kernel function is called ${JSON.stringify(subject)}`);
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
  const width = Math.max(0, ...rules.map((rule) => rule.id.length));
  output.out(rules.map((rule) => `${rule.id.padEnd(width)}  ${rule.severity.padEnd(11)}  ${rule.docs.what}\n`).join(''));
  return 0;
}
