/**
 * Refuses an object that a count of the driver's own frees: beside the vfio core's count, two would
 * rule one object.
 */
import { ASYNC_KINDS, ASYNC_STRUCTS } from '../../kernel/async.ts';
import { counterOfLastDrop } from '../../kernel/counters.ts';
import type { CallExpr, Expr, FileIr, FunctionIr, IfStmt } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import {
  allExpressions,
  expressionsIn,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { lineOf, refuse } from '../refusal-error.ts';
import type { Container, FreePlan } from '../types.ts';
import { memberPath, scopeOf, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

/** What ends the life of the object when the count drops. */
interface Ending {
  readonly what: string;
  readonly fn: FunctionIr;
}

/**
 * `if (refcount_dec_and_test(&p->users))` in front of the free, of a call that frees, or of the
 * start of work that does.
 */
export function refuseOwnCount(
  module: Module,
  file: FileIr,
  container: Container,
  frees: readonly FreePlan[],
): void {
  const freeing = new Set(frees.map((free) => free.fn));
  for (const fn of file.functions) {
    const scope = scopeOf(module, file, fn);
    for (const { stmt } of statementsOf(fn)) {
      const counter = stmt.kind === 'if' ? counterIn(scope, container, stmt.condition) : null;
      const ending =
        counter === null || stmt.kind !== 'if' ? null : endingAt(file, fn, stmt, frees, freeing);
      if (counter === null || !ending) continue;
      refuse(
        'other-count',
        `\`struct ${container.tag}\` counts its references in \`${counter}\`, and ${fn.name}() at line ${lineOf(file, stmt.start)} frees it with the last of them${ending.what}: after the conversion the vfio core counts the references, and one object cannot have two reference counts. Remove \`${counter}\` first, or split the object.`,
        file,
        stmt,
      );
    }
  }
}

/** The member whose last drop a condition asks for: by a call, or by `--p->users == 0`. */
function counterIn(scope: Scope, container: Container, condition: Expr): string | null {
  for (const expr of expressionsIn(condition)) {
    const position =
      expr.kind === 'call' && expr.name !== null ? counterOfLastDrop(expr.name) : undefined;
    const dropped = expr.kind === 'update' && expr.op === '--' ? expr.operand : undefined;
    const counter = expr.kind === 'call' && position !== undefined ? expr.args[position] : dropped;
    if (!counter) continue;
    const { root, path } = memberPath(counter);
    if (typeOf(scope, root)?.tag === container.tag && path.length > 0) return path.join('.');
  }
  return null;
}

function endingAt(
  file: FileIr,
  fn: FunctionIr,
  test: IfStmt,
  frees: readonly FreePlan[],
  freeing: ReadonlySet<FunctionIr>,
): Ending | null {
  // `if (!refcount_dec_and_test(…)) return;`: what follows is for the last reference.
  const leaves =
    test.then.kind === 'return' ||
    (test.then.kind === 'block' && test.then.body.at(-1)?.kind === 'return');
  const from = leaves ? test.end : test.then.start;
  const to = leaves ? fn.end : test.then.end;
  const direct = frees.find(
    (free) => free.fn === fn && free.call.start >= from && free.call.end <= to,
  );
  if (direct) return { what: '', fn };
  for (const { stmt } of statementsOf(fn)) {
    for (const call of allExpressions(stmt)) {
      if (call.kind !== 'call' || call.start < from || call.end > to) continue;
      const callee = namedFunctions(file, call.name)[0];
      if (callee && freeing.has(callee)) return { what: ` through ${callee.name}()`, fn: callee };
      const work = startedWork(call);
      const later =
        work === null
          ? undefined
          : [...freeing].find((one) =>
              one.params.some(
                (param) =>
                  ASYNC_STRUCTS.has(param.type.name) || param.type.name === 'callback_head',
              ),
            );
      if (work !== null && later)
        return { what: `, in ${later.name}(), which \`${work}\` runs`, fn: later };
    }
  }
  return null;
}

/** The member of work, timer or tasklet that a call starts. */
function startedWork(call: CallExpr): string | null {
  for (const kind of ASYNC_KINDS) {
    const position = call.name === null ? undefined : kind.start.get(call.name);
    const path =
      position !== undefined && call.args[position]
        ? memberPath(uncast(call.args[position])).path
        : [];
    if (path.length > 0) return path.join('.');
  }
  return null;
}
