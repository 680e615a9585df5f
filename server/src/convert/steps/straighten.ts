/**
 * What a function does only where its allocation succeeded: it moves out of the branch, behind a
 * test that leaves.
 */
import { indentUnit, lineEnding } from '../../text/style.ts';
import type { Edit, Span } from '../../text/span.ts';
import type { FileIr, FunctionIr, IfStmt, Stmt } from '../../ir/types.ts';
import { leaves } from '../plan/null-test.ts';
import { plain } from '../plan/arguments.ts';
import { indentAt, lineStart, nextLine } from '../rewrite/layout.ts';
import { plainTest } from '../query/expressions.ts';
import {
  allExpressions,
  namesUnder,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { textOf } from '../refusal-error.ts';
import { ownsLines } from './drop.ts';
import { branchOfNone, plainBranch, testOf, testText, type Allocated } from './allocation-test.ts';

/**
 * Edits that bring the test behind the allocation into the form `if (!p) leave`; null where it has
 * that form, or one that cannot be rewritten.
 */
export function straightened(one: Allocated): Edit[] | null {
  const found = testOf(one);
  if (found?.test.kind !== 'if') return null;
  const none = branchOfNone(found.test.condition, one.variable);
  if (none === null || (none === 'then' && !found.test.otherwise)) return null;
  return (
    decidedByStatus(one, found.test, none, found.index) ??
    unnested(one, found.test, none, found.index)
  );
}

/** `if (!p) ret = -ENOMEM; else ret = 0; if (ret) return ret;`: the two tests become one. */
function decidedByStatus(
  { file, fn, at, variable }: Allocated,
  test: IfStmt,
  none: 'then' | 'otherwise',
  index: number,
): Edit[] | null {
  const failed = none === 'then' ? test.then : test.otherwise;
  const succeeded = none === 'then' ? test.otherwise : test.then;
  const next = at.siblings[index + 1];
  const status = failed && statusSet(failed);
  const other = succeeded && statusSet(succeeded);
  if (
    !status ||
    !other ||
    status.name !== other.name ||
    !isZeroText(other.value) ||
    isZeroText(status.value)
  )
    return null;
  if (next?.kind !== 'if' || next.otherwise || !leaves(next.then) || !ownsLines(file.text, next))
    return null;
  const asked = plainTest(next.condition);
  const branch = plainBranch(file, next.then);
  if (
    asked.kind !== 'name' ||
    asked.name !== status.name ||
    !branch ||
    file.comments.some((comment) => comment.start > test.start && comment.end < next.end)
  )
    return null;
  const indent = indentAt(file.text, test.start);
  const returned =
    branch.length === 1 &&
    branch[0]!.kind === 'return' &&
    branch[0].value &&
    uncast(branch[0].value);
  const isStatus = returned && returned.kind === 'name' && returned.name === status.name;
  const lines = isStatus
    ? [`return ${status.value};`]
    : [`${status.name} = ${status.value};`, ...branch.map((stmt) => textOf(file, stmt))];
  const kept = isSetNext(fn, at.siblings, index + 2, status.name)
    ? ''
    : `${lineEnding(file.text)}${indent}${status.name} = 0;`;
  return [
    {
      span: { start: test.start, end: next.end },
      newText: `${testText(file.text, indent, variable, lines)}${kept}`,
    },
  ];
}

function statusSet(branch: Stmt): { readonly name: string; readonly value: string } | null {
  const only = branch.kind === 'block' && branch.body.length === 1 ? branch.body[0]! : branch;
  if (
    only.kind !== 'expr' ||
    only.expr.kind !== 'assign' ||
    only.expr.op !== '=' ||
    only.expr.target.kind !== 'name'
  )
    return null;
  const value = uncast(only.expr.value);
  if (value.kind === 'number' && value.value !== null)
    return { name: only.expr.target.name, value: value.text };
  const isErrno = value.kind === 'unary' && value.op === '-' && value.operand.kind === 'name';
  return isErrno ? { name: only.expr.target.name, value: `-${value.operand.name}` } : null;
}

function isZeroText(value: string): boolean {
  return value === '0';
}

/** Whether the first that is done with a variable from a statement on is to set it. */
function isSetNext(fn: FunctionIr, siblings: readonly Stmt[], from: number, name: string): boolean {
  const first = siblings
    .slice(from)
    .find((stmt) => stmt.kind === 'label' || namesUnder(stmt).includes(name));
  if (
    first?.kind !== 'expr' ||
    first.expr.kind !== 'assign' ||
    first.expr.op !== '=' ||
    first.expr.target.kind !== 'name' ||
    first.expr.target.name !== name
  )
    return false;
  // A way that leaves before it would read the old value.
  const between = statementsOf(fn).filter(
    ({ stmt }) => stmt.start >= (siblings[from]?.start ?? 0) && stmt.end <= first.start,
  );
  return (
    between.every(({ stmt }) => stmt.kind !== 'goto' && stmt.kind !== 'return') &&
    !allExpressions(first).some(
      (expr) =>
        expr.kind === 'name' &&
        expr.name === name &&
        expr !== (first.expr.kind === 'assign' ? first.expr.target : null),
    )
  );
}

/** `if (p) { … } return ret;`: what the block does moves out of it, and the other way leaves. */
function unnested(
  { file, at, variable }: Allocated,
  test: IfStmt,
  none: 'then' | 'otherwise',
  index: number,
): Edit[] | null {
  const failed = none === 'then' ? test.then : test.otherwise;
  const succeeded = none === 'then' ? test.otherwise : test.then;
  if (!succeeded || succeeded.kind === 'if') return null;
  const lines = failed ? plainBranch(file, failed) : [];
  if (!lines || (failed && hasDeclaration(failed)) || hasDeclaration(succeeded)) return null;
  const rest = at.siblings.slice(index + 1);
  const leaving = failed && leaves(failed) ? [] : wayOut(file, at.parent === null, rest);
  if (!leaving) return null;
  const indent = indentAt(file.text, test.start);
  const body = outOfBlock(file, test, succeeded);
  if (body === null) return null;
  const first = testText(
    file.text,
    indent,
    variable,
    joined(
      lines.map((stmt) => textOf(file, stmt)),
      leaving,
    ),
  );
  const eol = lineEnding(file.text);
  const edits: Edit[] = [
    { span: test, newText: `${first}${body === '' ? '' : `${eol}${eol}${body}`}` },
  ];
  const only = rest.length === 1 && rest[0]!.kind === 'return' ? rest[0] : null;
  // What stood for the failure alone is reached no more.
  if (only && leaves(succeeded) && !namesLabel(succeeded))
    edits.push({ span: behindLines(file.text, test.end, only), newText: '' });
  return edits;
}

/** `ret = -ENOMEM;` and `return ret;` as one line. */
function joined(lines: readonly string[], leaving: readonly string[]): readonly string[] {
  const set = /^(\w+) = (.+);$/.exec(lines.at(-1) ?? '');
  return set && leaving[0] === `return ${set[1]};`
    ? [...lines.slice(0, -1), `return ${set[2]};`]
    : [...lines, ...leaving];
}

/**
 * How a path leaves that goes on behind the test: with the return that follows, or to the label
 * that does.
 */
function wayOut(
  file: FileIr,
  isOutermost: boolean,
  rest: readonly Stmt[],
): readonly string[] | null {
  const [next] = rest;
  if (!isOutermost || !next) return null;
  if (next.kind === 'label') return [`goto ${next.name};`];
  if (
    next.kind === 'return' &&
    !textOf(file, next).includes('\n') &&
    (!next.value || allExpressions(next).every((expr) => expr.kind !== 'call'))
  )
    return [plain(textOf(file, next))];
  return null;
}

function hasDeclaration(branch: Stmt): boolean {
  return (
    branch.kind === 'block' &&
    branch.body.some((stmt) => stmt.kind === 'decl' || stmt.kind === 'guard')
  );
}

function namesLabel(stmt: Stmt): boolean {
  return stmt.kind === 'block' && stmt.body.some((one) => one.kind === 'label');
}

/**
 * The statements of a branch as they stand one level further out; null where they do not have lines
 * of their own.
 */
function outOfBlock({ text }: FileIr, test: IfStmt, branch: Stmt): string | null {
  const eol = lineEnding(text);
  const unit = indentUnit(text);
  const outer = indentAt(text, test.start);
  if (branch.kind !== 'block')
    return text.slice(lineStart(text, branch.start), branch.start).trim() === ''
      ? outer + text.slice(branch.start, branch.end)
      : null;
  if (branch.body.length === 0) return '';
  const start = nextLine(text, branch.start);
  const end = lineStart(text, branch.end - 1);
  if (start > branch.body[0]!.start || end < branch.body.at(-1)!.end) return null;
  const lines = text.slice(start, end).split(/\r?\n/).slice(0, -1);
  return lines
    .map((line) =>
      line.startsWith(outer + unit) ? outer + line.slice(outer.length + unit.length) : line,
    )
    .join(eol);
}

function behindLines(text: string, from: number, stmt: Stmt): Span {
  const start = nextLine(text, from);
  return { start: start <= stmt.start ? start : stmt.start, end: nextLine(text, stmt.end) };
}
