/** What a statement does to the object, and whether it may stand in a callback of the device. */
import { isLoopHead, isManaged } from '../../kernel/name-forms.ts';
import { addressedBy, changedBy } from '../../ir/assigned.ts';
import type { CallExpr, Expr, FunctionIr, Stmt } from '../../ir/types.ts';
import { counterChange } from '../../kernel/counters.ts';
import { soundsLikeComputation, soundsLikeLocking } from '../../kernel/heuristics.ts';
import { retainsArgument } from '../../kernel/lookup.ts';
import { isValueOrTest } from '../../kernel/macros.ts';
import { isLog } from '../../kernel/heuristics.ts';
import { reachesOut } from '../../kernel/heuristics.ts';
import {
  footprintOfExpr,
  footprintOfStmt,
  type Footprint,
} from '../../lifecycle/footprint/footprint.ts';
import { leftMacro, writtenOutStatement } from '../../lifecycle/footprint/macros.ts';
import { mayMoveOver } from '../../lifecycle/footprint/order.ts';
import { allExpressions, namesIn, uncast } from '../../lifecycle/module/statements.ts';
import { memberPath } from '../../lifecycle/module/types-of.ts';
import type { Module } from '../../lifecycle/types.ts';
import { effectsOf } from '../query/call-sites.ts';
import { namesThroughMacros } from '../query/names.ts';
import { textOf } from '../refusal-error.ts';
import { isMutable, isPure, type Names } from './bindings.ts';
import { callsUnder, under } from './probe-shape.ts';
import { namedFunctions } from '../../lifecycle/module/named-functions.ts';

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

/** What a statement does to the device's object, by what it is written as. */
export interface ObjectUse {
  /** First members of the object that it mentions, and those that it may change. */
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
  readonly mentionsObject: boolean;
  readonly locals: ReadonlySet<string>;
  readonly calls: readonly CallExpr[];
  /** A goto or return is in it. */
  readonly leaves: boolean;
  readonly obstacle: Obstacle | null;
  readonly footprint: Footprint;
}

const written = new WeakMap<Stmt, { readonly module: Module; readonly code: Stmt }>();

/** A statement with the macros of the module in it written out. */
export function codeOf(names: Names, stmt: Stmt): Stmt {
  const { module } = names.scope;
  const known = written.get(stmt);
  if (known?.module === module) return known.code;
  const { code } = writtenOutStatement(names.scope, stmt);
  written.set(stmt, { module, code });
  return code;
}

/** The statements of `codeOf`, outer before inner. */
export function codeUnder(names: Names, stmt: Stmt): Stmt[] {
  return under(codeOf(names, stmt));
}

/** The calls in a statement and the macros of the module that it uses. */
export function callsOf(names: Names, stmt: Stmt): CallExpr[] {
  return callsUnder(codeOf(names, stmt));
}

const known = new WeakMap<Stmt, { readonly names: Names; readonly use: ObjectUse }>();

/** What a statement and all inside it does to the object, found once. */
export function useOf(names: Names, stmt: Stmt): ObjectUse {
  const before = known.get(stmt);
  if (before?.names === names) return before.use;
  const use = findUse(names, stmt);
  known.set(stmt, { names, use });
  return use;
}

function findUse(names: Names, stmt: Stmt): ObjectUse {
  const all = codeUnder(names, stmt);
  const exprs = all.flatMap(allExpressions);
  const footprint = footprintOfStmt(names.scope, stmt);
  const isOpaque = footprint.writes.some(({ place }) => place.kind === 'locals');
  const reads = exprs.flatMap((expr) => {
    const base = expr.kind === 'member' ? uncast(expr.base) : null;
    return expr.kind === 'member' && base?.kind === 'name' && isObject(names, base)
      ? [expr.field]
      : [];
  });
  const locals = exprs.flatMap((expr) =>
    expr.kind === 'name' && names.of.has(expr.name) ? [expr.name] : [],
  );
  return {
    reads: new Set(reads),
    writes: new Set(exprs.flatMap((expr) => changedMembers(names, expr))),
    mentionsObject: exprs.some((expr) => expr.kind === 'name' && isObject(names, expr)),
    locals: new Set(locals),
    calls: callsOf(names, stmt),
    leaves: isOpaque || all.some(isExit),
    // A macro that is not understood may use any local and jump anywhere.
    obstacle: isOpaque || hasHiddenNames(names, stmt) ? 'shape' : obstacleIn(names, all, exprs),
    footprint,
  };
}

/** Variables of the function that the texts of macros name which a statement uses as values. */
export function namesInMacros(names: Names, stmt: Stmt): ReadonlySet<string> {
  // A name that stands for another name is gone once it is written out.
  const spelled = under(stmt)
    .flatMap(allExpressions)
    .filter((expr) => expr.kind === 'name');
  const found = [...spelled, ...codeUnder(names, stmt).flatMap(allExpressions)].flatMap((expr) => {
    const macro = leftMacro(names.scope, expr);
    return macro?.kind === 'plain' ? macro.names.filter((name) => names.of.has(name)) : [];
  });
  return new Set(found);
}

/**
 * The text of a macro names a variable of the function, which the callback may call otherwise or
 * not have, or a macro in the statement is another one where the callback stands: it is undefined
 * somewhere in the document.
 */
function hasHiddenNames(names: Names, stmt: Stmt): boolean {
  return namesInMacros(names, stmt).size > 0 || usesUndefined(names, stmt);
}

const UNDEFINED = /^[ \t]*#[ \t]*undef[ \t]+([A-Za-z_]\w*)/gm;

function usesUndefined({ file, scope }: Names, stmt: Stmt): boolean {
  const undefinedNames = new Set([...file.text.matchAll(UNDEFINED)].map((match) => match[1]!));
  if (undefinedNames.size === 0) return false;
  const used = namesThroughMacros([file, ...scope.module.headers], textOf(file, stmt));
  return [...undefinedNames].some((name) => used.has(name));
}

function isObject(names: Names, expr: Expr & { kind: 'name' }): boolean {
  return names.of.get(expr.name)?.kind === 'object';
}

function isExit(stmt: Stmt): boolean {
  return stmt.kind === 'goto' || stmt.kind === 'return';
}

/** The members of the object that an expression itself may change. */
function changedMembers(names: Names, expr: Expr): string[] {
  // The address of a member, and what a member points to, may be written through by who is given
  // it.
  const places = expr.kind === 'call' ? expr.args : [changedBy(expr) ?? addressedBy(expr)];
  return places.flatMap((place) => {
    const field = place && fieldOf(names, uncast(place));
    return field === null || field === undefined ? [] : [field];
  });
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
  if (all.some(isUnsuitable)) return 'shape';
  const declared = new Set(
    all.flatMap((stmt) => (stmt.kind === 'decl' && !stmt.isStatic ? [stmt.name] : [])),
  );
  for (const expr of exprs) {
    const found = obstacleOfExpr(names, expr, declared);
    if (found) return found;
  }
  return null;
}

/** A statement that cannot be taken to another function as it is. */
function isUnsuitable(stmt: Stmt): boolean {
  switch (stmt.kind) {
    case 'unknown':
    case 'asm':
    case 'guard':
    case 'label':
      return true;
    case 'goto':
    case 'return':
      // The text of a macro cannot be led to the callback's own unwinding.
      return stmt.expansion !== undefined;
    case 'switch':
      return under(stmt).some(isExit);
    // A local of one arm would have to be declared in that arm.
    case 'preproc':
      return under(stmt).some((inner) => inner.kind === 'decl');
    case 'loop':
      return (
        (stmt.form === 'macro' && !isLoopHead(stmt.macro ?? '')) ||
        (under(stmt.body).some((inner) => inner.kind === 'goto') &&
          under(stmt.body).some((inner) => inner.kind === 'label'))
      );
    default:
      return false;
  }
}

/** @param declared the variables that the statement declares itself, by a macro */
function obstacleOfExpr(names: Names, expr: Expr, declared: ReadonlySet<string>): Obstacle | null {
  switch (expr.kind) {
    case 'unknown':
    case 'statement-expression':
      return 'shape';
    case 'name':
      if (names.of.get(expr.name)?.kind === 'foreign') return 'local';
      // A name in the text of a macro cannot be given the one that the callback has for it.
      if (expr.expansion !== undefined && names.of.has(expr.name)) return 'shape';
      return /^(?:current|smp_processor_id)$/.test(expr.name) ? 'elsewhere' : null;
    case 'assign':
    case 'update': {
      const target = uncast(expr.kind === 'assign' ? expr.target : expr.operand);
      const root = memberPath(target).root;
      if (isOwnPlace(names, target) || (root.kind === 'name' && declared.has(root.name)))
        return null;
      return expr.kind === 'update' || expr.op !== '=' ? 'counter' : 'global';
    }
    case 'call':
      return obstacleOfCall(names, expr);
    default:
      return null;
  }
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
  return isManaged(name) ? 'managed' : null;
}

function obstacleOfCall(names: Names, call: CallExpr): Obstacle | null {
  const { name } = call;
  if (name === null) return 'shape';
  const known = isOfAnother(names, call) ? null : obstacleOfName(name);
  if (known) return known;
  const helper = namedFunctions(names.file, name)[0];
  if (!helper && soundsLikeLocking(name)) return 'lock';
  const change = counterChange(name);
  if (change) {
    const counter = call.args[change.counter];
    if (!counter || fieldOf(names, counter) === null) return 'counter';
  }
  const done = footprintOfExpr(names.scope, call);
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
    const inner = namedFunctions(names.file, name)[0];
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
        (!names.of.has(inner.name) && namedFunctions(names.file, inner.name).length > 0)))
  );
}

/** A statement without some of those in its blocks and branches. */
export function without(stmt: Stmt, gone: ReadonlySet<Stmt>): Stmt {
  if (stmt.kind === 'block') {
    const body = stmt.body.filter((item) => !gone.has(item)).map((item) => without(item, gone));
    return { ...stmt, body };
  }
  if (stmt.kind !== 'if') return stmt;
  return {
    ...stmt,
    then: without(stmt.then, gone),
    otherwise: stmt.otherwise && without(stmt.otherwise, gone),
  };
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
  const { writes, mayFail, leaves } = footprintOfStmt(names.scope, stmt);
  return writes.length === 0 && !mayFail && !leaves;
}

/**
 * Whether `moved`, which stands behind `stays`, may run in front of it without anyone noticing.
 * Where it may leave, what stays would be left out: that shows unless it only has to do with the
 * object, which is gone then, with locals or with drvdata, which the driver core clears.
 */
export function commutes(names: Names, tag: string, stays: ObjectUse, moved: ObjectUse): boolean {
  return (
    !stays.leaves &&
    mayMoveOver(names.scope, { ...moved.footprint, leaves: moved.leaves }, stays.footprint, {
      isMissed: (place) =>
        place.kind !== 'local' &&
        place.kind !== 'drvdata' &&
        (place.kind !== 'memory' || place.steps[0]?.tag !== tag),
    })
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
