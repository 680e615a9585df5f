/**
 * Macros of a module where a function uses them: its statements and expressions with those of the
 * macros written out.
 */
import type { Condition } from '../syntax/node.ts';
import { append } from '../text/lists.ts';
import type { Span } from '../text/span.ts';
import type { Names } from '../text/words.ts';
import { cleanupOfMacros } from './attributes.ts';
import { barrierOf, readMacroText, type MacroText } from './barrier.ts';
import { argumentsOf, substitute, type MacroUse } from './substitute.ts';
import type {
  BlockStmt,
  CallExpr,
  CodeNode,
  DeclStmt,
  Expr,
  FunctionIr,
  LoopStmt,
  MacroIr,
  NameExpr,
  PreprocStmt,
  Stmt,
} from './types.ts';
import { isStatement, walkExpr, walkExprs, walkStmt } from './visit.ts';

/** What a name stands for, as a macro, and the document that defines it. */
export interface Definition {
  readonly path: string;
  readonly macro: MacroIr;
}

export interface ExpandOptions {
  /**
   * The macros of a name, of which each configuration has one; none for a name that is not to be
   * written out.
   */
  readonly macrosOf: (name: string) => readonly Definition[];
  /** The conditions of each function that has the name of a macro in other configurations. */
  readonly functionsOf: (name: string) => readonly (readonly Condition[])[];
  /**
   * Where the identities of what macros bring begin; null where nobody has to tell apart what
   * stands at one use.
   */
  readonly identities: number | null;
}

/** More nodes than this come from no macros that people write: the uses behind are left alone. */
const MAX_NODES = 8_000;
/** Macros deeper than this are none that a person writes. */
const MAX_DEPTH = 40;

interface Expander extends ExpandOptions {
  nodes: number;
  /** The parameters and local variables of the function, whose names are not a macro's. */
  readonly locals: Names;
  readonly labels: ReadonlySet<string>;
}

/** The macros around what is looked at: none stands for itself in its own text. */
type Around = ReadonlySet<string>;
const NONE: Around = new Set();

/**
 * The function with the macros in it written out: tests, jumps, returns, assignments, labels,
 * declarations, the heads of loops, statement expressions. What a macro brings stands where it is
 * used, and says where it is written (`expansion`); arguments, and the statement under the head of
 * a loop, keep their places. Of a macro with several definitions each is an #if arm. What cannot be
 * written out is a barrier (barrier.ts), and stays a call where its value is used.
 * @returns `fn` itself when it uses none.
 */
export function expandMacros(fn: FunctionIr, options: ExpandOptions): FunctionIr {
  const expander: Expander = { ...options, nodes: 0, ...namesIn(fn) };
  const body = statementOf(fn.body, expander, NONE);
  return body === fn.body || body.kind !== 'block' ? fn : { ...fn, body };
}

/**
 * A statement of a function with the macros in it written out, as `expandMacros` does it.
 * @param locals the parameters and local variables of the function
 * @returns `stmt` itself when it uses none.
 */
export function expandStatement(stmt: Stmt, locals: Names, options: ExpandOptions): Stmt {
  return statementOf(stmt, { ...options, nodes: 0, locals, labels: NO_LABELS }, NONE);
}

/** An expression of a function with the macros in it written out, as `expandStatement` does it. */
export function expandExpression(expr: Expr, locals: Names, options: ExpandOptions): Expr {
  return expressionOf(expr, { ...options, nodes: 0, locals, labels: NO_LABELS }, NONE);
}

const NO_LABELS: ReadonlySet<string> = new Set();

function namesIn(fn: FunctionIr): Pick<Expander, 'locals' | 'labels'> {
  const locals = new Set(fn.params.map((one) => one.name));
  const labels = new Set<string>();
  walkStmt(fn.body, (stmt) => {
    if (stmt.kind === 'decl') locals.add(stmt.name);
    else if (stmt.kind === 'label') labels.add(stmt.name);
  });
  return { locals, labels };
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
  if (stmt.kind === 'decl' && stmt.attributes !== undefined)
    return [partsOf(withCleanup(stmt, stmt.attributes, expander), expander, around)];
  if (stmt.kind === 'loop' && stmt.macro !== null) {
    const loop = loopOf(stmt, stmt.macro, expander, around);
    if (loop) return [statementOf(loop, expander, new Set([...around, stmt.macro]))];
  }
  return [partsOf(stmt, expander, around)];
}

/** A declaration with what its attribute macros say of the end of the variable. */
function withCleanup(stmt: DeclStmt, attributes: readonly string[], expander: Expander): DeclStmt {
  if (stmt.cleanup !== null) return stmt;
  const found = cleanupOfMacros(attributes, (name) => {
    const macros = expander.macrosOf(name).map(({ macro }) => macro);
    return macros.length === 0 ? undefined : macros;
  });
  return found.cleanup === null ? stmt : { ...stmt, ...found };
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

/** What has a kind and is no statement. */
function isExpression(part: object): part is Expr {
  return 'kind' in part && 'start' in part;
}

/** An expression with the macros in it written out. */
function expressionOf(expr: Expr, expander: Expander, around: Around): Expr {
  if (expr.kind === 'name') return valueOf(expr, [], expander, around) ?? expr;
  if (expr.kind !== 'call') return partsOf(expr, expander, around);
  // What a name is in some configurations only, the arms say.
  const hasArms = definitionsOf(expr, expander, around).length > 1;
  const call = hasArms
    ? { ...expr, args: expr.args.map((one) => expressionOf(one, expander, around)) }
    : renamed(partsOf(expr, expander, around));
  return valueOf(call, call.args, expander, around) ?? call;
}

/** The callee may have been another name for a function. */
function renamed(call: CallExpr): CallExpr {
  const name = call.callee.kind === 'name' ? call.callee.name : null;
  return name === call.name ? call : { ...call, name };
}

/** The use of a macro. */
type Use = NameExpr | CallExpr;

/** What a macro that is an expression stands for at a use; null for anything else. */
function valueOf(use: Use, args: readonly Expr[], expander: Expander, around: Around): Expr | null {
  const [found, ...others] = definitionsOf(use, expander, around);
  if (!found) return null;
  if (others.length > 0) return chosenValue(use, [found, ...others], expander, around);
  if ('conditions' in found) return null;
  return valueBy(use, args, found, expander, around) ?? guarded(use, found, expander);
}

/** By one definition; null when it is no expression, or cannot be written out. */
function valueBy(
  use: Use,
  args: readonly Expr[],
  found: Definition,
  expander: Expander,
  around: Around,
): Expr | null {
  const { macro } = found;
  if (macro.body === null) return aliasOf(use, found, expander, around);
  const value = written(macro.body, use, args, found, expander);
  return value && expressionOf(value, expander, new Set([...around, macro.name]));
}

/** `#define foo_put vfio_put_device` */
function aliasOf(use: Use, { macro }: Definition, expander: Expander, around: Around): Expr | null {
  if (!isAlias(macro)) return null;
  return expressionOf(namedOtherwise(use, macro), expander, new Set([...around, macro.name]));
}

function isAlias({ params, bodyText }: MacroIr): boolean {
  return params === null && /^[A-Za-z_]\w*$/.test(bodyText);
}

/** A use of the alias as one of what the alias names. */
function namedOtherwise(use: Use, { bodyText }: MacroIr): Use {
  const callee = use.kind === 'call' ? use.callee : use;
  const name: NameExpr = { ...callee, kind: 'name', name: bodyText };
  return use.kind === 'call' ? { ...use, callee: name, name: bodyText } : name;
}

/** The only thing that a macro uses: `BAR` of `#define FOO BAR` and of `#define FOO(r) BAR(r)`. */
function usedBy(macro: MacroIr): string | null {
  if (isAlias(macro)) return macro.bodyText;
  return macro.body?.kind === 'call' ? macro.body.name : null;
}

/** Another name for a macro that is a statement: `#define FOO_CHECK BAR_CHECK`. */
function namesStatement(macro: MacroIr, expander: Expander): boolean {
  const seen = new Set<string>();
  const pending = [macro];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const name = usedBy(next);
    if (name === null || seen.has(name) || expander.locals.has(name)) continue;
    seen.add(name);
    const named = expander.macrosOf(name).map((one) => one.macro);
    if (named.some(({ statements, body, params }) => statements ?? (params && !body))) return true;
    append(pending, named);
  }
  return false;
}

/** A function that has the name of a macro in other configurations. */
interface FunctionArm {
  readonly conditions: readonly Condition[];
}

/** A name that is none of a macro here: a variable, or used in the text of its own macro. */
function isInside(name: string, expander: Expander, around: Around): boolean {
  return around.has(name) || around.size > MAX_DEPTH || expander.locals.has(name);
}

/** What an expression may be a use of: macros, and functions of their name beside them. */
function definitionsOf(
  use: Use,
  expander: Expander,
  around: Around,
): readonly (Definition | FunctionArm)[] {
  const { name } = use;
  if (name === null || isInside(name, expander, around)) return [];
  const macros = expander.macrosOf(name);
  if (use.kind === 'name') return macros.filter(({ macro }) => macro.params === null);
  const isConditional = macros.some(({ macro }) => macro.conditions.length > 0);
  const functions = isConditional
    ? expander.functionsOf(name).filter((conditions) => conditions.length > 0)
    : [];
  if (functions.length > 0) return [...macros, ...functions.map((conditions) => ({ conditions }))];
  // Another name for a function, which the callee is looked up by.
  return macros.length === 1 && macros[0]!.macro.params === null ? [] : macros;
}

/** The statements that a macro stands for where its use is a statement; null for anything else. */
function statementUse(
  expr: Expr,
  expander: Expander,
  around: Around,
): { readonly list: readonly Stmt[]; readonly name: string } | null {
  if (expr.kind !== 'call' && expr.kind !== 'name') return null;
  const found = statementDefinitions(expr, expander, around);
  if (found.length === 0) return null;
  const name = expr.name!;
  const [only] = found;
  if (found.length > 1) {
    const arms = armsOf(expr, found, expander, around, (value) => [
      { kind: 'expr', start: expr.start, end: expr.end, expr: value },
    ]);
    return { list: [arms], name };
  }
  if ('conditions' in only!) return null;
  const list = statementsBy(expr, only!, expander, around);
  return list && { list, name };
}

/** `definitionsOf`, and the one that is another name for a macro that is a statement. */
function statementDefinitions(
  use: Use,
  expander: Expander,
  around: Around,
): readonly (Definition | FunctionArm)[] {
  const found = definitionsOf(use, expander, around);
  if (found.length > 0 || use.name === null || isInside(use.name, expander, around)) return found;
  return expander.macrosOf(use.name).filter(({ macro }) => namesStatement(macro, expander));
}

/** By one definition, as a statement; null where it is an expression, which its use then is. */
function statementsBy(
  use: Use,
  found: Definition,
  expander: Expander,
  around: Around,
): readonly Stmt[] | null {
  const { macro } = found;
  if (isEmpty(macro)) return [];
  if (namesStatement(macro, expander)) return usedAsStatement(use, found, expander, around);
  if (macro.statements === null) {
    if (macro.body !== null || macro.params === null) return null;
    return orCall(use, barrierAt(use, found, expander), expander, around);
  }
  const args =
    use.kind === 'call' ? use.args.map((one) => expressionOf(one, expander, around)) : [];
  const list = written(macro.statements, use, args, found, expander);
  if (list) return list;
  const barrier = barrierAt(use, found, expander);
  return barrier.length > 0 ? orCall(use, barrier, expander, around) : null;
}

/** What a macro uses that names another, as the statement that its use is. */
function usedAsStatement(
  use: Use,
  found: Definition,
  expander: Expander,
  around: Around,
): readonly Stmt[] | null {
  const { macro } = found;
  const args =
    use.kind === 'call' ? use.args.map((one) => expressionOf(one, expander, around)) : [];
  const expr = isAlias(macro)
    ? namedOtherwise(use, macro)
    : written(macro.body!, use, args, found, expander);
  return expr && [{ kind: 'expr', start: use.start, end: use.end, expr }];
}

/** A macro that stands for nothing: `#define foo_trace(p)`. */
function isEmpty(macro: MacroIr): boolean {
  return macro.params !== null && macro.bodyText === '';
}

/** A barrier, and the macro as a call: what it does to its arguments is another question. */
function orCall(
  use: Use,
  barrier: readonly Stmt[],
  expander: Expander,
  around: Around,
): readonly Stmt[] {
  const expr = use.kind === 'call' ? withArguments(use, expander, around) : use;
  return [...barrier, { kind: 'expr', start: use.start, end: use.end, expr }];
}

function withArguments(call: CallExpr, expander: Expander, around: Around): CallExpr {
  return { ...call, args: call.args.map((one) => expressionOf(one, expander, around)) };
}

/** The value of a macro that cannot be written out, after what it may do to the code around it. */
function guarded(use: Use, found: Definition, expander: Expander): Expr | null {
  const { macro } = found;
  if (macro.body === null && macro.statements === null && macro.params === null) return null;
  if (isEmpty(macro)) return null;
  const barrier = barrierAt(use, found, expander);
  if (barrier.length === 0) return null;
  const { start, end } = use;
  const body: Stmt[] = [...barrier, { kind: 'expr', start, end, expr: use }];
  return { kind: 'statement-expression', start, end, body };
}

function barrierAt(use: Use, { macro, path }: Definition, expander: Expander): readonly Stmt[] {
  const at = { macro: macro.name, path, start: macro.start, end: macro.end };
  return barrierOf(textsOf(macro, expander), {
    args: use.kind === 'call' ? use.args : [],
    locals: expander.locals,
    labels: expander.labels,
    placed: () => placedAt(use, at, expander),
  });
}

/** The text of a macro, and those of the macros in it. */
function textsOf(macro: MacroIr, expander: Expander): readonly MacroText[] {
  const texts: MacroText[] = [];
  const known = new Set([macro.name]);
  const add = ({ bodyText, params }: MacroIr): void => {
    const text = readMacroText(bodyText);
    const isOwn = (name: string) => !params?.includes(name);
    texts.push({ ...text, names: text.names.filter(isOwn), calls: text.calls.filter(isOwn) });
    for (const name of text.names) {
      if (known.has(name)) continue;
      known.add(name);
      for (const { macro: inner } of expander.macrosOf(name)) add(inner);
    }
  };
  add(macro);
  return texts;
}

/** What each configuration has in the place of a use, as the arms of an #if. */
function armsOf(
  use: Use,
  found: readonly (Definition | FunctionArm)[],
  expander: Expander,
  around: Around,
  asStatements: (value: Expr) => readonly Stmt[],
): PreprocStmt {
  const { start, end } = use;
  const inside = new Set([...around, use.name!]);
  const arms = found.map((one) => {
    if ('conditions' in one) {
      const call = use.kind === 'call' ? withArguments(use, expander, around) : use;
      return { start, end, conditions: one.conditions, body: asStatements(call) };
    }
    const args =
      use.kind === 'call' ? use.args.map((arg) => expressionOf(arg, expander, around)) : [];
    const isStatementThere = namesStatement(one.macro, expander);
    const value = isStatementThere ? null : valueBy(use, args, one, expander, around);
    const body = value
      ? asStatements(value)
      : listOf(statementsBy(use, one, expander, around) ?? asStatements(use), expander, inside);
    return { start, end, conditions: one.macro.conditions, body };
  });
  return { kind: 'preproc', start, end, arms };
}

/** A value that each configuration has its own of: a variable that the arms of an #if set. */
function chosenValue(
  use: Use,
  found: readonly (Definition | FunctionArm)[],
  expander: Expander,
  around: Around,
): Expr {
  const at = { start: use.start, end: use.end };
  const name = `${use.name}@${expander.nodes++}`;
  const variable: NameExpr = { kind: 'name', name, ...at };
  const arms = armsOf(use, found, expander, around, (value) => [
    {
      kind: 'expr',
      ...at,
      expr: { kind: 'assign', ...at, op: '=', target: variable, value },
    },
  ]);
  const declared: Stmt = {
    kind: 'decl',
    ...at,
    name,
    nameSpan: at,
    type: { name: '', keyword: null, pointers: 0, arrays: 0, ...at },
    isStatic: false,
    init: null,
    statement: at,
    cleanup: null,
    cleansAddress: false,
  };
  const last: Stmt = { kind: 'expr', ...at, expr: variable };
  return { kind: 'statement-expression', ...at, body: [declared, arms, last] };
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
  const placed: MacroUse['placed'] = (node) =>
    placedAt(at, { macro: macro.name, path, start: node.start, end: node.end }, expander);
  const use = { at: { start: at.start, end: at.end }, ...given, placed };
  return substitute(part, { ...use, renamed: renames(part, use.values, expander, macro.name) });
}

/** A node that a macro brings to its use. */
function placedAt(
  { start, end }: Span,
  written: NonNullable<CodeNode['expansion']>,
  expander: Expander,
): CodeNode {
  expander.nodes++;
  const { identities, nodes } = expander;
  return {
    start,
    end,
    expansion: identities === null ? written : { ...written, identity: identities - nodes },
  };
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
  const [found, ...others] = around.has(name) ? [] : expander.macrosOf(name);
  if (!found || others.length > 0) return null;
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
