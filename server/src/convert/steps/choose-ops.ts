/** The step that chooses the ops table before a device is allocated. */
import type { Edit } from '../../text/span.ts';
import { indentUnit, lineEnding } from '../../text/style.ts';
import type { Expr, FileIr, FunctionIr, IfStmt, Stmt } from '../../ir/types.ts';
import { storedValue } from '../../ir/assigned.ts';
import type { Module } from '../../lifecycle/types.ts';
import { isAllocation, rootOf } from '../plan/allocation.ts';
import { plain } from '../plan/arguments.ts';
import {
  commentsAbove,
  indentAt,
  joinRemovals,
  lineStart,
  removalOf,
  wrapCall,
  type Removal,
} from '../rewrite/layout.ts';
import { firstOf } from '../../lifecycle/footprint/order.ts';
import { footprintOfExpr, footprintOfOwn } from '../../lifecycle/footprint/footprint.ts';
import { gapBetween } from '../plan/gap.ts';
import { namesIn, statementsOf, uncast, type Placed } from '../../lifecycle/module/statements.ts';
import { isLeftWithOneLine } from '../rewrite/edits.ts';
import { lineOf, refuse, textOf } from '../refusal-error.ts';
import { initsConcerning } from '../modules/concerned.ts';
import { assignmentsOf, type CallSite } from '../query/call-sites.ts';
import type { Scope } from '../../lifecycle/module/types-of.ts';
import { ownsLines } from './drop.ts';
import { callsBefore, decidedBy, type Decided } from './decided-before.ts';
import { earlierFor, type Earlier } from './earlier.ts';
import { impureCall, isPure } from './pure.ts';
import type { Remark } from '../plan/remarks.ts';
import type { Step } from './types.ts';
import { append } from '../../text/lists.ts';

/**
 * Several init calls with different ops tables, one in each branch of an `if`, become one: the
 * table is chosen first, in a local variable
 * set before the allocation, because vfio_alloc_device is given it there. Only where the choice can
 * be made before the allocation without
 * another effect.
 */
export const chooseOpsFirst: Step = (step) => {
  const { file } = step;
  const inits = initsConcerning(step).filter(
    (site) => site.scope.file === file && site.call.args.length === 3,
  );
  for (const fn of new Set(inits.map((site) => site.fn))) {
    if (fn.opaque) continue;
    const group = inits.filter((site) => site.fn === fn);
    const names = new Set(group.map((site) => rootOf(site.scope, site.target)?.name));
    // A variable that nothing declares is followed by nobody.
    if (group.length < 2 || names.size !== 1 || names.has(undefined)) continue;
    const result = chosen(step.input.module, file, fn, group);
    if (result) {
      return {
        edits: [
          {
            path: file.path,
            edits: result.edits.map((edit) => ({ ...edit, kind: 'allocation' as const })),
          },
        ],
        notes: result.notes,
        touched: [fn.name],
      };
    }
  }
  return null;
};

/** A choice between tables. */
type Choice =
  | { readonly kind: 'table'; readonly table: string; readonly site: CallSite }
  | {
      readonly kind: 'if';
      readonly stmt: IfStmt;
      readonly then: Choice;
      readonly otherwise: Choice;
      /** What stands for a test of a helper's result. */ readonly decided: Decided | null;
    };

function chosen(
  module: Module,
  file: FileIr,
  fn: FunctionIr,
  group: readonly CallSite[],
): { readonly edits: Edit[]; readonly notes: Remark[] } | null {
  const first = group[0]!;
  const variable = rootOf(first.scope, first.target)!.name;
  const values = assignmentsOf(fn, variable);
  const allocation = values.length === 1 && isAllocation(values[0]!.value) ? values[0]!.at : null;
  // Not this form: planConversion says what is in the way.
  if (!allocation || allocation.stmt.kind !== 'expr' || allocation.sole || allocation.conditional)
    return null;
  const tree = allocation.siblings
    .slice(allocation.index + 1)
    .find((stmt) =>
      group.every((site) => site.call.start >= stmt.start && site.call.end <= stmt.end),
    );
  const top = fn.body.body[0]!;
  if (
    tree?.kind !== 'if' ||
    ![tree, allocation.stmt, top.kind === 'decl' ? top.statement : top].every((span) =>
      ownsLines(file.text, span),
    )
  )
    return null;
  if (statementsOf(fn).some((at) => isDeeperThan(at, MAX_DEPTH)))
    severalInits(file, fn, group, 'The function is nested too deeply.', tree);
  for (const site of group) {
    const same =
      site.call.name === first.call.name &&
      [0, 1].every(
        (index) =>
          plain(textOf(file, site.call.args[index]!)) ===
          plain(textOf(file, first.call.args[index]!)),
      );
    if (!same || !site.whole)
      severalInits(
        file,
        fn,
        group,
        `The call at line ${lineOf(file, site.call.start)} differs not only in the ops table.`,
        site.call,
      );
  }
  const choice = choiceOf(file, fn, group, [tree], variable);
  const ifs = ifsOf(choice);
  const asked = ifs.flatMap((one) => (one.decided ? one.decided.asked : [one.stmt.condition]));
  const names = asked.flatMap(namesIn);
  const looked = earlierFor(file, fn, allocation, tree, names);
  const called =
    looked.length > 0 ? [] : callsBefore(module, file, fn, allocation, tree, names, variable);
  const helpers = ifs.flatMap((one) => (one.decided ? [one.decided.call] : []));
  const moves = new Set([
    ...[...looked, ...called].map((one) => one.stmt),
    ...helpers,
    ...group.map((site) => site.at.stmt),
  ]);
  checkConditions({ scope: first.scope, group, moves, allocation, tree, variable }, [
    ...asked,
    ...looked.map((one) => one.value),
  ]);
  return {
    edits: edits(file, fn, group, choice, [...looked, ...called], tree, allocation),
    notes: [
      `${fn.name}() now chooses the ops table before it allocates, because vfio_alloc_device() takes it.`,
      ...called.map(
        (one) =>
          `\`${plain(textOf(file, one.stmt))}\` is now before the allocation: the choice needs it, and no exit of ${fn.name}() undoes it.`,
      ),
    ].map((text) => ({
      text,
      site: { path: file.path, start: allocation.stmt.start, end: allocation.stmt.end },
    })),
  };
}

/** Far more than a person would write. */
const MAX_DEPTH = 100;

function isDeeperThan(at: Placed, limit: number): boolean {
  let outer = at.parent;
  for (let depth = 0; outer; depth++, outer = outer.parent) if (depth > limit) return true;
  return false;
}

function severalInits(
  file: FileIr,
  fn: FunctionIr,
  group: readonly CallSite[],
  why: string,
  at: { readonly start: number; readonly end: number },
): never {
  const lines = group.map((site) => lineOf(file, site.call.start)).join(', ');
  refuse(
    'several-inits',
    `${fn.name}() has ${group.length} calls of ${group[0]!.call.name ?? 'the init'}() (lines ${lines}) that lead to the same registration, and the choice between them cannot move up. ${why} Set a local variable to the ops table before the allocation, and initialise the device once.`,
    file,
    at,
  );
}

/** The choice that a list of statements makes: it holds one init, or one `if` whose branches do. */
function choiceOf(
  file: FileIr,
  fn: FunctionIr,
  group: readonly CallSite[],
  list: readonly Stmt[],
  variable: string,
): Choice {
  const holding = list.filter((stmt) =>
    group.some((site) => site.call.start >= stmt.start && site.call.end <= stmt.end),
  );
  const [stmt] = holding;
  if (holding.length !== 1 || !stmt)
    severalInits(
      file,
      fn,
      group,
      'Not every path has exactly one of them.',
      list[0] ?? fn.nameSpan,
    );
  const site = group.find((one) => one.at.stmt === stmt);
  if (site) {
    const table = uncast(site.call.args[2]!);
    if (table.kind !== 'unary' || table.op !== '&' || table.operand.kind !== 'name')
      severalInits(
        file,
        fn,
        group,
        `\`${plain(textOf(file, table))}\` is no ops table by name.`,
        table,
      );
    return { kind: 'table', table: textOf(file, table), site };
  }
  if (stmt.kind === 'block') return choiceOf(file, fn, group, stmt.body, variable);
  if (stmt.kind !== 'if' || !stmt.otherwise)
    severalInits(file, fn, group, 'Not every path has exactly one of them.', stmt);
  const branch = (inner: Stmt): Choice =>
    choiceOf(file, fn, group, inner.kind === 'block' ? inner.body : [inner], variable);
  return {
    kind: 'if',
    stmt,
    then: branch(stmt.then),
    otherwise: branch(stmt.otherwise),
    decided: decidedBy(file, stmt, list, variable),
  };
}

function ifsOf(choice: Choice): (Choice & { kind: 'if' })[] {
  return choice.kind === 'if' ? [choice, ...ifsOf(choice.then), ...ifsOf(choice.otherwise)] : [];
}

interface Moving {
  readonly scope: Scope;
  readonly group: readonly CallSite[];
  /** What goes, or stands before the allocation afterwards. */
  readonly moves: ReadonlySet<Stmt>;
  readonly allocation: Placed;
  readonly tree: IfStmt;
  readonly variable: string;
}

/**
 * What the choice depends on is known before the allocation, or can be with what moves up, stays
 * what it is, and can be asked without an effect.
 */
function checkConditions(moving: Moving, asked: readonly Expr[]): void {
  const { scope, group, allocation, tree, variable } = moving;
  const { file, fn } = scope;
  const end = allocation.siblings.indexOf(tree);
  const gap = gapBetween(scope, allocation, end, variable);
  for (const expr of asked) {
    const call = impureCall(file, expr);
    if (call)
      severalInits(
        file,
        fn,
        group,
        `It depends on \`${plain(textOf(file, call))}\`, which may have side effects.`,
        call,
      );
    if (!isPure(file, expr) || !gap.onlyLooks(expr))
      severalInits(file, fn, group, `\`${plain(textOf(file, expr))}\` has side effects.`, expr);
    if (namesIn(expr).includes(variable))
      severalInits(
        file,
        fn,
        group,
        `\`${plain(textOf(file, expr))}\` depends on the object itself.`,
        expr,
      );
    const guard = gap.guardOf(expr, end, false);
    if (guard)
      severalInits(
        file,
        fn,
        group,
        `Line ${lineOf(file, guard.start)} returns before \`${plain(textOf(file, expr))}\` is evaluated, which may rely on that.`,
        guard,
      );
    checkUnchanged(moving, expr);
  }
}

/**
 * Nothing between the allocation and where a condition is asked sets, or may change, what it reads.
 */
function checkUnchanged({ scope, group, moves, allocation, variable }: Moving, expr: Expr): void {
  const { file, fn } = scope;
  const { reads } = footprintOfExpr(scope, expr);
  for (const at of statementsOf(fn)) {
    const { stmt } = at;
    if (
      stmt.start < allocation.stmt.end ||
      stmt.start >= expr.start ||
      moves.has(stmt) ||
      isOtherBranch(at, expr)
    )
      continue;
    const { writes } = footprintOfOwn(scope, stmt);
    const read = reads.find((one) => firstOf(scope, writes, [one]) !== null);
    if (!read) continue;
    const isInside = read.at.start >= expr.start && read.at.end <= expr.end;
    const what = `\`${plain(textOf(file, isInside ? read.at : expr))}\``;
    const filler = fillerIn(stmt, variable);
    const advice =
      filler === null
        ? ''
        : ` ${filler}() takes the object, and its result decides. Split it: one function that decides, before the allocation, and one that fills in the object, after it.`;
    severalInits(
      file,
      fn,
      group,
      `It depends on ${what}, which line ${lineOf(file, stmt.start)} sets or may change after the allocation: \`${plain(textOf(file, stmt)).slice(0, 80)}\`.${advice}`,
      stmt,
    );
  }
}

/**
 * The statement stands in the first branch of an `if` whose other branch the expression stands in.
 */
function isOtherBranch(at: Placed, expr: Expr): boolean {
  const holds = (
    outer: Stmt | null,
    inner: { readonly start: number; readonly end: number },
  ): boolean => outer !== null && inner.start >= outer.start && inner.end <= outer.end;
  for (let outer = at.parent; outer; outer = outer.parent) {
    if (
      outer.stmt.kind === 'if' &&
      holds(outer.stmt.then, at.stmt) &&
      holds(outer.stmt.otherwise, expr)
    )
      return true;
  }
  return false;
}

/** The function whose result a statement keeps, and that is given the object. */
function fillerIn(stmt: Stmt, variable: string): string | null {
  const value = storedValue(stmt);
  const call = value && uncast(value);
  return call?.kind === 'call' && call.args.some((arg) => namesIn(arg).includes(variable))
    ? call.name
    : null;
}

function edits(
  file: FileIr,
  fn: FunctionIr,
  group: readonly CallSite[],
  choice: Choice,
  earlier: readonly Earlier[],
  tree: IfStmt,
  allocation: Placed,
): Edit[] {
  const { text, comments } = file;
  const eol = lineEnding(text);
  const unit = indentUnit(text);
  const ops =
    ['ops', 'vfio_ops', 'device_ops'].find((name) => !new RegExp(`\\b${name}\\b`).test(fn.text)) ??
    'chosen_ops';
  const fallback = lastTable(choice);
  const made: Edit[] = [];

  const top = lineStart(text, fn.body.body[0]!.start);
  made.push({
    span: { start: top, end: top },
    newText: `${unit}const struct vfio_device_ops *${ops} = ${fallback};${eol}`,
  });

  const gone = new Set<Stmt>(group.map((site) => site.at.stmt));
  const vanishes = isEmptied(tree, gone);
  const own = commentsAbove(text, comments, lineStart(text, tree.start));
  const indent = indentAt(text, allocation.stmt.start);
  const explained = vanishes
    ? own.map((comment) => `${indent}${textOf(file, comment)}${eol}`).join('')
    : '';
  const removals: Removal[] = [];
  const lines = earlier.map(({ stmt }) => {
    const removal = removalOf(text, comments, stmt);
    const start = lineStart(text, removal.above[0]?.start ?? stmt.start);
    append(removals, [removal, ...removal.above.map((comment) => removalOf(text, [], comment))]);
    return text.slice(start, removal.span.end);
  });
  const allocationLine = lineStart(
    text,
    commentsAbove(text, comments, lineStart(text, allocation.stmt.start))[0]?.start ??
      allocation.stmt.start,
  );
  made.push({
    span: { start: allocationLine, end: allocationLine },
    newText: `${lines.join('')}${explained}${written(file, choice, ops, fallback, indent, unit, eol)}${eol}`,
  });

  const treeLine = lineStart(text, own[0]?.start ?? tree.start);
  const [object, device] = group[0]!.call.args.map((arg) => plain(textOf(file, arg)));
  const depth = indent.startsWith('\t') ? indent.length * 8 : indent.length;
  made.push({
    span: { start: treeLine, end: treeLine },
    newText: `${indent}${wrapCall(group[0]!.call.name ?? '', [object!, device!, ops], ';', depth, indent, eol)}${eol}`,
  });
  if (vanishes) {
    const removal = removalOf(text, comments, tree);
    append(removals, [removal, ...removal.above.map((comment) => removalOf(text, [], comment))]);
  } else {
    append(made, pruned(file, tree, gone, removals));
  }
  return [...made, ...joinRemovals(text, removals).map((span) => ({ span, newText: '' }))];
}

function lastTable(choice: Choice): string {
  return choice.kind === 'table' ? choice.table : lastTable(choice.otherwise);
}

/** The choice as statements that set `ops`, which is `fallback` already. */
function written(
  file: FileIr,
  choice: Choice,
  ops: string,
  fallback: string,
  indent: string,
  unit: string,
  eol: string,
): string {
  if (choice.kind === 'table') return `${indent}${ops} = ${choice.table};${eol}`;
  const isDefault = (one: Choice): boolean =>
    one.kind === 'table' ? one.table === fallback : isDefault(one.then) && isDefault(one.otherwise);
  const condition = choice.decided
    ? `(${choice.decided.condition})`
    : textOf(file, choice.stmt.conditionSpan);
  const inner = (one: Choice): string =>
    written(file, one, ops, fallback, indent + unit, unit, eol);
  const block = (
    one: Choice,
  ): { readonly open: string; readonly body: string; readonly close: string } =>
    one.kind === 'if'
      ? { open: ' {', body: inner(one), close: `${indent}}` }
      : { open: '', body: inner(one), close: '' };
  if (isDefault(choice.then)) {
    const { open, body, close } = block(choice.otherwise);
    return `${indent}if (${choice.decided ? `!(${choice.decided.condition})` : negated(file, choice.stmt)})${open}${eol}${body}${close === '' ? '' : close + eol}`;
  }
  const then = block(choice.then);
  const head = `${indent}if ${condition}${then.open}${eol}${then.body}`;
  if (isDefault(choice.otherwise)) return `${head}${then.close === '' ? '' : then.close + eol}`;
  const otherwise =
    choice.otherwise.kind === 'if'
      ? `else ${written(file, choice.otherwise, ops, fallback, indent, unit, eol).slice(indent.length)}`
      : `else${eol}${inner(choice.otherwise)}`;
  return `${head}${then.close === '' ? indent : `${then.close} `}${otherwise}`;
}

function negated(file: FileIr, stmt: IfStmt): string {
  const { condition } = stmt;
  if (condition.kind === 'unary' && condition.op === '!') return textOf(file, condition.operand);
  const inner = textOf(file, {
    start: stmt.conditionSpan.start + 1,
    end: stmt.conditionSpan.end - 1,
  });
  return ['name', 'call', 'member', 'index'].includes(condition.kind) ? `!${inner}` : `!(${inner})`;
}

/** Nothing is left of a statement without the calls that go. */
function isEmptied(stmt: Stmt, gone: ReadonlySet<Stmt>): boolean {
  if (gone.has(stmt)) return true;
  if (stmt.kind === 'block') return stmt.body.every((inner) => isEmptied(inner, gone));
  return (
    stmt.kind === 'if' &&
    isEmptied(stmt.then, gone) &&
    (!stmt.otherwise || isEmptied(stmt.otherwise, gone))
  );
}

/**
 * Takes the calls out of an `if` that keeps other statements, and the branches that would be empty
 * with them. The branches of one chain keep their braces.
 */
function pruned(
  file: FileIr,
  stmt: Stmt,
  gone: ReadonlySet<Stmt>,
  removals: Removal[],
  isElse = false,
): Edit[] {
  const { text, comments } = file;
  if (gone.has(stmt) || (stmt.kind !== 'block' && isEmptied(stmt, gone))) {
    removals.push(removalOf(text, comments, stmt));
    return [];
  }
  if (stmt.kind === 'block')
    return stmt.body.flatMap((inner) => pruned(file, inner, gone, removals));
  if (stmt.kind !== 'if') return [];
  const { then, otherwise } = stmt;
  const bare = isElse ? null : bareBranches(file, stmt, gone, removals);
  if (bare)
    return [
      ...bare,
      ...[then, ...(otherwise ? [otherwise] : [])].flatMap((branch) =>
        isEmptied(branch, gone) ? [] : pruned(file, branch, gone, removals),
      ),
    ];
  if (!otherwise) return pruned(file, then, gone, removals);
  if (isEmptied(otherwise, gone))
    return [
      { span: { start: then.end, end: otherwise.end }, newText: '' },
      ...pruned(file, then, gone, removals),
    ];
  if (isEmptied(then, gone))
    return [
      {
        span: { start: stmt.conditionSpan.start, end: otherwise.start },
        newText: `(${negated(file, stmt)}) `,
      },
      ...pruned(file, otherwise, gone, removals, true),
    ];
  return [...pruned(file, then, gone, removals), ...pruned(file, otherwise, gone, removals, true)];
}

/**
 * The edits that leave an `if` its branches without braces, when each that stays is left with one
 * line, as kernel style writes it; null otherwise.
 */
function bareBranches(
  file: FileIr,
  stmt: IfStmt,
  gone: ReadonlySet<Stmt>,
  removals: Removal[],
): Edit[] | null {
  const { text } = file;
  const { then, otherwise } = stmt;
  const staying = [then, ...(otherwise ? [otherwise] : [])].filter(
    (branch) => !isEmptied(branch, gone),
  );
  const last = staying.at(-1);
  const open = { start: stmt.conditionSpan.end, end: then.start + 1 };
  const between = { start: then.end - 1, end: (otherwise?.start ?? then.end) + 1 };
  if (
    !last ||
    !staying.every((branch) => isLeftWithOneLine(file, branch, gone)) ||
    text.slice(open.start, open.end).trim() !== '{'
  )
    return null;
  if (otherwise && !/^\}\s*else\s*\{$/.test(text.slice(between.start, between.end))) return null;
  const close = removalOf(text, [], {
    start: last.end - 1,
    end: (last === then && otherwise ? otherwise : last).end,
  });
  if (!close.wholeLines) return null;
  removals.push(close);
  if (last === then) return [{ span: open, newText: '' }];
  if (staying.length === 1)
    return [
      {
        span: { start: stmt.conditionSpan.start, end: between.end },
        newText: `(${negated(file, stmt)})`,
      },
    ];
  return [
    { span: open, newText: '' },
    { span: between, newText: 'else' },
  ];
}
