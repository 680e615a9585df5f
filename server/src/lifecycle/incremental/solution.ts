/**
 * What the explorations of a module brought, as a whole. Most keys change a function that none of
 * them has looked into: then all of it is as it was, and nothing is asked again.
 */
import type { FunctionIr } from '../../ir/types.ts';
import { isSameList } from '../../text/lists.ts';
import type { Analysis } from '../analysis.ts';
import type { ModuleIndex } from '../module/module.ts';
import type { ModuleFacts, OpsTable } from '../types.ts';
import type { Explored, Store } from './memo.ts';

/** The explorations of a version of a module, and what they have cost. */
export interface Solution {
  /** In the order of the functions. */
  readonly explored: readonly Explored[];
  readonly notAnalysed: ModuleFacts['notAnalysed'];
  readonly work: Analysis['work'];
}

/** A solution, and what it depends on beside the survey of its module. */
export interface KeptSolution extends Solution {
  readonly survey: object;
  /** The functions whose bodies were read, at their positions, as they were lowered. */
  readonly looked: readonly (readonly [position: number, root: FunctionIr])[];
  readonly tables: readonly unknown[];
}

/** What a solution depends on of a version of a module. */
export interface Asked {
  readonly index: ModuleIndex;
  readonly survey: object;
  readonly ops: readonly OpsTable[];
  readonly makesDevices: boolean;
}

/**
 * The solution to be kept; null for one that says something of a version which its survey does not
 * tell: that a function was given up is said at its place, and the text of a document may be asked
 * for tests of the configuration.
 */
export function keepSolution(
  solution: Solution,
  { looked: read, hasReadText }: Store,
  asked: Asked,
): KeptSolution | null {
  const positions = asked.index.rootPositions();
  if (positions === null || hasReadText || solution.notAnalysed.length > 0) return null;
  const looked = [...read].flatMap((root) => {
    const position = positions.get(root);
    // What stands for a macro is the same function while the survey is the same.
    return position === undefined ? [] : [[position, root] as const];
  });
  return { ...solution, survey: asked.survey, looked, tables: tablesOf(asked) };
}

/** The solution if all explorations would bring the same, else null. */
export function stillSolved(kept: KeptSolution | null, asked: Asked): Solution | null {
  const { roots } = asked.index;
  return kept?.survey === asked.survey &&
    kept.looked.every(([position, root]) => roots[position] === root) &&
    asked.index.rootPositions() !== null &&
    isSameList(kept.tables, tablesOf(asked))
    ? kept
    : null;
}

/** What is asked of the tables of devices and of all calls that make one. */
function tablesOf({ ops, makesDevices }: Asked): readonly unknown[] {
  return [
    makesDevices,
    ...ops.flatMap(({ style, complete, givenTo }) => [
      style,
      complete,
      givenTo.some(({ op }) => op === 'init-device'),
    ]),
  ];
}
