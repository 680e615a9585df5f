/** Finds the calls that have an effect on an object. */
import type { CallExpr, Expr, FileIr, FunctionIr } from '../../ir/types.ts';
import type { Effect, EffectOp, KernelVersion } from '../../kernel/types.ts';
import { behaviourOf } from '../../kernel/lookup.ts';
import { LAST_OF_OLD_MODEL } from '../../kernel/known-kernels.ts';
import { isExcluded, macrosOf } from '../../lifecycle/module/preprocessor.ts';
import type { Module } from '../../lifecycle/types.ts';
import { functionsCalling, scanOf } from '../../lifecycle/module/function-scan.ts';
import { isNull } from './expressions.ts';
import {
  allExpressions,
  foundIn,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import type { Container } from '../types.ts';
import {
  memberPath,
  placeInObject,
  scopeOf,
  typeOf,
  type Scope,
} from '../../lifecycle/module/types-of.ts';
import { measured, spendAgain } from '../../budget/work.ts';
import { append } from '../../text/lists.ts';

/** A call with an effect on an object, and where it stands. */
export interface CallSite {
  readonly scope: Scope;
  readonly fn: FunctionIr;
  readonly at: Placed;
  readonly call: CallExpr;
  /** The call is a statement of its own. */
  readonly whole: boolean;
  readonly op: EffectOp;
  /** The object: an argument, or for an allocation the call itself. */
  readonly target: Expr;
  /** For an allocation: the memory goes with its device (devm_). */
  readonly managed: boolean;
}

/** The calls of the files of a module, which nearly every step asks for, and what they have cost. */
const known = new WeakMap<
  Module,
  Map<FileIr, { readonly value: readonly CallSite[]; readonly spent: number }>
>();

/** Every call of a file that has an effect of the kernel's tables, in source order. */
export function callSites(module: Module, file: FileIr): readonly CallSite[] {
  const files = known.get(module) ?? new Map<FileIr, ReturnType<typeof measured<CallSite[]>>>();
  known.set(module, files);
  const before = files.get(file);
  if (before) {
    spendAgain(before.spent);
    return before.value;
  }
  const found = measured(() => findCallSites(module, file));
  files.set(file, found);
  return found.value;
}

function findCallSites(module: Module, file: FileIr): CallSite[] {
  const sites: CallSite[] = [];
  // A function that the module defines itself is not the kernel's function of that name.
  const linked = module.sources.flatMap((source) =>
    source === file ? [] : source.functions.filter((fn) => !fn.isStatic).map((fn) => fn.name),
  );
  const own = new Set([
    ...linked,
    ...file.functions.map((fn) => fn.name),
    ...file.macros.filter((macro) => macro.params !== null).map((macro) => macro.name),
  ]);
  const known = new Map<string, readonly Effect[]>();
  const effectsHere = (name: string): readonly Effect[] => {
    let effects = known.get(name);
    if (effects === undefined) {
      effects = own.has(name) ? [] : [...effectsOf(name), ...wrapperEffects(module, name)];
      known.set(name, effects);
    }
    return effects;
  };
  for (const fn of functionsCalling(file, (name) => effectsHere(name).length > 0)) {
    const scope = scopeOf(module, file, fn);
    for (const at of statementsOf(fn)) {
      for (const expr of allExpressions(at.stmt)) {
        if (expr.kind !== 'call' || expr.name === null) continue;
        for (const effect of effectsHere(expr.name)) {
          const target = targetOf(effect, expr);
          if (!target) continue;
          const whole = at.stmt.kind === 'expr' && at.stmt.expr === expr;
          sites.push({
            scope,
            fn,
            at,
            call: expr,
            whole,
            op: effect.op,
            target,
            managed: effect.op === 'allocate' && effect.managed === true,
          });
        }
      }
    }
  }
  return sites;
}

/**
 * The target kernel's preprocessor leaves the call out: what stands there is for other kernels, and
 * right as it is.
 */
export function isLeftOut(
  module: Module,
  site: Pick<CallSite, 'fn' | 'at'>,
  kernel: KernelVersion,
): boolean {
  const conditions: FunctionIr['conditions'][number][] = [...site.fn.conditions];
  for (let at: Placed | null = site.at; at; at = at.parent) {
    const { stmt, parent } = at;
    if (parent?.stmt.kind === 'preproc')
      append(conditions, parent.stmt.arms.find((arm) => arm.body.includes(stmt))?.conditions ?? []);
  }
  return conditions.length > 0 && isExcluded(conditions, kernel, macrosOf(module, kernel));
}

/** What a kernel function does to its objects in the kernels of the old model. */
export function effectsOf(name: string): readonly Effect[] {
  const behaviour = behaviourOf(name, LAST_OF_OLD_MODEL);
  return behaviour === undefined || behaviour === 'neutral' ? [] : behaviour.success;
}

/** What is the same in both models: a call that does nothing else stays as it is. */
const KEPT: ReadonlySet<EffectOp> = new Set(['register', 'unregister', 'assign-set']);

/**
 * What the settings say of a function of a vendor's core that registers or unregisters its argument.
 * Of others only the core's own conversion shows what becomes of them.
 */
function wrapperEffects(module: Module, name: string): readonly Effect[] {
  const effects = module.wrappers?.get(name)?.flatMap((row) => row.success) ?? [];
  const isKept = effects.every(({ op, through }) => KEPT.has(op) && through === undefined);
  return isKept ? effects.filter(({ op }) => op !== 'assign-set') : [];
}

/** A call that registers, as the settings say, in a way that is not followed here. */
export function unfollowedRegister(module: Module, file: FileIr): CallExpr | undefined {
  const isUnfollowed = (name: string): boolean =>
    wrapperEffects(module, name).length === 0 &&
    module.wrappers?.get(name)?.some((row) => row.success.some(({ op }) => op === 'register')) ===
      true;
  return functionsCalling(file, isUnfollowed)
    .flatMap((fn) => statementsOf(fn))
    .flatMap(({ stmt }) => allExpressions(stmt))
    .filter((expr): expr is CallExpr => expr.kind === 'call')
    .find(({ name }) => name !== null && isUnfollowed(name));
}

function targetOf(effect: Effect, call: CallExpr): Expr | undefined {
  if (!('target' in effect)) return undefined;
  return effect.target === 'return' ? call : call.args[effect.target];
}

/** How an expression names an object of a container. */
export interface Relation {
  /**
   * The index into `container.tags` of what it points to (0: the container itself, the last: its
   * vfio_device); -1: not such an object.
   */
  readonly level: number;
  /** False for a bare `struct vfio_device *` (or core device) that could be in any container. */
  readonly sure: boolean;
}

const UNRELATED: Relation = { level: -1, sure: true };

/** Relates an expression to a container, as far as types, member paths and one alias tell. */
export function relate(scope: Scope, container: Container, expr: Expr): Relation {
  const inner = uncast(expr);
  const type = typeOf(scope, inner);
  const level = type?.pointers === 1 ? container.tags.indexOf(type.tag) : -1;
  if (level <= 0) return { level, sure: true };
  const origin = originOf(scope, inner);
  if (!origin) return { level, sure: false };
  const from = container.tags.indexOf(origin.tag);
  if (from < 0) return UNRELATED;
  const wanted = container.path.slice(from, level);
  if (
    origin.path.length !== wanted.length ||
    origin.path.some((field, index) => field !== wanted[index])
  )
    return UNRELATED;
  return { level, sure: from === 0 };
}

/**
 * What a pointer points into: the struct of the variable it is taken from, and the members on the
 * way.
 */
function originOf(
  scope: Scope,
  expr: Expr,
): { readonly tag: string; readonly path: readonly string[] } | null {
  let current = expr;
  let path: readonly string[] = [];
  for (let hops = 0; hops < 4; hops++) {
    if (current.kind === 'unary' && current.op === '&') {
      const { root, path: own } = placeInObject(current);
      path = [...own, ...path];
      const type = typeOf(scope, root);
      if (!type) return null;
      if (type.tag !== 'vfio_device' && type.tag !== 'vfio_pci_core_device')
        return { tag: type.tag, path };
      current = root;
    }
    if (current.kind !== 'name' || !scope.locals.has(current.name)) return null;
    const values = assignmentsOf(scope.fn, current.name);
    const value = values.length === 1 ? uncast(values[0]!.value) : null;
    if (!value) return viewedAs(scope, current.name, path);
    if (value.kind !== 'unary' || value.op !== '&') return viewedAs(scope, current.name, path);
    current = value;
  }
  return null;
}

/**
 * `container_of(v, struct foo, vdev)` somewhere in the function says what a bare `struct
 * vfio_device *v` is in.
 */
function viewedAs(
  scope: Scope,
  name: string,
  path: readonly string[],
): { readonly tag: string; readonly path: readonly string[] } | null {
  if (path.length > 0) return null;
  for (const call of foundIn(scope.fn, containerCalls)) {
    const [pointer, , member] = call.args;
    if (pointer?.kind !== 'name' || pointer.name !== name || !member) continue;
    const tag = typeOf(scope, call)?.tag;
    if (tag) return { tag, path: memberNames(member) };
  }
  return null;
}

function containerCalls(fn: FunctionIr): readonly CallExpr[] {
  if (!scanOf(fn).names.called.includes('container_of')) return [];
  return statementsOf(fn).flatMap(({ stmt }) =>
    allExpressions(stmt).filter(
      (expr): expr is CallExpr => expr.kind === 'call' && expr.name === 'container_of',
    ),
  );
}

/** `core_device.vdev` as an argument. */
function memberNames(expr: Expr): readonly string[] {
  const { root, path } = memberPath(expr);
  return root.kind === 'name' ? [root.name, ...path] : path;
}

/** The level of `relate`, for those who take a bare pointer for the container's. */
export function levelOf(scope: Scope, container: Container, expr: Expr): number {
  return relate(scope, container, expr).level;
}

/** What an allocation is assigned to. */
export function assignedTo(site: CallSite): Expr | null {
  const { stmt } = site.at;
  if (stmt.kind === 'decl')
    return { kind: 'name', name: stmt.name, start: stmt.nameSpan.start, end: stmt.nameSpan.end };
  if (stmt.kind === 'expr' && stmt.expr.kind === 'assign' && uncast(stmt.expr.value) === site.call)
    return stmt.expr.target;
  return null;
}

export interface Assignment {
  readonly at: Placed;
  readonly value: Expr;
}

/** The values given to a variable of a function, by declaration or assignment; NULL is no value. */
export function assignmentsOf(fn: FunctionIr, name: string): readonly Assignment[] {
  return foundIn(fn, allAssignments).get(name) ?? [];
}

/** The same of all variables, by their names. */
function allAssignments(fn: FunctionIr): ReadonlyMap<string, readonly Assignment[]> {
  const found = new Map<string, Assignment[]>();
  const add = (name: string, at: Placed, value: Expr): void => {
    if (isNull(value)) return;
    const list = found.get(name);
    if (list) list.push({ at, value });
    else found.set(name, [{ at, value }]);
  };
  for (const at of statementsOf(fn)) {
    if (at.stmt.kind === 'decl' && at.stmt.init) add(at.stmt.name, at, at.stmt.init);
    for (const expr of allExpressions(at.stmt))
      if (expr.kind === 'assign' && expr.target.kind === 'name')
        add(expr.target.name, at, expr.value);
  }
  return found;
}
