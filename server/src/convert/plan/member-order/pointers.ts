/** What a pointer is to the proof: one to the object, to its first member, or drvdata. */
import type { Expr, FileIr, FunctionIr, StructIr, TypeName } from '../../../ir/types.ts';
import {
  findStruct,
  typeOf,
  type PointerType,
  type Scope,
} from '../../../lifecycle/module/types-of.ts';
import { uncast } from '../../../lifecycle/module/statements.ts';
import type { Module } from '../../../lifecycle/types.ts';
import { effectsOf } from '../../query/call-sites.ts';

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
export type Kind = 'object' | 'first' | 'drvdata';

export interface Search {
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

/** A pointer of a kind, in the expression that is judged. */
export interface Found {
  readonly search: Search;
  readonly scope: Scope;
  readonly expr: Expr;
  readonly kind: Kind;
}

/** Gives the proof up for a pointer: `why` follows on what it is the address of. */
export function denyFound({ search, scope, expr, kind }: Found, why: string): void {
  const what =
    kind === 'first' ? 'the address of the present first member' : 'the address of the object';
  search.deny(`${what} ${why}`, scope.file, expr);
}

export function kindOf(search: Search, scope: Scope, expr: Expr): Kind | null {
  if (expr.kind === 'name') return kindOfName(search, scope, expr.name);
  if (isAddressOfFirst(search, scope, expr)) return 'first';
  const type = typeOf(scope, expr);
  if (isStruct(search, type)) return 'object';
  if (search.first.tag !== null && isFirst(search, type) && expr.kind !== 'call') return 'first';
  return isDrvdata(expr) ? 'drvdata' : null;
}

export function kindOfName(search: Search, scope: Scope, name: string): Kind | null {
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

export function isDrvdata(expr: Expr): boolean {
  return (
    expr.kind === 'call' &&
    expr.name !== null &&
    effectsOf(expr.name).some((effect) => effect.op === 'get-drvdata')
  );
}

export function isStruct(search: Search, type: PointerType | null): boolean {
  return type?.pointers === 1 && type.tag === search.struct.name;
}

/** Whether a pointer of a type keeps what a pointer of a kind is known to be. */
export function isOfKind(search: Search, kind: Kind | null, type: PointerType | null): boolean {
  if (kind === 'object') return isStruct(search, type);
  if (kind === 'first') return isFirst(search, type);
  return type !== null && !isFirst(search, type);
}

export function isFirst(search: Search, type: PointerType | null): boolean {
  const { tag, type: own } = search.first;
  // Where the first member is a pointer itself, no pointer to a struct is its address.
  if (type?.pointers !== 1 || own.pointers > 0) return false;
  return type.tag === (tag ?? (own.keyword === 'struct' ? own.name : null));
}

/** A type that only holds an address: `void *` or an integer that is as wide. */
export function isPlain(type: TypeName | null | undefined): boolean {
  if (!type || type.keyword !== null || type.arrays > 0) return false;
  if (type.name === 'void') return type.pointers === 1;
  return (
    type.pointers === 0 &&
    ['long', 'uintptr_t', 'ulong', 'u64', '__u64', 'size_t', 'intptr_t'].includes(type.name)
  );
}

/** The type of a member as its struct has it; null when that is not seen. */
export function memberType(scope: Scope, expr: Expr): TypeName | null {
  if (expr.kind !== 'member') return null;
  const base = typeOf(scope, expr.base);
  const found = base && findStruct(scope.module, scope.file, base.tag);
  return found?.struct.fields.find((one) => one.name === expr.field)?.type ?? null;
}

export function remember(search: Search, fn: FunctionIr, name: string, kind: Kind): void {
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
