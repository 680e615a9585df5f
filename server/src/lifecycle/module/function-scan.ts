/** What a function mentions, found in one walk: calls, names, assignments, locals. */
import { movedBy, originalOf } from '../../ir/lower.ts';
import type {
  AssignExpr,
  CallExpr,
  DeclStmt,
  Expr,
  FileIr,
  FunctionIr,
  Stmt,
} from '../../ir/types.ts';
import { walkOwnExprs, walkStmt } from '../../ir/visit.ts';
import { freeFunction } from '../../kernel/cleanup.ts';
import { operatorSign } from '../../kernel/counters.ts';
import { behaviourOf, type ExtraFunctions } from '../../kernel/lookup.ts';
import type { Effect, EffectOp, KernelVersion } from '../../kernel/types.ts';
import { compareVersions } from '../../kernel/version.ts';
import { writtenOut } from './expand.ts';
import { expansionOf, type Defined, type ModuleIndex } from './module.ts';
import { ofEachFunction, type KeptByOutline, type Outline } from './outline.ts';
import { append, toKeep } from '../../text/lists.ts';

/**
 * What a function's body contains, in one walk, for the questions that are asked of every function
 * of a module; with the offsets of the function as it was lowered.
 */
export interface Scan {
  readonly calls: readonly CallExpr[];
  readonly decls: readonly DeclStmt[];
  /** Plain assignments to a variable. */
  readonly assigns: readonly AssignExpr[];
  /** Plain assignments to a member. */
  readonly memberAssigns: readonly AssignExpr[];
  readonly labels: readonly string[];
  /** What it calls by name, and the names that it hands on as arguments, each once. */
  readonly names: { readonly called: readonly string[]; readonly given: readonly string[] };
  /** Identifiers in stretches that were not understood. */
  readonly unknown: readonly string[];
  /** It adds to or takes from something by an operator that is no variable of its own. */
  readonly counts: boolean;
}

/** A call of a kernel function, or of a wrapper of one, that has effects in the target kernel. */
export interface KernelCall {
  readonly call: CallExpr;
  readonly name: string;
  readonly effects: readonly Effect[];
}

/** Some calls of kernel functions, and all that they do. */
export interface KernelCalls {
  readonly list: readonly KernelCall[];
  readonly ops: ReadonlySet<EffectOp>;
}

interface Walked extends Scan {
  kernelCalls: {
    readonly kernel: KernelVersion;
    readonly wrappers: ExtraFunctions | undefined;
    readonly calls: KernelCalls;
  } | null;
}

const scans = new WeakMap<FunctionIr, Walked>();

/**
 * The scan of a function. An edit elsewhere in the file moves a function; its scan is that of the
 * function it was moved from.
 */
export function scanOf(fn: FunctionIr): Scan {
  return walked(originalOf(fn));
}

/** The functions of a document that call by a name that is wanted. */
export function functionsCalling(
  { functions }: Pick<FileIr, 'functions'>,
  isWanted: (name: string) => boolean,
): FunctionIr[] {
  return functions.filter((fn) => scanOf(fn).names.called.some(isWanted));
}

/**
 * A function of a module that calls kernel functions with effects; `delta` is to be added to the
 * offsets of the calls.
 */
export interface KernelCaller extends Defined<FunctionIr>, KernelCalls {
  readonly delta: number;
}

/**
 * The functions of a module that have such calls, for the questions that are about them alone: the
 * same thing for all versions with one outline in which these functions are the same.
 */
export interface Acting {
  /** Where they are among the functions of the module. */
  readonly positions: readonly number[];
  /** The calls of each. */
  readonly calls: readonly KernelCalls[];
}

/** Those of a version of a module. */
export function actingIn(index: ModuleIndex, kernel: KernelVersion): Acting {
  const known = actingMacros(index, kernel),
    { wrappers } = index.module;
  const own = ofEachFunction(
    known.kept,
    index,
    (_, root) =>
      scanOf(root).names.called.some((name) => known.names.has(name))
        ? null
        : kernelCalls(root, kernel, wrappers),
    // What a changed function does through macros is another thing, whatever it is.
    (before, now) => now !== null && before === now,
  );
  const { last } = known;
  // What macros bring has their places.
  if (last?.stamp === own.stamp && (!last.usesMacros || last.macroPlaces === index.macroPlaces))
    return last.acting;
  const positions: number[] = [],
    calls: KernelCalls[] = [];
  own.values.forEach((kept, i) => {
    const all = kept ?? callsThroughMacros(index, index.allFunctions[i]!, index.roots[i]!, kernel);
    if (all.list.length === 0) return;
    positions.push(i);
    calls.push(all);
  });
  const acting = { positions, calls };
  known.last = {
    stamp: own.stamp,
    macroPlaces: index.macroPlaces,
    usesMacros: own.values.includes(null),
    acting,
  };
  return acting;
}

/** The functions of today that have such calls; with `ops` those alone that do one of these. */
export function kernelCallers(
  index: ModuleIndex,
  kernel: KernelVersion,
  ops?: readonly EffectOp[],
): readonly KernelCaller[] {
  const { positions, calls } = actingIn(index, kernel);
  return calls.flatMap(({ list, ops: done }, i): KernelCaller[] => {
    if (ops && !ops.some((op) => done.has(op))) return [];
    const { file, item } = index.allFunctions[positions[i]!]!;
    return [{ file, item, list, ops: done, delta: movedBy(item) }];
  });
}

const throughMacros = new WeakMap<
  FunctionIr,
  { readonly macroPlaces: object; readonly written: FunctionIr }
>();

/** The calls of a function that uses such macros. What these bring has their places. */
function callsThroughMacros(
  index: ModuleIndex,
  { file, item }: Defined<FunctionIr>,
  root: FunctionIr,
  kernel: KernelVersion,
): KernelCalls {
  const { macroPlaces, module } = index;
  let known = throughMacros.get(root);
  if (known?.macroPlaces !== macroPlaces)
    throughMacros.set(
      root,
      (known = { macroPlaces, written: writtenOut(index, file, root, () => true, item.start) }),
    );
  return kernelCalls(known.written, kernel, module.wrappers);
}

/**
 * The macros of a module that make such calls, or use one that does; and the calls of functions,
 * null for those that use one.
 */
interface ActingMacros {
  readonly kernel: KernelVersion;
  readonly names: ReadonlySet<string>;
  readonly kept: KeptByOutline<KernelCalls | null>;
  /** What came of them for the last version that asked. */
  last: {
    readonly stamp: object;
    readonly usesMacros: boolean;
    readonly macroPlaces: object;
    readonly acting: Acting;
  } | null;
}

const actings = new WeakMap<Outline, ActingMacros>();

function actingMacros(index: ModuleIndex, kernel: KernelVersion): ActingMacros {
  let known = actings.get(index.outline);
  if (known?.kernel !== kernel) {
    known = { kernel, names: namesOfActing(index, kernel), kept: new WeakMap(), last: null };
    actings.set(index.outline, known);
  }
  return known;
}

function namesOfActing(index: ModuleIndex, kernel: KernelVersion): ReadonlySet<string> {
  const acting = new Set<string>();
  const users = new Map<string, string[]>();
  for (const file of [...index.module.sources, ...index.module.headers]) {
    for (const macro of file.macros) {
      const fn = expansionOf(macro);
      if (!fn) continue;
      for (const name of scanOf(fn).names.called) {
        if (effectsOf(name, kernel, index.module.wrappers).length) acting.add(macro.name);
        const known = users.get(name);
        if (known) known.push(macro.name);
        else users.set(name, [macro.name]);
      }
    }
  }
  // A set hands out what is added to it while it is walked.
  for (const name of acting) for (const user of users.get(name) ?? []) acting.add(user);
  return acting;
}

/** Its calls that have effects. */
function kernelCalls(
  root: FunctionIr,
  kernel: KernelVersion,
  wrappers: ExtraFunctions | undefined,
): KernelCalls {
  const item = walked(root);
  if (
    !item.kernelCalls ||
    compareVersions(item.kernelCalls.kernel, kernel) !== 0 ||
    item.kernelCalls.wrappers !== wrappers
  ) {
    const list = item.calls.flatMap((call) =>
      call.name === null ? [] : withEffects(call, call.name, kernel, wrappers),
    );
    item.kernelCalls = { kernel, wrappers, calls: list.length === 0 ? NO_CALLS : allOf(list) };
  }
  return item.kernelCalls.calls;
}

/** One for all: most functions have none, whatever an edit makes of them. */
const NO_CALLS: KernelCalls = { list: [], ops: new Set() };

function allOf(list: readonly KernelCall[]): KernelCalls {
  return { list, ops: new Set(list.flatMap(({ effects }) => effects.map(({ op }) => op))) };
}

function withEffects(
  call: CallExpr,
  name: string,
  kernel: KernelVersion,
  wrappers: ExtraFunctions | undefined,
): KernelCall[] {
  const effects = effectsOf(name, kernel, wrappers);
  return effects.length === 0 ? [] : [{ call, name, effects }];
}

function effectsOf(
  name: string,
  kernel: KernelVersion,
  wrappers: ExtraFunctions | undefined,
): readonly Effect[] {
  const behaviour = behaviourOf(name, kernel, wrappers);
  return behaviour === undefined || behaviour === 'neutral' ? [] : behaviour.success;
}

function walked(root: FunctionIr): Walked {
  let walked = scans.get(root);
  if (!walked) scans.set(root, (walked = walk(root)));
  return walked;
}

function walk(fn: FunctionIr): Walked {
  const calls: CallExpr[] = [],
    decls: DeclStmt[] = [],
    assigns: AssignExpr[] = [],
    memberAssigns: AssignExpr[] = [],
    unknown: string[] = [],
    labels: string[] = [],
    named: string[] = [],
    counted: Expr[] = [];
  const statement = (stmt: Stmt): void => {
    if (stmt.kind === 'decl') {
      decls.push(stmt);
      if (stmt.cleanup !== null) append(named, cleanupNames(stmt));
    } else if (stmt.kind === 'label') labels.push(stmt.name);
    else if (stmt.kind === 'guard' && stmt.args[0]?.kind === 'name') {
      named.push(`guard_${stmt.args[0].name}_take`, `guard_${stmt.args[0].name}_release`);
    } else if (stmt.kind === 'unknown') append(unknown, stmt.names);
    // `CHECK_RET;` is a macro that does something, or it is the text of one: another name.
    else if (stmt.kind === 'expr' && stmt.expr.kind === 'name') {
      named.push(stmt.expr.name);
      unknown.push(stmt.expr.name);
    }
  };
  const inside: Stmt[] = [];
  const expression = (expr: Expr): void => {
    if (expr.kind === 'call') calls.push(expr);
    else if (expr.kind === 'assign') {
      if (expr.op === '=' && expr.target.kind === 'name') assigns.push(expr);
      else if (expr.op === '=' && expr.target.kind === 'member') memberAssigns.push(expr);
      else if (operatorSign(expr.op) !== undefined) counted.push(expr.target);
    } else if (expr.kind === 'update') counted.push(expr.operand);
    else if (expr.kind === 'unknown') append(unknown, expr.names);
    else if (expr.kind === 'statement-expression') append(inside, expr.body);
  };
  walkStmt(fn.body, (stmt) => {
    statement(stmt);
    walkOwnExprs(stmt, expression);
  });
  // Whose expressions are in those around them.
  for (const stmt of inside) walkStmt(stmt, statement);
  // What a macro is given is its user's.
  const own = new Set([...(fn.macro ? [] : fn.params), ...decls].map(({ name }) => name));
  return {
    calls: toKeep(calls),
    decls: toKeep(decls),
    assigns: toKeep(assigns),
    memberAssigns: toKeep(memberAssigns),
    labels: toKeep(labels),
    names: namesIn(calls, named),
    unknown: toKeep(unknown),
    counts: counted.some((target) => target.kind !== 'name' || !own.has(target.name)),
    kernelCalls: null,
  };
}

/** What the end of a variable's scope may call. */
function cleanupNames({ cleanup, cleansAddress }: DeclStmt): readonly string[] {
  const name = cleanup ?? '';
  return cleansAddress ? [name] : [`__free_${name}`, freeFunction(name)];
}

function namesIn(calls: readonly CallExpr[], named: readonly string[]): Scan['names'] {
  const called = new Set(named),
    given = new Set<string>();
  for (let i = 0; i < calls.length; i++) {
    const { name, args } = calls[i]!;
    if (name !== null) called.add(name);
    for (let at = 0; at < args.length; at++) {
      const arg = args[at]!;
      const expr = arg.kind === 'cast' || arg.kind === 'unary' ? arg.operand : arg;
      if (expr.kind === 'name') given.add(expr.name);
    }
  }
  return { called: toKeep([...called]), given: toKeep([...given]) };
}
