/** What the names of a function are to the device, and whether a callback can have them too. */
import { mayCleanUp } from '../../ir/attributes.ts';
import type { DeclStmt, Expr, FileIr, FunctionIr, TypeName } from '../../ir/types.ts';
import { busView, isFixedGetter } from '../../kernel/casts.ts';
import { soundsLikeComputation as isComputation } from '../../kernel/heuristics.ts';
import { isView } from '../../kernel/casts.ts';
import { isNull } from '../query/expressions.ts';
import {
  allExpressions,
  expressionsIn,
  namesIn,
  statementsOf,
  uncast,
} from '../../lifecycle/module/statements.ts';
import { scopeOf, typeOf, type PointerType, type Scope } from '../../lifecycle/module/types-of.ts';
import type { Frame } from './types.ts';

/**
 * What a local or parameter of a function is to the device, and so whether a callback that has only
 * `vdev` can have it too.
 */
export type Binding =
  /** The container. */
  | { readonly kind: 'object' }
  /** The device of a bus around `vdev->dev`. */
  | { readonly kind: 'bus'; readonly tag: string }
  /** `vdev->dev`. */
  | { readonly kind: 'device' }
  /** Computed once, from what can be had again. */
  | { readonly kind: 'derived'; readonly decl: DeclStmt; readonly value: Expr }
  /** Holds what is computed on the way; `initial` is a constant that it starts with. */
  | { readonly kind: 'scratch'; readonly decl: DeclStmt; readonly initial: Expr | null }
  | { readonly kind: 'foreign' };

/** The names of one function, as the fold sees them. */
export interface Names {
  readonly file: FileIr;
  readonly fn: FunctionIr;
  readonly scope: Scope;
  readonly of: ReadonlyMap<string, Binding>;
  /** The struct of the object. */
  readonly tag: string;
  /** The member of the object that the vfio_device is, or is in. */
  readonly deviceField: string;
}

/**
 * What the probe calls the device that it gave to vfio_alloc_device: the tag of its bus, or null
 * for a bare `struct device *`.
 */
export interface DeviceSource {
  readonly busTag: string | null;
}

const FOREIGN: Binding = { kind: 'foreign' };
const MAX_HOPS = 6;

/** The names of the probe, and what its device is. */
export function namesOfProbe(frame: Frame): {
  readonly names: Names;
  readonly device: DeviceSource;
} {
  const { scope, fn } = frame;
  const dev = frame.alloc.args[2]!;
  const root = deviceRoot(scope, dev, 0);
  const names = new Map<string, Binding>();
  const busTag = root?.tag ?? null;
  for (const name of scope.locals.keys())
    names.set(name, bind(frame, scope, name, root, frame.variable));
  if (root && busTag !== null && scope.locals.has(root.name))
    names.set(root.name, { kind: 'bus', tag: busTag });
  settleDerived(scope, names);
  return {
    names: {
      file: frame.file,
      fn,
      scope,
      of: names,
      tag: frame.tag,
      deviceField: fieldOfDevice(frame),
    },
    device: { busTag },
  };
}

/**
 * The names of a function that puts the device. Its own device argument is the probe's when it has
 * the same type.
 * @param variable the one that holds what is put: another object of the same struct is none of its
 * business
 */
export function namesOfOther(
  frame: Frame,
  device: DeviceSource,
  fn: FunctionIr,
  variable: string | null,
): Names {
  const scope = scopeOf(frame.module, frame.file, fn);
  const names = new Map<string, Binding>();
  const isOwn = (type: TypeName): boolean =>
    type.keyword === 'struct' && type.pointers === 1 && type.name === (device.busTag ?? 'device');
  const given = fn.params.find((param) => isOwn(param.type));
  const root = given ? { name: given.name, tag: device.busTag } : null;
  for (const name of scope.locals.keys()) names.set(name, bind(frame, scope, name, root, variable));
  if (root && device.busTag !== null) names.set(root.name, { kind: 'bus', tag: device.busTag });
  if (root && device.busTag === null) names.set(root.name, { kind: 'device' });
  settleDerived(scope, names);
  return {
    file: frame.file,
    fn,
    scope,
    of: names,
    tag: frame.tag,
    deviceField: fieldOfDevice(frame),
  };
}

function fieldOfDevice(frame: Frame): string {
  return frame.member.split('.')[0]!;
}

interface Root {
  readonly name: string;
  readonly tag: string | null;
}

function bind(
  frame: Frame,
  scope: Scope,
  name: string,
  root: Root | null,
  variable: string | null,
): Binding {
  const { fn } = scope;
  const type = typeOf(scope, { kind: 'name', name, start: 0, end: 0 });
  if (type?.tag === frame.tag && type.pointers === 1)
    return name === variable ? { kind: 'object' } : FOREIGN;
  const writes = writesTo(fn, name);
  if (fn.params.some((item) => item.name === name))
    return root && name === root.name && writes.length === 0 && root.tag === null
      ? { kind: 'device' }
      : FOREIGN;
  const decl = onlyDeclaration(fn, name);
  if (decl === null) return FOREIGN;
  const value =
    writes.length === 1 && writes[0]!.whole && !isAddressTaken(fn, name) ? writes[0]!.value : null;
  const view = value && root ? viewOfRoot(scope, value, root, type) : null;
  if (view !== null) return view;
  if (value && isPure(value) && !isConstant(value)) {
    // What is only computed after the allocation may be computed from what has been built by then.
    const early = value.end <= frame.alloc.start || fn !== frame.fn;
    if (early && fn === frame.fn) return { kind: 'derived', decl, value };
  }
  const initial = decl.init && isConstant(decl.init) ? decl.init : null;
  if (decl.init && !initial) return FOREIGN;
  // What was computed before the allocation is not there in a callback: there it has to be set
  // anew.
  const isSet =
    fn === frame.fn &&
    writes.some((write) => write.value !== initial && write.at < frame.alloc.start);
  return { kind: 'scratch', decl, initial: isSet ? null : initial };
}

/** The declaration of a local that has one, and lives as long as its scope, which ends nothing. */
function onlyDeclaration(fn: FunctionIr, name: string): DeclStmt | null {
  const [decl, ...others] = statementsOf(fn).flatMap(({ stmt }) =>
    stmt.kind === 'decl' && stmt.name === name ? [stmt] : [],
  );
  if (!decl || others.length > 0 || decl.isStatic || mayCleanUp(decl)) return null;
  return isDeclaredByLoop(fn, name) ? null : decl;
}

/** A value that is the parent device, or the device of its bus. */
function viewOfRoot(
  scope: Scope,
  value: Expr,
  root: Root,
  type: PointerType | null,
): Binding | null {
  if (type?.pointers !== 1) return null;
  if (type.tag === 'device' && deviceRoot(scope, value, 0)?.name === root.name)
    return { kind: 'device' };
  const inner = uncast(value);
  const isView = inner.kind === 'call' && inner.name !== null && inner.name === busView(type.tag);
  return isView && inner.args[0] && deviceRoot(scope, inner.args[0], 0)?.name === root.name
    ? { kind: 'bus', tag: type.tag }
    : null;
}

/** The head of a loop declares another variable of the name: `for (int i = 0; …)`. */
function isDeclaredByLoop(fn: FunctionIr, name: string): boolean {
  return statementsOf(fn).some(
    ({ stmt }) =>
      stmt.kind === 'loop' && stmt.init.some((one) => one.kind === 'decl' && one.name === name),
  );
}

/** A derived local counts only when all that it is made of can be had again. */
function settleDerived(scope: Scope, names: Map<string, Binding>): void {
  for (let round = 0, changed = true; changed && round < 50; round++) {
    changed = false;
    for (const [name, binding] of names) {
      if (binding.kind !== 'derived') continue;
      const fits = namesIn(binding.value).every((used) => {
        if (!scope.locals.has(used))
          return !isMutable(scope.file, used) || isAddressOnly(binding.value, used);
        const kind = names.get(used)?.kind;
        return kind === 'bus' || kind === 'device' || (kind === 'derived' && used !== name);
      });
      if (!fits) {
        names.set(name, FOREIGN);
        changed = true;
      }
    }
  }
}

/** A variable of the file that is not const: its value may be another one later. */
export function isMutable(file: FileIr, name: string): boolean {
  return file.variables.some((item) => item.name === name && !item.isConst);
}

/**
 * `&variable` and `&table[i]` of an array are the same whenever they are evaluated; a plain read of
 * a variable is not.
 */
function isAddressOnly(value: Expr, name: string): boolean {
  const inner = uncast(value);
  if (inner.kind !== 'unary' || inner.op !== '&') return false;
  const object = uncast(inner.operand);
  if (object.kind === 'name') return object.name === name;
  return (
    object.kind === 'index' &&
    object.base.kind === 'name' &&
    object.base.name === name &&
    !namesIn(object.index).includes(name)
  );
}

/**
 * The variable that a `struct device *` is taken from: `&pdev->dev`, mdev_dev(mdev), or a local
 * that is set to such.
 */
function deviceRoot(scope: Scope, expr: Expr, hops: number): Root | null {
  if (hops > MAX_HOPS) return null;
  const inner = uncast(expr);
  if (inner.kind === 'unary' && inner.op === '&') {
    const member = uncast(inner.operand);
    if (member.kind !== 'member' || member.field !== 'dev' || !member.arrow) return null;
    return busRoot(scope, member.base);
  }
  if (
    inner.kind === 'call' &&
    inner.name !== null &&
    inner.args.length === 1 &&
    (inner.name === 'mdev_dev' || isView(inner.name))
  )
    return busRoot(scope, inner.args[0]!);
  if (inner.kind !== 'name' || !scope.locals.has(inner.name)) return null;
  const writes = writesTo(scope.fn, inner.name);
  if (scope.fn.params.some((param) => param.name === inner.name))
    return writes.length === 0 ? { name: inner.name, tag: null } : null;
  const value = writes.length === 1 && writes[0]!.whole ? writes[0]!.value : null;
  return value && deviceRoot(scope, value, hops + 1);
}

function busRoot(scope: Scope, expr: Expr): Root | null {
  const base = uncast(expr);
  if (base.kind !== 'name') return null;
  const type = typeOf(scope, base);
  return type &&
    type.pointers === 1 &&
    busView(type.tag) !== undefined &&
    writesTo(scope.fn, base.name).length <= 1
    ? { name: base.name, tag: type.tag }
    : null;
}

interface Write {
  readonly value: Expr | null;
  readonly at: number;
  /** By a plain assignment that is a statement of its own, or the declaration. */ readonly whole: boolean;
}

/** All places that give a variable a value, its declaration included. */
function writesTo(fn: FunctionIr, name: string): Write[] {
  const writes: Write[] = [];
  for (const { stmt, parent } of statementsOf(fn)) {
    if (stmt.kind === 'decl' && stmt.name === name && stmt.init)
      writes.push({ value: stmt.init, at: stmt.start, whole: parent === null });
    for (const expr of allExpressions(stmt)) {
      if (expr.kind === 'assign' && expr.target.kind === 'name' && expr.target.name === name) {
        writes.push({
          value: expr.value,
          at: expr.start,
          whole: parent === null && expr.op === '=' && stmt.kind === 'expr' && stmt.expr === expr,
        });
      }
      if (expr.kind === 'update' && expr.operand.kind === 'name' && expr.operand.name === name)
        writes.push({ value: null, at: expr.start, whole: false });
    }
  }
  return writes;
}

function isAddressTaken(fn: FunctionIr, name: string): boolean {
  return statementsOf(fn).some(({ stmt }) =>
    allExpressions(stmt).some(
      (expr) =>
        expr.kind === 'unary' &&
        expr.op === '&' &&
        expr.operand.kind === 'name' &&
        expr.operand.name === name,
    ),
  );
}

/** A number, -ERRNO, NULL, an empty initialiser. */
export function isConstant(expr: Expr): boolean {
  const inner = uncast(expr);
  if (inner.kind === 'number' || inner.kind === 'string' || isNull(inner)) return true;
  if (inner.kind === 'initializer') return inner.entries.length === 0;
  if (inner.kind === 'name') return /^[A-Z][A-Z0-9_]*$/.test(inner.name);
  return (
    inner.kind === 'unary' && (inner.op === '-' || inner.op === '~') && isConstant(inner.operand)
  );
}

/**
 * The expression only computes: evaluated again it has the same value, as long as what it reads
 * has.
 */
export function isPure(value: Expr): boolean {
  return expressionsIn(value).every((expr) => {
    if (
      expr.kind === 'assign' ||
      expr.kind === 'update' ||
      expr.kind === 'statement-expression' ||
      expr.kind === 'unknown'
    )
      return false;
    return (
      expr.kind !== 'call' ||
      (expr.name !== null &&
        (isView(expr.name) ||
          isFixedGetter(expr.name) ||
          isComputation(expr.name) ||
          /^[A-Z][A-Z0-9_]*$/.test(expr.name)))
    );
  });
}
