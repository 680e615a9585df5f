/** What a statement or an expression reads and writes, and how else it makes itself felt. */
import { subStmts } from '../../ir/visit.ts';
import type { CallExpr, Expr, Stmt } from '../../ir/types.ts';
import type { Span } from '../../text/span.ts';
import { ownExpressions, uncast } from '../module/statements.ts';
import type { Scope } from '../module/types-of.ts';
import { callEffects } from './calls.ts';
import { isConstantName, placeOf, pointeesOf } from './lvalues.ts';
import { calledMacro, objectMacro, type MacroUse } from './macros.ts';
import type { Access, Place } from './places.ts';
import { append } from '../../text/lists.ts';
import { spend } from '../../budget/work.ts';

export interface Effects {
  readonly reads: readonly Access[];
  readonly writes: readonly Access[];
  /**
   * Control may go elsewhere than behind it: a return, a jump out of it, a macro that may hold one.
   */
  readonly leaves: boolean;
  /**
   * It calls what may fail, or may give another result when it is asked again: an allocation, a
   * function that has effects.
   */
  readonly acts: boolean;
  readonly prints: boolean;
}

/** Collects the effects of code in the order in which it stands. */
export class Collector {
  readonly reads: Access[] = [];
  readonly writes: Access[] = [];
  leaves = false;
  acts = false;
  prints = false;
  /** Nesting of macros and functions, which is bounded. */
  readonly depth: number;
  constructor(depth: number) {
    this.depth = depth;
  }

  read(place: Place | null, at: Span): void {
    if (place) this.reads.push({ place, at });
  }

  write(place: Place | null, at: Span): void {
    if (place) this.writes.push({ place, at });
  }

  both(place: Place | null, at: Span): void {
    this.read(place, at);
    this.write(place, at);
  }

  /** Code that is not seen: it may do to all that it can reach what it likes. */
  unseen(at: Span): void {
    this.both({ kind: 'everything' }, at);
    this.acts = true;
  }

  /** Code that stands in the function and was not understood. */
  opaque(at: Span): void {
    this.unseen(at);
    this.both({ kind: 'locals' }, at);
    this.leaves = true;
  }
}

/** Macros in macros, and functions in functions, deeper than this are taken for unseen code. */
export const MAX_DEPTH = 12;

/** The effects of evaluating an expression in a function. */
export function effectsOfExpr(scope: Scope, expr: Expr): Effects {
  const out = new Collector(0);
  evaluate(scope, expr, out);
  return out;
}

/** The effects of a statement and all inside it. */
export function effectsOfStmt(scope: Scope, stmt: Stmt): Effects {
  const out = new Collector(0);
  collect(scope, [stmt], out);
  return out;
}

/** The effects of what a statement evaluates itself, without those of the statements inside it. */
export function effectsOfOwn(scope: Scope, stmt: Stmt): Effects {
  if (subStmts(stmt).length === 0) return effectsOfStmt(scope, stmt);
  const out = new Collector(0);
  for (const expr of ownExpressions(stmt)) evaluate(scope, expr, out);
  if (stmt.kind === 'loop' && stmt.form === 'macro') loopMacro(scope, stmt, out);
  if (stmt.kind === 'guard') out.unseen(stmt);
  return out;
}

/** The effects of statements that follow each other. A jump among them does not leave. */
export function effectsOfList(scope: Scope, list: readonly Stmt[], depth: number): Effects {
  const out = new Collector(depth);
  collect(scope, list, out);
  return out;
}

/** Loops that only walk a list, or the set bits or entries of something that they are given. */
const WALKS =
  /^(?:list_for_each|hlist_for_each|llist_for_each|for_each_(?:set|clear)_bit|xa_for_each|idr_for_each_entry)/;

function collect(scope: Scope, list: readonly Stmt[], out: Collector): void {
  spend(list.length);
  const labels = new Set<string>();
  const jumps: { readonly label: string; readonly at: Span }[] = [];
  const pending = list.map((stmt) => ({ stmt, inLoop: false, inSwitch: false })).reverse();
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { stmt } = next;
    switch (stmt.kind) {
      case 'return':
        out.leaves = true;
        break;
      case 'label':
        labels.add(stmt.name);
        break;
      case 'goto':
        jumps.push({ label: stmt.label, at: stmt });
        break;
      case 'break':
        if (!next.inLoop && !next.inSwitch) out.leaves = true;
        break;
      case 'continue':
        if (!next.inLoop) out.leaves = true;
        break;
      case 'unknown':
      case 'asm':
        out.opaque(stmt);
        break;
      case 'guard':
        out.unseen(stmt);
        for (const arg of stmt.args)
          for (const place of pointeesOf(scope, arg)) out.both(place, arg);
        break;
      case 'decl':
        if (stmt.init || stmt.cleanup !== null)
          out.write(
            placeOf(scope, {
              kind: 'name',
              name: stmt.name,
              start: stmt.nameSpan.start,
              end: stmt.nameSpan.end,
            }),
            stmt,
          );
        break;
      case 'loop':
        if (stmt.form === 'macro') loopMacro(scope, stmt, out);
        break;
      default:
        break;
    }
    if (stmt.kind === 'decl' && stmt.cleanup !== null) out.unseen(stmt);
    if (stmt.kind === 'expr') statementExpression(scope, stmt.expr, out);
    else
      for (const expr of ownExpressions(stmt.kind === 'loop' ? { ...stmt, init: [] } : stmt))
        evaluate(scope, expr, out);
    const inLoop = next.inLoop || stmt.kind === 'loop';
    const inSwitch = next.inSwitch || stmt.kind === 'switch';
    for (const inner of [...subStmts(stmt)].reverse())
      pending.push({ stmt: inner, inLoop, inSwitch });
  }
  if (jumps.some((jump) => !labels.has(jump.label))) out.leaves = true;
}

function loopMacro(scope: Scope, loop: Stmt & { kind: 'loop' }, out: Collector): void {
  if (!WALKS.test(loop.macro ?? '')) {
    out.opaque(loop);
    return;
  }
  // The cursors are set by it.
  for (const arg of loop.args) if (uncast(arg).kind === 'name') out.write(placeOf(scope, arg), arg);
  out.read({ kind: 'memory', steps: [], leaf: null }, loop);
}

/**
 * An expression that is a statement: a macro that no header of the module defines may be a
 * statement there.
 */
function statementExpression(scope: Scope, expr: Expr, out: Collector): void {
  const inner = uncast(expr);
  const name = inner.kind === 'call' || inner.kind === 'name' ? inner.name : null;
  const isMacro = name !== null && /^[A-Z_][A-Z0-9_]*$/.test(name) && !scope.locals.has(name);
  if (isMacro && isUnseenMacro(scope, inner)) out.opaque(inner);
  else evaluate(scope, expr, out);
}

function isUnseenMacro(scope: Scope, expr: Expr): boolean {
  if (expr.kind === 'name') return objectMacro(scope, expr.name) === null;
  return (
    expr.kind === 'call' &&
    callEffects(scope, expr, new Collector(0)) === 'unknown' &&
    calledMacro(scope, expr) === null
  );
}

/** Evaluates an expression: what it reads and writes goes to `out`. */
export function evaluate(scope: Scope, expr: Expr, out: Collector): void {
  spend(1);
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'type':
    case 'sizeof':
      return;
    case 'name':
      evaluateName(scope, expr, out);
      return;
    case 'member':
    case 'index':
      address(scope, expr, out);
      out.read(placeOf(scope, expr), expr);
      return;
    case 'unary':
      if (expr.op === '&') return address(scope, expr.operand, out);
      evaluate(scope, expr.operand, out);
      if (expr.op === '*') out.read(placeOf(scope, expr), expr);
      return;
    case 'assign':
      evaluate(scope, expr.value, out);
      address(scope, expr.target, out);
      if (expr.op !== '=') out.read(placeOf(scope, expr.target), expr.target);
      assign(scope, expr.target, out);
      return;
    case 'update':
      address(scope, expr.operand, out);
      out.read(placeOf(scope, expr.operand), expr.operand);
      assign(scope, expr.operand, out);
      return;
    case 'binary':
      evaluate(scope, expr.left, out);
      evaluate(scope, expr.right, out);
      return;
    case 'cast':
      evaluate(scope, expr.operand, out);
      return;
    case 'conditional':
      for (const part of [expr.condition, ...(expr.then ? [expr.then] : []), expr.otherwise])
        evaluate(scope, part, out);
      return;
    case 'comma':
      for (const item of expr.items) evaluate(scope, item, out);
      return;
    case 'initializer':
      for (const entry of expr.entries) evaluate(scope, entry.value, out);
      return;
    case 'statement-expression':
      collect(scope, expr.body, out);
      return;
    case 'unknown':
      out.opaque(expr);
      return;
    case 'call':
      evaluateCall(scope, expr, out);
      return;
  }
}

/**
 * A value is stored in what `target` stands for; in anything, when it stands for nothing that is
 * known.
 */
export function assign(scope: Scope, target: Expr, out: Collector): void {
  const place = placeOf(scope, target);
  if (place) out.write(place, target);
  else out.opaque(target);
}

/**
 * What has to be read to know where something lies: the pointers and the index on the way to it.
 */
function address(scope: Scope, expr: Expr, out: Collector): void {
  const inner = uncast(expr);
  switch (inner.kind) {
    case 'name': {
      const macro = objectMacro(scope, inner.name);
      if (macro) useMacro(scope, macro, inner, out);
      return;
    }
    case 'member':
      if (inner.arrow) evaluate(scope, inner.base, out);
      else address(scope, inner.base, out);
      return;
    case 'index':
      evaluate(scope, inner.index, out);
      if (isVariable(inner.base)) evaluate(scope, inner.base, out);
      else address(scope, inner.base, out);
      return;
    case 'unary':
      evaluate(scope, inner.operand, out);
      return;
    default:
      evaluate(scope, inner, out);
  }
}

function isVariable(expr: Expr): boolean {
  const inner = uncast(expr);
  return inner.kind === 'name' || inner.kind === 'member';
}

function evaluateName(scope: Scope, expr: Expr & { kind: 'name' }, out: Collector): void {
  const macro = objectMacro(scope, expr.name);
  if (macro) useMacro(scope, macro, expr, out);
  else if (!isConstantName(scope, expr.name)) out.read(placeOf(scope, expr), expr);
}

function useMacro(scope: Scope, macro: MacroUse, at: Expr, out: Collector): void {
  if (macro.kind === 'opaque' || out.depth > MAX_DEPTH) {
    out.opaque(at);
    return;
  }
  if (macro.kind === 'alias') return;
  const inner = new Collector(out.depth + 1);
  if (macro.body) evaluate(scope, macro.body, inner);
  for (const name of macro.names)
    evaluate(scope, { kind: 'name', name, start: at.start, end: at.end }, inner);
  take(inner, out);
}

/** Adds what one part does to the whole. */
export function take(part: Effects, out: Collector): void {
  append(out.reads, part.reads);
  append(out.writes, part.writes);
  out.leaves ||= part.leaves;
  out.acts ||= part.acts;
  out.prints ||= part.prints;
}

function evaluateCall(scope: Scope, call: CallExpr, out: Collector): void {
  const macro = calledMacro(scope, call);
  if (macro && macro.kind !== 'alias') {
    // What is written out for a parameter may be evaluated or not; the arguments are in the body.
    if (macro.kind === 'expression' && !macro.body)
      for (const arg of call.args) evaluate(scope, arg, out);
    useMacro(scope, macro, call, out);
    return;
  }
  const named = macro?.kind === 'alias' ? { ...call, name: macro.name } : call;
  if (callEffects(scope, named, out) === 'unknown') {
    for (const arg of call.args) evaluate(scope, arg, out);
    if (call.name === null) evaluate(scope, call.callee, out);
    out.unseen(call);
  }
}
