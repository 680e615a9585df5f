/** What the code of a function does with the pointers that the proof is about. */
import { subStmts } from '../../../ir/visit.ts';
import type { CallExpr, Expr, Stmt, TypeName } from '../../../ir/types.ts';
import { isLog } from '../../../kernel/heuristics.ts';
import { isMacro } from '../../../lifecycle/footprint/macros.ts';
import { designators, ownExpressions, uncast } from '../../../lifecycle/module/statements.ts';
import { resolveType, typeOf, type Scope } from '../../../lifecycle/module/types-of.ts';
import { append } from '../../../text/lists.ts';
import type { Span } from '../../../text/span.ts';
import { isNull } from '../../query/expressions.ts';
import { calleeOf, judgeParameter, judgeUnseenArgument } from './arguments.ts';
import { judgeIncoming, judgeUnseenSource } from './incoming.ts';
import {
  denyFound,
  isOfKind,
  isPlain,
  isStruct,
  kindOf,
  kindOfName,
  memberType,
  remember,
  type Found,
  type Search,
} from './pointers.ts';

/** How a value is used. */
type Use =
  | { readonly kind: 'fine' | 'unknown' }
  | { readonly kind: 'kept'; readonly type: TypeName | null; readonly local: string | null }
  | { readonly kind: 'argument'; readonly call: CallExpr; readonly index: number }
  | { readonly kind: 'compare'; readonly other: Expr };

const FINE: Use = { kind: 'fine' };
const UNKNOWN: Use = { kind: 'unknown' };

/** Judges all that a statement does with pointers, without the statements inside it. */
export function judgeStatement(search: Search, scope: Scope, stmt: Stmt): void {
  if (stmt.kind === 'unknown' || stmt.kind === 'asm')
    return denyNamed(search, scope, stmt, 'a statement');
  if (stmt.kind === 'decl') {
    if (stmt.init)
      keep(search, scope, stmt.init, { kind: 'kept', type: stmt.type, local: stmt.name });
    return;
  }
  if (stmt.kind === 'return') {
    if (stmt.value)
      keep(search, scope, stmt.value, { kind: 'kept', type: scope.fn.returnType, local: null });
    return;
  }
  for (const expr of ownExpressions(stmt)) walk(search, scope, expr, FINE);
}

/** A value that is kept in a variable: it may also be one that is taken for the struct. */
function keep(search: Search, scope: Scope, value: Expr, use: Use & { kind: 'kept' }): void {
  walk(search, scope, value, use);
  if (use.type)
    judgeIncoming(search, scope, value, resolveType(search.module, scope.file, use.type), use.type);
}

/** Visits an expression, outer before inner, with what is done with its value. */
function walk(search: Search, scope: Scope, expr: Expr, use: Use, untyped = false): void {
  const kind = expr.kind === 'cast' ? null : kindOf(search, scope, expr);
  if (kind !== null) judge({ search, scope, expr, kind }, use, untyped);
  switch (expr.kind) {
    case 'member':
      return walk(search, scope, expr.base, FINE);
    case 'index':
      walk(search, scope, expr.base, baseUse(search, scope, expr.base));
      return walk(search, scope, expr.index, FINE);
    case 'unary':
      return walk(
        search,
        scope,
        expr.operand,
        expr.op === '*' ? baseUse(search, scope, expr.operand) : FINE,
      );
    case 'update':
      return walk(search, scope, expr.operand, FINE);
    case 'binary':
      return walkBinary(search, scope, expr);
    case 'assign':
      return walkAssign(search, scope, expr);
    case 'conditional':
      walk(search, scope, expr.condition, FINE);
      if (expr.then) walk(search, scope, expr.then, use, untyped);
      return walk(search, scope, expr.otherwise, use, untyped);
    case 'comma':
      return expr.items.forEach((item, index) => {
        walk(search, scope, item, index === expr.items.length - 1 ? use : FINE, untyped);
      });
    case 'cast':
      return walkCast(search, scope, expr, use);
    case 'call':
      return walkCall(search, scope, expr);
    case 'initializer':
      return expr.entries.forEach((entry) => {
        walk(search, scope, entry.value, { kind: 'kept', type: null, local: null });
      });
    case 'statement-expression':
      return judgeStatements(search, scope, expr.body);
    case 'unknown':
      return denyNamed(search, scope, expr, 'an expression');
    default:
      return;
  }
}

function walkBinary(search: Search, scope: Scope, expr: Expr & { kind: 'binary' }): void {
  const { op, left, right } = expr;
  if (op === '==' || op === '!=') {
    walk(search, scope, left, { kind: 'compare', other: right });
    walk(search, scope, right, { kind: 'compare', other: left });
    return;
  }
  const isMoved = (op === '+' || op === '-') && kindOf(search, scope, left) !== null;
  walk(search, scope, left, isMoved && typeOf(scope, left) === null ? UNKNOWN : FINE);
  walk(search, scope, right, FINE);
}

function walkAssign(search: Search, scope: Scope, expr: Expr & { kind: 'assign' }): void {
  const target = uncast(expr.target);
  walk(search, scope, expr.target, FINE);
  const local = target.kind === 'name' && scope.locals.has(target.name) ? target.name : null;
  const type = local === null ? memberType(scope, target) : (scope.locals.get(local) ?? null);
  walk(search, scope, expr.value, { kind: 'kept', type, local });
  judgeIncoming(search, scope, expr.value, typeOf(scope, target), type);
}

function walkCall(search: Search, scope: Scope, call: CallExpr): void {
  if (call.name === null) walk(search, scope, call.callee, FINE);
  const skipped = designators(call);
  for (const [index, arg] of call.args.entries())
    if (!skipped.includes(arg)) walk(search, scope, arg, { kind: 'argument', call, index });
}

/** Code that was not understood, where it names a pointer to the object. */
function denyNamed(
  search: Search,
  scope: Scope,
  code: Span & { readonly names: readonly string[] },
  what: string,
): void {
  const name = code.names.find((one) => kindOfName(search, scope, one) === 'object');
  if (name !== undefined)
    search.deny(`\`${name}\` is used in ${what} that could not be parsed`, scope.file, code);
}

/** Statements and those inside them. */
function judgeStatements(search: Search, scope: Scope, list: readonly Stmt[]): void {
  const pending: Stmt[] = [...list];
  for (let stmt = pending.pop(); stmt; stmt = pending.pop()) {
    judgeStatement(search, scope, stmt);
    append(pending, subStmts(stmt));
  }
}

/** What is read through a pointer: bytes, where the pointer has no struct's type. */
function baseUse(search: Search, scope: Scope, base: Expr): Use {
  const name = uncast(base);
  return name.kind === 'name' &&
    search.aliases.get(scope.fn)?.has(name.name) === true &&
    typeOf(scope, name) === null
    ? UNKNOWN
    : FINE;
}

function walkCast(search: Search, scope: Scope, expr: Expr & { kind: 'cast' }, use: Use): void {
  const to = resolveType(search.module, scope.file, expr.type);
  const inner = uncast(expr.operand);
  const kind = kindOf(search, scope, inner);
  if (isStruct(search, to)) {
    judgeUnseenSource(search, scope, expr.operand);
    judgeIncoming(search, scope, expr.operand, to, expr.type);
  }
  const same = isOfKind(search, kind, to);
  if (kind !== null && !same && !isPlain(expr.type))
    search.deny('a cast relies on the order', scope.file, expr);
  walk(search, scope, expr.operand, same ? FINE : use, true);
}

/** Judges one use of a pointer. `untyped`: a cast has taken its type away. */
function judge(found: Found, use: Use, untyped: boolean): void {
  const { search, scope, kind } = found;
  switch (use.kind) {
    case 'fine':
      return;
    case 'unknown':
      return denyFound(found, 'is read as bytes');
    case 'compare': {
      const other = uncast(use.other);
      if (isNull(other) || kindOf(search, scope, other) === kind || (!untyped && kind !== 'first'))
        return;
      return denyFound(found, 'is compared with another');
    }
    case 'kept':
      return judgeKept(found, use);
    case 'argument':
      return judgeArgument(found, use.call, use.index);
  }
}

function judgeArgument(found: Found, call: CallExpr, index: number): void {
  const callee = calleeOf(found, call);
  if (callee) return judgeParameter(found, callee, index);
  if (call.name !== null && isMacro(found.scope, call)) return judgeMacro(found, call.name, index);
  judgeUnseenArgument(found, call, index);
}

function judgeKept(found: Found, { type: written, local }: Use & { kind: 'kept' }): void {
  const { search, scope, expr, kind } = found;
  const type = written && resolveType(search.module, scope.file, written);
  if (isOfKind(search, kind, type)) return;
  const isNamedAlike =
    kind === 'first' && type === null && written?.name === search.first.type.name;
  if (local !== null && written !== null && (isPlain(written) || isNamedAlike)) {
    remember(search, scope.fn, local, kind);
    return;
  }
  if (kind === 'object') {
    search.handedOut.at = true;
    if (written === null || isPlain(written)) return;
  }
  if (kind !== 'drvdata') return denyFound(found, 'is stored as another type');
  if (written !== null && isPlain(written)) return;
  search.deny('drvdata, which may be the object, is used as something else', scope.file, expr);
}

/** A macro of the module: its body is judged with the argument in place of its parameter. */
function judgeMacro({ search, scope, expr, kind }: Found, name: string, index: number): void {
  const macro = [scope.file, ...search.module.sources, ...search.module.headers]
    .flatMap((file) => file.macros.map((one) => ({ file, one })))
    .find(({ one }) => one.name === name && one.params !== null);
  const param = macro?.one.params?.[index];
  if (!macro || param === undefined) {
    // Variable arguments: a macro that only logs.
    if (macro && isLogMacro(macro.one.bodyText)) return;
    return search.deny(`the object is given to the macro ${name}`, scope.file, expr);
  }
  const type: TypeName = {
    start: 0,
    end: 0,
    keyword: 'struct',
    name: kind === 'object' ? search.struct.name : (search.first.tag ?? ''),
    pointers: 1,
    arrays: 0,
  };
  const inner: Scope = {
    ...scope,
    file: macro.file,
    locals: new Map([...scope.locals, [param, type]]),
  };
  if (macro.one.body === null && macro.one.statements === null) {
    if (!new RegExp(`\\b${param}\\b(?![\\s)]*(?:->|\\w))`).test(macro.one.bodyText)) return;
    return search.deny(`the object is given to the macro ${name}`, scope.file, expr);
  }
  if (macro.one.body) walk(search, inner, macro.one.body, FINE);
  judgeStatements(search, inner, macro.one.statements ?? []);
}

function isLogMacro(body: string): boolean {
  const name = /^\s*(\w+)\s*\(/.exec(body)?.[1];
  return name !== undefined && isLog(name);
}
