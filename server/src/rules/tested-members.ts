/** What a condition depends on: a member that it tests, and not one that it hands to a call. */
import { asksState } from '../kernel/touches.ts';
import type { Expr, FunctionIr } from '../ir/types.ts';
import { isValueOrTest } from '../kernel/macros.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { keptByFunction } from './function-traits.ts';
import { walk } from './locate.ts';
import { memberAccesses } from './members.ts';

/** The members that a function looks at in a condition, not those that it hands on there. */
export function testedKeys(index: ModuleIndex, fn: FunctionIr): string[] {
  const tested = testedExpressions(fn);
  return tested.size === 0
    ? []
    : memberAccesses(index, fn)
        .filter(({ lowered }) => tested.has(lowered.node))
        .map(({ key }) => key);
}

/** What a function as it was lowered tests. */
const testedExpressions = keptByFunction(({ body }): ReadonlySet<Expr> => {
  const conditions = [...walk(body)].flatMap((node) => {
    if (node.kind === 'if' || node.kind === 'conditional') return [node.condition];
    if (node.kind === 'loop') return node.condition === null ? [] : [node.condition];
    return node.kind === 'switch' ? [node.value] : [];
  });
  return new Set(conditions.flatMap(testedIn));
});

/** The expressions on whose value a condition depends, as far as it only tests them. */
export function testedIn(condition: Expr): Expr[] {
  switch (condition.kind) {
    case 'unary':
      return condition.op === '*' ? [] : testedIn(condition.operand);
    case 'cast':
      return testedIn(condition.operand);
    case 'binary':
      return [...testedIn(condition.left), ...testedIn(condition.right)];
    case 'call':
      return asksState(condition.name ?? '') || isValueOrTest(condition.name ?? '')
        ? condition.args.flatMap(testedIn)
        : [];
    default:
      return [condition];
  }
}
