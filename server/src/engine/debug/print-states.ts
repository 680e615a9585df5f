/** Prints the states of functions, one line each. */
import type { FileIr } from '../../ir/types.ts';
import type { DeviceState, ModuleFacts, Observation } from '../../lifecycle/types.ts';

/** The observations of some functions of a document, one line each, in the order of the source. */
export function printStates(
  facts: ModuleFacts,
  path: string,
  functions: readonly string[],
  file: FileIr,
): string {
  const lines: string[] = [];
  for (const name of functions) {
    const own = facts.observations
      .filter((one) => one.function.name === name && one.site.path === path)
      .sort((left, right) => left.site.start - right.site.start);
    if (own.length === 0) continue;
    lines.push(`${name} (${own[0]!.role}):`);
    for (const one of own) lines.push(`  ${lineOf(file.text, one.site.start)}: ${describe(one)}`);
  }
  for (const one of facts.notAnalysed)
    if (one.path === path) lines.push(`${one.function}: not analysed: ${one.reason}`);
  return lines.join('\n');
}

function describe(one: Observation): string {
  const certain = one.certain ? '' : ' (uncertain)';
  const before = printState(one.before);
  switch (one.kind) {
    case 'operation':
      return `${one.op} ${one.text} by ${one.api}: ${before} -> ${printState(one.after)}${certain}`;
    case 'use':
      return `${one.form} ${one.text}${one.field === null ? '' : `.${one.field}`}: ${before}${certain}`;
    case 'test':
      return `test ${one.form} ${one.text}: ${before}${certain}`;
    case 'exit':
      return `exit ${one.outcome}, reachable ${one.reachable}, ${one.text}: ${before}${certain}`;
  }
}

/** Only what differs from a device of which nothing is known. */
function printState(state: DeviceState): string {
  const parts: string[] = [state.model];
  if (state.reference !== 'none') parts.push(`reference ${state.reference}`);
  if (state.initialised !== 'no') parts.push(`initialised ${state.initialised}`);
  if (state.registered !== 'no') parts.push(`registered ${state.registered}`);
  parts.push(`memory ${state.memory}${state.allocator === null ? '' : ` by ${state.allocator}`}`);
  for (const flag of ['deviceSet', 'viaCore', 'checked', 'escaped'] as const)
    if (state[flag]) parts.push(flag);
  return `[${parts.join(', ')}]`;
}

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
