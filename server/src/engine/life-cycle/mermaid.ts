/** A life as the text of a Mermaid flowchart, for a commit, a review or a page. */
import { append } from '../../text/lists.ts';
import type { DriverLife, LifeCycle, LifeEdge, LifeStep } from './types.ts';

/**
 * One flowchart for each driver, with an empty line between two.
 * @param lineOf what a place is called: `line 12`; empty for none.
 */
export function mermaidOf<Place>(
  { drivers }: LifeCycle<Place>,
  lineOf: (place: Place) => string,
): string {
  return drivers.map((driver) => flowchart(driver, lineOf)).join('\n');
}

function flowchart<Place>(driver: DriverLife<Place>, lineOf: (place: Place) => string): string {
  const lines = [`---`, `title: ${quoted(driver.name)}`, `---`, 'flowchart TD'];
  for (const [fn, steps] of byFunction(driver.steps)) {
    if (fn !== null)
      lines.push(`  subgraph ${idOf(`in-${fn}-${steps[0]!.id}`)}[${quoted(`${fn}()`)}]`);
    for (const step of steps) lines.push(`  ${fn === null ? '' : '  '}${nodeOf(step, lineOf)}`);
    if (fn !== null) lines.push('  end');
  }
  for (const edge of driver.edges) append(lines, edgeOf(edge, lineOf));
  const wrong = driver.findings
    .filter(({ severity }) => severity === 'error' || severity === 'warning')
    .flatMap(({ step, edge }) => (step ?? edge ?? '') || []);
  if (wrong.length > 0) {
    lines.push('  classDef wrong stroke:#d32f2f,stroke-width:2px');
    lines.push(`  class ${[...new Set(wrong)].map(idOf).join(',')} wrong`);
  }
  return `${lines.join('\n')}\n`;
}

/** Steps that stand in one function and follow each other. */
function byFunction<Place>(
  steps: readonly LifeStep<Place>[],
): [string | null, LifeStep<Place>[]][] {
  const groups: [string | null, LifeStep<Place>[]][] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (last !== undefined && last[0] === step.function) last[1].push(step);
    else groups.push([step.function, [step]]);
  }
  return groups;
}

function nodeOf<Place>(step: LifeStep<Place>, lineOf: (place: Place) => string): string {
  const where = step.place === null ? '' : lineOf(step.place);
  const calls =
    step.kind === 'set-up' ||
    step.kind === 'tear-down' ||
    step.place === null ||
    step.calls.length > 1
      ? step.calls.map(({ call }) => call)
      : [];
  const parts = [step.title, step.does, ...calls, where].filter((one) => one !== '');
  return `${idOf(step.id)}[${quoted([...new Set(parts)].join('\n'))}]`;
}

function edgeOf<Place>(edge: LifeEdge<Place>, lineOf: (place: Place) => string): string[] {
  const arrow = edge.kind === 'calls' || edge.kind === 'opens' ? '-.->' : '-->';
  const label = edge.kind === 'calls' || edge.kind === 'opens' ? edge.kind : edge.label;
  const text = label === '' ? '' : `|${quoted(label)}|`;
  if (edge.to !== null) return [`  ${idOf(edge.from)} ${arrow}${text} ${idOf(edge.to)}`];
  const parts = [
    ...edge.undone.map(({ call }) => call),
    edge.place === null ? '' : `return, ${lineOf(edge.place)}`,
    edge.owed.length > 0 ? `owed: ${edge.owed.join(', ')}` : '',
  ].filter((one) => one !== '');
  const node = `${idOf(edge.id)}([${quoted(parts.join('\n'))}])`;
  return [`  ${idOf(edge.from)} ${arrow}${text} ${node}`];
}

function idOf(id: string): string {
  return id.replace(/\W/g, '_');
}

function quoted(text: string): string {
  const escaped = text
    .replace(/&/g, '&amp;')
    .replace(/"/g, '&quot;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/\n/g, '<br>');
  return `"${escaped}"`;
}
