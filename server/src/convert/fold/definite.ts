/** Definite assignment: which variables have a value wherever they are read. */
import { buildCfg, type Cfg, type Instr } from '../../flow/cfg.ts';
import { solve } from '../../flow/dataflow.ts';
import type { Expr, FunctionIr, Stmt } from '../../ir/types.ts';
import { loopCursors } from '../../kernel/loop-macros.ts';
import { namesIn, uncast } from '../../lifecycle/module/statements.ts';

/** The variables that have a value at a point on every path to it; null where no path leads. */
export type Assigned = ReadonlySet<string> | null;

export interface AssignmentCheck {
  /** Tracked variables that may be read before they are given a value. */
  readonly early: ReadonlySet<string>;
  /** What is assigned at the end of the statements. */
  readonly out: Assigned;
}

/** What a check is asked of, and where it notes what is read too early. */
interface Check {
  readonly tracked: ReadonlySet<string>;
  /** The names that are read behind a goto that leaves the list; null for any. */
  readonly atGoto: (label: string) => readonly string[] | null;
  readonly early: Set<string>;
  readonly cfg: Cfg;
  /** Arguments that a loop macro sets. */
  readonly cursors: ReadonlySet<Expr>;
}

/**
 * Definite assignment over a list of statements of `fn`, for the `tracked` variables, over the
 * graph that they make. `atGoto` is asked for the names that are read behind a goto that leaves the
 * list.
 * @param entry what has a value at the start.
 */
export function checkAssignments(
  fn: FunctionIr,
  stmts: readonly Stmt[],
  tracked: ReadonlySet<string>,
  entry: Assigned,
  atGoto: (label: string) => readonly string[] | null,
): AssignmentCheck {
  const cfg = buildCfg({ ...fn, conditions: [], body: { ...fn.body, body: stmts } });
  const check: Check = { tracked, atGoto, early: new Set(), cfg, cursors: cursorsIn(cfg, tracked) };
  const at = solve<Assigned>(
    cfg,
    {
      bottom: null,
      join: meet,
      equal: (left, right) => left === right || (left !== null && left.size === right?.size),
      transfer: (id, value) => through(check, id, value),
    },
    'forward',
    entry,
  );
  // Only now is it known what every path to a point has set.
  check.early.clear();
  const out = cfg.blocks.map((block) => through(check, block.id, at[block.id]!));
  return { out: out[cfg.end]!, early: check.early };
}

function meet(left: Assigned, right: Assigned): Assigned {
  if (!left) return right;
  return right ? new Set([...left].filter((name) => right.has(name))) : left;
}

function through(check: Check, id: number, entry: Assigned): Assigned {
  const { instrs, terminator } = check.cfg.blocks[id]!;
  let at = entry;
  for (const instr of instrs) at = at && afterInstr(check, instr, at);
  if (at && terminator.kind === 'branch') at = evaluated(check, terminator.condition, at);
  if (at && terminator.kind === 'switch') at = evaluated(check, terminator.value, at);
  return at;
}

function afterInstr(check: Check, instr: Instr, at: ReadonlySet<string>): ReadonlySet<string> {
  switch (instr.kind) {
    case 'expr':
      return check.cursors.has(instr.expr)
        ? withNames(at, namesIn(instr.expr))
        : evaluated(check, instr.expr, at);
    case 'decl':
      return instr.decl.init
        ? withNames(evaluated(check, instr.decl.init, at), [instr.decl.name])
        : at;
    case 'result':
      return instr.value ? evaluated(check, instr.value, at) : at;
    case 'guard':
      return instr.isEntry
        ? instr.stmt.args.reduce((after, arg) => evaluated(check, arg, after), at)
        : at;
    case 'cleanup':
      read(check, [instr.decl.name], at);
      return at;
    case 'goto':
      if (!check.cfg.labels.has(instr.stmt.label)) leave(check, instr.stmt.label, at);
      return at;
    case 'unknown':
      read(check, instr.stmt.names, at);
      return at;
    default:
      return at;
  }
}

function leave(check: Check, label: string, at: ReadonlySet<string>): void {
  const names = check.atGoto(label);
  if (names !== null) read(check, names, at);
  else for (const name of check.tracked) check.early.add(name);
}

function read(check: Check, names: readonly string[], at: ReadonlySet<string>): void {
  for (const name of names) if (check.tracked.has(name) && !at.has(name)) check.early.add(name);
}

function withNames(at: ReadonlySet<string>, names: readonly string[]): ReadonlySet<string> {
  return new Set([...at, ...names]);
}

function evaluated(check: Check, expr: Expr, at: ReadonlySet<string>): ReadonlySet<string> {
  const inner = uncast(expr);
  switch (inner.kind) {
    case 'assign': {
      if (inner.target.kind !== 'name') break;
      const after = evaluated(check, inner.value, at);
      if (inner.op !== '=') read(check, [inner.target.name], after);
      return withNames(after, [inner.target.name]);
    }
    case 'call':
      return inner.args.reduce((after, arg) => given(check, arg, after), at);
    case 'binary': {
      const left = evaluated(check, inner.left, at);
      const right = evaluated(check, inner.right, left);
      // The second part of a test may be left out.
      return inner.op === '&&' || inner.op === '||' ? left : right;
    }
    case 'unary':
      return evaluated(check, inner.operand, at);
    case 'comma':
      return inner.items.reduce((after, item) => evaluated(check, item, after), at);
    default:
      break;
  }
  read(check, namesIn(inner), at);
  return at;
}

/** What is given the address of a variable is taken to set it. */
function given(check: Check, arg: Expr, at: ReadonlySet<string>): ReadonlySet<string> {
  const pointer = uncast(arg);
  return pointer.kind === 'unary' && pointer.op === '&' && pointer.operand.kind === 'name'
    ? withNames(at, [pointer.operand.name])
    : evaluated(check, arg, at);
}

/**
 * The arguments that loop macros set: of a macro that nobody knows, each variable that is tracked.
 */
function cursorsIn(cfg: Cfg, tracked: ReadonlySet<string>): ReadonlySet<Expr> {
  return new Set(
    cfg.blocks.flatMap(({ instrs }) =>
      instrs.flatMap((instr) => {
        if (instr.kind !== 'cursor') return [];
        const known = loopCursors(instr.macro);
        return instr.args.filter(
          (arg, index) =>
            arg.kind === 'name' && tracked.has(arg.name) && (known?.includes(index) ?? true),
        );
      }),
    ),
  );
}
