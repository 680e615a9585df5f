/** Where code keeps pointers to functions, and to which of them a call through a pointer goes. */
import type { CallExpr, Expr, FileIr, FunctionIr } from '../../ir/types.ts';
import { subExprs } from '../../ir/visit.ts';
import { handlerMembers } from '../../kernel/async.ts';
import { functionRow } from '../../kernel/functions/table.ts';
import { atomicChange } from '../../kernel/locks.ts';
import { macrosAt } from '../../lifecycle/footprint/macros.ts';
import { functionsNamed } from '../../lifecycle/module/named-functions.ts';
import {
  allExpressions,
  isVariable,
  ownExpressions,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { findStruct, resolveType, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import type { Module } from '../../lifecycle/types.ts';

/** A pointer may come from a variable that comes from a variable, so often. */
const MAX_HOPS = 8;

/** What a pointer leads to: a function of the module, or the kernel's of that name, if it locks. */
export type Target = FunctionIr | string;

/** What keeps a value: a member, a variable of a file, or it may be anything. */
interface Keeper {
  readonly kind: 'member' | 'variable' | 'local' | 'anything';
  readonly name: string;
  /** The struct that it is a member of, if that is known. */
  readonly tag?: string;
  /** The member or the variable of a file that is this struct. */
  readonly holder?: string;
}

const ANYTHING: Keeper = { kind: 'anything', name: '' };

/** A place that is given a value. */
interface Into {
  readonly keeper: Keeper;
  /** The struct that the value is; null for one without a name. */
  readonly tag?: string | null;
  readonly arrays: number;
}

const INTO_ANYTHING: Into = { keeper: ANYTHING, arrays: 0 };

/** A function with its macros written out. */
export interface WrittenOutFunction {
  readonly scope: Scope;
  readonly statements: readonly Placed[];
}

interface Kept {
  readonly target: Target;
  readonly keeper: Keeper;
}

/** The pointers to functions in a module. */
export interface Pointers {
  readonly module: Module;
  /** Names of the variables of its files: a call of one goes where it points to. */
  readonly variables: ReadonlySet<string>;
  /** Names of its functions. */
  readonly names: ReadonlySet<string>;
  readonly kept: readonly Kept[];
}

type Keep = (target: Target, keeper: Keeper) => void;

export function pointersIn(module: Module, functions: readonly WrittenOutFunction[]): Pointers {
  const files = [...module.sources, ...module.headers];
  const variables = new Set(files.flatMap((file) => file.variables.map(({ name }) => name)));
  const names = new Set(functions.map(({ scope }) => scope.fn.name));
  const kept: Kept[] = [];
  const pointers: Pointers = { module, variables, names, kept };
  const keep: Keep = (target, keeper) => void kept.push({ target, keeper });
  for (const file of files) inFile(pointers, file, functions, keep);
  for (const one of functions) {
    const { scope, statements } = one;
    const followed = followedVariables(one);
    const inFunction: Keep = (target, keeper) => {
      // targetsOf() reads what these are given.
      if (keeper.kind !== 'local' || !followed.has(keeper.name)) keep(target, keeper);
    };
    for (const { stmt } of statements) {
      const into = stmt.kind === 'decl' ? intoLocal(scope, stmt.name) : INTO_ANYTHING;
      for (const expr of ownExpressions(stmt)) keepers(pointers, scope, expr, into, inFunction);
    }
  }
  return pointers;
}

/** What the variables and macros of a file keep. */
function inFile(
  pointers: Pointers,
  file: FileIr,
  functions: readonly WrittenOutFunction[],
  keep: Keep,
): void {
  const scope = scopeOfFile(pointers.module, file);
  for (const { name, type, init } of file.variables) {
    const keeper: Keeper = { kind: 'variable', name };
    const isStruct = type.keyword === 'struct' && type.pointers === 0;
    const tag = isStruct && type.name === '' ? null : tagOf(scope, type);
    const into: Into = { keeper, arrays: type.arrays, ...(tag !== undefined && { tag }) };
    if (init) keepers(pointers, scope, init, into, keep);
  }
  for (const { name, args } of file.fileMacros)
    for (const [position, arg] of args.entries())
      for (const member of handlerMembers(name, position))
        for (const fn of functionsCalled(pointers, scope, arg.trim().replace(/^&\s*/, '')))
          keep(fn, { kind: 'member', name: member });
  for (const { bodyText } of file.macros) {
    const words = new Set(
      [...bodyText.matchAll(/\b[A-Za-z_]\w*\b(?!\s*\()/g)].map(([word]) => word),
    );
    for (const { scope: inside } of functions)
      if (words.has(inside.fn.name)) keep(inside.fn, ANYTHING);
  }
}

/** The local variables that are only assigned to and called: what they point to goes nowhere else. */
function followedVariables({ scope, statements }: WrittenOutFunction): ReadonlySet<string> {
  const { fn, locals } = scope;
  const found = new Set(locals.keys());
  for (const { name } of fn.params) found.delete(name);
  const all = statements.flatMap(({ stmt }) => allExpressions(stmt));
  const harmless = new Set(
    all.flatMap((expr) => {
      if (expr.kind === 'call') return [withoutSteps(expr.callee)];
      return expr.kind === 'assign' ? [uncast(expr.target)] : [];
    }),
  );
  for (const expr of all) if (expr.kind === 'name' && !harmless.has(expr)) found.delete(expr.name);
  return found;
}

/** Outside of all functions. */
export function scopeOfFile(module: Module, file: FileIr): Scope {
  return { module, file, fn: NO_FUNCTION, locals: new Map() };
}

const NOWHERE = { start: 0, end: 0 };
const NO_FUNCTION: FunctionIr = {
  kind: 'function',
  name: '',
  nameSpan: NOWHERE,
  returnType: { name: 'void', keyword: null, pointers: 0, arrays: 0, ...NOWHERE },
  params: [],
  isStatic: true,
  isInline: false,
  body: { kind: 'block', body: [], ...NOWHERE },
  conditions: [],
  opaque: false,
  text: '',
  ...NOWHERE,
};

/** Only what is in a struct or an array can be told from another value of a local variable. */
function intoLocal(scope: Scope, name: string): Into {
  const type = scope.locals.get(name);
  if (!type || type.pointers > 0) return { keeper: { kind: 'local', name }, arrays: 0 };
  const tag = tagOf(scope, type);
  return {
    keeper: { kind: 'local', name },
    arrays: type.arrays,
    ...(tag !== undefined && { tag }),
  };
}

function tagOf(
  { module, file }: Scope,
  type: Parameters<typeof resolveType>[2],
): string | undefined {
  return resolveType(module, file, { ...type, pointers: 0, arrays: 0 })?.tag;
}

function functionsCalled(
  { names }: Pointers,
  { module, file }: Scope,
  name: string,
): readonly FunctionIr[] {
  return names.has(name) ? functionsNamed(module, file, name).map(({ fn }) => fn) : [];
}

/** The functions that an expression is the name of. */
export function functionsOf(pointers: Pointers, scope: Scope, expr: Expr): readonly Target[] {
  const inner = uncast(expr);
  const target = inner.kind === 'unary' && inner.op === '&' ? uncast(inner.operand) : inner;
  if (target.kind !== 'name' || scope.locals.has(target.name)) return [];
  const { name } = target;
  const own = functionsCalled(pointers, scope, name);
  if (own.length > 0 || pointers.variables.has(name)) return own;
  return atomicChange(name) === undefined ? [] : [name];
}

/** A function or a macro of the module. */
export function isOwn(scope: Scope, call: CallExpr): boolean {
  const { name } = call;
  if (name === null || scope.locals.has(name)) return true;
  return (
    functionsNamed(scope.module, scope.file, name).length > 0 || macrosAt(scope, call).length > 0
  );
}

/** Says what keeps the pointers to functions that an expression has. */
function keepers(pointers: Pointers, scope: Scope, expr: Expr, into: Into, keep: Keep): void {
  const functions = functionsOf(pointers, scope, expr);
  for (const target of functions) keep(target, into.keeper);
  if (functions.length > 0) return;
  const inner = uncast(expr);
  switch (inner.kind) {
    case 'assign':
      keepers(pointers, scope, inner.value, intoTarget(scope, inner.target), keep);
      return;
    case 'initializer':
      for (const [index, { designators, value }] of inner.entries.entries())
        keepers(pointers, scope, value, intoEntry(scope, into, designators, index, value), keep);
      return;
    case 'call':
      argumentsOf(pointers, scope, inner, keep);
      return;
    default:
      for (const part of subExprs(inner)) keepers(pointers, scope, part, into, keep);
  }
}

/**
 * Who is given a function may call it at once, which is a place of its own; only code of the module
 * is known to keep it for other code of the module.
 */
function argumentsOf(pointers: Pointers, scope: Scope, call: CallExpr, keep: Keep): void {
  const isInModule = isOwn(scope, call);
  for (const [position, arg] of call.args.entries()) {
    const functions = isInModule ? [] : functionsOf(pointers, scope, arg);
    if (functions.length === 0) keepers(pointers, scope, arg, INTO_ANYTHING, keep);
    for (const target of functions) {
      for (const name of handlerMembers(call.name ?? '', position))
        keep(target, { kind: 'member', name });
      if (position > 0 && stores(call.name ?? '')) keep(target, keeperOf(scope, call.args[0]!));
    }
  }
  if (call.name === null) keepers(pointers, scope, call.callee, INTO_ANYTHING, keep);
}

/** WRITE_ONCE(), xchg(), cmpxchg() and the like. */
function stores(name: string): boolean {
  const row = functionRow(name);
  return (
    row?.publishes === true ||
    row?.means === 'assignment' ||
    row?.means === 'exchange' ||
    name.includes('cmpxchg')
  );
}

function intoTarget(scope: Scope, target: Expr): Into {
  const type = typeOf(scope, target);
  const tag = type?.pointers === 0 ? type.tag : undefined;
  return { keeper: keeperOf(scope, target), arrays: 0, ...(tag !== undefined && { tag }) };
}

/** What an entry of an initializer is given to: a member by its name or its place, or an element. */
function intoEntry(
  scope: Scope,
  into: Into,
  designators: readonly string[],
  index: number,
  value: Expr,
): Into {
  const members = designators.filter((one) => one !== '[]');
  if (members.length === 0 && into.arrays > 0) return { ...into, arrays: into.arrays - 1 };
  if (members.length === 0 && into.tag === undefined)
    return uncast(value).kind === 'initializer' && into.keeper.kind !== 'local'
      ? INTO_ANYTHING
      : into;
  const place = into.tag ? findStruct(scope.module, scope.file, into.tag) : undefined;
  const path = members.length > 0 ? members : [place?.struct.fields[index]?.name ?? ''];
  if (path[0] === '') return INTO_ANYTHING;
  let tag = into.tag ?? undefined,
    holder = isOutside(into.keeper) ? into.keeper.name : undefined;
  for (const name of path.slice(0, -1)) {
    tag = fieldOf(scope, tag, name).tag;
    holder = name;
  }
  const name = path.at(-1)!;
  const keeper: Keeper = {
    kind: 'member',
    name,
    ...(tag !== undefined && { tag }),
    ...(holder !== undefined && { holder }),
  };
  return { keeper, ...fieldOf(scope, tag, name) };
}

function isOutside({ kind }: Keeper): boolean {
  return kind === 'member' || kind === 'variable';
}

function fieldOf(
  { module, file }: Scope,
  tag: string | undefined,
  name: string,
): { readonly tag?: string; readonly arrays: number } {
  const place = tag === undefined ? undefined : findStruct(module, file, tag);
  const field = place?.struct.fields.find((one) => one.name === name);
  if (!place || !field) return { arrays: 0 };
  const type = resolveType(module, place.file, { ...field.type, pointers: 0, arrays: 0 });
  return {
    arrays: field.type.arrays,
    ...(field.type.pointers === 0 && type !== null && { tag: type.tag }),
  };
}

/** What an lvalue is a part of, or a pointer comes from. */
function keeperOf(scope: Scope, expr: Expr): Keeper {
  const inner = withoutSteps(expr);
  if (inner.kind === 'member') {
    const tag = typeOf(scope, inner.base)?.tag;
    const holder = nameKept(scope, inner.base);
    return {
      kind: 'member',
      name: inner.field,
      ...(tag !== undefined && { tag }),
      ...(holder !== undefined && { holder }),
    };
  }
  if (inner.kind !== 'name') return ANYTHING;
  return { kind: scope.locals.has(inner.name) ? 'local' : 'variable', name: inner.name };
}

/** The name of the member or of the variable of a file that an expression is, or the address of. */
export function nameKept(scope: Scope, expr: Expr): string | undefined {
  const inner = withoutSteps(expr);
  return inner.kind === 'member' ? inner.field : nameOutside(scope, inner);
}

function withoutSteps(expr: Expr): Expr {
  let inner = uncast(expr);
  while (inner.kind === 'index' || (inner.kind === 'unary' && inner.op !== '!'))
    inner = uncast(inner.kind === 'index' ? inner.base : inner.operand);
  return inner;
}

/** The name of what is no local variable. */
function nameOutside({ locals }: Scope, expr: Expr): string | undefined {
  return expr.kind === 'name' && !locals.has(expr.name) ? expr.name : undefined;
}

/** A struct that keeps a function, and the member or the variable of a file that is this struct. */
export interface StructWith {
  readonly tag: string;
  readonly holder: string | undefined;
}

/** The structs in whose members code of the module stores a function. */
export function structsWith({ kept }: Pointers, fn: FunctionIr): readonly StructWith[] {
  return kept.flatMap(({ target, keeper: { tag, holder } }) =>
    target === fn && tag !== undefined ? [{ tag, holder }] : [],
  );
}

/** A call that goes where a pointer leads to. */
export function isByPointer({ variables, names }: Pointers, scope: Scope, call: CallExpr): boolean {
  const { name } = call;
  return name === null || scope.locals.has(name) || (variables.has(name) && !names.has(name));
}

/** What a call through a pointer may call, as far as code of the module keeps pointers. */
export function targetsOf(
  pointers: Pointers,
  { scope, statements }: WrittenOutFunction,
  { callee, args }: CallExpr,
): ReadonlySet<Target> {
  const found = new Set<Target>();
  const seen = new Set<string>();
  const add = (keeper: Keeper): void => {
    for (const one of pointers.kept) if (mayBe(one.keeper, keeper)) found.add(one.target);
  };
  const follow = (expr: Expr, hops: number): void => {
    const functions = functionsOf(pointers, scope, expr);
    for (const target of functions) found.add(target);
    if (functions.length > 0) return;
    const inner = withoutSteps(expr);
    if (inner.kind === 'conditional') {
      follow(inner.then ?? inner.condition, hops);
      follow(inner.otherwise, hops);
      return;
    }
    if (inner.kind === 'initializer') {
      for (const { value } of inner.entries) follow(value, hops);
      return;
    }
    if (inner.kind === 'number' || (inner.kind === 'name' && inner.name === 'NULL')) return;
    const values = inner.kind === 'name' ? valuesOf(scope, statements, inner.name) : null;
    if (values === null || hops === 0) {
      add(keeperOf(scope, inner));
      return;
    }
    if (inner.kind !== 'name' || seen.has(inner.name)) return;
    seen.add(inner.name);
    for (const value of values) follow(value, hops - 1);
  };
  follow(callee, MAX_HOPS);
  for (const target of found)
    if (typeof target !== 'string' && target.params.length !== args.length) found.delete(target);
  return found;
}

/** A pointer that is kept in one may be read from the other. */
function mayBe(kept: Keeper, read: Keeper): boolean {
  if (!isOutside(kept) || !isOutside(read)) return true;
  if (kept.kind !== read.kind || kept.name !== read.name) return false;
  return kept.tag === undefined || read.tag === undefined || kept.tag === read.tag;
}

/** What a local variable is given; null for a parameter, and where that is not seen. */
function valuesOf(
  scope: Scope,
  statements: readonly Placed[],
  name: string,
): readonly Expr[] | null {
  if (!scope.locals.has(name) || scope.fn.params.some((param) => param.name === name)) return null;
  const values = statements.flatMap(({ stmt }) =>
    allExpressions(stmt)
      .flatMap((expr) =>
        expr.kind === 'assign' && isVariable(expr.target, name) ? [expr.value] : [],
      )
      .concat(stmt.kind === 'decl' && stmt.name === name && stmt.init ? [stmt.init] : []),
  );
  return values.length === 0 ? null : values;
}
