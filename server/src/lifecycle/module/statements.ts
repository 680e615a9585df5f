/** The statements of a function with where they are, and the expressions and names in them. */
import { isLog } from '../../kernel/heuristics.ts';
import { designatedArguments } from '../../kernel/casts.ts';
import { subExprs, subStmts } from '../../ir/visit.ts';
import type { CallExpr, Expr, FunctionIr, Stmt } from '../../ir/types.ts';
import { append } from '../../text/lists.ts';
import { spend } from '../../budget/work.ts';

/**
 * A statement with the place it stands at, so that an edit knows whether it can be taken out or
 * moved.
 */
export interface Placed {
  readonly stmt: Stmt;
  /**
   * The statements of the same block, in order; only itself when it is the body of an `if` or loop
   * without braces.
   */
  readonly siblings: readonly Stmt[];
  readonly index: number;
  /** The statement whose block this is in; null at the top of the function. */
  readonly parent: Placed | null;
  /**
   * It is the body of an `if` or a loop without braces: taking it out would change what follows.
   */
  readonly sole: boolean;
  /** It stands in an arm of an #if chain inside the function. */
  readonly conditional: boolean;
}

/** What was listed since `remembering` began; undefined outside of it. */
let listed:
  | {
      readonly statements: Map<FunctionIr, readonly Placed[]>;
      readonly expressions: Map<Stmt, readonly Expr[]>;
      readonly found: Map<(fn: FunctionIr) => unknown, Map<FunctionIr, unknown>>;
    }
  | undefined;

/**
 * Does work that asks for the statements of the same functions again and again, as each step of a
 * conversion does: they are listed once, and the lists go with the end of the work.
 */
export function remembering<T>(work: () => T): T {
  if (listed) return work();
  listed = { statements: new Map(), expressions: new Map(), found: new Map() };
  try {
    return work();
  } finally {
    listed = undefined;
  }
}

/** Every statement of a function in source order, outer before inner. */
export function statementsOf(fn: FunctionIr): readonly Placed[] {
  const all = listed?.statements.get(fn) ?? listStatements(fn);
  listed?.statements.set(fn, all);
  // Counted each time: what an answer costs does not depend on who asked before.
  spend(all.length);
  return all;
}

/** What `find` finds in a function, once for all who ask since `remembering` began. */
export function foundIn<T>(fn: FunctionIr, find: (fn: FunctionIr) => T): T {
  if (!listed) return find(fn);
  const known = listed.found.get(find) ?? new Map<FunctionIr, unknown>();
  listed.found.set(find, known);
  if (!known.has(fn)) known.set(fn, find(fn));
  return known.get(fn) as T;
}

/** Iterative: nesting has no bound. */
function listStatements(fn: FunctionIr): Placed[] {
  const all: Placed[] = [];
  const pending: Placed[] = [];
  const push = (
    list: readonly Stmt[],
    parent: Placed | null,
    sole: boolean,
    conditional: boolean,
  ): void => {
    for (let index = list.length - 1; index >= 0; index--) {
      pending.push({ stmt: list[index]!, siblings: list, index, parent, sole, conditional });
    }
  };
  push(fn.body.body, null, false, false);
  for (let place = pending.pop(); place; place = pending.pop()) {
    all.push(place);
    const { stmt, conditional } = place;
    const body = (inner: Stmt): void => {
      if (inner.kind === 'block') push(inner.body, place, false, conditional);
      else push([inner], place, true, conditional);
    };
    switch (stmt.kind) {
      case 'block':
        push(stmt.body, place, false, conditional);
        break;
      case 'if':
        if (stmt.otherwise) body(stmt.otherwise);
        body(stmt.then);
        break;
      case 'loop':
        body(stmt.body);
        break;
      case 'switch':
        body(stmt.body);
        break;
      case 'guard':
        if (stmt.body) body(stmt.body);
        break;
      case 'preproc':
        for (let arm = stmt.arms.length - 1; arm >= 0; arm--)
          push(stmt.arms[arm]!.body, place, false, true);
        break;
      default:
        break;
    }
  }
  return all;
}

/** The expressions that a statement evaluates itself, without those of the statements inside it. */
export function ownExpressions(stmt: Stmt): Expr[] {
  switch (stmt.kind) {
    case 'expr':
      return [stmt.expr];
    case 'decl':
      return stmt.init ? [stmt.init] : [];
    case 'if':
      return [stmt.condition];
    case 'loop':
      return [
        ...stmt.args,
        ...stmt.init.flatMap(ownExpressions),
        ...(stmt.condition ? [stmt.condition] : []),
        ...(stmt.step ? [stmt.step] : []),
      ];
    case 'switch':
      return [stmt.value];
    case 'case':
      return stmt.value ? [stmt.value] : [];
    case 'return':
      return stmt.value ? [stmt.value] : [];
    case 'guard':
      return [...stmt.args];
    default:
      return [];
  }
}

/**
 * An expression and all inside it, outer before inner, in source order; not what only names a
 * member or a tag. Iterative.
 */
export function expressionsIn(root: Expr): Expr[] {
  const all: Expr[] = [];
  const pending: Expr[] = [root];
  for (let expr = pending.pop(); expr; expr = pending.pop()) {
    all.push(expr);
    const children = childrenOf(expr);
    for (let index = children.length - 1; index >= 0; index--) pending.push(children[index]!);
  }
  return all;
}

/** The arguments of a call that are the name of a member or a tag, whatever else has that name. */
export function designators(call: CallExpr): readonly Expr[] {
  const places = call.name === null ? [] : designatedArguments(call.name);
  return places.length > 0 ? call.args.filter((_, index) => places.includes(index)) : [];
}

/** The parts of an expression in source order, those that only name something left out. */
function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'assign':
      return [expr.target, expr.value];
    case 'call': {
      const skipped = designators(expr);
      return [expr.callee, ...expr.args.filter((arg) => !skipped.includes(arg))];
    }
    case 'statement-expression':
      return expr.body.flatMap(ownExpressions);
    default:
      return subExprs(expr);
  }
}

/** Every expression that a statement evaluates itself, and all inside them. */
export function allExpressions(stmt: Stmt): readonly Expr[] {
  const known = listed?.expressions.get(stmt);
  if (known) return known;
  const all = ownExpressions(stmt).flatMap(expressionsIn);
  listed?.expressions.set(stmt, all);
  return all;
}

/**
 * The names that an expression mentions, those of what was not understood included; member and
 * label names are not.
 */
export function namesIn(expr: Expr): string[] {
  return expressionsIn(expr).flatMap((inner) => mentionedBy(inner));
}

/** The names that an expression mentions itself, beside those inside it. */
export function mentionedBy(expr: Expr): readonly string[] {
  if (expr.kind === 'name') return [expr.name];
  return expr.kind === 'unknown' ? expr.names : [];
}

/** The names that a statement mentions, those of the statements inside it included. */
export function namesUnder(root: Stmt): string[] {
  const names: string[] = [];
  const pending: Stmt[] = [root];
  for (let stmt = pending.pop(); stmt; stmt = pending.pop()) {
    for (const expr of ownExpressions(stmt)) append(names, namesIn(expr));
    if (stmt.kind === 'unknown' || stmt.kind === 'asm') append(names, stmt.names);
    append(pending, subStmts(stmt));
  }
  return names;
}

/**
 * The expression without the casts and, for a plain value, the parentheses the IR may keep around
 * it.
 */
export function uncast(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === 'cast') inner = inner.operand;
  return inner;
}

/** The expression is this variable, whatever it is cast to. */
export function isVariable(expr: Expr, name: string): boolean {
  const inner = uncast(expr);
  return inner.kind === 'name' && inner.name === name;
}

/** A statement that only writes to the log. */
export function isMessage(stmt: Stmt): boolean {
  return stmt.kind === 'expr' && stmt.expr.kind === 'call' && isLog(stmt.expr.name ?? '');
}
