/**
 * The statements between an allocation and the call that initialises what it allocates: what is
 * taken over them, and what of them moves up with it.
 */
import { subStmts } from '../../ir/visit.ts';
import type { Span } from '../../text/span.ts';
import type { Expr, Stmt } from '../../ir/types.ts';
import { isValueOrTest } from '../../kernel/macros.ts';
import { isQuery } from '../../kernel/touches.ts';
import {
  expressionsIn,
  namesIn,
  namesUnder,
  ownExpressions,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { textOf } from '../refusal-error.ts';
import { placeInObject, type Scope } from '../../lifecycle/module/types-of.ts';
import { firstOf, mayMoveOver } from '../../lifecycle/footprint/order.ts';
import {
  footprintOfExpr,
  footprintOfStmt,
  type Footprint,
} from '../../lifecycle/footprint/footprint.ts';
import { placeOf } from '../../lifecycle/footprint/lvalues.ts';
import { isMacro, writtenOutStatement } from '../../lifecycle/footprint/macros.ts';
import { overlap, type Access, type Place } from '../../lifecycle/footprint/places.ts';
import { append } from '../../text/lists.ts';
import { withoutComments } from '../../text/lexical.ts';

/** Where a part of an expression gets its value behind the allocation. */
export type Setting =
  /** By an assignment that always runs; `at` is its index in the block. */
  | { readonly kind: 'value'; readonly value: Expr; readonly at: number }
  /** By something else, or nobody can tell. */
  | { readonly kind: 'changed'; readonly by: Access };

export interface Gap {
  /**
   * What a part of an expression gets its value from, when it is evaluated by statement `to` of the
   * block; null when nothing there touches it.
   */
  readonly settingOf: (part: Expr, to: number) => Setting | null;
  /**
   * The test before statement `to` that leaves, and asks for a variable that the expression needs;
   * null when there is none. Where `isSet`, the
   * expression is set as a whole behind the allocation, and nothing is followed for it.
   */
  readonly guardOf: (expr: Expr, to: number, isSet: boolean) => Span | null;
  /** Evaluating it once more, or earlier, makes no difference of its own. */
  readonly onlyLooks: (expr: Expr) => boolean;
  /** The statements that have been found to move up, in their order. */
  readonly raised: () => readonly Placed[];
  /** One of those gives a local a value. */
  readonly raisedSets: (name: string) => boolean;
}

interface Part extends Placed {
  readonly footprint: Footprint;
}

/** The gap between an allocation and statement `end` of its block. `variable` holds the object. */
export function gapBetween(scope: Scope, allocation: Placed, end: number, variable: string): Gap {
  const parts = allocation.siblings.slice(allocation.index + 1, end).map((stmt, i): Part => ({
    stmt,
    siblings: allocation.siblings,
    index: allocation.index + 1 + i,
    parent: allocation.parent,
    sole: false,
    conditional: false,
    footprint: footprintOfStmt(scope, stmt),
  }));
  const raised = new Set<Part>();
  const before = (to: number): Part[] =>
    parts.filter((part) => part.index < to && !raised.has(part));
  const settingOf = (part: Expr, to: number): Setting | null => {
    const reads = readsOf(scope, part);
    const isUnshared = isInObject(part, variable);
    for (const at of before(to).reverse()) {
      const writes =
        isUnshared && !isShared(parts, at, variable)
          ? at.footprint.writes.filter(({ place }) => !isOfOthers(place))
          : at.footprint.writes;
      const set = firstOf(scope, writes, reads);
      if (!set) continue;
      const value = assignedBy(scope, at.stmt, part);
      if (value) return { kind: 'value', value, at: at.index };
      const moving = movingWith(scope, parts, raised, at, variable);
      if (!moving || allocation.stmt.kind !== 'expr') return { kind: 'changed', by: set };
      for (const one of moving) raised.add(one);
    }
    return null;
  };
  return {
    settingOf,
    guardOf: (expr, to, isSet) => guardIn(scope, before(to), expr, variable, isSet),
    onlyLooks: (expr) => looks(footprintOfExpr(scope, expr)),
    raised: () => parts.filter((part) => raised.has(part)),
    raisedSets: (name) =>
      [...raised].some((part) =>
        part.footprint.writes.some(({ place }) => place.kind === 'local' && place.name === name),
      ),
  };
}

/** A member of the object itself: `foo->dev`, `foo->cfg.dev`. */
function isInObject(part: Expr, variable: string): boolean {
  const { root, path } = placeInObject(part);
  return part.kind === 'member' && path.length > 0 && isVariable(root, variable);
}

/**
 * Whether a statement can reach the object: it names it, or the object's address was stored or
 * handed on there or before, after the allocation.
 */
function isShared(parts: readonly Part[], at: Part, variable: string): boolean {
  if (usesVariable(at.stmt, at.footprint, variable)) return true;
  return parts.some(
    ({ index, footprint }) =>
      index <= at.index &&
      footprint.escapes.some(({ value }) => value === null || namesIn(value).includes(variable)),
  );
}

/** What code that was not given the object writes, or what any pointer may lead to. */
function isOfOthers(place: Place): boolean {
  return (
    place.kind === 'everything' ||
    place.kind === 'kernel' ||
    (place.kind === 'memory' && place.steps.length === 0 && place.leaf === null)
  );
}

function looks({ writes, mayFail, leaves, prints }: Footprint): boolean {
  return writes.length === 0 && !mayFail && !leaves && !prints;
}

/**
 * What a part reads itself: a variable or a member what it stands for, a call what it looks at
 * beside its arguments.
 */
function readsOf(scope: Scope, part: Expr): Footprint['reads'] {
  if (part.kind === 'call') {
    const own = isMacro(scope, part)
      ? 0
      : part.args.flatMap((arg) => footprintOfExpr(scope, arg).reads).length;
    return footprintOfExpr(scope, part).reads.slice(own);
  }
  if (part.kind === 'name' && isMacro(scope, part)) return footprintOfExpr(scope, part).reads;
  const place = placeOf(scope, part);
  return place ? [{ place, at: part }] : [];
}

/**
 * The value that a statement gives exactly to what `part` stands for; null when it does more, or
 * does it in another way.
 */
function assignedBy(scope: Scope, stmt: Stmt, part: Expr): Expr | null {
  if (stmt.kind === 'decl')
    return part.kind === 'name' && stmt.name === part.name && !stmt.isStatic ? stmt.init : null;
  if (stmt.kind !== 'expr' || stmt.expr.kind !== 'assign' || stmt.expr.op !== '=') return null;
  if (part.kind !== 'name' && part.kind !== 'member') return null;
  const { target, value } = stmt.expr;
  if (normal(textOf(scope.file, uncast(target))) !== normal(textOf(scope.file, part))) return null;
  // The value of an assignment in an assignment is set by more than one.
  return expressionsIn(value).some((inner) => inner.kind === 'assign' || inner.kind === 'update')
    ? null
    : value;
}

function normal(text: string): string {
  return withoutComments(text, '').replace(/\s/g, '');
}

/**
 * The statements that have to move in front of the allocation for `wanted` to do so: itself, and
 * those before it that it needs. Null when one of
 * them would make a difference there: it has to do with the object, does more than set variables of
 * the function, or one of those is
 * read on the way out that the allocation has when it fails.
 */
function movingWith(
  scope: Scope,
  parts: readonly Part[],
  raised: ReadonlySet<Part>,
  wanted: Part,
  variable: string,
): readonly Part[] | null {
  const moving = new Set<Part>([wanted]);
  const [test, ...rest] = parts;
  if (!test || wanted === test) return null;
  for (const part of [...rest].reverse()) {
    if (raised.has(part) || part.index > wanted.index) continue;
    if (moving.has(part)) {
      if (!mayMoveUp(part, variable) || firstOf(scope, part.footprint.writes, test.footprint.reads))
        return null;
      continue;
    }
    const needs = [...moving].filter(
      (one) =>
        one.index > part.index &&
        !mayMoveOver(scope, one.footprint, part.footprint, { isHarmlessWhereSkipped: true }),
    );
    if (needs.length > 0) moving.add(part);
    if (
      needs.length > 0 &&
      (!mayMoveUp(part, variable) || firstOf(scope, part.footprint.writes, test.footprint.reads))
    )
      return null;
    // On the way out that it has the function would read what is set now.
    if (part.footprint.leaves && [...moving].some((one) => one !== part && one.index > part.index))
      return null;
  }
  // What is not at the test of the allocation, but behind its label, reads what the test leads to.
  return [...moving].every((one) => !isReadElsewhere(scope, test.stmt, one))
    ? parts.filter((part) => moving.has(part))
    : null;
}

function mayMoveUp({ stmt, footprint }: Part, variable: string): boolean {
  if (stmt.kind !== 'expr' && stmt.kind !== 'if' && stmt.kind !== 'switch') return false;
  const { writes, leaves, mayFail, prints } = footprint;
  if (leaves || mayFail || prints || usesVariable(stmt, footprint, variable)) return false;
  return writes.every(({ place }) => place.kind === 'local');
}

/** Whether a statement names a variable, or reads or sets it through a macro. */
function usesVariable(stmt: Stmt, { reads, writes }: Footprint, variable: string): boolean {
  return (
    namesUnder(stmt).includes(variable) ||
    [...reads, ...writes].some(({ place }) => place.kind === 'local' && place.name === variable)
  );
}

/**
 * The way out of a failed allocation goes by a label, where a variable may be read that the
 * statement sets.
 */
function isReadElsewhere(scope: Scope, test: Stmt, part: Part): boolean {
  const target = lastOf(test);
  if (target?.kind !== 'goto') return false;
  const list = scope.fn.body.body;
  const at = list.findIndex((stmt) => stmt.kind === 'label' && stmt.name === target.label);
  if (at < 0) return true;
  return list
    .slice(at)
    .some(
      (stmt) => firstOf(scope, part.footprint.writes, footprintOfStmt(scope, stmt).reads) !== null,
    );
}

function lastOf(stmt: Stmt): Stmt | undefined {
  const inner = stmt.kind === 'if' ? stmt.then : stmt;
  return inner.kind === 'block' ? inner.body.at(-1) : inner;
}

/**
 * A statement that may leave after it has tested a variable that the expression uses, or anything
 * but the object (`variable`) where the expression
 * follows a pointer: what is behind it may rely on that.
 */
function guardIn(
  scope: Scope,
  parts: readonly Part[],
  expr: Expr,
  variable: string,
  isSet: boolean,
): Span | null {
  const needed = footprintOfExpr(scope, expr).reads;
  const follows =
    !isSet && needed.some(({ place }) => place.kind === 'memory' && place.fixed !== true);
  for (const { stmt, footprint } of parts) {
    if (!footprint.leaves) continue;
    const pending: Stmt[] = [writtenOutStatement(scope, stmt).code];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const found = testedBy(scope, next).find(
        (one) => !isVariable(one, variable) && (follows || isNeeded(scope, one, needed)),
      );
      if (found) return found;
      append(pending, subStmts(next));
    }
  }
  return null;
}

function isVariable(expr: Expr, name: string): boolean {
  return expr.kind === 'name' && expr.name === name;
}

function isNeeded(scope: Scope, asked: Expr, needed: Footprint['reads']): boolean {
  const place = placeOf(scope, asked);
  return place !== null && needed.some((read) => overlap(scope, place, read.place));
}

/** What a statement itself tests or evaluates. */
function testedBy(scope: Scope, stmt: Stmt): Expr[] {
  switch (stmt.kind) {
    case 'if':
      return askedIn(scope, stmt.condition);
    case 'switch':
      return askedIn(scope, stmt.value);
    case 'expr':
      return ownExpressions(stmt).flatMap((one) => askedIn(scope, one));
    default:
      return [];
  }
}

/**
 * The variables and members whose own value a condition asks for, not what they lead to, nor what
 * is handed to a call that does something.
 */
function askedIn(scope: Scope, condition: Expr): Expr[] {
  const asked: Expr[] = [];
  const pending: Expr[] = [condition];
  for (let expr = pending.pop(); expr; expr = pending.pop()) {
    const inner = uncast(expr);
    switch (inner.kind) {
      case 'name':
        asked.push(inner);
        break;
      case 'member':
      case 'index':
        asked.push(inner);
        break;
      case 'unary':
        if (inner.op !== '&' && inner.op !== '*') pending.push(inner.operand);
        break;
      case 'binary':
        pending.push(inner.left, inner.right);
        break;
      case 'conditional':
        append(pending, [inner.condition, ...(inner.then ? [inner.then] : []), inner.otherwise]);
        break;
      case 'comma':
        append(pending, inner.items);
        break;
      case 'assign':
        pending.push(inner.value);
        break;
      case 'call':
        if (
          inner.name !== null &&
          (isValueOrTest(inner.name) || isQuery(inner.name) || looks(footprintOfExpr(scope, inner)))
        )
          append(pending, inner.args);
        break;
      default:
        break;
    }
  }
  return asked;
}
