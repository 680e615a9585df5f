/** Where an expression that stands for storage lies: a variable, or memory behind a pointer. */
import type { Expr, Stmt, TypeName, VariableIr } from '../../ir/types.ts';
import { changedBy } from '../../ir/assigned.ts';
import { isFixedMember } from '../../kernel/fixed-members.ts';
import { behaviourOf } from '../../kernel/lookup.ts';
import { LAST_OF_OLD_MODEL } from '../../kernel/known-kernels.ts';
import { touchOf } from '../../kernel/touches.ts';
import { allExpressions, namesIn, statementsOf, uncast } from '../module/statements.ts';
import { findStruct, resolveType, typedefOf, typeOf, type Scope } from '../module/types-of.ts';
import { deviceMembersOf } from '../module/unseen-struct.ts';
import { writtenOutBody } from './macros.ts';
import { ANY_MEMORY, VALUE, type Leaf, type Memory, type Place } from './places.ts';
import { namedFunctions } from '../module/named-functions.ts';

/**
 * The place that an expression stands for; null for what is no storage: a constant, a function, the
 * result of a call.
 */
export function placeOf(scope: Scope, expr: Expr): Place | null {
  const inner = uncast(expr);
  switch (inner.kind) {
    case 'name':
      return placeOfName(scope, inner.name);
    case 'member':
      return inner.arrow ? throughPointer(scope, inner) : inMember(scope, inner);
    case 'index':
      return isArray(scope, inner.base) ? placeOf(scope, inner.base) : behind(scope, inner.base);
    case 'unary':
      return inner.op === '*' ? behind(scope, inner.operand) : null;
    default:
      return null;
  }
}

/**
 * What a value that is handed on leads to: `&x` to x, an array to itself, a pointer to what it
 * points to; nothing for a plain value.
 */
export function pointeesOf(scope: Scope, expr: Expr): readonly Place[] {
  const inner = uncast(expr);
  switch (inner.kind) {
    case 'number':
    case 'string':
    case 'type':
    case 'sizeof':
    case 'initializer':
      return [];
    case 'unary': {
      if (inner.op !== '&') return inner.op === '*' ? pointerIn(scope, inner) : [];
      const place = placeOf(scope, inner.operand);
      return place ? [place] : [];
    }
    case 'conditional':
      return [
        ...pointeesOf(scope, inner.then ?? inner.condition),
        ...pointeesOf(scope, inner.otherwise),
      ];
    case 'binary':
      return inner.op === '+' || inner.op === '-'
        ? [...pointeesOf(scope, inner.left), ...pointeesOf(scope, inner.right)]
        : [];
    case 'comma':
      return inner.items.length > 0 ? pointeesOf(scope, inner.items.at(-1)!) : [];
    case 'assign':
      return pointeesOf(scope, inner.value);
    case 'name':
    case 'member':
    case 'index':
      return pointerIn(scope, inner);
    case 'call': {
      const type = typeOf(scope, inner);
      return [
        type && type.pointers === 1
          ? { kind: 'memory', steps: [], leaf: { kind: 'struct', tag: type.tag } }
          : ANY_MEMORY,
      ];
    }
    default:
      return [ANY_MEMORY];
  }
}

function pointerIn(scope: Scope, expr: Expr): readonly Place[] {
  if (isArray(scope, expr)) {
    const place = placeOf(scope, expr);
    return place ? [place] : [];
  }
  if (expr.kind === 'name' && isConstantName(scope, expr.name)) return [];
  const type = declaredType(scope, expr);
  // Numbers, structs by value and enumerations lead nowhere.
  if (type && type.pointers + type.arrays === 0 && !leadsOn(scope, type)) return [];
  return [behind(scope, expr)];
}

/** A typedef of a pointer. */
function leadsOn(scope: Scope, type: TypeName): boolean {
  const alias = type.keyword === null ? typedefOf(scope.module, scope.file, type.name) : undefined;
  return alias !== undefined && alias.pointers + alias.arrays > 0;
}

/** What a pointer leads to. */
function behind(scope: Scope, pointer: Expr): Place {
  const inner = uncast(pointer);
  if (inner.kind === 'unary' && inner.op === '&')
    return placeOf(scope, inner.operand) ?? ANY_MEMORY;
  const type = typeOf(scope, pointer);
  const root = parameterAt(scope, inner);
  if (type && type.pointers === 1)
    return { kind: 'memory', steps: [], leaf: { kind: 'struct', tag: type.tag }, ...root };
  return root.root === undefined ? ANY_MEMORY : { kind: 'argument', index: root.root };
}

/** The parameter that a pointer is, as long as the function gives it no other value. */
function parameterAt(scope: Scope, pointer: Expr): { readonly root?: number } {
  const index =
    pointer.kind === 'name'
      ? scope.fn.params.findIndex((param) => param.name === pointer.name)
      : -1;
  return index >= 0 && pointer.kind === 'name' && !isReassigned(scope, pointer.name)
    ? { root: index }
    : {};
}

function throughPointer(scope: Scope, expr: Expr & { kind: 'member' }): Place {
  const base = uncast(expr.base);
  if (base.kind === 'unary' && base.op === '&')
    return inMember(scope, { ...expr, arrow: false, base: base.operand }) ?? ANY_MEMORY;
  if (isArray(scope, base)) return inMember(scope, { ...expr, arrow: false, base }) ?? ANY_MEMORY;
  const type = typeOf(scope, expr.base);
  return memberOf(
    scope,
    { kind: 'memory', steps: [], leaf: null, ...parameterAt(scope, base) },
    type && type.pointers === 1 ? type.tag : null,
    expr.field,
  );
}

function inMember(scope: Scope, expr: Expr & { kind: 'member' }): Place | null {
  const base = placeOf(scope, expr.base);
  const tag = typeOf(scope, expr.base)?.tag ?? null;
  if (base?.kind === 'local') {
    const exposed = base.exposed && memberOf(scope, base.exposed, tag, expr.field);
    return {
      ...base,
      path: [...base.path, isShared(scope, tag, expr.field) ? '' : expr.field],
      exposed,
    };
  }
  if (base?.kind === 'memory') return memberOf(scope, base, tag, expr.field);
  if (base?.kind === 'global')
    return { ...base, exposed: memberOf(scope, base.exposed, tag, expr.field) };
  return base;
}

function memberOf(scope: Scope, base: Memory, tag: string | null, field: string): Memory {
  const name = isShared(scope, tag, field) ? '' : field;
  const fixed = tag !== null && isFixedMember(tag, field) ? { fixed: true as const } : {};
  const root = base.root === undefined ? {} : { root: base.root };
  return {
    kind: 'memory',
    steps: [...base.steps, { tag, field: name }],
    leaf: leafOf(scope, tag, field),
    ...fixed,
    ...root,
  };
}

/**
 * Members of unions and bit-fields may have bytes in common; so may those of an object whose struct
 * is not seen.
 */
function isShared(scope: Scope, tag: string | null, field: string): boolean {
  if (tag === null) return false;
  const definition = findStruct(scope.module, scope.file, tag);
  if (definition)
    return definition.struct.fields.find((item) => item.name === field)?.unplaced === true;
  const devices = deviceMembersOf(scope.module, tag);
  return devices.size > 0 && !devices.has(field);
}

function leafOf(scope: Scope, tag: string | null, field: string): Leaf {
  const definition = tag === null ? undefined : findStruct(scope.module, scope.file, tag);
  const found = definition?.struct.fields.find((item) => item.name === field);
  if (tag === 'vfio_pci_core_device' && field === 'vdev')
    return { kind: 'struct', tag: 'vfio_device' };
  return found && definition ? leafOfType({ ...scope, file: definition.file }, found.type) : null;
}

function leafOfType(scope: Scope, type: TypeName): Leaf {
  if (type.pointers > 0) return VALUE;
  const struct = resolveType(scope.module, scope.file, type);
  if (struct)
    return struct.pointers - type.arrays > 0 ? VALUE : { kind: 'struct', tag: struct.tag };
  return type.keyword === 'union' || type.name === '' ? null : VALUE;
}

function placeOfName(scope: Scope, name: string): Place | null {
  const { fn } = scope;
  if (scope.locals.has(name)) {
    if (isStaticLocal(scope, name))
      return {
        kind: 'global',
        name,
        owner: fn.name,
        exposed: asMemory(scope, scope.locals.get(name)),
      };
    return {
      kind: 'local',
      name,
      path: [],
      exposed: isExposed(scope, name) ? asMemory(scope, scope.locals.get(name)) : null,
    };
  }
  return isConstantName(scope, name)
    ? null
    : {
        kind: 'global',
        name,
        owner: null,
        exposed: asMemory(scope, variableNamed(scope, name)?.type),
      };
}

/**
 * A variable of a type as what a pointer to it leads to. A name that is declared nowhere is taken
 * for a plain value.
 */
function asMemory(scope: Scope, type: TypeName | null | undefined): Memory {
  return {
    kind: 'memory',
    steps: [],
    leaf: type === undefined ? VALUE : type && leafOfType(scope, type),
  };
}

function variableNamed(scope: Scope, name: string): VariableIr | undefined {
  return variablesNamed(scope, name)[0];
}

function variablesNamed({ file, module }: Scope, name: string): VariableIr[] {
  return [file, ...module.headers, ...module.sources].flatMap((one) =>
    one.variables.filter((item) => item.name === name),
  );
}

/** A function, an enumerator or a macro of the kernel, or a variable that nobody may change. */
export function isConstantName(scope: Scope, name: string): boolean {
  if (scope.locals.has(name)) return false;
  const variables = variablesNamed(scope, name);
  // A pointer to what is const is not const itself.
  if (variables.length > 0)
    return variables.every((item) => item.isConst && item.type.pointers === 0);
  const files = [scope.file, ...scope.module.headers, ...scope.module.sources];
  return (
    /^[A-Z_][A-Z0-9_]*$/.test(name) ||
    name === 'true' ||
    name === 'false' ||
    files.some(
      (file) =>
        namedFunctions(file, name).length > 0 || file.prototypes.some((item) => item.name === name),
    )
  );
}

function isStaticLocal(scope: Scope, name: string): boolean {
  return statementsOf(scope.fn).some(
    ({ stmt }) => stmt.kind === 'decl' && stmt.name === name && stmt.isStatic,
  );
}

/** An array decays to its own address wherever it is named. */
function isArray(scope: Scope, expr: Expr): boolean {
  const inner = uncast(expr);
  const type = inner.kind === 'name' || inner.kind === 'member' ? declaredType(scope, inner) : null;
  const isParam =
    inner.kind === 'name' && scope.fn.params.some((param) => param.name === inner.name);
  return type !== null && type.arrays > 0 && !isParam;
}

/** The type that a variable or a member is declared with; null when that is not seen. */
function declaredType(scope: Scope, expr: Expr): TypeName | null {
  if (expr.kind === 'name') {
    const local = scope.locals.get(expr.name);
    if (local !== undefined) return local;
    return variableNamed(scope, expr.name)?.type ?? null;
  }
  if (expr.kind !== 'member') return null;
  const tag = typeOf(scope, expr.base)?.tag;
  const definition = tag === undefined ? undefined : findStruct(scope.module, scope.file, tag);
  return definition?.struct.fields.find((item) => item.name === expr.field)?.type ?? null;
}

interface Uses {
  readonly exposed: ReadonlySet<string>;
  readonly assigned: ReadonlySet<string>;
}

const known = new WeakMap<Scope['fn'], { readonly module: Scope['module']; readonly uses: Uses }>();

/**
 * Whether somebody else may have the address of a local: it is taken, or the variable is an array.
 */
function isExposed(scope: Scope, name: string): boolean {
  return usesIn(scope).exposed.has(name) || (scope.locals.get(name)?.arrays ?? 0) > 0;
}

function isReassigned(scope: Scope, name: string): boolean {
  return usesIn(scope).assigned.has(name);
}

function usesIn(scope: Scope): Uses {
  const { fn, module } = scope;
  const before = known.get(fn);
  if (before?.module === module) return before.uses;
  const exposed = new Set<string>();
  const assigned = new Set<string>();
  const { code } = writtenOutBody(scope);
  for (const expr of statementsOf({ ...fn, body: code }).flatMap(({ stmt }) => evaluatedBy(stmt))) {
    if (expr.kind === 'unary' && expr.op === '&') {
      const root = rootName(expr.operand);
      if (root !== null) exposed.add(root);
    }
    const changed = changedBy(expr);
    const target = changed && uncast(changed);
    if (target?.kind === 'name') assigned.add(target.name);
    // What was not understood may take it, and so may a macro.
    if (expr.kind === 'unknown') for (const one of expr.names) exposed.add(one);
    if (expr.kind === 'call' && expr.name !== null && mayTakeAddress(scope, expr.name))
      for (const arg of expr.args) for (const one of namesIn(arg)) exposed.add(one);
  }
  const uses = { exposed, assigned };
  known.set(fn, { module, uses });
  return uses;
}

/** A macro of the module, or one that neither the module nor a table has. */
function mayTakeAddress({ file, module }: Scope, name: string): boolean {
  if ([file, ...module.headers].some((one) => one.macros.some((macro) => macro.name === name)))
    return true;
  return (
    /^[A-Z_][A-Z0-9_]*$/.test(name) &&
    behaviourOf(name, LAST_OF_OLD_MODEL) === undefined &&
    touchOf(name) === undefined
  );
}

/**
 * All that a statement evaluates itself; what was not understood as one expression of unknown
 * meaning.
 */
function evaluatedBy(stmt: Stmt): Expr[] {
  if (stmt.kind === 'unknown' || stmt.kind === 'asm') {
    return [{ kind: 'unknown', names: stmt.names, calls: [], start: stmt.start, end: stmt.end }];
  }
  const heads = stmt.kind === 'loop' ? stmt.init.flatMap(evaluatedBy) : [];
  return [...heads, ...allExpressions(stmt)];
}

/** The variable that an lvalue lies in; null when it lies behind a pointer. */
function rootName(expr: Expr): string | null {
  let inner = uncast(expr);
  while ((inner.kind === 'member' && !inner.arrow) || inner.kind === 'index')
    inner = uncast(inner.base);
  return inner.kind === 'name' ? inner.name : null;
}
