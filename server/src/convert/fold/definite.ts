import type { Expr, Stmt } from '../../ir/types.ts';
import { namesIn, ownExpressions, uncast } from '../../lifecycle/statements.ts';
import { under } from './probe-shape.ts';

/** The variables that have a value at a point on every path to it; null where no path leads. */
export type Assigned = ReadonlySet<string> | null;

export interface AssignmentCheck {
  /** Tracked variables that may be read before they are given a value. */
  readonly early: ReadonlySet<string>;
  /** What is assigned at the end of the statements. */
  readonly out: Assigned;
}

const MAX_DEPTH = 120;

/**
 * Definite assignment over a list of statements, for the `tracked` variables. `atGoto` is asked for
 * the names that are read behind a goto
 * that leaves the list; labels in the list join what their gotos bring (all gotos go forward).
 * @param entry what has a value at the start.
 */
export function checkAssignments(
  stmts: readonly Stmt[],
  tracked: ReadonlySet<string>,
  entry: Assigned,
  atGoto: (label: string) => readonly string[] | null,
): AssignmentCheck {
  const early = new Set<string>();
  const labels = new Map<string, Assigned>();
  const local = new Set(
    stmts.flatMap(under).flatMap((stmt) => (stmt.kind === 'label' ? [stmt.name] : [])),
  );

  const read = (names: readonly string[], at: Assigned): void => {
    if (at) for (const name of names) if (tracked.has(name) && !at.has(name)) early.add(name);
  };
  const expression = (expr: Expr, at: Assigned): Assigned => {
    if (!at) return at;
    const inner = uncast(expr);
    if (inner.kind === 'assign' && inner.target.kind === 'name') {
      const after = expression(inner.value, at);
      if (inner.op !== '=') read([inner.target.name], after);
      return after && new Set([...after, inner.target.name]);
    }
    if (inner.kind === 'call') {
      let after: Assigned = at;
      for (const arg of inner.args) {
        const pointer = uncast(arg);
        // What is given the address of a variable is taken to set it.
        if (pointer.kind === 'unary' && pointer.op === '&' && pointer.operand.kind === 'name')
          after = after && new Set([...after, pointer.operand.name]);
        else after = expression(arg, after);
      }
      return after;
    }
    if (inner.kind === 'binary' && inner.op !== '&&' && inner.op !== '||')
      return expression(inner.right, expression(inner.left, at));
    if (inner.kind === 'binary') {
      const after = expression(inner.left, at);
      expression(inner.right, after);
      return after;
    }
    if (inner.kind === 'unary') return expression(inner.operand, at);
    if (inner.kind === 'comma')
      return inner.items.reduce<Assigned>((state, item) => expression(item, state), at);
    read(namesIn(inner), at);
    return at;
  };
  const meet = (left: Assigned, right: Assigned): Assigned => {
    if (!left) return right;
    return right ? new Set([...left].filter((name) => right.has(name))) : left;
  };
  const statement = (stmt: Stmt, at: Assigned, depth: number): Assigned => {
    if (depth > MAX_DEPTH) {
      for (const name of tracked) early.add(name);
      return at;
    }
    switch (stmt.kind) {
      case 'label':
        return meet(at, labels.get(stmt.name) ?? null);
      case 'goto':
        if (local.has(stmt.label)) labels.set(stmt.label, meet(labels.get(stmt.label) ?? null, at));
        else {
          const names = atGoto(stmt.label);
          if (names === null) for (const name of tracked) early.add(name);
          else read(names, at);
        }
        return null;
      case 'return':
        if (stmt.value) expression(stmt.value, at);
        return null;
      case 'break':
      case 'continue':
        return null;
      case 'block':
        return list(stmt.body, at, depth + 1);
      case 'decl': {
        const after = stmt.init ? expression(stmt.init, at) : at;
        return stmt.init && after ? new Set([...after, stmt.name]) : after;
      }
      case 'if': {
        const after = expression(stmt.condition, at);
        const then = statement(stmt.then, after, depth + 1);
        return meet(then, stmt.otherwise ? statement(stmt.otherwise, after, depth + 1) : after);
      }
      case 'loop': {
        let head = at;
        for (const init of stmt.init) head = statement(init, head, depth + 1);
        for (const arg of stmt.args) {
          // The cursor of a loop macro is set by it.
          if (arg.kind === 'name' && head && tracked.has(arg.name))
            head = new Set([...head, arg.name]);
          else head = expression(arg, head);
        }
        if (stmt.form === 'do') {
          const end = statement(stmt.body, head, depth + 1);
          return stmt.condition ? expression(stmt.condition, end ?? head) : end;
        }
        const tested = stmt.condition ? expression(stmt.condition, head) : head;
        const end = statement(stmt.body, tested, depth + 1);
        if (stmt.step) expression(stmt.step, end ?? tested);
        return tested;
      }
      case 'expr':
        return expression(stmt.expr, at);
      case 'switch':
        return meet(expression(stmt.value, at), statement(stmt.body, at, depth + 1));
      case 'guard':
        return stmt.body ? statement(stmt.body, at, depth + 1) : at;
      case 'preproc':
        return stmt.arms.map((arm) => list(arm.body, at, depth + 1)).reduce(meet, null);
      default: {
        let after = at;
        for (const expr of ownExpressions(stmt)) after = expression(expr, after);
        if (stmt.kind === 'unknown' || stmt.kind === 'asm') read(stmt.names, at);
        return after;
      }
    }
  };
  const list = (all: readonly Stmt[], at: Assigned, depth: number): Assigned =>
    all.reduce<Assigned>((state, stmt) => statement(stmt, state, depth), at);
  return { out: list(stmts, entry, 0), early };
}
