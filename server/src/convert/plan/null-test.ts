/** The test of an allocation for NULL: where it stands, and which form it must have. */
import type { Expr, FileIr, FunctionIr, Stmt } from '../../ir/types.ts';
import {
  allExpressions,
  namesUnder,
  statementsOf,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { isNull, nullTested, plainTest } from '../query/expressions.ts';
import { refuse, textOf } from '../refusal-error.ts';

/**
 * The statement after the one that gives `name` its value: where its test belongs. Declarations and
 * assignments that call nothing and do not
 * mention it may stand between them. Undefined at the end of the block.
 */
export function testAfter(at: Placed, name: string): Stmt | undefined {
  return at.siblings
    .slice(at.index + 1)
    .find((stmt) => !isUnrelated(stmt, name, at.stmt.kind === 'decl'));
}

function isUnrelated(stmt: Stmt, name: string, amongDeclarations: boolean): boolean {
  if ((stmt.kind !== 'decl' && stmt.kind !== 'expr') || namesUnder(stmt).includes(name))
    return false;
  if (stmt.kind === 'decl' && amongDeclarations) return true;
  return allExpressions(stmt).every(
    (expr) =>
      expr.kind !== 'call' && expr.kind !== 'unknown' && expr.kind !== 'statement-expression',
  );
}

/** The NULL test right after the allocation; refuses where it has another form. */
export function findCheck(file: FileIr, fn: FunctionIr, at: Placed, name: string): Placed {
  const stmt = testAfter(at, name);
  if (stmt?.kind !== 'if') {
    refuse(
      'unchecked-allocation',
      `The result of the allocation is not tested in the statement after it. Test \`!${name}\` there first.`,
      file,
      stmt ?? at.stmt,
    );
  }
  if (!isNullTest(stmt.condition, name)) {
    refuse(
      'unsuitable-check',
      `\`${textOf(file, stmt.condition)}\` is not a plain NULL test of \`${name}\`. Test \`!${name}\` in an \`if\` of its own.`,
      file,
      stmt.condition,
    );
  }
  if (stmt.otherwise)
    refuse(
      'unsuitable-check',
      `The test of \`${name}\` has an else branch. Return in the NULL branch, and continue after it.`,
      file,
      stmt.otherwise,
    );
  if (!leaves(stmt.then))
    refuse(
      'unsuitable-check',
      `The NULL branch has no return or goto, so what follows runs without \`${name}\`.`,
      file,
      stmt.then,
    );
  const places = statementsOf(fn);
  for (const { stmt: inside } of places) {
    if (
      inside.kind !== 'return' ||
      inside.start < stmt.then.start ||
      inside.end > stmt.then.end ||
      !inside.value ||
      fn.returnType.pointers === 0 ||
      !isNull(inside.value)
    )
      continue;
    refuse(
      'unsuitable-check',
      `${fn.name}() returns NULL when the allocation fails, and its callers rely on that. First let it return an error pointer, and let its callers test IS_ERR().`,
      file,
      inside,
    );
  }
  const inner = places.find((place) => place.stmt === stmt);
  return (
    inner ?? {
      stmt,
      siblings: at.siblings,
      index: at.siblings.indexOf(stmt),
      parent: at.parent,
      sole: false,
      conditional: false,
    }
  );
}

/** `!p`, `p == NULL`, `NULL == p`, `IS_ERR_OR_NULL(p)`, also inside unlikely() or WARN(). */
export function isNullTest(condition: Expr, name: string): boolean {
  const test = plainTest(condition);
  const isIt = (expr: Expr): boolean => {
    const value = plainTest(expr);
    return value.kind === 'name' && value.name === name;
  };
  if (test.kind === 'unary' && test.op === '!') return isIt(test.operand);
  const asked = nullTested(test);
  if (asked) return isIt(asked);
  return (
    test.kind === 'binary' &&
    test.op === '==' &&
    ((isIt(test.left) && isNull(test.right)) || (isNull(test.left) && isIt(test.right)))
  );
}

/** The statement ends in a return or goto on its straight path and has no other control flow. */
export function leaves(stmt: Stmt): boolean {
  const last = stmt.kind === 'block' ? stmt.body[stmt.body.length - 1] : stmt;
  return last?.kind === 'return' || last?.kind === 'goto';
}
