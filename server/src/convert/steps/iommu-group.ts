/** The step that drops the IOMMU group calls which ended with 5.16. */
import type { CallExpr, Expr, FileIr, FunctionIr, Stmt } from '../../ir/types.ts';
import type { PlannedEdit } from '../types.ts';
import { functionsCalling } from '../../lifecycle/module/function-scan.ts';
import { plainTest } from '../query/expressions.ts';
import {
  allExpressions,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { refuse, textOf } from '../refusal-error.ts';
import { initsConcerning } from '../modules/concerned.ts';
import { callSites } from '../query/call-sites.ts';
import { dropAll, relabelled } from './drop.ts';
import type { Step } from './types.ts';
import { append } from '../../text/lists.ts';

/**
 * Up to 5.15 a driver took the IOMMU group of its device before it registered it. Since 5.16
 * registering does that, and
 * vfio_iommu_group_get() is the core's own: the calls go, with the test of the first.
 */
export const dropIommuGroup: Step = (step) => {
  const { input, file } = step;
  const calls = groupCalls(file);
  // A driver that registers nothing with VFIO has other reasons, which the target's kernel must
  // answer.
  if (
    calls.length === 0 ||
    !(
      initsConcerning(step).length > 0 ||
      callSites(input.module, file).some((site) => site.op === 'alloc')
    )
  )
    return null;
  const gone = new Map<FunctionIr, Placed[]>();
  const labels: PlannedEdit[] = [];
  for (const fn of new Set(calls.map((item) => item.fn))) {
    const places = calls
      .filter((item) => item.fn === fn)
      .flatMap((item) => placesOf(file, fn, item.at, item.call));
    refuseOtherUses(file, fn, places);
    gone.set(fn, places);
    append(
      labels,
      relabelled(input.module, file, fn, places, /group/).map((edit) => ({
        ...edit,
        kind: 'tidy' as const,
      })),
    );
  }
  return {
    edits: [
      {
        path: file.path,
        edits: [
          ...dropAll(file, gone).map((edit) => ({ ...edit, kind: 'tidy' as const })),
          ...labels,
        ],
      },
    ],
    notes: [
      {
        text: 'vfio_iommu_group_get() and vfio_iommu_group_put() were removed: since 5.16 the core takes the IOMMU group at registration, and releases it later.',
        site: { path: file.path, start: calls[0]!.call.start, end: calls[0]!.call.end },
      },
    ],
    touched: [...gone.keys()].map((fn) => fn.name),
  };
};

interface GroupCall {
  readonly fn: FunctionIr;
  readonly at: Placed;
  readonly call: CallExpr;
}

function groupCalls(file: FileIr): GroupCall[] {
  const isWanted = (name: string): boolean =>
    name === 'vfio_iommu_group_get' || name === 'vfio_iommu_group_put';
  return functionsCalling(file, isWanted).flatMap((fn) =>
    statementsOf(fn).flatMap((at) =>
      allExpressions(at.stmt).flatMap((call) =>
        call.kind === 'call' && call.name !== null && isWanted(call.name) ? [{ fn, at, call }] : [],
      ),
    ),
  );
}

/** The statement of a call, and the test behind it where it takes the group. */
function placesOf(file: FileIr, fn: FunctionIr, at: Placed, call: CallExpr): Placed[] {
  const name = call.name ?? '';
  if (at.sole || at.conditional)
    refuse(
      'iommu-group',
      `${name}() is under a condition of its own in ${fn.name}(): since 5.16 the core takes the IOMMU group, and these calls were removed. Remove it by hand.`,
      file,
      at.stmt,
    );
  const isPut = name === 'vfio_iommu_group_put';
  const variable = isPut ? null : takenBy(at.stmt, call);
  if (isPut ? at.stmt.kind !== 'expr' || at.stmt.expr !== call : variable === null) {
    refuse(
      'iommu-group',
      `${name}() is part of another statement in ${fn.name}(): since 5.16 the core takes the IOMMU group, and these calls were removed. Remove it by hand.`,
      file,
      at.stmt,
    );
  }
  if (isPut) return [at];
  const test = at.siblings[at.index + 1];
  if (
    test?.kind !== 'if' ||
    test.otherwise ||
    !isMissing(test.condition, variable!) ||
    !leaves(test.then)
  ) {
    refuse(
      'iommu-group',
      `The result of ${name}() in ${fn.name}() is not tested in the next statement with a branch that returns. Since 5.16 the core takes the IOMMU group; remove the call by hand.`,
      file,
      test ?? at.stmt,
    );
  }
  const tested = statementsOf(fn).find((place) => place.stmt === test)!;
  return [at, tested];
}

/** The variable that the call's statement puts the group into. */
function takenBy(stmt: Stmt, call: CallExpr): string | null {
  if (
    stmt.kind === 'expr' &&
    stmt.expr.kind === 'assign' &&
    stmt.expr.op === '=' &&
    uncast(stmt.expr.value) === call &&
    stmt.expr.target.kind === 'name'
  )
    return stmt.expr.target.name;
  return null;
}

/** `!group`, `group == NULL`, `IS_ERR_OR_NULL(group)`. */
function isMissing(condition: Expr, name: string): boolean {
  const test = plainTest(condition);
  const isIt = (expr: Expr | undefined): boolean => expr?.kind === 'name' && expr.name === name;
  if (test.kind === 'unary' && test.op === '!') return isIt(plainTest(test.operand));
  if (test.kind === 'binary' && test.op === '==') return isIt(test.left) || isIt(test.right);
  return test.kind === 'call' && test.name === 'IS_ERR_OR_NULL' && isIt(test.args[0]);
}

function leaves(stmt: Stmt): boolean {
  const last = stmt.kind === 'block' ? stmt.body[stmt.body.length - 1] : stmt;
  return last?.kind === 'return' || last?.kind === 'goto';
}

/** The driver keeps or asks the group for itself, or a block would be left empty. */
function refuseOtherUses(file: FileIr, fn: FunctionIr, places: readonly Placed[]): void {
  const inside = (expr: Expr): boolean =>
    places.some(({ stmt }) => expr.start >= stmt.start && expr.end <= stmt.end);
  const variables = new Set(
    places.flatMap(({ stmt }) =>
      stmt.kind === 'expr' && stmt.expr.kind === 'assign' && stmt.expr.target.kind === 'name'
        ? [stmt.expr.target.name]
        : [],
    ),
  );
  for (const { stmt } of statementsOf(fn)) {
    for (const expr of allExpressions(stmt)) {
      if (expr.kind !== 'name' || !variables.has(expr.name) || inside(expr)) continue;
      refuse(
        'iommu-group',
        `${fn.name}() uses \`${textOf(file, expr)}\` for more than a get and a put of the group. Since 5.16 the core takes the IOMMU group; remove vfio_iommu_group_get() by hand.`,
        file,
        expr,
      );
    }
  }
  for (const { siblings, stmt } of places) {
    const left = siblings.filter((other) => !places.some((place) => place.stmt === other));
    if (left.length === 0)
      refuse(
        'iommu-group',
        `${fn.name}() would have an empty block where vfio_iommu_group_put() is. Remove it by hand.`,
        file,
        stmt,
      );
  }
}
