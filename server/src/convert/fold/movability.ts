import type { CallExpr, Expr, FunctionIr, Stmt } from '../../ir/types.ts';
import { counterChange } from '../../kernel/counters.ts';
import { soundsLikeComputation } from '../../kernel/heuristics.ts';
import { retainsArgument } from '../../kernel/lookup.ts';
import { isValueOrTest } from '../../kernel/macros.ts';
import { isLog } from '../../kernel/heuristics.ts';
import { reachesOut } from '../../kernel/heuristics.ts';
import { effectsOfCall } from '../../lifecycle/footprint/calls.ts';
import { conflictOf } from '../../lifecycle/footprint/order.ts';
import { effectsOfStmt, type Effects } from '../../lifecycle/footprint/footprint.ts';
import { allExpressions, namesIn, uncast } from '../../lifecycle/module/statements.ts';
import { effectsOf } from '../query/call-sites.ts';
import { isMutable, isPure, type Names } from './bindings.ts';
import { callsUnder, under } from './probe-shape.ts';

/** Why a statement cannot be in a callback of the device. */
export type Obstacle =
  | 'counter'
  | 'global'
  | 'managed'
  | 'drvdata'
  | 'lock'
  | 'local'
  | 'life-cycle'
  | 'elsewhere'
  | 'apart'
  | 'shape';

/** What a statement reads and changes, as far as the device's object is concerned. */
export interface Footprint {
  /** First members of the object that it mentions, and those that it may change. */
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
  /** It hands on the whole object, so that any member may be read and changed. */
  readonly whole: boolean;
  readonly mentionsObject: boolean;
  readonly locals: ReadonlySet<string>;
  /** Variables of the file that are not const. */
  readonly globals: ReadonlySet<string>;
  readonly calls: readonly CallExpr[];
  /** A goto or return is in it. */
  readonly leaves: boolean;
  readonly obstacle: Obstacle | null;
  readonly effects: Effects;
}

const known = new WeakMap<Stmt, { readonly scope: Names['scope']; readonly effects: Effects }>();

/** What a statement reads and writes, found once. */
export function effectsIn(names: Names, stmt: Stmt): Effects {
  const found = known.get(stmt);
  if (found && found.scope === names.scope) return found.effects;
  const effects = effectsOfStmt(names.scope, stmt);
  known.set(stmt, { scope: names.scope, effects });
  return effects;
}

/** Computes the footprint of a statement and all inside it. */
export function footprintOf(names: Names, stmt: Stmt): Footprint {
  const reads = new Set<string>();
  const writes = new Set<string>();
  const locals = new Set<string>();
  const globals = new Set<string>();
  let whole = false;
  let mentionsObject = false;
  const all = under(stmt);
  const roots = all.flatMap(allExpressions);
  const effects = effectsIn(names, stmt);
  const opaque = effects.writes.some(({ place }) => place.kind === 'locals');
  const bases = new Set<Expr>();
  for (const expr of roots) {
    if (expr.kind !== 'member') continue;
    const base = uncast(expr.base);
    if (base.kind !== 'name' || names.of.get(base.name)?.kind !== 'object') continue;
    bases.add(base);
    reads.add(expr.field);
  }
  for (const expr of roots) {
    if (expr.kind === 'name') {
      const binding = names.of.get(expr.name);
      if (binding) locals.add(expr.name);
      else if (isMutable(names.file, expr.name)) globals.add(expr.name);
      if (binding?.kind === 'object') {
        mentionsObject = true;
        if (!bases.has(expr)) whole = true;
      }
    }
    if (expr.kind === 'assign' || expr.kind === 'update') {
      const field = fieldOf(names, expr.kind === 'assign' ? expr.target : expr.operand);
      if (field) writes.add(field);
    }
    // The address of a member may be written through; that of the vfio_device leads to the whole
    // object.
    if (expr.kind === 'unary' && expr.op === '&') {
      const field = fieldOf(names, expr.operand);
      if (field) writes.add(field);
    }
  }
  for (const call of roots) {
    if (call.kind !== 'call') continue;
    for (const arg of call.args) {
      const inner = uncast(arg);
      if (inner.kind === 'unary' && inner.op === '&' && isDevicePath(names, inner.operand))
        whole = true;
      // What a member points to may be changed by who is given it.
      const field = fieldOf(names, inner);
      if (field) writes.add(field);
    }
  }
  return {
    reads,
    writes,
    whole,
    mentionsObject,
    locals,
    globals,
    calls: callsUnder(stmt),
    leaves: opaque || all.some((inner) => inner.kind === 'goto' || inner.kind === 'return'),
    // A macro that is not understood may use any local and jump anywhere.
    obstacle: opaque ? 'shape' : obstacleIn(names, all, roots),
    effects,
  };
}

/**
 * The first member of the object that an expression is, is in, or is the address of; null for what
 * is no part of the object.
 */
function fieldOf(names: Names, expr: Expr): string | null {
  let inner = uncast(expr);
  let field: string | null = null;
  for (;;) {
    if (inner.kind === 'member') {
      field = inner.field;
      inner = uncast(inner.base);
    } else if (inner.kind === 'index') inner = uncast(inner.base);
    else if (inner.kind === 'unary' && (inner.op === '*' || inner.op === '&'))
      inner = uncast(inner.operand);
    else return inner.kind === 'name' && names.of.get(inner.name)?.kind === 'object' ? field : null;
  }
}

/**
 * `p->vdev`, `p->core_device.vdev`: the device at the start of the object, from which the whole
 * object can be reached.
 */
function isDevicePath(names: Names, expr: Expr): boolean {
  return expr.kind === 'member' && fieldOf(names, expr) === names.deviceField;
}

/**
 * Calls whose effect on the life of a device or on drvdata makes a statement stay where it is.
 * vfio_assign_device_set may be in `.init`: the core undoes it.
 */
const STAYING_EFFECTS: ReadonlySet<string> = new Set([
  'register',
  'unregister',
  'put',
  'get',
  'alloc',
  'init',
  'uninit',
  'init-device',
  'free-device',
  'core-init',
  'core-release',
  'put-registration',
  'defer',
]);

function obstacleIn(names: Names, all: readonly Stmt[], exprs: readonly Expr[]): Obstacle | null {
  for (const stmt of all) {
    if (
      stmt.kind === 'unknown' ||
      stmt.kind === 'asm' ||
      stmt.kind === 'guard' ||
      stmt.kind === 'label' ||
      stmt.kind === 'case' ||
      stmt.kind === 'switch'
    )
      return 'shape';
    // A local of one arm would have to be declared in that arm.
    if (stmt.kind === 'preproc' && under(stmt).some((inner) => inner.kind === 'decl'))
      return 'shape';
    if (
      stmt.kind === 'loop' &&
      stmt.form === 'macro' &&
      !/^(?:list_for_each|for_each_)/.test(stmt.macro ?? '')
    )
      return 'shape';
    if (
      stmt.kind === 'loop' &&
      under(stmt.body).some(
        (inner) =>
          inner.kind === 'goto' && under(stmt.body).some((label) => label.kind === 'label'),
      )
    )
      return 'shape';
  }
  for (const expr of exprs) {
    switch (expr.kind) {
      case 'unknown':
      case 'statement-expression':
        return 'shape';
      case 'name':
        if (names.of.get(expr.name)?.kind === 'foreign') return 'local';
        if (/^(?:current|smp_processor_id)$/.test(expr.name)) return 'elsewhere';
        break;
      case 'assign':
      case 'update': {
        const target = expr.kind === 'assign' ? expr.target : expr.operand;
        if (!isOwnPlace(names, target))
          return expr.kind === 'update' || expr.op !== '=' ? 'counter' : 'global';
        break;
      }
      case 'call': {
        const found = obstacleOfCall(names, expr);
        if (found) return found;
        break;
      }
      default:
        break;
    }
  }
  return null;
}

/** A member of the object, or a local. */
function isOwnPlace(names: Names, target: Expr): boolean {
  const inner = uncast(target);
  if (inner.kind === 'name') return names.of.get(inner.name)?.kind === 'scratch';
  return fieldOf(names, inner) !== null || scratchRoot(names, inner);
}

function scratchRoot(names: Names, expr: Expr): boolean {
  let inner = expr;
  while (inner.kind === 'member' || inner.kind === 'index') inner = uncast(inner.base);
  return inner.kind === 'name' && names.of.get(inner.name)?.kind === 'scratch';
}

/** A reference to a device that is no part of the object: get_device() of the parent. */
function isOfAnother(names: Names, call: CallExpr): boolean {
  const arg = call.args[0];
  if (!arg || !/^(?:get|put)_device$/.test(call.name ?? '')) return false;
  return (
    !namesIn(arg).some((name) => names.of.get(name)?.kind === 'object') ||
    (fieldOf(names, arg) ?? names.deviceField) !== names.deviceField
  );
}

/** What the kernel's tables say against a call. */
function obstacleOfName(name: string): Obstacle | null {
  const effects = effectsOf(name);
  if (effects.some((effect) => effect.op === 'set-drvdata' || effect.op === 'get-drvdata'))
    return 'drvdata';
  if (effects.some((effect) => STAYING_EFFECTS.has(effect.op))) return 'life-cycle';
  return /^(?:devm|pcim|drmm|dmam|devres)_/.test(name) ? 'managed' : null;
}

function obstacleOfCall(names: Names, call: CallExpr): Obstacle | null {
  const { name } = call;
  if (name === null) return 'shape';
  const known = isOfAnother(names, call) ? null : obstacleOfName(name);
  if (known) return known;
  const helper = names.file.functions.find((fn) => fn.name === name);
  if (!helper && /(?:^|_)(?:lock|unlock|trylock|guard)(?:_|$)/.test(name) && !/_init$/.test(name))
    return 'lock';
  const change = counterChange(name);
  if (change) {
    const counter = call.args[change.counter];
    if (!counter || fieldOf(names, counter) === null) return 'counter';
  }
  const done = effectsOfCall(names.scope, call);
  for (const arg of call.args) {
    const global = namesIn(arg).find((used) => !names.of.has(used) && isMutable(names.file, used));
    if (global === undefined) continue;
    if (isPure(arg) && !isReference(arg, names, global)) continue;
    if (
      helper &&
      !done.writes.some(
        ({ place }) =>
          place.kind === 'everything' || (place.kind === 'global' && place.name === global),
      )
    )
      continue;
    if (!helper && isLog(name)) continue;
    return 'global';
  }
  if (
    retainsArgument(name) &&
    !call.args.every((arg) => fieldOf(names, arg) !== null || isConstantArgument(names, arg))
  )
    return 'elsewhere';
  if (!helper && reachesOut(name)) return 'elsewhere';
  if (!helper) return null;
  if (done.writes.some(({ place }) => place.kind === 'global')) return 'global';
  if ([...done.reads, ...done.writes].some(({ place }) => place.kind === 'drvdata'))
    return 'drvdata';
  return obstacleInHelper(names, helper, new Set());
}

/**
 * What is passed is a pointer into a variable of the file, or a pointer that such a variable holds.
 */
function isReference(arg: Expr, names: Names, global: string): boolean {
  const inner = uncast(arg);
  if (inner.kind === 'unary' && inner.op === '&') return true;
  const variable = names.file.variables.find((item) => item.name === global);
  return (
    inner.kind === 'name' &&
    inner.name === global &&
    (variable === undefined ||
      variable.type.pointers + variable.type.arrays > 0 ||
      variable.type.keyword !== null)
  );
}

/**
 * What a helper, or a helper of that, does to drvdata, to the life of a device or by managed
 * resources. That it lets others reach the object is its own affair, which it ends by its
 * counterpart.
 */
function obstacleInHelper(
  names: Names,
  helper: FunctionIr,
  seen: Set<FunctionIr>,
): Obstacle | null {
  seen.add(helper);
  for (const { name } of callsUnder(helper.body)) {
    if (name === null) continue;
    const inner = names.file.functions.find((fn) => fn.name === name);
    const found =
      obstacleOfName(name) ??
      (inner && !seen.has(inner) && seen.size <= 200 ? obstacleInHelper(names, inner, seen) : null);
    if (found) return found;
  }
  return null;
}

function isConstantArgument(names: Names, arg: Expr): boolean {
  const inner = uncast(arg);
  return (
    inner.kind === 'number' ||
    inner.kind === 'string' ||
    (inner.kind === 'name' &&
      (/^[A-Z]/.test(inner.name) ||
        (!names.of.has(inner.name) && names.file.functions.some((fn) => fn.name === inner.name))))
  );
}

/** A statement that is one message, whose arguments only look. */
export function isMessage(names: Names, stmt: Stmt): boolean {
  if (
    stmt.kind !== 'expr' ||
    stmt.expr.kind !== 'call' ||
    stmt.expr.name === null ||
    !isLog(stmt.expr.name)
  )
    return false;
  const effects = effectsIn(names, stmt);
  return effects.writes.length === 0 && !effects.acts && !effects.leaves;
}

/**
 * Whether `moved`, which stands behind `stays`, may run in front of it without anyone noticing.
 * Where it may leave, what stays would be left out:
 * that shows unless it only has to do with the object, which is gone then, with locals or with
 * drvdata, which the driver core clears.
 */
export function commutes(
  names: Names,
  tag: string,
  stays: Stmt,
  staysPrint: Footprint,
  movedPrint: Footprint,
): boolean {
  if (
    staysPrint.leaves ||
    conflictOf(names.scope, { ...staysPrint.effects, at: stays }, movedPrint.effects) !== null
  )
    return false;
  return (
    !movedPrint.leaves ||
    staysPrint.effects.writes.every(
      ({ place }) =>
        place.kind === 'local' ||
        place.kind === 'drvdata' ||
        (place.kind === 'memory' && place.steps[0]?.tag === tag),
    )
  );
}

/**
 * The functions that expressions call, for the notes; messages and what only computes a value are
 * none.
 */
export function callNamesIn(exprs: readonly Expr[]): string[] {
  return exprs.flatMap((expr) => {
    if (expr.kind !== 'call' || expr.name === null) return [];
    return isLog(expr.name) || isValueOrTest(expr.name) || soundsLikeComputation(expr.name)
      ? []
      : [expr.name];
  });
}
