/**
 * A label that the conversion has left with nothing but a return: its gotos return themselves, and
 * it goes.
 */
import type { Edit, Span } from '../../../text/span.ts';
import type {
  Expr,
  FileIr,
  FunctionIr,
  GotoStmt,
  LabelStmt,
  ReturnStmt,
  Stmt,
} from '../../../ir/types.ts';
import { codeOf, joinRemovals, removalOf, type Removal } from '../layout.ts';
import {
  expressionsIn,
  statementsOf,
  uncast,
  type Placed,
} from '../../../lifecycle/module/statements.ts';
import { unusedIn } from '../unused.ts';
import { changedFunctions, functionBefore, type Change, type Pass } from './change.ts';
import { append } from '../../../text/lists.ts';

/**
 * Labels that stand one after the other in front of a return, none of which leads to anything else.
 */
interface Returning {
  readonly labels: readonly LabelStmt[];
  readonly exit: ReturnStmt;
  /** The statement in front of the labels goes on into them. */
  readonly entered: boolean;
}

export const returningLabels: Pass = (change) =>
  changedFunctions(change).flatMap((fn) => shortened(change, fn));

function shortened(change: Change, fn: FunctionIr): Edit[] {
  const { after: file } = change;
  const places = statementsOf(fn);
  if (fn.opaque || places.some(({ stmt }) => stmt.kind === 'unknown' || stmt.kind === 'asm'))
    return [];
  const edits: Edit[] = [];
  const removals: Removal[] = [];
  let written = '';
  for (const found of returningIn(fn)) {
    if (!isNew(change, fn, found) || hasComment(file, found) || !isSimple(fn, places, found.exit))
      continue;
    if (!found.labels.every((label) => isOnlyJumpedTo(change, fn, places, label.name))) continue;
    for (const at of places) {
      if (
        at.stmt.kind !== 'goto' ||
        !found.labels.some((label) => label.name === (at.stmt as GotoStmt).label)
      )
        continue;
      const left = leaveDirectly(file, at, found.exit);
      edits.push(left.edit);
      append(removals, left.removals);
      written += left.edit.newText;
    }
    const gone: readonly Stmt[] = found.entered ? found.labels : [...found.labels, found.exit];
    append(
      removals,
      gone.map((stmt) => removalOf(file.text, [], stmt)),
    );
  }
  if (edits.length === 0) return [];
  const unused = unusedIn(file, [fn], () => written, edits, removals);
  const spans = joinRemovals(file.text, [...removals, ...unused.removals]);
  return [
    ...edits.filter((edit) => !spans.some((span) => isInside(edit.span, span))),
    ...spans.map((span) => ({ span, newText: '' })),
  ];
}

function isInside(inner: Span, outer: Span): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

/** The labels at the end of ways out, in the outermost block of a function. */
function returningIn(fn: FunctionIr): Returning[] {
  const list = fn.body.body;
  const found: Returning[] = [];
  for (let at = 0; at < list.length; at++) {
    const labels: LabelStmt[] = [];
    const previous = list[at - 1];
    for (let stmt = list[at]; stmt?.kind === 'label'; stmt = list[++at]) labels.push(stmt);
    const exit = list[at];
    if (labels.length === 0 || exit?.kind !== 'return') continue;
    found.push({
      labels,
      exit,
      entered: !(previous?.kind === 'return' || previous?.kind === 'goto'),
    });
  }
  return found;
}

/**
 * The label led to more before, or had another name. One that the driver itself has for a return
 * stays.
 */
function isNew(change: Change, fn: FunctionIr, { labels }: Returning): boolean {
  const old = functionBefore(change, fn);
  return (
    !old ||
    !returningIn(old).some((item) =>
      item.labels.some((label) => labels.some((one) => one.name === label.name)),
    )
  );
}

function hasComment({ text, comments }: FileIr, { labels, exit }: Returning): boolean {
  const newline = text.indexOf('\n', exit.end);
  return comments.some(
    (comment) =>
      comment.start >= labels[0]!.start && comment.start < (newline < 0 ? text.length : newline),
  );
}

/**
 * What is returned is the same wherever it is written: nothing, a constant, or a variable of which
 * there is one.
 */
function isSimple(fn: FunctionIr, places: readonly Placed[], { value }: ReturnStmt): boolean {
  if (!value) return true;
  const names = expressionsIn(value).flatMap((expr) => (expr.kind === 'name' ? [expr.name] : []));
  const declared = (name: string): number =>
    places.filter(({ stmt }) => stmt.kind === 'decl' && stmt.name === name).length +
    fn.params.filter((param) => param.name === name).length;
  return (
    expressionsIn(value).every(
      (expr) =>
        expr.kind === 'name' ||
        expr.kind === 'number' ||
        expr.kind === 'unary' ||
        expr.kind === 'cast' ||
        isErrorCall(expr),
    ) && names.every((name) => declared(name) <= 1)
  );
}

function isErrorCall(expr: Expr): boolean {
  return (
    expr.kind === 'call' &&
    (expr.name === 'ERR_PTR' || expr.name === 'PTR_ERR' || expr.name === 'ERR_CAST')
  );
}

/** Gotos are all that names the label: no macro, no argument of one, no address. */
function isOnlyJumpedTo(
  { module }: Change,
  fn: FunctionIr,
  places: readonly Placed[],
  name: string,
): boolean {
  const word = new RegExp(`\\b${name}\\b`, 'g');
  const jumps = places.filter(({ stmt }) => stmt.kind === 'goto' && stmt.label === name).length;
  const inMacro = [...module.sources, ...module.headers].some((file) =>
    file.macros.some((macro) => new RegExp(`\\b${name}\\b`).test(macro.bodyText)),
  );
  return !inMacro && (codeOf(fn.text).match(word) ?? []).length === jumps + 1;
}

/**
 * `return ret;` in place of a goto, or the value itself where the statement in front of it sets
 * that.
 */
function leaveDirectly(
  file: FileIr,
  at: Placed,
  exit: ReturnStmt,
): { readonly edit: Edit; readonly removals: readonly Removal[] } {
  const { text } = file;
  const value = exit.value && uncast(exit.value);
  const set = at.siblings[at.index - 1];
  const plain = {
    edit: { span: at.stmt, newText: text.slice(exit.start, exit.end) },
    removals: [],
  };
  if (
    at.sole ||
    value?.kind !== 'name' ||
    set?.kind !== 'expr' ||
    set.expr.kind !== 'assign' ||
    set.expr.op !== '='
  )
    return plain;
  if (
    set.expr.target.kind !== 'name' ||
    set.expr.target.name !== value.name ||
    text.slice(set.end, at.stmt.start).trim() !== ''
  )
    return plain;
  const removal = removalOf(text, file.comments, set);
  if (!removal.wholeLines || removal.inside.length > 0) return plain;
  return {
    edit: {
      span: at.stmt,
      newText: `return ${text.slice(set.expr.value.start, set.expr.value.end)};`,
    },
    removals: [removal],
  };
}
