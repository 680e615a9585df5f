/**
 * Macros of a module where a function uses them: its statements and expressions with those of the
 * macros written out.
 */
import type { Span } from '../text/span.ts';
import { argumentsOf, substitute, type MacroUse } from './substitute.ts';
import type {
  BlockStmt,
  CallExpr,
  Expr,
  FunctionIr,
  LoopStmt,
  MacroIr,
  NameExpr,
  Stmt,
} from './types.ts';
import { walkExpr, walkExprs, walkStmt } from './visit.ts';

/** What a name stands for, as a macro, and the document that defines it. */
export interface Definition {
  readonly path: string;
  readonly macro: MacroIr;
}

export interface ExpandOptions {
  /** The macro of a name; null for a name that is not to be written out. */
  readonly macroOf: (name: string) => Definition | null;
  /**
   * Whether the nodes that stand at one use are to differ in where they start, by less than one:
   * what tells calls and values apart by their places needs it.
   */
  readonly isDistinct: boolean;
}

/** More nodes than this come from no macros that people write: the uses behind are left alone. */
const MAX_NODES = 8_000;
/** The nodes at one place differ by this in their start. */
const STEP = 1 / 100_000;
/** Macros deeper than this are none that a person writes. */
const MAX_DEPTH = 40;

interface Expander extends ExpandOptions {
  nodes: number;
  /** The parameters and local variables of the function, whose names are not a macro's. */
  readonly locals: ReadonlySet<string>;
}

/** The macros around what is looked at: none stands for itself in its own text. */
type Around = ReadonlySet<string>;
const NONE: Around = new Set();

/**
 * The function with the macros in it written out: tests, jumps, returns, assignments, labels,
 * declarations, the heads of loops, statement expressions. What a macro brings stands where it is
 * used, and says where it is written (`expansion`); arguments, and the statement under the head of
 * a loop, keep their places. A macro that cannot be written out stays a call.
 * @returns `fn` itself when it uses none.
 */
export function expandMacros(fn: FunctionIr, options: ExpandOptions): FunctionIr {
  const expander: Expander = { ...options, nodes: 0, locals: localNames(fn) };
  const body = statementOf(fn.body, expander, NONE);
  return body === fn.body || body.kind !== 'block' ? fn : { ...fn, body };
}

/**
 * A statement of a function with the macros in it written out, as `expandMacros` does it.
 * @param locals the parameters and local variables of the function
 * @returns `stmt` itself when it uses none.
 */
export function expandStatement(
  stmt: Stmt,
  locals: ReadonlySet<string>,
  options: ExpandOptions,
): Stmt {
  return statementOf(stmt, { ...options, nodes: 0, locals }, NONE);
}

/** An expression of a function with the macros in it written out, as `expandStatement` does it. */
export function expandExpression(
  expr: Expr,
  locals: ReadonlySet<string>,
  options: ExpandOptions,
): Expr {
  return expressionOf(expr, { ...options, nodes: 0, locals }, NONE);
}

function localNames(fn: FunctionIr): Set<string> {
  const names = new Set(fn.params.map((one) => one.name));
  walkStmt(fn.body, (stmt) => {
    if (stmt.kind === 'decl') names.add(stmt.name);
  });
  return names;
}

function statementOf(stmt: Stmt, expander: Expander, around: Around): Stmt {
  const list = statementsOf(stmt, expander, around);
  return list.length === 1
    ? list[0]!
    : ({ kind: 'block', start: stmt.start, end: stmt.end, body: list } satisfies BlockStmt);
}

/** A statement with what its macros bring, which may be several that declare something. */
function statementsOf(stmt: Stmt, expander: Expander, around: Around): readonly Stmt[] {
  if (around.size > MAX_DEPTH) return [stmt];
  if (stmt.kind === 'expr') {
    const use = statementUse(stmt.expr, expander, around);
    if (use) return listOf(use.list, expander, new Set([...around, use.name]));
  }
  if (stmt.kind === 'loop' && stmt.macro !== null) {
    const loop = loopOf(stmt, stmt.macro, expander, around);
    if (loop) return [statementOf(loop, expander, new Set([...around, stmt.macro]))];
  }
  return [partsOf(stmt, expander, around)];
}

function listOf(list: readonly Stmt[], expander: Expander, around: Around): readonly Stmt[] {
  const next = list.map((one) => statementsOf(one, expander, around));
  return next.every((one, i) => one.length === 1 && one[0] === list[i]) ? list : next.flat();
}

/** A node with its parts written out: itself where nothing in it is a macro. */
function partsOf<T extends Stmt | Expr>(node: T, expander: Expander, around: Around): T {
  let copy: Record<string, unknown> | null = null;
  const from = node as unknown as Readonly<Record<string, unknown>>;
  for (const key in from) {
    const part = from[key];
    if (typeof part !== 'object' || part === null || key === 'expansion') continue;
    const next = partOf(part, expander, around);
    if (next !== part) (copy ??= { ...from })[key] = next;
  }
  return (copy as unknown as T | null) ?? node;
}

function partOf(part: object, expander: Expander, around: Around): unknown {
  if (Array.isArray(part)) {
    if (part.length > 0 && part.every(isStatement)) return listOf(part, expander, around);
    const next = part.map((one: unknown) =>
      typeof one === 'object' && one !== null ? partOf(one, expander, around) : one,
    );
    return next.every((one, i) => one === part[i]) ? part : next;
  }
  if (isStatement(part)) return statementOf(part, expander, around);
  if (isExpression(part)) return expressionOf(part, expander, around);
  // An arm of an #if chain, or an entry of an initialiser.
  if ('body' in part || 'designators' in part)
    return partsOf(part as unknown as Stmt, expander, around);
  return part;
}

const STATEMENTS: ReadonlySet<string> = new Set<Stmt['kind']>([
  'expr',
  'decl',
  'if',
  'loop',
  'switch',
  'case',
  'label',
  'goto',
  'break',
  'continue',
  'return',
  'block',
  'guard',
  'preproc',
  'asm',
]);

function isStatement(part: unknown): part is Stmt {
  if (typeof part !== 'object' || part === null || !('kind' in part)) return false;
  const { kind } = part as { readonly kind: string };
  return STATEMENTS.has(kind) || (kind === 'unknown' && 'opaque' in part);
}

/** What has a kind and is no statement. */
function isExpression(part: object): part is Expr {
  return 'kind' in part && 'start' in part;
}

/** An expression with the macros in it written out. */
function expressionOf(expr: Expr, expander: Expander, around: Around): Expr {
  if (expr.kind === 'name') {
    const value = valueOf(expr, [], expander, around);
    return value ?? expr;
  }
  if (expr.kind !== 'call') return partsOf(expr, expander, around);
  const call = renamed(partsOf(expr, expander, around));
  return valueOf(call, call.args, expander, around) ?? call;
}

/** The callee may have been another name for a function. */
function renamed(call: CallExpr): CallExpr {
  const name = call.callee.kind === 'name' ? call.callee.name : null;
  return name === call.name ? call : { ...call, name };
}

/** What a macro that is an expression stands for at a use; null for anything else. */
function valueOf(
  use: NameExpr | CallExpr,
  args: readonly Expr[],
  expander: Expander,
  around: Around,
): Expr | null {
  const found = definitionOf(use, expander, around);
  if (found === null) return null;
  const { macro } = found;
  if (macro.body === null) return aliasOf(use, found, expander, around);
  const value = written(macro.body, use, args, found, expander);
  return value && expressionOf(value, expander, new Set([...around, macro.name]));
}

/** `#define foo_put vfio_put_device` */
function aliasOf(
  use: NameExpr | CallExpr,
  { macro }: Definition,
  expander: Expander,
  around: Around,
): Expr | null {
  if (use.kind !== 'name' || macro.params !== null || !/^[A-Za-z_]\w*$/.test(macro.bodyText))
    return null;
  const name: NameExpr = { ...use, name: macro.bodyText };
  return expressionOf(name, expander, new Set([...around, macro.name]));
}

/** The macro that an expression is a use of. */
function definitionOf(
  use: NameExpr | CallExpr,
  expander: Expander,
  around: Around,
): Definition | null {
  const { name } = use;
  if (name === null || around.has(name) || around.size > MAX_DEPTH || expander.locals.has(name))
    return null;
  const found = expander.macroOf(name);
  return found && (found.macro.params === null) === (use.kind === 'name') ? found : null;
}

/** The statements that a macro stands for where its use is a statement; null for anything else. */
function statementUse(
  expr: Expr,
  expander: Expander,
  around: Around,
): { readonly list: readonly Stmt[]; readonly name: string } | null {
  if (expr.kind !== 'call' && expr.kind !== 'name') return null;
  const found = definitionOf(expr, expander, around);
  if (!found?.macro.statements) return null;
  const args =
    expr.kind === 'call' ? expr.args.map((one) => expressionOf(one, expander, around)) : [];
  const list = written(found.macro.statements, expr, args, found, expander);
  return list && { list, name: found.macro.name };
}

/**
 * A part of a macro's text at a use of it.
 * @returns null when it has a form that cannot be written out, or too much is already.
 */
function written<T extends Expr | readonly Stmt[]>(
  part: T,
  at: Span,
  args: readonly Expr[],
  { macro, path }: Definition,
  expander: Expander,
): T | null {
  const given = argumentsOf(macro, args);
  if (given === null || expander.nodes > MAX_NODES) return null;
  const start = Math.trunc(at.start);
  const placed: MacroUse['placed'] = (node) => {
    expander.nodes++;
    return {
      start: expander.isDistinct ? start + expander.nodes * STEP : start,
      end: at.end,
      expansion: { macro: macro.name, path, start: node.start, end: node.end },
    };
  };
  const use = { at: { start, end: at.end }, ...given, placed };
  return substitute(part, { ...use, renamed: renames(part, use.values, expander, macro.name) });
}

/** What a macro declares is another variable than the one of that name around its use. */
function renames(
  part: Expr | readonly Stmt[],
  values: ReadonlyMap<string, Expr>,
  { locals }: Expander,
  macro: string,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const declared = (stmt: Stmt): void => {
    if (stmt.kind === 'decl' && !values.has(stmt.name) && locals.has(stmt.name))
      names.set(stmt.name, `${stmt.name}@${macro}`);
  };
  const inside = (expr: Expr): void => {
    if (expr.kind === 'statement-expression') for (const one of expr.body) walkStmt(one, declared);
  };
  if ('kind' in part) walkExpr(part, inside);
  else
    for (const stmt of part) {
      if (stmt.kind !== 'decl') walkStmt(stmt, declared);
      walkExprs(stmt, inside);
    }
  return names;
}

/**
 * The loop that a macro in front of a statement is the head of; null when it is none or has a form
 * that cannot be written out.
 */
function loopOf(stmt: LoopStmt, name: string, expander: Expander, around: Around): Stmt | null {
  const found = around.has(name) ? null : expander.macroOf(name);
  if (!found) return null;
  const head = { start: stmt.start, end: stmt.body.start };
  const args = stmt.args.map((one) => expressionOf(one, expander, around));
  if (found.macro.body) return renamedLoop(stmt, head, args, found, expander);
  if (!found.macro.statements || !isOpenEnded(found.macro.statements)) return null;
  const list = written(found.macro.statements, head, args, found, expander);
  if (!list) return null;
  const body = [...list.slice(0, -1), filled(list.at(-1)!, stmt.body)];
  return { kind: 'block', start: stmt.start, end: stmt.end, body };
}

/** `#define foo_for_each_port(foo, port) list_for_each_entry(port, &(foo)->ports, node)` */
function renamedLoop(
  stmt: LoopStmt,
  head: Span,
  args: readonly Expr[],
  found: Definition,
  expander: Expander,
): Stmt | null {
  const call = written(found.macro.body!, head, args, found, expander);
  return call?.kind === 'call' && call.name !== null && call.name !== stmt.macro
    ? { ...stmt, macro: call.name, args: call.args }
    : null;
}

/** Whether the last of the statements is a loop or a test that lacks its body. */
export function isOpenEnded(stmts: readonly Stmt[]): boolean {
  let last = stmts.at(-1);
  if (last?.kind !== 'loop') return false;
  while (last && !isHole(last)) {
    if (last.kind === 'if') last = last.otherwise ?? last.then;
    else if (last.kind === 'loop' && last.form !== 'do') last = last.body;
    else return false;
  }
  return true;
}

/** The empty statement that was read after the end of a macro: a block without its braces. */
function isHole(stmt: Stmt): boolean {
  return stmt.kind === 'block' && stmt.body.length === 0 && stmt.end - stmt.start < 2;
}

/**
 * An open-ended statement with what follows it as its last body. The copies that macros leave have
 * one place, so holes are told by what they lack.
 */
function filled(stmt: Stmt, body: Stmt): Stmt {
  if (stmt.kind === 'loop') return { ...stmt, end: body.end, body: filled(stmt.body, body) };
  if (stmt.kind !== 'if') return body;
  return stmt.otherwise
    ? { ...stmt, end: body.end, otherwise: filled(stmt.otherwise, body) }
    : { ...stmt, end: body.end, then: filled(stmt.then, body) };
}
