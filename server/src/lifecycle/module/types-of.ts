/** The types of names, members and expressions, through typedefs and headers. */
import type { Expr, FileIr, FunctionIr, MemberExpr, StructIr, TypeName } from '../../ir/types.ts';
import { ASYNC_TYPEDEFS } from '../../kernel/async.ts';
import type { Module } from '../types.ts';
import { spend } from '../../budget/work.ts';
import { localsOf } from './locals.ts';
import { uncast } from './statements.ts';
import { deviceMembersOf } from './unseen-struct.ts';
import { namedFunctions } from './named-functions.ts';

/** A type as the conversion needs it: a struct tag and how many `*` away it is. */
export interface PointerType {
  readonly tag: string;
  readonly pointers: number;
}

/** What names mean in one function. */
export interface Scope {
  readonly module: Module;
  readonly file: FileIr;
  readonly fn: FunctionIr;
  /** Null when the name stands for variables of different types in different blocks. */
  readonly locals: ReadonlyMap<string, TypeName | null>;
}

/** The scope of `fn`, which is a function of `file`. */
export function scopeOf(module: Module, file: FileIr, fn: FunctionIr): Scope {
  return { module, file, fn, locals: localsOf(fn) };
}

/**
 * A struct's definition: of the file, else of a header that it includes; never by tag from anywhere
 * else. Undefined when there is none or they differ.
 */
export function findStruct(
  module: Module,
  file: FileIr,
  tag: string,
): { readonly struct: StructIr; readonly file: FileIr } | undefined {
  const own = file.structs.filter((item) => item.name === tag && item.keyword === 'struct');
  if (own.length > 0) return own.length === 1 ? { struct: own[0]!, file } : undefined;
  for (const headers of [includedBy(module, file), module.headers]) {
    const found = headers.flatMap((header) =>
      header.structs
        .filter((item) => item.name === tag && item.keyword === 'struct')
        .map((struct) => ({ struct, file: header })),
    );
    if (found.length > 0) return found.length === 1 ? found[0] : undefined;
  }
  return undefined;
}

/** The headers of a module that a document includes itself. */
export function includedBy(module: Module, file: FileIr): readonly FileIr[] {
  // What stands in angle brackets is most often the kernel's: only the whole path says that a
  // header of the module is meant.
  return module.headers.filter((header) =>
    file.includes.some((item) =>
      item.quoted
        ? baseName(item.path) === baseName(header.path)
        : header.path.endsWith(`/${item.path}`),
    ),
  );
}

/**
 * The struct a type names, through typedefs of the file and its headers; null for what is no
 * struct.
 */
export function resolveType(module: Module, file: FileIr, type: TypeName): PointerType | null {
  let current = type;
  let pointers = type.pointers + type.arrays;
  for (let hops = 0; hops < 8; hops++) {
    if (current.keyword === 'struct') return { tag: current.name, pointers };
    const alias = typedefOf(module, file, current.name);
    if (current.keyword !== null) return null;
    if (!alias) {
      const tag = ASYNC_TYPEDEFS.get(current.name);
      return tag === undefined ? null : { tag, pointers };
    }
    current = alias;
    pointers += alias.pointers + alias.arrays;
  }
  return null;
}

/** What a typedef of the document, or else of a header of the module, stands for. */
export function typedefOf(module: Module, file: FileIr, name: string): TypeName | undefined {
  const own = file.typedefs.get(name);
  if (own) return own;
  for (const header of module.headers) {
    const found = header.typedefs.get(name);
    if (found) return found;
  }
  return undefined;
}

const MAX_DEPTH = 48;

/** The struct type of an expression, or null when it is none or not known. */
export function typeOf(scope: Scope, expr: Expr, depth = 0): PointerType | null {
  spend(1);
  if (depth > MAX_DEPTH) return null;
  const { module, file } = scope;
  const moved = (inner: PointerType | null, by: number): PointerType | null =>
    inner && inner.pointers + by >= 0 ? { tag: inner.tag, pointers: inner.pointers + by } : null;
  switch (expr.kind) {
    case 'name': {
      const local = scope.locals.get(expr.name);
      if (local !== undefined) return local && resolveType(module, file, local);
      const global = file.variables.find((item) => item.name === expr.name);
      return global ? resolveType(module, file, global.type) : null;
    }
    case 'member': {
      const base = typeOf(scope, expr.base, depth + 1);
      if (!base || base.pointers !== (expr.arrow ? 1 : 0)) return null;
      if (base.tag === 'vfio_pci_core_device' && expr.field === 'vdev')
        return { tag: 'vfio_device', pointers: 0 };
      const definition = findStruct(module, file, base.tag);
      const field = definition?.struct.fields.find((item) => item.name === expr.field);
      if (field) return resolveType(module, file, field.type);
      const device = definition ? undefined : deviceMembersOf(module, base.tag).get(expr.field);
      return device === undefined ? null : { tag: device, pointers: 0 };
    }
    case 'unary':
      if (expr.op === '&') return moved(typeOf(scope, expr.operand, depth + 1), 1);
      return expr.op === '*' ? moved(typeOf(scope, expr.operand, depth + 1), -1) : null;
    case 'index':
      return moved(typeOf(scope, expr.base, depth + 1), -1);
    case 'cast':
      return (
        resolveType(module, file, expr.type) ??
        (expr.type.name === 'void' ? typeOf(scope, expr.operand, depth + 1) : null)
      );
    case 'assign':
      return typeOf(scope, expr.target, depth + 1);
    case 'conditional':
      return (
        typeOf(scope, expr.then ?? expr.condition, depth + 1) ??
        typeOf(scope, expr.otherwise, depth + 1)
      );
    case 'call':
      return callType(scope, expr, depth);
    default:
      return null;
  }
}

function callType(scope: Scope, call: Expr & { kind: 'call' }, depth: number): PointerType | null {
  const { module, file } = scope;
  if (call.name === 'container_of' || call.name === 'container_of_const') {
    const type = call.args[1];
    if (type?.kind === 'type') return moveIn(resolveType(module, file, type.type));
    if (type?.kind === 'name')
      return (
        moveIn(
          resolveType(module, file, {
            start: type.start,
            end: type.end,
            name: type.name,
            keyword: null,
            pointers: 0,
            arrays: 0,
          }),
        ) ?? { tag: type.name, pointers: 1 }
      );
    return null;
  }
  if (call.name === null) return null;
  for (const source of [file, ...module.headers]) {
    const callee =
      namedFunctions(source, call.name)[0] ??
      source.prototypes.find((item) => item.name === call.name);
    if (callee) return resolveType(module, source, callee.returnType);
    const macro = source.macros.find((item) => item.name === call.name && item.params);
    if (macro?.body && depth < MAX_DEPTH) return typeOf(scope, macro.body, depth + 8);
  }
  return null;
}

function moveIn(type: PointerType | null): PointerType | null {
  return type && { tag: type.tag, pointers: type.pointers + 1 };
}

/** Members, from what they are read of down to the last. */
interface MemberPath {
  readonly root: Expr;
  readonly path: readonly string[];
}

/** The member path and root of `&p->a.b`, `p->a` or `p`: { root: p, path: ['a', 'b'] }. */
export function memberPath(expr: Expr): MemberPath {
  return pathFrom(expr, () => false);
}

/**
 * The members from an object down to where a pointer leads, without another pointer on the way, and
 * what points to the object:
 * `&p->port->core.vdev` gives { root: p->port, path: ['core', 'vdev'] }.
 */
export function placeInObject(expr: Expr): MemberPath {
  return pathFrom(expr, (member) => member.arrow);
}

/**
 * The path up to the first member, from the last one back, that `isFirst` says the object begins
 * with.
 */
function pathFrom(expr: Expr, isFirst: (member: MemberExpr) => boolean): MemberPath {
  let current = uncast(expr);
  if (current.kind === 'unary' && current.op === '&') current = uncast(current.operand);
  const path: string[] = [];
  while (current.kind === 'member') {
    const member = current;
    path.unshift(member.field);
    current = uncast(member.base);
    if (isFirst(member)) break;
  }
  return { root: current, path };
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
