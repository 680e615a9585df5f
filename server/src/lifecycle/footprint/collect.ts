/** Collects what code reads and writes, and how else it makes itself felt, part by part. */
import { onlyWalks } from '../../kernel/name-forms.ts';
import { subStmts } from '../../ir/visit.ts';
import type { CallExpr, Expr, Stmt } from '../../ir/types.ts';
import type { Span } from '../../text/span.ts';
import { ownExpressions, uncast } from '../module/statements.ts';
import type { Scope } from '../module/types-of.ts';
import { atomicChange } from '../../kernel/locks.ts';
import { callOfGuard } from '../interpret/guards.ts';
import { callEffects } from './calls.ts';
import type { Escape, Footprint } from './footprint.ts';
import { isConstantName, placeOf, pointeesOf } from './lvalues.ts';
import { leftMacro, type LeftMacro } from './macros.ts';
import { ANY_MEMORY, type Access, type Place } from './places.ts';
import { spend } from '../../budget/work.ts';

/** Collects the footprint of code in the order of its parts. */
export class Collector implements Footprint {
  readonly reads: Access[] = [];
  readonly writes: Access[] = [];
  readonly escapes: Escape[] = [];
  leaves = false;
  mayFail = false;
  prints = false;
  maySleep = false;
  changesAtomic = false;
  /** The calls so far from which on nothing may sleep, and those from which on something may. */
  private entered = 0;
  private left = 0;
  /** Guards whose block is around this code. */
  openGuards = 0;

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

  /** What a value leads to can be reached by others from now on. */
  escape(scope: Scope, value: Expr): void {
    for (const place of pointeesOf(scope, value)) this.escapes.push({ place, value });
  }

  /** Code that is not seen: it may do to all that it can reach what it likes. */
  unseen(at: Span): void {
    this.both({ kind: 'everything' }, at);
    this.mayFail = true;
  }

  /**
   * Paths that return early leave one region more than once: code is taken for whole when it leaves
   * as often as it enters, or more.
   */
  atomic(change: 'enters' | 'leaves'): void {
    if (change === 'enters') this.entered++;
    else this.left++;
    this.changesAtomic = this.entered === 0 || this.entered > this.left;
  }

  /** Code of the function that was not understood. */
  opaque(at: Span): void {
    this.unseen(at);
    this.maySleep = true;
    this.both({ kind: 'locals' }, at);
    this.escapes.push({ place: { kind: 'everything' }, value: null });
    this.leaves = true;
  }
}

/** Collects the footprint of statements that follow each other, whose macros are written out. */
export function collect(scope: Scope, list: readonly Stmt[], out: Collector): void {
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
        enterGuard(stmt, list.includes(stmt), out);
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
    if (stmt.kind === 'decl' && stmt.init) out.escape(scope, stmt.init);
    if (stmt.kind === 'decl' && stmt.cleanup !== null) {
      out.unseen(stmt);
      out.maySleep = true;
    }
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

/** A guard without a block of its own holds its lock until the block around it ends. */
function enterGuard(stmt: Stmt & { kind: 'guard' }, isOutermost: boolean, out: Collector): void {
  const name = callOfGuard(stmt, true)?.name ?? null;
  const change = name === null ? undefined : atomicChange(name);
  out.maySleep ||= change === undefined;
  if (change === undefined) return;
  out.atomic('enters');
  if (stmt.body === null && isOutermost) out.openGuards++;
  else out.atomic('leaves');
}

/** What the head of a loop that is a macro does. */
export function loopMacro(scope: Scope, loop: Stmt & { kind: 'loop' }, out: Collector): void {
  if (!onlyWalks(loop.macro ?? '')) {
    out.opaque(loop);
    return;
  }
  // The cursors are set by it.
  for (const arg of loop.args) if (uncast(arg).kind === 'name') out.write(placeOf(scope, arg), arg);
  out.read(ANY_MEMORY, loop);
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
  if (leftMacro(scope, expr) !== null) return false;
  return (
    expr.kind === 'name' ||
    (expr.kind === 'call' && callEffects(scope, expr, new Collector()) === 'unknown')
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
      out.escape(scope, expr.value);
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
      for (const entry of expr.entries) {
        evaluate(scope, entry.value, out);
        out.escape(scope, entry.value);
      }
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
    case 'name':
      if (leftMacro(scope, inner) !== null) evaluateName(scope, inner, out);
      return;
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
  const macro = leftMacro(scope, expr);
  if (macro?.kind === 'opaque') out.opaque(expr);
  else if (macro) evaluatePlain(scope, macro, expr, out);
  else if (!isConstantName(scope, expr.name)) out.read(placeOf(scope, expr), expr);
}

function evaluatePlain(
  scope: Scope,
  { names, readsMemory }: LeftMacro & { kind: 'plain' },
  at: Span,
  out: Collector,
): void {
  for (const name of names)
    if (!isConstantName(scope, name))
      out.read(placeOf(scope, { kind: 'name', name, start: at.start, end: at.end }), at);
  if (readsMemory) out.read(ANY_MEMORY, at);
}

function evaluateCall(scope: Scope, call: CallExpr, out: Collector): void {
  const macro = leftMacro(scope, call);
  if (macro?.kind === 'opaque') {
    out.opaque(call);
    return;
  }
  if (macro) {
    for (const arg of call.args) evaluate(scope, arg, out);
    evaluatePlain(scope, macro, call, out);
    return;
  }
  if (callEffects(scope, call, out) === 'unknown') {
    for (const arg of call.args) {
      evaluate(scope, arg, out);
      out.escape(scope, arg);
    }
    if (call.name === null) evaluate(scope, call.callee, out);
    out.unseen(call);
    out.maySleep = true;
  }
}
