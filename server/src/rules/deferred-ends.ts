/**
 * Finds who ends a device later: queued work, a timer, a thread, RCU, the release of a reference
 * count, any function that others call back.
 */
import type { CallExpr, Expr, FileIr, FunctionIr, VariableIr } from '../ir/types.ts';
import { originalOf } from '../ir/lower.ts';
import { calls, walkExpr, walkExprs } from '../ir/visit.ts';
import { soundsLikePreparation } from '../kernel/heuristics.ts';
import { ASYNC_KINDS } from '../kernel/async.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import type { EffectOp } from '../kernel/types.ts';
import { kernelCallers, scanOf, type KernelCaller } from '../lifecycle/module/function-scan.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import {
  madeOfAll,
  ofEachFunction,
  type KeptByOutline,
  type MadeByOutline,
  type Outline,
} from '../lifecycle/module/outline.ts';
import type { ModuleFacts, Role } from '../lifecycle/types.ts';
import { isSameList } from '../text/lists.ts';
import { keptByFunction } from './function-traits.ts';
import { documentsOf, functionsIn, walk, walkWithParents, type IrNode } from './locate.ts';
import { keptWithNames, leadingTo, namesOfFunctions, reachedFrom } from './call-graph.ts';
import { indexOf } from './members.ts';

/**
 * `by-this`: the function starts what ends the device. `elsewhere`: something of the module may end
 * it, and nothing shows that it does here.
 */
export type DeferredEnd = 'by-this' | 'elsewhere' | null;

/**
 * Whether something but the function itself, and what it calls, may carry out an operation on its
 * device: then a path that lacks the
 * operation need not owe it.
 * @param ops the operation, or several any of which will do.
 */
export function deferredEnd(
  facts: ModuleFacts,
  fn: FunctionIr,
  ...ops: readonly EffectOp[]
): DeferredEnd {
  const carriers = carriersFor(facts, ops);
  if (carriers.size === 0) return null;
  const reached = reachedFrom(indexOf(facts.module, facts.kernel), [fn]).functions;
  if (reached.some((one) => scanOf(one).calls.some((call) => startsOneOf(call, carriers))))
    return 'by-this';
  return isNeverStarted(facts, carriers) ? null : 'elsewhere';
}

/** The calls of a function itself that start what carries out an operation on its device later. */
export function startsIn(
  facts: ModuleFacts,
  fn: FunctionIr,
  ...ops: readonly EffectOp[]
): readonly CallExpr[] {
  const carriers = carriersFor(facts, ops);
  if (carriers.size === 0) return [];
  return calls(fn).filter((call) => startsOneOf(call, carriers));
}

function startsOneOf(call: CallExpr, carriers: ReadonlySet<string>): boolean {
  return !isPreparation(call.name ?? '') && call.args.some((arg) => isNamed(arg, carriers));
}

/**
 * Whether all that leads to the handlers is shown to be armed and never started: each handler is
 * only given to what arms, and each member
 * that it is armed with is only named to arm or to stop it. What a header shows to others may be
 * started there.
 */
function isNeverStarted({ module, roles }: ModuleFacts, carriers: ReadonlySet<string>): boolean {
  const files = [...module.sources, ...module.headers];
  const isOutside = (fn: FunctionIr): boolean =>
    carriers.has(fn.name) && (!fn.isStatic || roles.get(fn) === 'callback');
  if (
    files.some(
      ({ functions, variables }) =>
        functions.some(isOutside) ||
        variables.some(
          ({ name, init }) => carriers.has(name) || (init !== null && isNamed(init, carriers)),
        ),
    )
  )
    return false;
  const isShown = module.headers.some(({ structs }) =>
    structs.some(({ fields }) => fields.some(({ name }) => carriers.has(`.${name}`))),
  );
  if (
    isShown ||
    files.some(({ fileMacros }) => fileMacros.length > 0 && mentions(fileMacros, carriers))
  )
    return false;
  return files.every(({ functions }) =>
    functions.every((fn) => {
      if (!namesOneOf(fn, carriers)) return true;
      for (const { node, parents } of walkWithParents(originalOf(fn).body)) {
        if (!isOnlyArmed(node, parents, carriers)) return false;
      }
      return true;
    }),
  );
}

function mentions(macros: FileIr['fileMacros'], carriers: ReadonlySet<string>): boolean {
  return macros.some(({ args }) => args.some((arg) => carriers.has(arg.trim())));
}

/**
 * Whether a name or member that leads to a handler stands in a call that arms or stops what must be
 * started to run.
 */
function isOnlyArmed(
  node: IrNode,
  parents: readonly IrNode[],
  carriers: ReadonlySet<string>,
): boolean {
  const leads =
    (node.kind === 'name' && carriers.has(node.name)) ||
    (node.kind === 'member' && carriers.has(`.${node.field}`));
  if (!leads) return true;
  const around = parents.at(-1);
  const call = around?.kind === 'unary' && around.op === '&' ? parents.at(-2) : around;
  if (call?.kind !== 'call' || call.callee === node || call.name === null) return false;
  const { name, args } = call;
  return ASYNC_KINDS.some(({ start, arm, stop }) => {
    const armed = args[arm.get(name)?.argument ?? args.length];
    // Through another pointer to it, it is started by other names.
    const isMember = armed?.kind === 'unary' && armed.op === '&' && armed.operand.kind === 'member';
    return start.size > 0 && (isMember || stop.has(name));
  });
}

const known = new WeakMap<ModuleFacts, Map<string, ReadonlySet<string>>>();

/**
 * The names that lead to a function which carries out one of the operations later; none in nearly
 * every module.
 */
function carriersFor(facts: ModuleFacts, ops: readonly EffectOp[]): ReadonlySet<string> {
  let byOps = known.get(facts);
  if (byOps === undefined) known.set(facts, (byOps = new Map()));
  const key = ops.join();
  let carriers = byOps.get(key);
  if (carriers === undefined) {
    const handlers = deferredHandlers(facts, ops);
    byOps.set(key, (carriers = handlers.size === 0 ? handlers : carriersOf(facts, handlers)));
  }
  return carriers;
}

/** A call that only makes something ready to run, or keeps it from running. */
function isPreparation(name: string): boolean {
  const isArmOrStop = ASYNC_KINDS.some(
    ({ start, arm, stop }) =>
      (start.size > 0 && arm.has(name)) || (stop.has(name) && !name.startsWith('flush_')),
  );
  return isArmOrStop || soundsLikePreparation(name);
}

/**
 * Functions whose own ends the rules see, and those that a driver's tables name for the life cycle.
 */
const SEEN: ReadonlySet<Role> = new Set<Role>([
  'probe',
  'remove',
  'init',
  'release',
  'action',
  'module',
]);

/**
 * Functions that something else calls, and that carry out one of the operations themselves or in
 * what they call.
 */
function deferredHandlers(facts: ModuleFacts, ops: readonly EffectOp[]): ReadonlySet<string> {
  const index = indexOf(facts.module, facts.kernel);
  const mayEnd = (caller: KernelCaller): boolean => ops.some((op) => caller.ops.has(op));
  const ending = new Set(
    kernelCallers(index, facts.kernel)
      .filter(mayEnd)
      .map(({ item }) => item)
      .filter((fn) => !SEEN.has(facts.roles.get(fn) ?? 'helper') && endsDevice(facts, fn, ops)),
  );
  if (ending.size === 0) return new Set();
  // What leads to them is little, and is asked for first.
  const leading = leadingTo(index, ending);
  // Whether code or a table uses the name of a function otherwise than to call it.
  const inCode = valuesIn(index),
    inTables = valuesInTables(index);
  const isValue = (name: string): boolean => inCode.has(name) || inTables.has(name);
  const roots = [...leading].filter(
    (fn) =>
      !SEEN.has(facts.roles.get(fn) ?? 'helper') &&
      (isValue(fn.name) || (!fn.isStatic && !isCalled(index, fn.name))),
  );
  const callbacks = functionsIn(facts, 'callback').filter((fn) => leading.has(fn));
  return new Set([...roots, ...callbacks].map(({ name }) => name));
}

/**
 * Whether a function has a call of the kernel, or of a wrapper of it, that carries out one of the
 * operations on a vfio_device.
 */
function endsDevice(facts: ModuleFacts, fn: FunctionIr, ops: readonly EffectOp[]): boolean {
  const done = operationsIn(facts, fn);
  return ops.some((op) => done.has(op));
}

/** What the calls of a function carry out on devices. */
interface Operations {
  readonly kernel: ModuleFacts['kernel'];
  readonly wrappers: ModuleFacts['module']['wrappers'];
  readonly ops: ReadonlySet<EffectOp>;
}

const operations = new WeakMap<FunctionIr, Operations>();

function operationsIn(
  { kernel, module: { wrappers } }: ModuleFacts,
  fn: FunctionIr,
): ReadonlySet<EffectOp> {
  const root = originalOf(fn);
  let known = operations.get(root);
  if (known?.kernel !== kernel || known.wrappers !== wrappers) {
    const ops = new Set<EffectOp>();
    for (const call of scanOf(root).calls) {
      const behaviour = call.name === null ? undefined : behaviourOf(call.name, kernel, wrappers);
      if (behaviour === undefined || behaviour === 'neutral' || !isOfVfioDevice(call)) continue;
      for (const { op } of behaviour.success) ops.add(op);
    }
    operations.set(root, (known = { kernel, wrappers, ops }));
  }
  return known.ops;
}

/** put_device() is about any device: what it is given must be that of a vfio_device. */
function isOfVfioDevice({ name, args }: CallExpr): boolean {
  return (
    name !== 'put_device' ||
    args.some(
      (arg) =>
        arg.kind === 'unary' && arg.operand.kind === 'member' && arg.operand.field === 'device',
    )
  );
}

function isCalled(index: ModuleIndex, name: string): boolean {
  return index.roots.some((root) => scanOf(root).calls.some((call) => call.name === name));
}

const tableValuesByOutline = new WeakMap<Outline, ReadonlySet<string>>();

/** What tables and macros at file scope name. */
function valuesInTables({ module, outline }: ModuleIndex): ReadonlySet<string> {
  let values = tableValuesByOutline.get(outline);
  if (values === undefined) {
    const names = new Set<string>();
    for (const { variables, fileMacros } of documentsOf(module)) {
      for (const variable of variables) for (const name of valuesInTable(variable)) names.add(name);
      for (const { args } of fileMacros) for (const arg of args) names.add(arg.trim());
    }
    tableValuesByOutline.set(outline, (values = names));
  }
  return values;
}

const tableValues = new WeakMap<VariableIr, ReadonlySet<string>>();

/** The names that the value of a variable has, wherever an edit moves it. */
function valuesInTable(variable: VariableIr): ReadonlySet<string> {
  const root = originalOf(variable);
  let values = tableValues.get(root);
  if (values === undefined) {
    const { init } = root;
    const names = collectNames((visit) => (init === null ? undefined : walkExpr(init, visit)));
    tableValues.set(root, (values = names.values));
  }
  return values;
}

const valuesByOutline: KeptByOutline<readonly string[]> = new WeakMap();
const allValuesByOutline: MadeByOutline<ReadonlySet<string>> = new WeakMap();

/** The names of functions that the code of a module uses so. */
function valuesIn(index: ModuleIndex): ReadonlySet<string> {
  const names = namesOfFunctions(index.module);
  const own = ofEachFunction(
    valuesByOutline,
    index,
    (_, root) => ownValuesIn(root, names),
    isSameList,
  );
  return madeOfAll(allValuesByOutline, index, own, (lists) => new Set(lists.flat()));
}

const ownValuesIn = keptWithNames((root, names) =>
  [...namesIn(root).values].filter((name) => names.has(name)),
);

/** What code names: the names that are not called alone, and all of them with members as `.name`. */
interface Names {
  readonly values: ReadonlySet<string>;
  readonly all: ReadonlySet<string>;
}

const namesIn: (fn: FunctionIr) => Names = keptByFunction(({ body }) =>
  collectNames((visit) => walkExprs(body, visit)),
);

function collectNames(walkAll: (visit: (expr: Expr) => void) => void): Names {
  const values = new Set<string>();
  const all = new Set<string>();
  const callees = new Set<Expr>();
  walkAll((expr) => {
    if (expr.kind === 'member') all.add(`.${expr.field}`);
    if (expr.kind === 'call') callees.add(expr.callee);
    if (expr.kind !== 'name') return;
    all.add(expr.name);
    if (!callees.has(expr)) values.add(expr.name);
  });
  return { values, all };
}

function namesOneOf(fn: FunctionIr, names: ReadonlySet<string>): boolean {
  const { all } = namesIn(fn);
  for (const name of names) if (all.has(name)) return true;
  return false;
}

/**
 * What leads to the handlers: their own names, and the members (`.work`) and variables that they
 * are put into or armed with.
 */
function carriersOf(facts: ModuleFacts, handlers: ReadonlySet<string>): ReadonlySet<string> {
  const carriers = new Set(handlers);
  const add = (expr: Expr): void => {
    // Of `p->timer.function` it is the timer that is started.
    const members = [...walk(expr)].filter((node) => node.kind === 'member');
    for (const { field } of members) if (!NO_CARRIERS.has(field)) carriers.add(`.${field}`);
    if (members.length > 0) return;
    for (const node of walk(expr))
      if (node.kind === 'name' && expr.kind === 'unary') carriers.add(node.name);
  };
  for (const file of facts.module.sources) {
    for (const { args } of file.fileMacros)
      if (args.some((arg) => handlers.has(arg.trim())))
        for (const arg of args) carriers.add(arg.trim());
    for (const fn of file.functions) {
      if (!namesOneOf(fn, handlers)) continue;
      for (const node of walk(originalOf(fn).body)) {
        if (node.kind === 'call' && node.args.some((arg) => isNamed(arg, handlers)))
          node.args.forEach(add);
        if (node.kind === 'assign' && isNamed(node.value, handlers)) add(node.target);
      }
    }
  }
  return carriers;
}

/** Members that name the device, or the one it stands on, and no means of running something. */
const NO_CARRIERS: ReadonlySet<string> = new Set(['dev', 'vdev', 'device', 'pdev', 'mdev']);

function isNamed(expr: Expr, names: ReadonlySet<string>): boolean {
  return [...walk(expr)].some(
    (node) =>
      (node.kind === 'name' && names.has(node.name)) ||
      (node.kind === 'member' && names.has(`.${node.field}`)),
  );
}
