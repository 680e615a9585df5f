/**
 * Proves that nothing overwrites an object, or its vfio_device, while the vfio core still works on
 * it: from its allocation to the last put.
 */
import { behaviourOf } from '../../kernel/lookup.ts';
import { LAST_OF_OLD_MODEL } from '../../kernel/known-kernels.ts';
import { isSetByDriver } from '../../kernel/fixed-members.ts';
import { byteRangesOf } from '../../kernel/memory-uses.ts';
import { saysItOverwrites } from '../../kernel/heuristics.ts';
import type { CallExpr, Expr, FileIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { plain } from './arguments.ts';
import {
  allExpressions,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import {
  dereferenced,
  handsOn,
  pointerIn,
  type Done,
} from '../../lifecycle/footprint/handed-on.ts';
import { lineIn, refuse, textOf } from '../refusal-error.ts';
import { assignmentsOf, levelOf } from '../query/call-sites.ts';
import type { Container, FreePlan } from '../types.ts';
import { memberPath, scopeOf, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

/** The bytes behind a pointer are written: by a function of the kernel, or by a store. */
function writesBytes({ to, position }: Done): boolean {
  return (
    to === null || byteRangesOf(to).some((range) => range.writes && range.pointer === position)
  );
}

interface Search {
  readonly module: Module;
  readonly file: FileIr;
  readonly container: Container;
  readonly frees: readonly FreePlan[];
}

/**
 * Refuses where code of the module writes over a whole object, or over its vfio_device. `wiped` are
 * statements that the conversion takes care of.
 */
export function refuseOverwritten(
  module: Module,
  file: FileIr,
  container: Container,
  frees: readonly FreePlan[],
  wiped: ReadonlySet<Placed['stmt']>,
): void {
  const search: Search = {
    module,
    file,
    container,
    frees,
  };
  for (const document of new Set([file, ...module.sources, ...module.headers])) {
    for (const fn of document.functions) {
      const scope = scopeOf(module, document, fn);
      for (const at of statementsOf(fn)) {
        if (wiped.has(at.stmt)) continue;
        for (const expr of allExpressions(at.stmt)) judge(search, scope, at, expr);
      }
    }
  }
}

function judge(search: Search, scope: Scope, at: Placed, expr: Expr): void {
  const member = coreMember(search, scope, expr);
  if (member !== null) {
    refuse(
      'object-overwritten',
      `\`${plain(textOf(scope.file, expr))}\` at line ${lineIn(scope.file, expr.start)} sets \`${member}\` of the vfio_device, which belongs to the vfio core from the allocation to the last vfio_put_device(). Do not set it.`,
      scope.file,
      expr,
    );
  }
  if (mayOverwrite(search, scope, at, expr)) refuseUnseen(search, scope, expr);
  if (!overwrites(search, scope, expr)) return;
  const { container } = search;
  const what = plain(textOf(scope.file, expr));
  refuse(
    'object-overwritten',
    `\`${what}\` at line ${lineIn(scope.file, expr.start)} overwrites \`struct ${container.tag}\` with the vfio_device in it, which the vfio core uses until the last vfio_put_device(). Overwrite only the members after the vfio_device.`,
    scope.file,
    expr,
  );
}

/** A call of a function whose name alone says that it overwrites what it is given. */
function mayOverwrite(
  search: Search,
  scope: Scope,
  at: Placed,
  expr: Expr,
): expr is CallExpr & { readonly name: string } {
  return (
    expr.kind === 'call' &&
    expr.name !== null &&
    saysItOverwrites(expr.name) &&
    isUnseen(search, expr.name) &&
    isBeforeFree(search, scope, at) &&
    expr.args.some((arg) => pointsToObject(search, scope, arg))
  );
}

function refuseUnseen(
  { container }: Search,
  { file }: Scope,
  call: CallExpr & { readonly name: string },
): never {
  const place = `\`${plain(textOf(file, call))}\` at line ${lineIn(file, call.start)}`;
  const danger = `may overwrite \`struct ${container.tag}\` with the vfio_device in it, which the vfio core uses until the last vfio_put_device()`;
  refuse(
    'object-overwritten',
    `${place} ${danger}: ${call.name}() is not in the files that were read. Remove the call if it overwrites the object, or name the file of ${call.name}() too.`,
    file,
    call,
  );
}

/**
 * The member of the vfio_device that an assignment sets, where the core keeps it: null for what a
 * driver may set before the register.
 */
function coreMember({ container }: Search, scope: Scope, expr: Expr): string | null {
  if (expr.kind !== 'assign' && expr.kind !== 'update') return null;
  let target = uncast(expr.kind === 'assign' ? expr.target : expr.operand);
  while (target.kind === 'member') {
    const base = typeOf(scope, target.base);
    const isDevice = base?.tag === 'vfio_device' && base.pointers === (target.arrow ? 1 : 0);
    const device: Expr = target.arrow
      ? target.base
      : { kind: 'unary', op: '&', operand: target.base, start: target.start, end: target.end };
    if (
      isDevice &&
      !isVariable(scope, target.base) &&
      levelOf(scope, container, uncast(device)) >= 0
    )
      return isSetByDriver(target.field) ? null : target.field;
    target = uncast(target.base);
  }
  return null;
}

function overwrites(search: Search, scope: Scope, expr: Expr): boolean {
  if (expr.kind === 'assign' || expr.kind === 'update')
    return isWholeObject(search, scope, expr.kind === 'assign' ? expr.target : expr.operand);
  if (expr.kind !== 'call' || expr.name === null) return false;
  const { name } = expr;
  if (name === 'swap' && expr.args.some((arg) => isWholeObject(search, scope, arg))) return true;
  return handsOn(scope, expr, writesBytes, (pointer) => pointsToObject(search, scope, pointer));
}

/** `*p`, `p->vdev`, and bytes behind a cast: `((u8 *)p)[i]`, `*bytes++` where `bytes = (u8 *)p`. */
function isWholeObject(search: Search, scope: Scope, target: Expr): boolean {
  const inner = uncast(target);
  if (inner.kind === 'name') return false;
  const type = typeOf(scope, inner);
  const index = type?.pointers === 0 ? search.container.tags.indexOf(type.tag) : -1;
  if (index >= 0)
    return (
      !isVariable(scope, inner) &&
      levelOf(scope, search.container, {
        kind: 'unary',
        op: '&',
        operand: inner,
        start: inner.start,
        end: inner.end,
      }) >= 0
    );
  const base = dereferenced(inner);
  if (!base || typeOf(scope, base) !== null)
    return (
      base !== null && base.kind === 'cast' && pointsToObject(search, scope, base) && type === null
    );
  return pointsToObject(search, scope, base);
}

/** The pointer is to the object, to its vfio_device or into that; whatever type it goes by. */
function pointsToObject({ container }: Search, scope: Scope, expr: Expr): boolean {
  const inner = uncast(expr);
  if (isVariable(scope, inner)) return false;
  if (levelOf(scope, container, inner) >= 0) return true;
  const { root, path } = memberPath(inner);
  const type = typeOf(scope, root);
  const level = type?.pointers === 1 ? container.tags.indexOf(type.tag) : -1;
  if (level >= 0 && path.length > 0 && inner.kind === 'unary') {
    const rest = container.path.slice(level);
    return (
      rest.length > 0 && path.every((field, index) => index >= rest.length || field === rest[index])
    );
  }
  const name = pointerIn(inner);
  if (name === null || !scope.locals.has(name)) return false;
  if (
    inner.kind !== 'name' &&
    typeOf(scope, { kind: 'name', name, start: 0, end: 0 })?.tag === container.tag
  )
    return true;
  return assignmentsOf(scope.fn, name).some(
    ({ value }) => uncast(value) !== inner && levelOf(scope, container, uncast(value)) >= 0,
  );
}

/** A variable that is such a struct itself, or a part of one: no object of the core's. */
function isVariable(scope: Scope, expr: Expr): boolean {
  const { root } = memberPath(expr);
  return root.kind === 'name' && typeOf(scope, root)?.pointers === 0;
}

function isUnseen({ module, file }: Search, name: string): boolean {
  return (
    behaviourOf(name, LAST_OF_OLD_MODEL) === undefined &&
    ![file, ...module.sources, ...module.headers].some(
      (source) =>
        namedFunctions(source, name).length > 0 ||
        source.macros.some((macro) => macro.name === name),
    )
  );
}

/** The object is freed behind the statement in the same block. */
function isBeforeFree({ frees }: Search, scope: Scope, at: Placed): boolean {
  return frees.some(
    (free) => free.fn === scope.fn && free.at.siblings === at.siblings && free.at.index > at.index,
  );
}

/** A call that gives memory zeroes: what it does to memory that is zero already is nothing. */
export function writesZeroes(expr: Expr): boolean {
  if (expr.kind === 'call') {
    const value = expr.name === 'memset' || expr.name === '__memset' ? expr.args[1] : undefined;
    return (
      expr.name === 'memzero_explicit' ||
      expr.name === 'bzero' ||
      (value?.kind === 'number' && value.value === 0)
    );
  }
  const value = expr.kind === 'assign' ? uncast(expr.value) : expr;
  if (value.kind !== 'initializer') return value.kind === 'number' && value.value === 0;
  return value.entries.every(
    (entry) =>
      writesZeroes(entry.value) || (entry.value.kind === 'name' && entry.value.name === 'NULL'),
  );
}
