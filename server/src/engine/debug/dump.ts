/**
 * The stages of the analysis as text: for people who work on the engine, and for the check over a
 * kernel tree.
 */
import { buildCfg } from '../../flow/cfg.ts';
import { printCfg } from '../../flow/dot.ts';
import { printFile, printFunction } from '../../ir/print.ts';
import { countCalls } from './count-calls.ts';
import { mentionsVfio, type Engine } from '../analyse.ts';
import { printStates } from './print-states.ts';
import type { ModuleInput, TargetKernel } from '../types.ts';

export type Stage = 'tree' | 'ir' | 'cfg' | 'states' | 'calls';

/**
 * Renders `stage` of the file, or of the functions called `fn` in it. `calls` is one line for each
 * life-cycle function that occurs: its
 * name, how often the IR has it, how often the text has it. Undefined when there is nothing to
 * render.
 */
export function dump(
  engine: Engine,
  input: ModuleInput,
  kernel: TargetKernel,
  stage: Stage,
  fn: string | undefined,
): string | undefined {
  const text =
    [...input.sources, ...input.headers].find((one) => one.path === input.file)?.text ?? '';
  if (stage === 'tree') {
    const tree = engine.parser.parse(text);
    try {
      return tree.print();
    } finally {
      tree.dispose();
    }
  }
  const file = engine.lowered(input);
  if (!file) return undefined;
  const functions =
    fn === undefined ? file.functions : file.functions.filter((one) => one.name === fn);
  if (fn !== undefined && functions.length === 0) return undefined;
  switch (stage) {
    case 'ir':
      return fn === undefined
        ? printFile(file)
        : functions.map((one) => printFunction(one)).join('\n');
    case 'cfg':
      return functions.map((one) => `${one.name}:\n${printCfg(buildCfg(one), text)}`).join('\n');
    case 'states': {
      const facts = mentionsVfio(text) ? engine.facts(input, kernel) : undefined;
      return (
        facts &&
        printStates(
          facts,
          input.file,
          functions.map((one) => one.name),
          file,
        )
      );
    }
    case 'calls':
      return countCalls(file)
        .map(({ name, lowered, written }) => `${name} ${lowered} ${written}`)
        .join('\n');
  }
}
