/** What an expression is in a test, and the forms that NULL and an address have. */
import type { Expr } from '../../ir/types.ts';
import { isNullTestMacro, testedArgument } from '../../kernel/macros.ts';
import { uncast } from '../../lifecycle/module/statements.ts';

/** likely(x), unlikely(x), WARN_ON(x), READ_ONCE(x), !!x and (x) are x in a test. */
export function plainTest(expr: Expr): Expr {
  let inner = uncast(expr);
  for (;;) {
    const argument: Expr | undefined =
      inner.kind === 'call' && inner.name !== null
        ? inner.args[testedArgument(inner.name) ?? inner.args.length]
        : undefined;
    if (argument) inner = uncast(argument);
    else if (
      inner.kind === 'unary' &&
      inner.op === '!' &&
      inner.operand.kind === 'unary' &&
      inner.operand.op === '!'
    )
      inner = inner.operand.operand;
    else return inner;
  }
}

/** What `IS_ERR_OR_NULL(x)` and `ZERO_OR_NULL_PTR(x)` ask of; null for any other test. */
export function nullTested(test: Expr): Expr | null {
  return test.kind === 'call' && test.name !== null && isNullTestMacro(test.name)
    ? (test.args[0] ?? null)
    : null;
}

/** `&name` */
export function isAddressOf(expr: Expr, name: string): boolean {
  const inner = uncast(expr);
  return (
    inner.kind === 'unary' &&
    inner.op === '&' &&
    inner.operand.kind === 'name' &&
    inner.operand.name === name
  );
}

/** NULL or a literal 0. */
export function isNull(expr: Expr): boolean {
  const inner = uncast(expr);
  return (
    (inner.kind === 'name' && inner.name === 'NULL') ||
    (inner.kind === 'number' && inner.value === 0)
  );
}

export function comparedToNull(left: Expr, right: Expr): Expr | null {
  if (isNull(right)) return left;
  return isNull(left) ? right : null;
}
