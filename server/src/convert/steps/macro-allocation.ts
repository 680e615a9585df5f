/** A macro of the driver that allocates the object: its use becomes the call that it stands for. */
import type { CallExpr, Expr, FileIr } from '../../ir/types.ts';
import { uncast } from '../../lifecycle/module/statements.ts';
import type { Scope } from '../../lifecycle/module/types-of.ts';
import { initsConcerning } from '../modules/concerned.ts';
import { isAllocation, rootOf } from '../plan/allocation.ts';
import { assignmentsOf } from '../query/call-sites.ts';
import type { PlannedEdit } from '../types.ts';
import { argumentTexts, withArguments } from './macro-text.ts';
import type { Step } from './types.ts';

/** Writes out the macros that allocate what an init of the request initialises. */
export const writeOutAllocation: Step = (step) => {
  const edits = new Map<FileIr, Map<number, PlannedEdit>>();
  for (const { scope, target } of initsConcerning(step)) {
    const root = rootOf(scope, target);
    for (const { value } of root ? assignmentsOf(scope.fn, root.name) : []) {
      const edit = allocationAt(scope, value);
      if (!edit) continue;
      // Several inits may be of one allocation.
      const own = edits.get(scope.file) ?? new Map<number, PlannedEdit>();
      edits.set(scope.file, own.set(edit.span.start, edit));
    }
  }
  if (edits.size === 0) return null;
  return {
    edits: [...edits].map(([{ path }, own]) => ({ path, edits: [...own.values()] })),
    notes: [],
    touched: [],
  };
};

/** Null where the value is no use of one macro that is an allocation and nothing else. */
function allocationAt({ file, module }: Scope, value: Expr): PlannedEdit | null {
  const use = uncast(value);
  if (use.kind !== 'call' || use.name === null) return null;
  const homes = [file, ...module.headers].flatMap((home) =>
    home.macros.filter((macro) => macro.name === use.name).map((macro) => ({ home, macro })),
  );
  const [found] = homes;
  if (!found || homes.length !== 1) return null;
  const { home, macro } = found;
  if (!macro.body || !isAllocation(macro.body) || !fits(use, macro.params, macro.rest)) return null;
  const newText = withArguments(home, uncast(macro.body), argumentTexts(macro, file, use));
  return { span: use, newText, kind: 'allocation' };
}

function fits(use: CallExpr, params: readonly string[] | null, rest: string | null): boolean {
  return params !== null && rest === null && params.length === use.args.length;
}
