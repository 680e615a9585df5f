import type { CallExpr, Expr, FunctionIr, LoopStmt, MacroIr, Stmt } from '../ir/types.ts';
import type { Span } from '../text/span.ts';
import { assignedParameters } from './module.ts';
import type { Module } from './types.ts';
import { spend } from '../budget/work.ts';

/**
 * Macros deeper than this are none that a person writes; what is not expanded is treated as unknown
 * control flow.
 */
const MAX_DEPTH = 40;

/**
 * The macro of a name as a function (`ModuleIndex.macroFunction`); null for a name that is not to
 * be written out.
 */
type MacroOf = (name: string) => FunctionIr | null;

/**
 * A function with the statements of those macros written out that are control flow of the function
 * that uses them, which a call does not
 * have: those that jump or return, as `CHECK_GOTO(register(p), err);`, and the heads of loops, as
 * `foo_for_each_port(foo, i) stop(foo, i);`.
 * What comes from the macro stands where it is used; the arguments, and the statement under a
 * loop's head, keep their places.
 * @returns `fn` itself when it uses none.
 */
export function expandMacros(fn: FunctionIr, macroOf: MacroOf): FunctionIr {
  const body = inStatement(fn.body, macroOf, 0);
  return body === fn.body || body.kind !== 'block' ? fn : { ...fn, body };
}

interface FlowMacros {
  readonly leaving: ReadonlySet<string>;
  readonly flow: ReadonlySet<string>;
}

const known = new WeakMap<Module, FlowMacros>();

/** The macros of a module that jump or return, or use one that does: hardly any module has one. */
export function leavingNames(module: Module): ReadonlySet<string> {
  return flowMacrosOf(module).leaving;
}

/** Those, and the macros that may be the head of a loop. */
export function flowMacroNames(module: Module): ReadonlySet<string> {
  return flowMacrosOf(module).flow;
}

function flowMacrosOf(module: Module): FlowMacros {
  let found = known.get(module);
  if (!found) {
    const macros = [...module.sources, ...module.headers]
      .flatMap((file) => file.macros)
      .filter((one) => one.params !== null);
    const leaving = leavingAmong(macros.filter((one) => one.statements !== null));
    const heads = macros.filter((one) =>
      one.statements === null ? one.body?.kind === 'call' : isOpenEnded(one.statements),
    );
    known.set(
      module,
      (found = { leaving, flow: new Set([...leaving, ...heads.map((one) => one.name)]) }),
    );
  }
  return found;
}

function leavingAmong(macros: readonly MacroIr[]): ReadonlySet<string> {
  const leaving = new Set(
    macros.filter((one) => /\b(goto|return)\b/.test(one.bodyText)).map((one) => one.name),
  );
  if (leaving.size === 0) return leaving;
  const users = new Map<string, string[]>();
  for (const { name, bodyText } of macros) {
    for (const used of new Set(bodyText.match(/\b[A-Za-z_]\w*(?=\s*\()/g)))
      (users.get(used) ?? users.set(used, []).get(used)!).push(name);
  }
  // What uses such a macro leaves too. A set hands out what is added to it while it is walked.
  for (const name of leaving) for (const user of users.get(name) ?? []) leaving.add(user);
  return leaving;
}

/**
 * Whether the last of the statements is a loop or a test that lacks its body: `for (i = 0; i <
 * (p)->n; i++)`.
 */
function isOpenEnded(stmts: readonly Stmt[]): boolean {
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
 * The statement with the macros in it written out, itself when there are none. Only statements are
 * looked into.
 */
function inStatement(stmt: Stmt, macroOf: MacroOf, depth: number): Stmt {
  if (depth > MAX_DEPTH) return stmt;
  if (stmt.kind === 'expr') {
    const body = stmt.expr.kind === 'call' ? written(stmt.expr, macroOf) : null;
    return body === null ? stmt : inStatement(body, macroOf, depth + 1);
  }
  if (stmt.kind === 'loop' && stmt.macro !== null) {
    const loop = asLoop(stmt, stmt.macro, macroOf);
    if (loop) return inStatement(loop, macroOf, depth + 1);
  }
  let copy: Record<string, unknown> | null = null;
  const from = stmt as unknown as Record<string, unknown>;
  for (const key in from) {
    const part = from[key];
    const next = Array.isArray(part)
      ? all(part, macroOf, depth)
      : isStatement(part)
        ? inStatement(part, macroOf, depth + 1)
        : part;
    if (next !== part) (copy ??= { ...from })[key] = next;
  }
  return (copy as unknown as Stmt | null) ?? stmt;
}

function all(list: readonly unknown[], macroOf: MacroOf, depth: number): readonly unknown[] {
  const next = list.map((one) => (isStatement(one) ? inStatement(one, macroOf, depth + 1) : one));
  return next.every((one, i) => one === list[i]) ? list : next;
}

const STATEMENTS: ReadonlySet<string> = new Set<Stmt['kind']>([
  'block',
  'if',
  'loop',
  'switch',
  'guard',
  'expr',
]);

function isStatement(v: unknown): v is Stmt {
  return (
    typeof v === 'object' &&
    v !== null &&
    'kind' in v &&
    STATEMENTS.has((v as { kind: string }).kind) &&
    'start' in v
  );
}

/**
 * The statements of the macro that a call uses, its parameters replaced; null when it is none or
 * has a form that cannot be written out.
 */
function written(call: CallExpr, macroOf: MacroOf): Stmt | null {
  const macro = call.name === null ? null : macroOf(call.name);
  // A macro that is an expression is a call like any other.
  const use = macro && macro.returnType.name === 'void' ? useOf(macro, call.args, call) : null;
  return macro && use ? ((substituted(macro.body, use, 0) as Stmt | undefined) ?? null) : null;
}

/**
 * The loop that a macro in front of a statement is the head of; null when it is none or has a form
 * that cannot be written out.
 */
function asLoop(stmt: LoopStmt, name: string, macroOf: MacroOf): Stmt | null {
  const macro = macroOf(name);
  const head = { start: stmt.start, end: stmt.body.start };
  const use = macro ? useOf(macro, stmt.args, head) : null;
  if (!macro || !use) return null;
  const [only] = macro.body.body;
  if (only?.kind === 'return' && only.value?.kind === 'call' && only.value.name !== name) {
    // `#define foo_for_each_port(foo, port) list_for_each_entry(port, &(foo)->ports, node)`
    const call = substituted(only.value, use, 0) as CallExpr | undefined;
    return call && call.name !== null ? { ...stmt, macro: call.name, args: call.args } : null;
  }
  if (!isOpenEnded(macro.body.body)) return null;
  const body = substituted(macro.body, use, 0) as (Stmt & { kind: 'block' }) | undefined;
  return body
    ? { ...body, body: [...body.body.slice(0, -1), filled(body.body.at(-1)!, stmt.body)] }
    : null;
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

/** What a use of a macro gives its parameters, and where it stands. */
interface Use {
  readonly at: Span;
  readonly values: ReadonlyMap<string, Expr>;
  /**
   * Parameters that the function which stands for the macro has as pointers (`assignedParameters`).
   */
  readonly pointers: ReadonlySet<string>;
}

function useOf(macro: FunctionIr, args: readonly Expr[], at: Span): Use | null {
  if (macro.params.length !== args.length) return null;
  const pointers = new Set(
    [...(assignedParameters(macro) ?? [])].map((index) => macro.params[index]!.name),
  );
  return {
    at,
    values: new Map(macro.params.map((one, index) => [one.name, args[index]!])),
    pointers,
  };
}

/**
 * A copy of a part of a macro; undefined when it holds what was not understood. Macros that use
 * each other twice double it: it counts.
 */
function substituted(part: unknown, use: Use, depth: number): unknown {
  spend(1);
  if (typeof part !== 'object' || part === null) return part;
  if (depth > MAX_DEPTH) return undefined;
  if (Array.isArray(part)) {
    const list = part.map((one) => substituted(one, use, depth + 1));
    return list.includes(undefined) ? undefined : list;
  }
  const from = part as Record<string, unknown>;
  const { values, at } = use;
  const { kind } = from;
  const pointed = kind === 'unary' && from['op'] === '*' ? (from['operand'] as Expr) : null;
  if (pointed?.kind === 'name' && use.pointers.has(pointed.name)) return values.get(pointed.name);
  if (kind === 'unknown' || kind === 'label' || kind === 'asm') return undefined;
  if (kind === 'name') {
    const value = values.get(from['name'] as string);
    if (value) return value;
  }
  const copy: Record<string, unknown> = {};
  for (const key in from) {
    const next = substituted(from[key], use, depth + 1);
    if (next === undefined && from[key] !== undefined) return undefined;
    copy[key] = next;
  }
  if (typeof from['start'] === 'number') {
    copy['start'] = at.start;
    copy['end'] = at.end;
  }
  if (kind === 'call') {
    const callee = copy['callee'] as Expr;
    copy['name'] = callee.kind === 'name' ? callee.name : from['name'];
  }
  if (kind === 'goto') {
    const label = values.get(from['label'] as string);
    if (label && label.kind !== 'name') return undefined;
    if (label) copy['label'] = label.name;
  }
  return copy;
}
