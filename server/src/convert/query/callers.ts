/**
 * Who may call a function of a module: by its name, by a pointer to it, or by code of the kernel
 * that is given one.
 */
import type { CallExpr, Expr, FileIr, FunctionIr, MacroIr } from '../../ir/types.ts';
import { subExprs } from '../../ir/visit.ts';
import { handlerMembers } from '../../kernel/async.ts';
import { functionsNamed } from '../../lifecycle/footprint/calls.ts';
import { macrosAt, writtenOutBody } from '../../lifecycle/footprint/macros.ts';
import {
  allExpressions,
  isVariable,
  ownExpressions,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { scopeOf, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import type { Module } from '../../lifecycle/types.ts';

/** A call, and the statement that it is in. */
export interface CallPlace {
  readonly file: FileIr;
  readonly fn: FunctionIr;
  readonly at: Placed;
  readonly call: CallExpr;
}

/** A function is given to one, or to a macro, that is no part of the module. */
export interface Given {
  readonly file: FileIr;
  readonly to: { readonly name: string; readonly start: number };
  readonly position: number;
  /** In code, and not in what a variable of a file is made of. */
  readonly isInCode: boolean;
}

export interface Callers {
  /** Where the module may call it, or gives it to what may call it at once. */
  readonly places: readonly CallPlace[];
  /** Where it is given to functions that are no part of the module. */
  readonly given: readonly Given[];
  /** The structs in whose members code of the module stores it. */
  readonly storedIn: ReadonlySet<string>;
}

/** A function of a module with its macros written out, and the calls in it. */
interface Listed {
  readonly scope: Scope;
  readonly statements: readonly Placed[];
  readonly calls: readonly CallPlace[];
}

/** The functions of a module as those that ask for callers see them. */
export interface CallerIndex {
  readonly module: Module;
  readonly functions: readonly Listed[];
  /** Names of the variables of its files: a call of one goes where it points to. */
  readonly variables: ReadonlySet<string>;
}

export function callerIndex(module: Module): CallerIndex {
  const files = [...module.sources, ...module.headers];
  const functions = files.flatMap((file) => file.functions.map((fn) => listed(module, file, fn)));
  const variables = new Set(files.flatMap((file) => file.variables.map(({ name }) => name)));
  return { module, functions, variables };
}

function listed(module: Module, file: FileIr, fn: FunctionIr): Listed {
  const { code, scope } = writtenOutBody(scopeOf(module, file, fn));
  const statements = statementsOf(code === fn.body ? fn : { ...fn, body: code });
  const calls = statements.flatMap((at) =>
    allExpressions(at.stmt).flatMap((call): CallPlace[] =>
      call.kind === 'call' ? [{ file, fn, at, call }] : [],
    ),
  );
  return { scope, statements, calls };
}

/** The callers of a function. */
export function callersOf(index: CallerIndex, fn: FunctionIr): Callers {
  const places = new Set<CallPlace>();
  const given = givenInFiles(index, fn);
  const pointers = pointersTo(index, fn, given);
  for (const one of index.functions) {
    const { scope } = one;
    for (const place of one.calls) {
      const { call } = place;
      if (isNamed(scope, call, fn) || mayPointTo(index, one, call, fn, pointers)) places.add(place);
      for (const [position, arg] of call.args.entries()) {
        if (!isFunction(scope, arg, fn)) continue;
        places.add(place);
        const { name } = call;
        if (name !== null && !isOwn(scope, call)) {
          const to = { name, start: call.start };
          given.push({ file: place.file, to, position, isInCode: true });
        }
      }
    }
  }
  return { places: [...places], given, storedIn: pointers.structs };
}

/** `static DEFINE_TIMER(timer, fn);`, and `= IRQ_WORK_INIT(fn)` of a variable. */
function givenInFiles({ module }: CallerIndex, fn: FunctionIr): Given[] {
  return [...module.sources, ...module.headers].flatMap((file) => {
    const scope: Scope = { module, file, fn, locals: new Map() };
    if (!functionsNamed(scope, fn.name).some((one) => one.fn === fn)) return [];
    const macros = file.fileMacros.flatMap(({ name, start, args }) =>
      args.flatMap((arg, position): Given[] =>
        arg.trim().replace(/^&\s*/, '') === fn.name
          ? [{ file, to: { name, start }, position, isInCode: false }]
          : [],
      ),
    );
    const calls = file.variables.flatMap(({ init }) =>
      (init === null ? [] : withParts(init)).flatMap((call) =>
        call.kind !== 'call' || call.name === null ? [] : givenTo(scope, call, call.name, fn),
      ),
    );
    return [...macros, ...calls];
  });
}

function givenTo(scope: Scope, { args, start }: CallExpr, name: string, fn: FunctionIr): Given[] {
  return args.flatMap((arg, position): Given[] =>
    isFunction(scope, arg, fn)
      ? [{ file: scope.file, to: { name, start }, position, isInCode: false }]
      : [],
  );
}

function withParts(expr: Expr): readonly Expr[] {
  return [expr, ...subExprs(expr).flatMap(withParts)];
}

function isNamed(scope: Scope, call: CallExpr, fn: FunctionIr): boolean {
  if (call.name === null || scope.locals.has(call.name)) return false;
  if (call.name === fn.name) return functionsNamed(scope, fn.name).some((one) => one.fn === fn);
  return macrosAt(scope, call).some((macro) => mentions(macro, fn.name));
}

/** A function or a macro of the module. */
function isOwn(scope: Scope, call: CallExpr): boolean {
  const { name } = call;
  if (name === null || scope.locals.has(name)) return true;
  return functionsNamed(scope, name).length > 0 || macrosAt(scope, call).length > 0;
}

function mentions({ bodyText }: MacroIr, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(bodyText);
}

function isFunction(scope: Scope, expr: Expr, fn: FunctionIr): boolean {
  const inner = uncast(expr);
  const target = inner.kind === 'unary' && inner.op === '&' ? uncast(inner.operand) : inner;
  return (
    target.kind === 'name' &&
    target.name === fn.name &&
    !scope.locals.has(fn.name) &&
    functionsNamed(scope, fn.name).some((one) => one.fn === fn)
  );
}

/** Where pointers to a function are kept. */
interface Pointers {
  /** By the names of members. */
  readonly members: ReadonlySet<string>;
  /** The structs of these that code of a function stores it in, by their tags. */
  readonly structs: ReadonlySet<string>;
  /** Variables of a file, and their elements. */
  readonly variables: ReadonlySet<string>;
  /** In a local variable or a parameter, or it is not known where: from there it may go anywhere. */
  readonly isAnywhere: boolean;
}

/** What keeps a value: a member, a variable of a file, or anything else. */
type Keeper =
  | { readonly kind: 'member'; readonly name: string; readonly tag?: string }
  | { readonly kind: 'variable'; readonly name: string; readonly tag?: string }
  | null;

function pointersTo(
  { module, functions }: CallerIndex,
  fn: FunctionIr,
  given: readonly Given[],
): Pointers {
  const members = new Set<string>(),
    structs = new Set<string>(),
    variables = new Set<string>();
  for (const { to, position } of given)
    for (const name of handlerMembers(to.name, position)) members.add(name);
  let isAnywhere = false;
  const keep = (keeper: Keeper): void => {
    if (keeper === null) isAnywhere = true;
    else (keeper.kind === 'member' ? members : variables).add(keeper.name);
    if (keeper?.kind === 'member' && keeper.tag !== undefined) structs.add(keeper.tag);
  };
  for (const file of [...module.sources, ...module.headers]) {
    const scope: Scope = { module, file, fn, locals: new Map() };
    for (const { name, type, init } of file.variables) {
      const tag = type.keyword === 'struct' && type.pointers === 0 ? type.name : null;
      const variable: Keeper = { kind: 'variable', name, ...(tag !== null && { tag }) };
      if (init) keepers(scope, init, fn, variable, keep);
    }
    isAnywhere ||= file.macros.some((macro) => mentions(macro, fn.name) && !isCallOf(macro, fn));
  }
  for (const { scope, statements } of functions)
    for (const { stmt } of statements)
      for (const expr of ownExpressions(stmt)) keepers(scope, expr, fn, null, keep);
  return { members, structs, variables, isAnywhere };
}

/** A macro only calls it. */
function isCallOf({ bodyText }: MacroIr, { name }: FunctionIr): boolean {
  return !new RegExp(`\\b${name}\\b(?!\\s*\\()`).test(bodyText);
}

/** Says what keeps a pointer to a function that an expression has. */
function keepers(
  scope: Scope,
  expr: Expr,
  fn: FunctionIr,
  into: Keeper,
  keep: (keeper: Keeper) => void,
): void {
  if (isFunction(scope, expr, fn)) {
    keep(into);
    return;
  }
  const inner = uncast(expr);
  switch (inner.kind) {
    case 'assign':
      keepers(scope, inner.value, fn, keeperOf(scope, inner.target), keep);
      return;
    case 'initializer':
      for (const { designators, value } of inner.entries) {
        const name = designators.findLast((one) => one !== '[]');
        const tag = designators.length === 1 && into?.kind === 'variable' ? into.tag : undefined;
        const member: Keeper = {
          kind: 'member',
          name: name ?? '',
          ...(tag !== undefined && { tag }),
        };
        keepers(scope, value, fn, name === undefined ? into : member, keep);
      }
      return;
    case 'call':
      // Who is given it may call it at once, which is a place of its own; only code of the module
      // is known to keep it for other code of the module.
      for (const [position, arg] of inner.args.entries())
        if (!isFunction(scope, arg, fn) || isOwn(scope, inner)) keepers(scope, arg, fn, null, keep);
        else
          for (const name of handlerMembers(inner.name ?? '', position))
            keep({ kind: 'member', name });
      if (inner.name === null) keepers(scope, inner.callee, fn, null, keep);
      return;
    default:
      for (const part of subExprs(inner)) keepers(scope, part, fn, into, keep);
  }
}

/** What an lvalue is a part of, or a pointer comes from. */
function keeperOf(scope: Scope, expr: Expr): Keeper {
  let inner = uncast(expr);
  while (inner.kind === 'index' || (inner.kind === 'unary' && inner.op !== '!'))
    inner = uncast(inner.kind === 'index' ? inner.base : inner.operand);
  if (inner.kind === 'member') {
    const tag = typeOf(scope, inner.base)?.tag;
    return { kind: 'member', name: inner.field, ...(tag !== undefined && { tag }) };
  }
  return inner.kind === 'name' && !scope.locals.has(inner.name)
    ? { kind: 'variable', name: inner.name }
    : null;
}

/** A call through a pointer that may be one to the function. */
function mayPointTo(
  index: CallerIndex,
  { scope, statements }: Listed,
  { name, callee, args }: CallExpr,
  fn: FunctionIr,
  pointers: Pointers,
): boolean {
  const isVariable = name !== null && (scope.locals.has(name) || index.variables.has(name));
  if ((name !== null && !isVariable) || args.length !== fn.params.length) return false;
  const from = keeperOf(scope, callee);
  const sources = from === null && name !== null ? sourcesOf(scope, statements, name) : [from];
  return sources.some((source) => isKept(source, pointers));
}

function isKept(keeper: Keeper, { members, variables, isAnywhere }: Pointers): boolean {
  if (keeper === null) return isAnywhere || members.size + variables.size > 0;
  return isAnywhere || (keeper.kind === 'member' ? members : variables).has(keeper.name);
}

/** What the pointers come from that a local variable is given; anything in a parameter. */
function sourcesOf(scope: Scope, statements: readonly Placed[], name: string): readonly Keeper[] {
  if (scope.fn.params.some((param) => param.name === name)) return [null];
  const values = statements.flatMap(({ stmt }) =>
    allExpressions(stmt)
      .flatMap((expr) =>
        expr.kind === 'assign' && isVariable(expr.target, name) ? [expr.value] : [],
      )
      .concat(stmt.kind === 'decl' && stmt.name === name && stmt.init ? [stmt.init] : []),
  );
  return values.length === 0 ? [null] : values.map((value) => keeperOf(scope, value));
}
