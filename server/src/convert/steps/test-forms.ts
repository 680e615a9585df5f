/**
 * Brings the test of an allocation into the one form that a plan knows: `if (!p)` behind the
 * allocation, with a branch that returns the function.
 */
import { lineEnding } from '../../text/style.ts';
import type { Edit, Span } from '../../text/span.ts';
import type { Expr, FileIr, FunctionIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { isAllocation, isAllocator, rootOf } from '../plan/allocation.ts';
import { indentAt, lineStart } from '../rewrite/layout.ts';
import { comparedToNull, nullTested, plainTest } from '../query/expressions.ts';
import { functionsCalling } from '../../lifecycle/module/function-scan.ts';
import { allExpressions, statementsOf } from '../../lifecycle/module/statements.ts';
import { initsConcerning } from '../modules/concerned.ts';
import { rewriting } from '../modules/rewriting.ts';
import { scopeOf, typeOf } from '../../lifecycle/module/types-of.ts';
import type { Allocated } from './allocation-test.ts';
import { macroTest } from './macro-test.ts';
import { straightened } from './straighten.ts';
import type { Step, StepInput } from './types.ts';

/**
 * Writes the test of an allocation in the form that a plan knows. An allocation inside its test
 * gets a line of its own, a macro of the driver
 * that tests and leaves is written out, and what a function does only where the allocation
 * succeeded stands behind the test. Every
 * rewriting keeps what the function does; what cannot be rewritten stays, and the plan says what is
 * in the way.
 */
export const writeOutTest: Step = (step) => {
  for (const one of allocationsOf(step)) {
    const edits = separated(one) ?? macroTest(one) ?? straightened(one);
    if (!edits) continue;
    const out = rewriting();
    for (const edit of edits) out.edit(one.file, 'allocation', edit);
    return { edits: out.done(), notes: [], touched: [one.fn.name] };
  }
  return null;
};

/** The allocations, in the whole module, of the structs whose init is asked for. */
function allocationsOf(step: StepInput): Allocated[] {
  const { module } = step.input;
  const tags = new Set(
    initsConcerning(step).flatMap((site) => {
      const root = rootOf(site.scope, site.target);
      const tag = root && typeOf(site.scope, root)?.tag;
      return tag ? [tag] : [];
    }),
  );
  if (tags.size === 0) return [];
  return module.sources.flatMap((file) =>
    functionsCalling(file, isAllocator)
      .filter((fn) => !fn.opaque)
      .flatMap((fn) => allocationsIn(module, file, fn, tags)),
  );
}

function allocationsIn(
  module: Module,
  file: FileIr,
  fn: FunctionIr,
  tags: ReadonlySet<string>,
): Allocated[] {
  const scope = scopeOf(module, file, fn);
  const isWanted = (name: string): boolean => {
    const type = scope.locals.has(name)
      ? typeOf(scope, { kind: 'name', name, start: 0, end: 0 })
      : null;
    return type?.pointers === 1 && tags.has(type.tag);
  };
  return statementsOf(fn)
    .filter((at) => !at.conditional)
    .flatMap((at): Allocated[] => {
      const { stmt } = at;
      if (stmt.kind === 'decl')
        return stmt.init && isAllocation(stmt.init) && isWanted(stmt.name)
          ? [{ module, file, fn, variable: stmt.name, at, assign: null }]
          : [];
      return allExpressions(stmt).flatMap((expr) =>
        expr.kind === 'assign' &&
        expr.op === '=' &&
        expr.target.kind === 'name' &&
        isAllocation(expr.value) &&
        isWanted(expr.target.name)
          ? [{ module, file, fn, variable: expr.target.name, at, assign: expr }]
          : [],
      );
    });
}

/** `if (!(p = kzalloc(…)))`: the assignment goes on a line of its own in front of the test. */
function separated({ file: { text }, at, assign, variable }: Allocated): Edit[] | null {
  const { stmt } = at;
  if (
    stmt.kind !== 'if' ||
    assign === null ||
    at.sole ||
    testedIn(stmt.condition) !== assign ||
    !ownsStart(text, stmt)
  )
    return null;
  const indent = indentAt(text, stmt.start);
  const inner = withParentheses(text, assign, stmt.conditionSpan);
  return [
    {
      span: { start: stmt.start, end: stmt.start },
      newText: `${text.slice(assign.start, assign.end)};${lineEnding(text)}${indent}`,
    },
    { span: inner, newText: variable },
  ];
}

/** What a condition tests, and nothing else before it: `p` in `!p`, `p == NULL`, `likely(p)`. */
function testedIn(condition: Expr): Expr {
  const test = plainTest(condition);
  if (test.kind === 'unary' && test.op === '!') return plainTest(test.operand);
  if (test.kind === 'binary' && (test.op === '==' || test.op === '!='))
    return plainTest(comparedToNull(test.left, test.right) ?? test);
  return plainTest(nullTested(test) ?? test);
}

/** The expression with the parentheses around it, but not those of the `if` or of a call. */
function withParentheses(text: string, expr: Span, condition: Span): Span {
  let { start, end } = expr;
  for (;;) {
    const before = /\(\s*$/.exec(text.slice(condition.start + 1, start));
    const behind = /^\s*\)/.exec(text.slice(end, condition.end - 1));
    if (!before || !behind) break;
    const open = condition.start + 1 + before.index;
    if (/[\w)]\s*$/.test(text.slice(condition.start + 1, open))) break;
    start = open;
    end += behind[0].length;
  }
  return { start, end };
}

function ownsStart(text: string, span: Span): boolean {
  return text.slice(lineStart(text, span.start), span.start).trim() === '';
}
