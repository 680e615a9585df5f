/** The fix that releases on an error path what the path owes. */
import type { Edit } from '../../text/span.ts';
import type { FunctionIr, GotoStmt, Stmt } from '../../ir/types.ts';
import type { ModuleFacts } from '../../lifecycle/types.ts';
import type { Fix } from '../types.ts';
import { exitPlaceOf, returnAt } from '../exit-place.ts';
import { contains, documentOf, statementAt, walk } from '../locate.ts';
import { nameOfTaken, undoStatement, type Leaving } from '../resource-leaks.ts';
import { written } from '../wording.ts';
import { insertGuarded, returnedName } from './error-style.ts';
import { undoAtMacroUse } from './macro-use.ts';
import { replace } from './text.ts';
import { skipsCleanup, undoOnFailedTail } from './unwind.ts';

/**
 * Makes a failing path give back what it owes: by a label that does just that, else before the goto
 * or the return. Unsafe, because only a
 * person knows in which order things must go.
 */
export function giveBackFix(
  facts: ModuleFacts,
  { function: fn, site, owed, isAlways }: Leaving,
): Fix | null {
  const file = documentOf(facts.module, fn);
  if (file === null || site.path !== file.path || isAlways === false) return null;
  const latestFirst = [...owed].sort((left, right) => right.site.start - left.site.start);
  const undo = latestFirst.map((one) => undoStatement(facts, fn, one));
  if (undo.some((one) => one === null)) return null;
  const lines = undo as string[];
  const statement = statementAt(fn.body, site)?.statement;
  const fixOf = (title: string, edits: readonly Edit[] | null): Fix | null =>
    edits === null
      ? null
      : {
          title: `${title} (check the order of the unwinding)`,
          safety: 'unsafe',
          edits: [{ path: file.path, edits }],
        };
  if (statement?.kind === 'goto') {
    const label = labelThatAdds(file.text, fn, statement, lines);
    if (label !== null)
      return fixOf(`Go to ${label} instead`, [replace(statement.labelSpan, label)]);
    return fixOf(titleOf(lines), insertGuarded(file.text, fn, statement, lines));
  }
  const place = exitPlaceOf(facts, fn, site);
  if (place.kind === 'macro')
    return isAlways === true
      ? fixOf(titleOf(lines), undoAtMacroUse(facts, fn, place.use, lines))
      : null;
  const exit = statement?.kind === 'return' ? returnAt(fn, statement) : null;
  if (exit === null) return null;
  const label =
    isBare(fn, exit) &&
    exit.value !== null &&
    exit.value.kind === 'name' &&
    exit.value.name === returnedName(fn)
      ? labelThatDoes(file.text, fn, exit, lines)
      : null;
  if (label !== null) return fixOf(`Go to ${label} instead`, [replace(exit, `goto ${label};`)]);
  // The value of a call must be known before what it needs goes.
  if (
    exit.value !== null &&
    [...walk(exit.value)].some((node) => node.kind === 'call' && node.name !== 'PTR_ERR')
  ) {
    return lines.length > 1
      ? null
      : fixOf(titleOf(lines), undoOnFailedTail(file.text, fn, exit, lines[0]!));
  }
  const anchor = firstOfBranch(fn, exit);
  const isNeeded = owed.some((one) => isFreedBefore(facts, fn, one, anchor, exit));
  if (isAlways === true)
    return fixOf(titleOf(lines), insertGuarded(file.text, fn, isNeeded ? exit : anchor, lines));
  const name = returnedName(fn);
  if (exit.value?.kind !== 'name' || exit.value.name !== name || anchor !== exit) return null;
  // What the function undoes for this result already may end what the undoing needs.
  const before = statementAt(fn.body, exit)
    ?.siblings?.filter((one) => one.end <= exit.start)
    .at(-1);
  if (
    before?.kind === 'if' &&
    [...walk(before.condition)].some((node) => node.kind === 'name' && node.name === name)
  ) {
    const first = before.then.kind === 'block' ? before.then.body[0] : before.then;
    return before.condition.kind !== 'name' || before.otherwise !== null || first === undefined
      ? null
      : fixOf(titleOf(lines), insertGuarded(file.text, fn, first, lines));
  }
  return fixOf(
    titleOf(lines),
    insertGuarded(
      file.text,
      fn,
      exit,
      lines.length === 1
        ? [`if (${name})`, `\t${lines[0]!}`]
        : [`if (${name}) {`, ...lines.map((line) => `\t${line}`), '}'],
    ),
  );
}

/** Whether what lies between the two places still uses the memory that would be given back. */
function isFreedBefore(
  facts: ModuleFacts,
  fn: FunctionIr,
  resource: Leaving['owed'][number],
  from: Stmt,
  to: Stmt,
): boolean {
  const name = nameOfTaken(facts, resource);
  return (
    name !== null &&
    [...walk(fn.body)].some(
      (node) =>
        node.kind === 'name' &&
        node.name === name &&
        node.start >= from.start &&
        node.start < to.start,
    )
  );
}

function titleOf(lines: readonly string[]): string {
  return `Add ${lines.map((line) => line.slice(0, -1)).join(' and ')} here`;
}

/** A label from which the statements up to the goto's own label are just the wanted ones. */
function labelThatAdds(
  text: string,
  fn: FunctionIr,
  jump: GotoStmt,
  lines: readonly string[],
): string | null {
  const body = fn.body.body;
  const to = body.findIndex((one) => one.kind === 'label' && one.name === jump.label);
  let from = to;
  const wanted = new Set(lines);
  while (from > 0 && wanted.size > 0) {
    const before = body[from - 1]!;
    if (before.kind === 'expr' && wanted.has(textOf(text, before)))
      wanted.delete(textOf(text, before));
    else if (before.kind !== 'label') return null;
    from--;
  }
  const label = body[from - 1];
  return wanted.size === 0 && label?.kind === 'label' ? label.name : null;
}

/**
 * A label behind the return from which on all of the wanted statements stand, the first of them at
 * once.
 */
function labelThatDoes(
  text: string,
  fn: FunctionIr,
  exit: Stmt,
  lines: readonly string[],
): string | null {
  const body = fn.body.body;
  const at = body.findIndex(
    (one, i) =>
      one.kind === 'label' && one.start > exit.end && textOf(text, body[i + 1]) === lines[0],
  );
  const label = body[at];
  const behind = body.slice(at + 1).map((one) => textOf(text, one));
  return label?.kind === 'label' &&
    lines.every((line) => behind.includes(line)) &&
    !skipsCleanup(fn, exit, label.name)
    ? label.name
    : null;
}

function textOf(text: string, statement: Stmt | undefined): string {
  return statement === undefined ? '' : written(text, statement);
}

/** The return is all that its branch does. */
function isBare(fn: FunctionIr, exit: Stmt): boolean {
  const placed = statementAt(fn.body, exit);
  return placed !== null && (placed.siblings === null || placed.siblings.length === 1);
}

/**
 * The first statement of the block that a return ends, when the block is a branch, or behind the
 * last label: what is called there may end what the undoing needs.
 */
function firstOfBranch(fn: FunctionIr, exit: Stmt): Stmt {
  const placed = statementAt(fn.body, exit);
  const before = (placed?.siblings ?? []).filter((one) => one.start < exit.start);
  const label = before.findLastIndex((one) => one.kind === 'label');
  if (label >= 0) return before[label + 1] ?? exit;
  const first = placed?.siblings?.[0];
  const isBranch = [...walk(fn.body)].some(
    (node) =>
      node.kind === 'if' &&
      [node.then, node.otherwise].some(
        (arm) => arm?.kind === 'block' && arm.body[0] === first && contains(arm, exit),
      ),
  );
  return first !== undefined && first.kind !== 'decl' && isBranch ? first : exit;
}
