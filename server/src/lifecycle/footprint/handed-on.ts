/**
 * The pointers that code hands to the kernel's functions, and those through which it stores bytes:
 * by itself, or by the functions and macros of the module that it hands them to first.
 */
import { measured, spend, spendAgain } from '../../budget/work.ts';
import { originalOf } from '../../ir/lower.ts';
import type { CallExpr, Expr, FunctionIr, MacroIr, Stmt, TypeName } from '../../ir/types.ts';
import { subStmts, walkExpr, walkExprs } from '../../ir/visit.ts';
import type { Span } from '../../text/span.ts';
import { append } from '../../text/lists.ts';
import { functionsNamed, type FunctionIn } from '../module/named-functions.ts';
import { allExpressions, statementsOf, uncast } from '../module/statements.ts';
import { scopeOf, type Scope } from '../module/types-of.ts';
import type { Module } from '../types.ts';
import {
  isMacro,
  leftMacro,
  macrosAt,
  mentionsMacros,
  writtenOutBody,
  writtenOutExpression,
} from './macros.ts';

/** What is done with a pointer. */
export interface Done {
  /** The function that gets it; null where bytes are stored through it. */
  readonly to: string | null;
  /** The position among the arguments of `to`. */
  readonly position: number;
}

/** A pointer, and what is done with it. */
interface HandedOn extends Done {
  /** The pointer, as the code whose footprint this is in writes it. */
  readonly pointer: Expr;
  /** The call or the assignment in that code. */
  readonly at: Span;
}

/** What a function or a macro does with one of its parameters. */
interface HandedParameter extends Done {
  readonly parameter: number;
}

/**
 * Whether a call itself does something with a pointer, by the function or macro that it calls: what
 * its arguments hand on when they are evaluated is theirs.
 * @param isDone whether what is done is wanted, asked before `isWanted`, whether the pointer is
 */
export function handsOn(
  scope: Scope,
  call: CallExpr,
  isDone: (what: Done) => boolean,
  isWanted: (pointer: Expr) => boolean,
): boolean {
  const { name } = call;
  // Nearly all calls are of functions of the kernel that do something else.
  if (name !== null && !isMacro(scope, call)) {
    const callees = functionsNamed(scope.module, scope.file, name);
    if (callees.length === 0 && !call.args.some((_, position) => isDone({ to: name, position })))
      return false;
  }
  const { code, scope: inside } = writtenOutExpression(scope, call);
  const found: HandedOn[] = [];
  if (code === call) ofCall(scope, call, found);
  else inExpression(inside, code, found);
  return found.some(
    (one) =>
      one.at.start === call.start &&
      one.at.end === call.end &&
      doneBy(inside, one).some(isDone) &&
      isWanted(one.pointer),
  );
}

/** What comes of a pointer that is handed on: what a function of the module does with it. */
function doneBy(
  { module, file }: Pick<Scope, 'module' | 'file'>,
  { to, position }: Done,
): readonly Done[] {
  const callees = to === null ? [] : functionsNamed(module, file, to);
  if (callees.length === 0) return [{ to, position }];
  return callees.flatMap((callee) =>
    parametersOf(module, callee).filter(({ parameter }) => parameter === position),
  );
}

/** What statements hand on, with all inside them. */
function inStatements(scope: Scope, list: readonly Stmt[], found: HandedOn[]): void {
  for (const stmt of list) walkExprs(stmt, (expr) => ofExpression(scope, expr, found));
}

function inExpression(scope: Scope, expr: Expr, found: HandedOn[]): void {
  walkExpr(expr, (part) => ofExpression(scope, part, found));
}

/** What an expression hands on beside its parts; false where these are not evaluated, or unknown. */
function ofExpression(scope: Scope, expr: Expr, found: HandedOn[]): boolean {
  spend(1);
  switch (expr.kind) {
    case 'sizeof':
      return false;
    case 'assign':
      ofStore(scope, expr.target, expr, found);
      return true;
    case 'update':
      ofStore(scope, expr.operand, expr, found);
      return true;
    case 'call':
      return ofCall(scope, expr, found);
    default:
      return true;
  }
}

/** Bytes are stored through a pointer. */
function ofStore(scope: Scope, target: Expr, at: Span, found: HandedOn[]): void {
  const pointer = bytesBehind(scope, target);
  if (pointer) found.push({ to: null, position: 0, pointer, at });
}

function ofCall(scope: Scope, call: CallExpr, found: HandedOn[]): boolean {
  const { name } = call;
  if (name === null || scope.locals.has(name)) return true;
  const macro = leftMacro(scope, call);
  if (macro !== null) {
    if (macro.kind === 'opaque') ofMacro(scope, call, found);
    return macro.kind !== 'opaque';
  }
  for (const [position, pointer] of call.args.entries())
    found.push({ to: name, position, pointer, at: call });
  return true;
}

/** What a macro does with its parameters is done with the arguments of a use of it. */
function ofParameters(
  call: CallExpr,
  parameters: readonly HandedParameter[],
  found: HandedOn[],
): void {
  for (const { to, position, parameter } of parameters) {
    const pointer = call.args[parameter];
    if (pointer) found.push({ to, position, pointer, at: call });
  }
}

/** Macros whose bodies are being looked through: one that names itself adds nothing. */
const looked = new Set<MacroIr>();

/** What a macro that cannot be written out hands on, by each of its definitions. */
function ofMacro(scope: Scope, call: CallExpr, found: HandedOn[]): void {
  for (const macro of macrosAt(scope, call)) {
    if (macro.params === null || looked.has(macro)) continue;
    const statements = macroStatements(macro);
    const locals = new Map(scope.locals);
    for (const name of macro.params) locals.set(name, null);
    for (const stmt of statements) if (stmt.kind === 'decl') locals.set(stmt.name, stmt.type);
    const inside: HandedOn[] = [];
    looked.add(macro);
    try {
      inStatements({ ...scope, locals }, macro.statements ?? [], inside);
      if (macro.body) inExpression({ ...scope, locals }, macro.body, inside);
    } finally {
      looked.delete(macro);
    }
    ofParameters(call, parametersHandedOn(inside, macro.params, statements), found);
  }
}

const known = new WeakMap<
  FunctionIr,
  { readonly module: Module; readonly parameters: readonly HandedParameter[] }
>();

/** What a function of a module does with its parameters: the same for as long as the module is. */
function parametersOf(module: Module, callee: FunctionIn): readonly HandedParameter[] {
  const before = knownOf(module, callee.fn);
  if (before) return before;
  const reached = reachedFrom(module, callee);
  const pending: { readonly one: Reached; readonly what: HandedParameter }[] = [];
  const add = (one: Reached, what: HandedParameter): void => {
    const key = keyOf(what);
    if (one.does.has(key)) return;
    one.does.set(key, what);
    pending.push({ one, what });
  };
  for (const one of reached.values())
    for (const { parameter, callees, ...done } of one.given) {
      if (callees.length === 0) add(one, { parameter, ...done });
      for (const { fn } of callees) {
        const inside = reached.get(fn);
        if (inside) inside.users.push({ one, parameter, position: done.position });
        for (const what of knownOf(module, fn) ?? [])
          if (what.parameter === done.position) add(one, { ...what, parameter });
      }
    }
  // What a function does is done by those that call it, each thing once: they may call one another.
  for (let next = pending.pop(); next; next = pending.pop())
    for (const { one, parameter, position } of next.one.users) {
      spend(1);
      if (position === next.what.parameter) add(one, { ...next.what, parameter });
    }
  for (const [fn, { does }] of reached) known.set(fn, { module, parameters: [...does.values()] });
  return knownOf(module, callee.fn)!;
}

function knownOf(module: Module, fn: FunctionIr): readonly HandedParameter[] | undefined {
  const before = known.get(fn);
  return before?.module === module ? before.parameters : undefined;
}

/** A function that is looked through. */
interface Reached {
  /** What it does itself, with the functions of the module that get the parameter. */
  readonly given: readonly (HandedParameter & { readonly callees: readonly FunctionIn[] })[];
  /** Those that give it one of their parameters, at a position. */
  readonly users: {
    readonly one: Reached;
    readonly parameter: number;
    readonly position: number;
  }[];
  /** What it does, as far as it is known by now. */
  readonly does: Map<string, HandedParameter>;
}

/** A function and all that its parameters come to, of those that are not known. */
function reachedFrom(module: Module, callee: FunctionIn): ReadonlyMap<FunctionIr, Reached> {
  const pending = [callee];
  const reached = new Map<FunctionIr, Reached>();
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { file, fn } = next;
    if (reached.has(fn) || knownOf(module, fn)) continue;
    const given = givenBy(scopeOf(module, file, fn)).map((one) => ({
      ...one,
      callees: one.to === null ? [] : functionsNamed(module, file, one.to),
    }));
    reached.set(fn, { given, users: [], does: new Map() });
    append(
      pending,
      given.flatMap(({ callees }) => callees),
    );
  }
  return reached;
}

/** The same for what is the same. */
function keyOf({ to, position, parameter }: HandedParameter): string {
  return `${to ?? ''} ${position} ${parameter}`;
}

/** By the function as it was lowered, with what it cost to find them. */
const plain = new WeakMap<
  FunctionIr,
  { readonly value: readonly HandedParameter[]; readonly spent: number }
>();

/** What a function itself does with its parameters: those without macros do it in any module. */
function givenBy(scope: Scope): readonly HandedParameter[] {
  if (mentionsMacros(scope)) return findGiven(scope);
  const root = originalOf(scope.fn);
  let found = plain.get(root);
  if (found) spendAgain(found.spent);
  else plain.set(root, (found = measured(() => findGiven(scope))));
  return found.value;
}

function findGiven(outside: Scope): readonly HandedParameter[] {
  const { fn } = outside;
  const found: HandedOn[] = [];
  const { code, scope } = writtenOutBody(outside);
  inStatements(scope, code.body, found);
  const params = fn.params.map((param) => param.name);
  const statements = statementsOf(fn).map(({ stmt }) => stmt);
  return parametersHandedOn(found, params, statements);
}

/**
 * The parameters that what is handed on inside a body comes from, whatever types and locals are on
 * the way.
 * @param statements the statements of the body
 */
function parametersHandedOn(
  handed: readonly HandedOn[],
  params: readonly string[],
  statements: readonly Stmt[],
): readonly HandedParameter[] {
  const found = new Map<string, HandedParameter>();
  if (handed.length === 0) return [];
  const aliases = aliasesIn(statements, params);
  for (const { to, position, pointer } of handed) {
    const root = pointerIn(pointer);
    if (root === null) continue;
    const parameter = params.indexOf(aliases.get(root) ?? root);
    if (parameter < 0) continue;
    const what = { to, position, parameter };
    found.set(keyOf(what), what);
  }
  return [...found.values()];
}

/**
 * The variable whose memory a pointer is in: `p`, `(u8 *)p + 4`, `&p[1]`; null for memory behind
 * another pointer.
 */
export function pointerIn(expr: Expr): string | null {
  let inner = uncast(expr);
  for (;;) {
    if (inner.kind === 'name') return inner.name;
    if (inner.kind === 'binary' && (inner.op === '+' || inner.op === '-'))
      inner = uncast(inner.left);
    else if (inner.kind === 'update') inner = uncast(inner.operand);
    else if (inner.kind === 'unary' && inner.op === '&') {
      const base = dereferenced(uncast(inner.operand));
      if (!base) return null;
      inner = uncast(base);
    } else return null;
  }
}

/** The pointer in `p[i]` and `*p`. */
export function dereferenced(expr: Expr): Expr | null {
  if (expr.kind === 'index') return expr.base;
  return expr.kind === 'unary' && expr.op === '*' ? expr.operand : null;
}

/**
 * The pointer whose bytes a store to `target` writes: `*bytes++`, `((u8 *)p)[i]`. What goes by the
 * type of a struct is told by that.
 */
function bytesBehind(scope: Scope, target: Expr): Expr | null {
  const pointer = dereferenced(uncast(target));
  if (!pointer) return null;
  const name = pointerIn(pointer);
  const type = castOf(pointer) ?? (name === null ? null : scope.locals.get(name));
  return type && type.keyword === null && type.pointers === 1 ? pointer : null;
}

/** The type that a pointer is cast to, inside of what is counted on it. */
function castOf(pointer: Expr): TypeName | null {
  let inner = pointer;
  for (;;) {
    if (inner.kind === 'cast') return inner.type;
    if (inner.kind === 'binary') inner = inner.left;
    else if (inner.kind === 'update') inner = inner.operand;
    else return null;
  }
}

/** Locals that are given what a parameter points to, in a chain of any length. */
function aliasesIn(
  statements: readonly Stmt[],
  params: readonly string[],
): ReadonlyMap<string, string> {
  const aliases = new Map<string, string>();
  for (const stmt of statements) {
    for (const { name, value } of givenIn(stmt)) {
      const root = pointerIn(value);
      const origin = root === null ? undefined : (aliases.get(root) ?? root);
      if (origin !== undefined && origin !== name && params.includes(origin))
        aliases.set(name, origin);
    }
  }
  return aliases;
}

/** The variables that a statement gives a value itself. */
function givenIn(stmt: Stmt): { readonly name: string; readonly value: Expr }[] {
  if (stmt.kind === 'decl' && stmt.init) return [{ name: stmt.name, value: stmt.init }];
  return allExpressions(stmt).flatMap((expr) =>
    expr.kind === 'assign' && expr.target.kind === 'name'
      ? [{ name: expr.target.name, value: expr.value }]
      : [],
  );
}

/** The statements of a macro's body and those inside them, outer before inner. */
function macroStatements(macro: MacroIr): Stmt[] {
  const found: Stmt[] = [];
  const pending: Stmt[] = [...(macro.statements ?? [])].reverse();
  for (let stmt = pending.pop(); stmt; stmt = pending.pop()) {
    found.push(stmt);
    append(pending, [...subStmts(stmt)].reverse());
  }
  return found;
}
