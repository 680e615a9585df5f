/**
 * The states of the driver's own that decide whether a place of a function is reached: `if (p->hot)`
 * around it, `if (!p->hot) return;` before it.
 */
import type { Expr, FunctionIr, Stmt } from '../ir/types.ts';
import { isNullTestMacro, isValueOrTest, testedArgument } from '../kernel/macros.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type { Site } from '../lifecycle/types.ts';
import { append } from '../text/lists.ts';
import { ancestry, contains, isNull, walk } from './locate.ts';
import { memberAccesses } from './members.ts';

/** A condition that is more than the test of a result. */
export function asksState(condition: Expr): boolean {
  return [...walk(condition)].some(
    (node) =>
      node.kind === 'member' ||
      node.kind === 'unknown' ||
      (node.kind === 'call' && !isValueOrTest(node.name ?? '')),
  );
}

/**
 * What has been asked of members on the way to a place, each as the key of the member, with `!` in
 * front where it is 0 or NULL; null where more than that decides.
 */
export function guardsOf(index: ModuleIndex, fn: FunctionIr, site: Site): string[] | null {
  const around = ancestry(fn.body, site);
  if (around.some(({ kind }) => kind === 'loop' || kind === 'switch')) return null;
  const guards: string[] = [];
  const note = (condition: Expr, holds: boolean): boolean => {
    if (!asksState(condition)) return true;
    const asked = askedOf(index, fn, condition, holds);
    append(guards, asked ?? []);
    return asked !== null;
  };
  for (const node of walk(fn.body)) {
    if (node.kind === 'return' && node.start < site.start && !isDecided(fn, node)) return null;
    if (node.kind !== 'if' || node.start > site.start || contains(node.condition, site)) continue;
    if (contains(node.then, site) && !note(node.condition, true)) return null;
    if (node.otherwise !== null && contains(node.otherwise, site) && !note(node.condition, false))
      return null;
    if (!contains(node, site) && isLeaving(node.then) && !note(node.condition, false)) return null;
  }
  return guards;
}

/** A return that is the end of the branch of a condition. */
function isDecided(fn: FunctionIr, leave: Stmt): boolean {
  return ancestry(fn.body, leave).some(
    (node) => node.kind === 'if' && contains(node.then, leave) && isLeaving(node.then),
  );
}

/** A branch that ends the function. */
function isLeaving(branch: Stmt): boolean {
  const last = branch.kind === 'block' ? branch.body.at(-1) : branch;
  return last?.kind === 'return';
}

function askedOf(
  index: ModuleIndex,
  fn: FunctionIr,
  condition: Expr,
  holds: boolean,
): string[] | null {
  if (condition.kind === 'unary' && condition.op === '!')
    return askedOf(index, fn, condition.operand, !holds);
  if (condition.kind === 'call') {
    const operand = condition.args[testedArgument(condition.name ?? '') ?? 0];
    const isTest = testedArgument(condition.name ?? '') !== undefined;
    const isNullTest = isNullTestMacro(condition.name ?? '');
    if (operand === undefined || (!isTest && !isNullTest)) return null;
    return askedOf(index, fn, operand, isNullTest ? !holds : holds);
  }
  if (condition.kind === 'binary') {
    const { op, left, right } = condition;
    if (op === (holds ? '&&' : '||')) {
      const sides = [left, right].map((side) => askedOf(index, fn, side, holds));
      return sides.includes(null) ? null : sides.flatMap((side) => side ?? []);
    }
    return (op === '==' || op === '!=') && isNull(right)
      ? askedOf(index, fn, left, (op === '!=') === holds)
      : null;
  }
  if (condition.kind !== 'member') return null;
  const access = memberAccesses(index, fn).find(({ node }) => node === condition);
  return access === undefined ? null : [holds ? access.key : `!${access.key}`];
}
