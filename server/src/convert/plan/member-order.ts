/**
 * Proves that nobody sees the order of the members of a struct: that no pointer to it, and none to
 * its first member, is taken for a pointer
 * to something else. Denied by default: whatever is done with such a pointer needs a rule here or a
 * row of the kernel's tables.
 */
import { subStmts } from '../../ir/visit.ts';
import { LAST_OF_OLD_MODEL } from '../../kernel/known-kernels.ts';
import { behaviourOf, retainsArgument, testedArgument } from '../../kernel/lookup.ts';
import { isValueOrTest } from '../../kernel/macros.ts';
import { byteRangesOf, isLinkMember, returnsLink, takesCookie } from '../../kernel/memory-uses.ts';
import { isQuery } from '../../kernel/touches.ts';
import type {
  CallExpr,
  Expr,
  FileIr,
  FunctionIr,
  Stmt,
  StructIr,
  TypeName,
} from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { isLog } from '../../kernel/heuristics.ts';
import { isNull } from '../query/expressions.ts';
import {
  designators,
  ownExpressions,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { isMacro } from '../../lifecycle/footprint/macros.ts';
import { effectsOf } from '../query/call-sites.ts';
import {
  findStruct,
  resolveType,
  scopeOf,
  typeOf,
  type PointerType,
  type Scope,
} from '../../lifecycle/module/types-of.ts';
import { append } from '../../text/lists.ts';

/** Gives the proof up: `why` says what is seen at the place. */
export type Deny = (
  why: string,
  where: FileIr,
  span: { readonly start: number; readonly end: number },
) => never;

/**
 * What a pointer is: one to the object, one to its first member, or drvdata, which may be the
 * object.
 */
type Kind = 'object' | 'first' | 'drvdata';

/** How a value is used. */
type Use =
  | { readonly kind: 'fine' | 'unknown' }
  | { readonly kind: 'kept'; readonly type: TypeName | null; readonly local: string | null }
  | { readonly kind: 'argument'; readonly call: CallExpr; readonly index: number }
  | { readonly kind: 'compare'; readonly other: Expr };

const FINE: Use = { kind: 'fine' };
const UNKNOWN: Use = { kind: 'unknown' };

interface Search {
  readonly module: Module;
  readonly struct: StructIr;
  readonly first: { readonly name: string; readonly type: TypeName; readonly tag: string | null };
  /** The struct stands in a header, so that code which nobody sees here may know it. */
  readonly shared: boolean;
  readonly deny: Deny;
  /** Locals and parameters of no struct's type that hold such a pointer, by function. */
  readonly aliases: Map<FunctionIr, Map<string, Kind>>;
  /**
   * Where the object is handed out as a plain address: what comes back may be taken for the first
   * member.
   */
  readonly handedOut: { at: boolean };
  changed: boolean;
}

const MAX_ROUNDS = 6;

/** Denies where code of the module may see at which place in `struct` a member stands. */
export function proveOrderUnseen(module: Module, file: FileIr, struct: StructIr, deny: Deny): void {
  const field = struct.fields[0]!;
  const resolved = resolveType(module, file, field.type);
  const tag =
    resolved?.pointers === 0 && findStruct(module, file, resolved.tag) ? resolved.tag : null;
  const search: Search = {
    module,
    struct,
    deny,
    first: { name: field.name, type: field.type, tag },
    shared: module.headers.includes(file),
    aliases: new Map(),
    handedOut: { at: false },
    changed: false,
  };
  const documents = [...module.sources, ...module.headers];
  for (const document of documents) denyUnions(search, document);
  // What a parameter holds is known when all of its callers have been seen.
  const quiet: Search = { ...search, deny: (() => undefined) as never };
  for (let round = 0; round === 0 || quiet.changed; round++) {
    if (round === MAX_ROUNDS)
      deny(
        'its address is handed on through more functions than are followed',
        file,
        field.statement,
      );
    quiet.changed = false;
    for (const document of documents)
      for (const fn of document.functions) judgeFunction(quiet, document, fn);
  }
  for (const document of documents)
    for (const fn of document.functions) judgeFunction(search, document, fn);
}

/** A union of the struct, or of a pointer to it, with something else. */
function denyUnions(search: Search, document: FileIr): void {
  for (const other of document.structs) {
    for (const field of other.fields) {
      if (
        other === search.struct ||
        !(field.unplaced || other.keyword === 'union') ||
        resolveType(search.module, document, field.type)?.tag !== search.struct.name
      )
        continue;
      search.deny('a union lays it over something else', document, field.statement);
    }
  }
}

function judgeFunction(search: Search, document: FileIr, fn: FunctionIr): void {
  const scope = scopeOf(search.module, document, fn);
  if (!search.aliases.has(fn)) search.aliases.set(fn, parameterAliases(search, scope));
  for (const { stmt } of statementsOf(fn)) judgeStatement(search, scope, stmt);
}

/** A `void *` parameter or local that the function takes for the struct holds it. */
function parameterAliases(search: Search, scope: Scope): Map<string, Kind> {
  const found = new Map<string, Kind>();
  for (const { stmt } of statementsOf(scope.fn)) {
    if (
      stmt.kind !== 'decl' ||
      !stmt.init ||
      !isStruct(search, resolveType(search.module, scope.file, stmt.type))
    )
      continue;
    const source = uncast(stmt.init);
    if (source.kind === 'name' && isPlain(scope.locals.get(source.name)))
      found.set(source.name, 'object');
  }
  return found;
}

function judgeStatement(search: Search, scope: Scope, stmt: Stmt): void {
  if (stmt.kind === 'unknown' || stmt.kind === 'asm') {
    const name = stmt.names.find((one) => kindOfName(search, scope, one) === 'object');
    if (name !== undefined)
      search.deny(`\`${name}\` is used in a statement that is not understood`, scope.file, stmt);
    return;
  }
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
  if (kind !== null) judge(search, scope, expr, kind, use, untyped);
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
    case 'binary': {
      const compares = expr.op === '==' || expr.op === '!=';
      const adds = expr.op === '+' || expr.op === '-';
      const unknown =
        adds && kindOf(search, scope, expr.left) !== null && typeOf(scope, expr.left) === null;
      const leftUse = unknown ? UNKNOWN : FINE;
      walk(search, scope, expr.left, compares ? { kind: 'compare', other: expr.right } : leftUse);
      return walk(
        search,
        scope,
        expr.right,
        compares ? { kind: 'compare', other: expr.left } : FINE,
      );
    }
    case 'assign': {
      const target = uncast(expr.target);
      walk(search, scope, expr.target, FINE);
      const local = target.kind === 'name' && scope.locals.has(target.name) ? target.name : null;
      const type = local === null ? memberType(scope, target) : (scope.locals.get(local) ?? null);
      walk(search, scope, expr.value, { kind: 'kept', type, local });
      return judgeIncoming(search, scope, expr.value, typeOf(scope, target), type);
    }
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
    case 'call': {
      if (expr.name === null) walk(search, scope, expr.callee, FINE);
      const skipped = designators(expr);
      expr.args.forEach((arg, index) => {
        if (!skipped.includes(arg))
          walk(search, scope, arg, { kind: 'argument', call: expr, index });
      });
      return;
    }
    case 'initializer':
      return expr.entries.forEach((entry) => {
        walk(search, scope, entry.value, { kind: 'kept', type: null, local: null });
      });
    case 'statement-expression': {
      const pending: Stmt[] = [...expr.body];
      for (let stmt = pending.pop(); stmt; stmt = pending.pop()) {
        judgeStatement(search, scope, stmt);
        append(pending, subStmts(stmt));
      }
      return;
    }
    case 'unknown': {
      const name = expr.names.find((one) => kindOfName(search, scope, one) === 'object');
      if (name !== undefined)
        search.deny(
          `\`${name}\` is used in an expression that is not understood`,
          scope.file,
          expr,
        );
      return;
    }
    default:
      return;
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

/** Judges one use of a pointer of a kind. `untyped`: a cast has taken its type away. */
function judge(
  search: Search,
  scope: Scope,
  expr: Expr,
  kind: Kind,
  use: Use,
  untyped: boolean,
): void {
  const what =
    kind === 'first' ? 'the address of the present first member' : 'the address of the object';
  switch (use.kind) {
    case 'fine':
      return;
    case 'unknown':
      return search.deny(`${what} is read as bytes`, scope.file, expr);
    case 'compare': {
      const other = uncast(use.other);
      if (isNull(other) || kindOf(search, scope, other) === kind || (!untyped && kind !== 'first'))
        return;
      return search.deny(`${what} is compared with another`, scope.file, expr);
    }
    case 'kept':
      return judgeKept(search, scope, expr, kind, use, what);
    case 'argument':
      return judgeArgument(search, scope, expr, kind, use.call, use.index, what);
  }
}

function judgeKept(
  search: Search,
  scope: Scope,
  expr: Expr,
  kind: Kind,
  use: Use & { kind: 'kept' },
  what: string,
): void {
  const type = use.type && resolveType(search.module, scope.file, use.type);
  if (isOfKind(search, kind, type)) return;
  if (use.local !== null && use.type !== null && isPlain(use.type)) {
    remember(search, scope.fn, use.local, kind);
    return;
  }
  if (
    kind === 'first' &&
    use.local !== null &&
    type === null &&
    use.type !== null &&
    use.type.name === search.first.type.name
  ) {
    remember(search, scope.fn, use.local, kind);
    return;
  }
  if (kind === 'object') {
    search.handedOut.at = true;
    if (use.type === null || isPlain(use.type)) return;
  }
  if (kind === 'drvdata' && use.type !== null && isPlain(use.type)) return;
  search.deny(
    kind === 'drvdata'
      ? 'drvdata, which may be the object, is taken for something else'
      : `${what} is kept as something else`,
    scope.file,
    expr,
  );
}

function judgeArgument(
  search: Search,
  scope: Scope,
  expr: Expr,
  kind: Kind,
  call: CallExpr,
  index: number,
  what: string,
): void {
  const { name } = call;
  const { module } = search;
  const callee =
    name === null
      ? undefined
      : [scope.file, ...module.sources, ...module.headers]
          .flatMap((file) => file.functions)
          .find((fn) => fn.name === name);
  if (callee) {
    const param = callee.params[index];
    if (param) return judgeParameter(search, scope, expr, kind, callee, param, what);
    // The rest of a function with any number of arguments.
    return search.deny(`${what} is given to ${callee.name}() without a type`, scope.file, expr);
  }
  if (name !== null && isMacro(scope, call))
    return judgeMacro(search, scope, expr, kind, name, index);
  const prototype =
    name === null
      ? undefined
      : [scope.file, ...module.sources, ...module.headers]
          .flatMap((file) => file.prototypes)
          .find((one) => one.name === name);
  const declared = prototype?.params[index];
  if (declared) {
    const type = resolveType(module, scope.file, declared.type);
    if (isOfKind(search, kind, type)) return;
    return search.deny(
      `${what} goes to ${name ?? 'a function'}(), which is not seen here`,
      scope.file,
      expr,
    );
  }
  judgeKernelArgument(search, scope, expr, kind, call, index, what);
}

function judgeParameter(
  search: Search,
  scope: Scope,
  expr: Expr,
  kind: Kind,
  callee: FunctionIr,
  param: FunctionIr['params'][number],
  what: string,
): void {
  const type = resolveType(search.module, scope.file, param.type);
  if (isOfKind(search, kind, type)) return;
  if (
    isPlain(param.type) ||
    (kind === 'first' && type === null && param.type.name === search.first.type.name)
  )
    return remember(search, callee, param.name, kind === 'drvdata' ? 'object' : kind);
  search.deny(`${what} is given to ${callee.name}() as something else`, scope.file, expr);
}

/** A macro of the module: its body is judged with the argument in place of its parameter. */
function judgeMacro(
  search: Search,
  scope: Scope,
  expr: Expr,
  kind: Kind,
  name: string,
  index: number,
): void {
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
  const pending: Stmt[] = [...(macro.one.statements ?? [])];
  for (let stmt = pending.pop(); stmt; stmt = pending.pop()) {
    judgeStatement(search, inner, stmt);
    append(pending, subStmts(stmt));
  }
}

function isLogMacro(body: string): boolean {
  const name = /^\s*(\w+)\s*\(/.exec(body)?.[1];
  return name !== undefined && isLog(name);
}

function judgeKernelArgument(
  search: Search,
  scope: Scope,
  expr: Expr,
  kind: Kind,
  call: CallExpr,
  index: number,
  what: string,
): void {
  const { name } = call;
  if (name === null) {
    if (kind === 'first')
      return search.deny(`${what} goes through a function pointer`, scope.file, expr);
    search.handedOut.at = true;
    return;
  }
  if (
    isLog(name) ||
    isValueOrTest(name) ||
    testedArgument(name) !== undefined ||
    isQuery(name) ||
    designators(call).length > 0
  )
    return;
  const effects = effectsOf(name);
  if (effects.some((effect) => effect.op === 'free' && effect.target === index)) {
    if (kind === 'first') search.deny(`${what} is freed as that of the object`, scope.file, expr);
    return;
  }
  const range = byteRangesOf(name).find((one) => one.pointer === index);
  if (range) {
    const size = range.size === null ? undefined : call.args[range.size];
    if (size && isSizeOf(search, scope, size, kind)) return;
    return search.deny(`${name}() works on the bytes of the object`, scope.file, expr);
  }
  const isCookie =
    effects.some(
      (effect) => (effect.op === 'set-drvdata' && effect.value === index) || effect.op === 'defer',
    ) || takesCookie(name);
  if (isCookie) {
    if (kind === 'first')
      return search.deny(`${what} is given away as that of the object`, scope.file, expr);
    search.handedOut.at = true;
    return;
  }
  if (kind === 'first') {
    const known = behaviourOf(name, LAST_OF_OLD_MODEL) !== undefined || retainsArgument(name);
    // Who does not know the struct can only hand the address back, and that is seen.
    if (known || (!search.shared && search.first.tag === null)) return;
    return search.deny(`${what} goes to ${name}(), which is not seen here`, scope.file, expr);
  }
  if (kind === 'drvdata') return;
  if (retainsArgument(name)) {
    search.handedOut.at = true;
    return;
  }
  search.deny(
    `${what} goes to ${name}(), which is not known to leave its bytes alone`,
    scope.file,
    expr,
  );
}

/** The whole object, or the whole of the first member. */
function isSizeOf(search: Search, scope: Scope, size: Expr, kind: Kind): boolean {
  if (size.kind !== 'sizeof') return false;
  const operandType = size.operand ? typeOf(scope, size.operand) : null;
  const type = size.type ? resolveType(search.module, scope.file, size.type) : operandType;
  if (type !== null)
    return (
      type.pointers === 0 && type.tag === (kind === 'first' ? search.first.tag : search.struct.name)
    );
  return (
    kind === 'first' && size.operand?.kind === 'member' && size.operand.field === search.first.name
  );
}

/**
 * A value that becomes a pointer to the struct: it must have been one, or a plain address that came
 * from one.
 */
function judgeIncoming(
  search: Search,
  scope: Scope,
  value: Expr,
  to: PointerType | null,
  written: TypeName | null,
): void {
  const source = uncast(value);
  if (
    to !== null &&
    isFirst(search, to) &&
    search.first.tag !== null &&
    search.handedOut.at &&
    isPlainSource(search, scope, source)
  ) {
    search.deny('a plain address is taken for the first member', scope.file, value);
  }
  if (
    written !== null &&
    to === null &&
    written.pointers > 0 &&
    !isPlain(written) &&
    isDrvdata(source)
  )
    search.deny('drvdata, which may be the object, is taken for something else', scope.file, value);
  if (!isStruct(search, to) || isNull(source)) return;
  const kind = kindOf(search, scope, source);
  if (
    kind === 'object' ||
    kind === 'drvdata' ||
    source.kind === 'conditional' ||
    source.kind === 'statement-expression' ||
    source.kind === 'assign' ||
    source.kind === 'comma'
  )
    return;
  if (kind === 'first')
    search.deny(
      'the address of the present first member is taken for that of the object',
      scope.file,
      value,
    );
  const type = typeOf(scope, source);
  if (type !== null) search.deny('a cast relies on the order', scope.file, value);
  if (source.kind === 'call') return;
  if (source.kind === 'name') {
    const local =
      scope.locals.get(source.name) ??
      scope.file.variables.find((one) => one.name === source.name)?.type;
    if (local === undefined || local === null || isPlain(local)) return;
  } else if (source.kind === 'member') {
    const field = memberType(scope, source);
    if (field === null || isPlain(field)) return;
  } else if (source.kind === 'index' || (source.kind === 'unary' && source.op === '*')) return;
  search.deny('a cast relies on the order', scope.file, value);
}

/**
 * A cast to the struct of what has a type that is not seen. Where that is an address the cast is
 * idle, and where it is the link of a list or
 * tree it relies on the link to be first.
 */
function judgeUnseenSource(search: Search, scope: Scope, value: Expr): void {
  const source = uncast(value);
  const isLink =
    source.kind === 'member'
      ? memberType(scope, source) === null && isLinkMember(source.field)
      : source.kind === 'call' && source.name !== null && returnsLink(source.name);
  if (isLink) search.deny('a cast relies on the order', scope.file, value);
}

/** Drvdata, a `void *`, or a member of that type. */
function isPlainSource(search: Search, scope: Scope, source: Expr): boolean {
  if (isDrvdata(source)) return true;
  if (source.kind === 'name')
    return (
      isPlain(scope.locals.get(source.name)) &&
      search.aliases.get(scope.fn)?.get(source.name) !== 'first'
    );
  return source.kind === 'member' && isPlain(memberType(scope, source));
}

function kindOf(search: Search, scope: Scope, expr: Expr): Kind | null {
  if (expr.kind === 'name') return kindOfName(search, scope, expr.name);
  if (isAddressOfFirst(search, scope, expr)) return 'first';
  const type = typeOf(scope, expr);
  if (isStruct(search, type)) return 'object';
  if (search.first.tag !== null && isFirst(search, type) && expr.kind !== 'call') return 'first';
  return isDrvdata(expr) ? 'drvdata' : null;
}

function kindOfName(search: Search, scope: Scope, name: string): Kind | null {
  const alias = search.aliases.get(scope.fn)?.get(name);
  if (alias !== undefined) return alias;
  const type = typeOf(scope, { kind: 'name', name, start: 0, end: 0 });
  if (isStruct(search, type)) return 'object';
  return search.first.tag !== null && isFirst(search, type) ? 'first' : null;
}

/**
 * `&p->first`, `&p->first.inner`, and `p->first` where that is an array; not what a pointer in the
 * first member leads to.
 */
function isAddressOfFirst(search: Search, scope: Scope, expr: Expr): boolean {
  const isArray = search.first.type.arrays > 0;
  const member = isArray && expr.kind === 'member' ? expr : null;
  let current: Expr | null =
    expr.kind === 'unary' && expr.op === '&' ? uncast(expr.operand) : member;
  while (current?.kind === 'member' || (current?.kind === 'index' && isArray)) {
    if (current.kind === 'member') {
      const base = typeOf(scope, current.base);
      if (base?.tag === search.struct.name && base.pointers === (current.arrow ? 1 : 0))
        return current.field === search.first.name;
      if (current.arrow) return false;
    }
    current = uncast(current.base);
  }
  return false;
}

function isDrvdata(expr: Expr): boolean {
  return (
    expr.kind === 'call' &&
    expr.name !== null &&
    effectsOf(expr.name).some((effect) => effect.op === 'get-drvdata')
  );
}

function isStruct(search: Search, type: PointerType | null): boolean {
  return type?.pointers === 1 && type.tag === search.struct.name;
}

/** Whether a pointer of a type keeps what a pointer of a kind is known to be. */
function isOfKind(search: Search, kind: Kind | null, type: PointerType | null): boolean {
  if (kind === 'object') return isStruct(search, type);
  if (kind === 'first') return isFirst(search, type);
  return type !== null && !isFirst(search, type);
}
function isFirst(search: Search, type: PointerType | null): boolean {
  const { tag, type: own } = search.first;
  // Where the first member is a pointer itself, no pointer to a struct is its address.
  if (type?.pointers !== 1 || own.pointers > 0) return false;
  return type.tag === (tag ?? (own.keyword === 'struct' ? own.name : null));
}

/** A type that only holds an address: `void *` or an integer that is as wide. */
function isPlain(type: TypeName | null | undefined): boolean {
  if (!type || type.keyword !== null || type.arrays > 0) return false;
  if (type.name === 'void') return type.pointers === 1;
  return (
    type.pointers === 0 &&
    ['long', 'uintptr_t', 'ulong', 'u64', '__u64', 'size_t', 'intptr_t'].includes(type.name)
  );
}

/** The type of a member as its struct has it; null when that is not seen. */
function memberType(scope: Scope, expr: Expr): TypeName | null {
  if (expr.kind !== 'member') return null;
  const base = typeOf(scope, expr.base);
  const found = base && findStruct(scope.module, scope.file, base.tag);
  return found?.struct.fields.find((one) => one.name === expr.field)?.type ?? null;
}

function remember(search: Search, fn: FunctionIr, name: string, kind: Kind): void {
  const known = search.aliases.get(fn) ?? new Map<string, Kind>();
  search.aliases.set(fn, known);
  // What may be either is taken for the first member: nothing may then take it for the object.
  if (
    known.get(name) === kind ||
    known.get(name) === 'first' ||
    (known.has(name) && kind !== 'first')
  )
    return;
  known.set(name, kind);
  search.changed = true;
}
