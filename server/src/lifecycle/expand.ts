import type { CallExpr, Expr, FunctionIr, Stmt } from '../ir/types.ts';
import { assignedParameters } from './module.ts';
import type { Module } from './types.ts';

/** Macros deeper than this are none that a person writes; what is not expanded is treated as unknown control flow. */
const MAX_DEPTH = 40;

/**
 * A function with the statements of those macros written out that jump or return: `CHECK_GOTO(register(p), err);` is control flow of the
 * function that uses it, which a call does not have. What comes from the macro stands where the call stands; the arguments keep their places.
 * @param leaving the macro of a name as a function, where its statements leave it; null for any other name.
 * @returns `fn` itself when it uses none.
 */
export function expandLeaving(fn: FunctionIr, leaving: (name: string) => FunctionIr | null): FunctionIr {
  const body = inStatement(fn.body, leaving, 0);
  return body === fn.body || body.kind !== 'block' ? fn : { ...fn, body };
}

const known = new WeakMap<Module, ReadonlySet<string>>();

/** The macros of a module whose statements name a jump or a return: hardly any module has one. */
export function leavingNames(module: Module): ReadonlySet<string> {
  let names = known.get(module);
  if (!names) {
    const macros = [...module.sources, ...module.headers].flatMap((file) => file.macros).filter((one) => one.params !== null && one.statements !== null);
    const leaving = new Set(macros.filter((one) => /\b(goto|return)\b/.test(one.bodyText)).map((one) => one.name));
    // What uses such a macro leaves too.
    for (let count = -1; leaving.size > 0 && count !== leaving.size;) {
      count = leaving.size;
      for (const { name, bodyText } of macros) if (bodyText.match(/[A-Za-z_]\w*(?=\s*\()/g)?.some((used) => leaving.has(used))) leaving.add(name);
    }
    known.set(module, (names = leaving));
  }
  return names;
}

/** The statement with the macros in it written out, itself when there are none. Only statements are looked into. */
function inStatement(stmt: Stmt, leaving: (name: string) => FunctionIr | null, depth: number): Stmt {
  if (depth > MAX_DEPTH) return stmt;
  if (stmt.kind === 'expr') {
    const body = stmt.expr.kind === 'call' ? written(stmt.expr, leaving) : null;
    return body === null ? stmt : inStatement(body, leaving, depth + 1);
  }
  let copy: Record<string, unknown> | null = null;
  const from = stmt as unknown as Record<string, unknown>;
  for (const key in from) {
    const part = from[key];
    const next = Array.isArray(part) ? all(part, leaving, depth) : isStatement(part) ? inStatement(part, leaving, depth + 1) : part;
    if (next !== part) (copy ??= { ...from })[key] = next;
  }
  return (copy as unknown as Stmt | null) ?? stmt;
}

function all(list: readonly unknown[], leaving: (name: string) => FunctionIr | null, depth: number): readonly unknown[] {
  const next = list.map((one) => (isStatement(one) ? inStatement(one, leaving, depth + 1) : one));
  return next.every((one, i) => one === list[i]) ? list : next;
}

const STATEMENTS: ReadonlySet<string> = new Set<Stmt['kind']>(['block', 'if', 'loop', 'switch', 'guard', 'expr']);

function isStatement(v: unknown): v is Stmt { return typeof v === 'object' && v !== null && 'kind' in v && STATEMENTS.has((v as { kind: string }).kind) && 'start' in v; }

/** The statements of the macro that a call uses, its parameters replaced; null when it is none or has a form that cannot be written out. */
function written(call: CallExpr, leaving: (name: string) => FunctionIr | null): Stmt | null {
  const macro = call.name === null ? null : leaving(call.name);
  if (macro === null || macro.params.length !== call.args.length) return null;
  const outs = assignedParameters(macro);
  const values = new Map(macro.params.map((one, i) => [one.name, { value: call.args[i]!, isOut: outs?.has(i) === true }]));
  const body = substituted(macro.body, values, call, 0);
  return body === undefined ? null : (body as Stmt);
}

/** What a parameter stands for. As a function the macro has a pointer to a variable that it assigns to (`isOut`); written out, the variable itself. */
interface Argument { readonly value: Expr; readonly isOut: boolean }

/** A copy of a part of a macro; undefined when it holds what was not understood. */
function substituted(part: unknown, values: ReadonlyMap<string, Argument>, at: CallExpr, depth: number): unknown {
  if (typeof part !== 'object' || part === null) return part;
  if (depth > MAX_DEPTH) return undefined;
  if (Array.isArray(part)) {
    const list = part.map((one) => substituted(one, values, at, depth + 1));
    return list.includes(undefined) ? undefined : list;
  }
  const from = part as Record<string, unknown>;
  const { kind } = from;
  if (kind === 'unknown' || kind === 'label' || kind === 'asm') return undefined;
  if (kind === 'name') { const argument = values.get(from['name'] as string); if (argument) return argument.value; }
  if (kind === 'unary' && from['op'] === '*') {
    const operand = from['operand'] as Expr;
    const argument = operand.kind === 'name' ? values.get(operand.name) : undefined;
    if (argument?.isOut) return argument.value;
  }
  const copy: Record<string, unknown> = {};
  for (const key in from) {
    const next = substituted(from[key], values, at, depth + 1);
    if (next === undefined && from[key] !== undefined) return undefined;
    copy[key] = next;
  }
  if (typeof from['start'] === 'number') { copy['start'] = at.start; copy['end'] = at.end; }
  if (kind === 'call') { const callee = copy['callee'] as Expr; copy['name'] = callee.kind === 'name' ? callee.name : from['name']; }
  if (kind === 'goto') {
    const label = values.get(from['label'] as string)?.value;
    if (label && label.kind !== 'name') return undefined;
    if (label) copy['label'] = label.name;
  }
  return copy;
}
