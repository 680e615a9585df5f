/**
 * The callbacks that open and close a device, and what they call: who takes for the time that the
 * device is open, and who gives it back.
 */
import { originalOf } from '../ir/lower.ts';
import { loopCursors } from '../kernel/loop-macros.ts';
import type { CallExpr, Expr, FunctionIr, MemberExpr } from '../ir/types.ts';
import { calls } from '../ir/visit.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import { isLog, namesAnUndo } from '../kernel/heuristics.ts';
import { isValueOrTest, testedArgument, isComputation } from '../kernel/macros.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { takenBy } from '../kernel/resource-pairs.ts';
import type { HeldResource, ModuleFacts, OpsTable } from '../lifecycle/types.ts';
import { callersOfNames, keptByFunction } from './function-traits.ts';
import {
  contains,
  declaredType,
  documentAt,
  loweredCallAt,
  walk,
  type FoundCall,
} from './locate.ts';
import { reachedFrom, reachedFromRoles } from './call-graph.ts';
import { accessesOf, resolvedMembers, type ResolvedMember } from './members.ts';

/** One ops table's way of opening and closing a device. */
export interface OpenAndClose {
  readonly table: OpsTable;
  readonly open: FunctionIr;
  /** The functions that a close leads to; empty where the module does not define it. */
  readonly closing: readonly FunctionIr[];
  /** The name at `.close_device`, or null where there is none. */
  readonly closeName: string | null;
}

const pairs = new WeakMap<ModuleIndex, readonly OpenAndClose[]>();

/** Every pair of an open and a close of the ops tables of a module, found once for all rules. */
export function opensAndCloses(facts: ModuleFacts, index: ModuleIndex): readonly OpenAndClose[] {
  let found = pairs.get(index);
  if (found === undefined) pairs.set(index, (found = findPairs(facts, index)));
  return found;
}

function findPairs(facts: ModuleFacts, index: ModuleIndex): OpenAndClose[] {
  return facts.opsTables.flatMap((table) => {
    const file = documentAt(facts.module, table.path);
    const named = (members: readonly string[]): string | null =>
      members.map((member) => table.members.get(member)?.value).find(Boolean) ?? null;
    // In 5.14 and before `.release` closes what `.open` has opened.
    const isOfFile = table.members.has('open');
    const openName = named(['open_device', 'open']);
    const closeName = named(isOfFile ? ['close_device', 'release'] : ['close_device']);
    if (file === null || openName === null) return [];
    const functions = (name: string | null): FunctionIr[] =>
      name === null ? [] : index.functions(file, name).map(({ item }) => item);
    const closing = reachedFrom(index, functions(closeName)).functions;
    return functions(openName).map((open) => ({ table, open, closing, closeName }));
  });
}

/** The functions that end a device for good, and what they call: not those of one opening. */
export function endingFunctions(facts: ModuleFacts, index: ModuleIndex): readonly FunctionIr[] {
  return reachedFromRoles(facts, index, 'remove', 'release', 'action', 'module').functions;
}

/** The calls of some names in some functions of a module. */
export function callsOf(
  index: ModuleIndex,
  functions: readonly FunctionIr[],
  names: readonly string[],
): readonly FoundCall[] {
  const callers = callersOfNames(index, names);
  if (callers.size === 0) return [];
  const isWanted = ({ name }: CallExpr): boolean => name !== null && names.includes(name);
  return functions
    .filter((fn) => callers.has(fn))
    .flatMap((fn) =>
      calls(originalOf(fn))
        .filter(isWanted)
        .map((call) => ({ call, fn })),
    );
}

/** What the expressions of a function name: its accesses of members, and all that was asked for. */
type Names = Map<Expr, string | null>;

const names = new WeakMap<readonly ResolvedMember[], Names>();

/**
 * What an argument names, in words that another function would find too: the member of a struct, or
 * the struct of a variable; null for anything else.
 * @param expr an expression of the function as it was lowered.
 */
export function namedBy(index: ModuleIndex, fn: FunctionIr, expr: Expr): string | null {
  const known = namesIn(index, fn);
  if (known === null) return null;
  let name = known.get(expr);
  if (name === undefined) known.set(expr, (name = nameOf(known, fn, expr)));
  return name;
}

function namesIn(index: ModuleIndex, fn: FunctionIr): Names | null {
  const file = index.fileOf(fn);
  if (file === undefined) return null;
  const members = resolvedMembers(index, file, fn);
  let known = names.get(members);
  if (known === undefined)
    names.set(members, (known = new Map(members.map(({ node, key }) => [node, key]))));
  return known;
}

function nameOf(known: Names, fn: FunctionIr, expr: Expr): string | null {
  const value = plain(expr);
  if (value.kind === 'member') return known.get(value) ?? null;
  if (value.kind !== 'name') return null;
  const from = onlyMember(known, fn, value.name);
  const type = declaredType(fn, value.name);
  return from ?? (type !== null && type.keyword === 'struct' ? `struct ${type.name}` : null);
}

/** Whether functions give what a name stands for, as namedBy() has it, to one of some calls. */
export function areGiven(
  index: ModuleIndex,
  functions: readonly FunctionIr[],
  calls: readonly string[],
  name: string,
): boolean {
  return callsOf(index, functions, calls).some((found) => isGiven(index, found, name));
}

/** Whether a call is given what a name stands for, as namedBy() has it. */
export function isGiven(index: ModuleIndex, { call, fn }: FoundCall, name: string): boolean {
  return call.args.some((arg) => namedBy(index, fn, arg) === name);
}

/** `&x`, `(T *)x`, `no_free_ptr(x)` and `x` are one thing to whoever gives it back. */
function plain(expr: Expr): Expr {
  if (expr.kind === 'cast' || (expr.kind === 'unary' && expr.op === '&'))
    return plain(expr.operand);
  const position =
    expr.kind === 'call' && expr.name !== null ? testedArgument(expr.name) : undefined;
  const inner = expr.kind === 'call' && position !== undefined ? expr.args[position] : undefined;
  return inner === undefined ? expr : plain(inner);
}

/** The member that a variable has its only value from, or is stored in. */
function onlyMember(known: Names, fn: FunctionIr, name: string): string | null {
  const keys = new Set(
    membersByName(fn)
      .get(name)
      ?.flatMap((member) => known.get(member) ?? []),
  );
  const [key] = keys;
  return keys.size === 1 ? (key ?? null) : null;
}

/** A plain assignment, or a variable with its initial value. */
interface Store {
  readonly target: Expr | string;
  readonly value: Expr;
}

/** Those of a function, in the order of a walk. */
const storesIn = keptByFunction(({ body }): readonly Store[] => {
  const stores: Store[] = [];
  for (const node of walk(body)) {
    if (node.kind === 'assign' && node.op === '=') stores.push(node);
    if (node.kind === 'decl' && node.init !== null)
      stores.push({ target: node.name, value: node.init });
  }
  return stores;
});

/** The members that each variable has values from, or is stored in. */
const membersByName = keptByFunction((root): ReadonlyMap<string, readonly MemberExpr[]> => {
  const found = new Map<string, MemberExpr[]>();
  const note = (name: string, expr: Expr): void => {
    const value = plain(expr);
    if (value.kind !== 'member') return;
    const members = found.get(name);
    if (members === undefined) found.set(name, [value]);
    else members.push(value);
  };
  for (const { target, value } of storesIn(root)) {
    if (typeof target === 'string') note(target, value);
    else {
      if (target.kind === 'name') note(target.name, value);
      if (value.kind === 'name') note(value.name, target);
    }
  }
  return found;
});

/**
 * The member that keeps what a call at a place returned: `p->m = f()`, or `x = f()` and later
 * `p->m = x`; null where no member of a known struct does.
 * @param call a call of the function as it was lowered.
 */
export function keeperOf(index: ModuleIndex, fn: FunctionIr, call: CallExpr): string | null {
  const known = namesIn(index, fn);
  const keeper = keepers(fn).get(call);
  if (known === null || keeper === undefined) return null;
  return typeof keeper === 'string' ? onlyMember(known, fn, keeper) : namedBy(index, fn, keeper);
}

/** What each call is assigned to, or the variable that it initialises. */
const keepers = keptByFunction((root): ReadonlyMap<Expr, Expr | string> => {
  const found = new Map<Expr, Expr | string>();
  for (const { target, value } of storesIn(root)) {
    const kept = plain(value);
    if (kept.kind === 'call' && !found.has(kept)) found.set(kept, target);
  }
  return found;
});

/** What a resource is named by, in words that other functions use too. */
export function keptName(facts: ModuleFacts, index: ModuleIndex, one: HeldResource): string | null {
  const fn = documentAt(facts.module, one.site.path)?.functions.find((other) =>
    contains(other, one.site),
  );
  const call = fn === undefined ? null : loweredCallAt(fn, one.site);
  if (fn === undefined || call?.name !== one.api) return null;
  const pair = takenBy(one.api);
  if (pair?.taken === 'return') return keeperOf(index, fn, call);
  const argument = call.args[pair?.taken ?? 0];
  return argument === undefined ? keeperOf(index, fn, call) : namedBy(index, fn, argument);
}

/**
 * Whether functions may give a member back in a way that is not seen: they hand it, or the struct
 * around it, to code that nobody knows, or let it go elsewhere.
 */
export function mayGiveBackUnseen(
  facts: ModuleFacts,
  index: ModuleIndex,
  functions: readonly FunctionIr[],
  key: string,
): boolean {
  const owner = key.slice(0, key.indexOf('.'));
  return functions.some((fn) => {
    const unseen = unseenCalls(facts, index, fn);
    if (unseen.length === 0) return false;
    const accesses = accessesOf(index, fn, key);
    return unseen.some(({ args }) =>
      args.some((arg) => {
        const name = namedBy(index, fn, arg);
        return (
          name === key ||
          isAround(name, owner) ||
          accesses.some((one) => contains(arg, one.lowered.node))
        );
      }),
    );
  });
}

/** Whether an argument is the container, or the device in it by which it is found. */
export function isAround(name: string | null, owner: string): boolean {
  return (
    name === `struct ${owner}` ||
    name === 'struct vfio_device' ||
    (name?.startsWith(`${owner}.`) ?? false)
  );
}

/** Those of the calls that are known to nobody that the module with some names has not. */
interface UnseenCalls {
  readonly unknown: readonly CallExpr[];
  readonly names: ModuleIndex['names'];
  readonly list: readonly CallExpr[];
}

const unseen = new WeakMap<FunctionIr, UnseenCalls>();

/**
 * The calls of a function, as it was lowered, of what neither the module defines nor the tables
 * know, in source order.
 */
export function unseenCalls(
  facts: ModuleFacts,
  index: ModuleIndex,
  fn: FunctionIr,
): readonly CallExpr[] {
  const unknown = unknownCalls(facts, fn);
  if (unknown.length === 0) return unknown;
  const root = originalOf(fn);
  const { names } = index;
  let known = unseen.get(root);
  if (known?.unknown !== unknown || known.names !== names) {
    const list = unknown.filter(({ name }) => name === null || !isOwn(index, fn, name));
    unseen.set(root, (known = { unknown, names, list }));
  }
  return known.list;
}

const undoing = new WeakMap<readonly CallExpr[], readonly CallExpr[]>();

/** Those of the unseen calls of a function that undo something by their names, or have none. */
export function unseenUndoes(
  facts: ModuleFacts,
  index: ModuleIndex,
  fn: FunctionIr,
): readonly CallExpr[] {
  const unseen = unseenCalls(facts, index, fn);
  let known = undoing.get(unseen);
  if (known === undefined) {
    known = unseen.filter(({ name }) => name === null || namesAnUndo(name));
    undoing.set(unseen, known);
  }
  return known;
}

/** The calls of a function as it was lowered that no table of a kernel knows. */
interface UnknownCalls {
  readonly kernel: ModuleFacts['kernel'];
  readonly wrappers: ModuleFacts['module']['wrappers'];
  readonly list: readonly CallExpr[];
}

const unknown = new WeakMap<FunctionIr, UnknownCalls>();

function unknownCalls({ kernel, module: { wrappers } }: ModuleFacts, fn: FunctionIr) {
  const root = originalOf(fn);
  let known = unknown.get(root);
  if (known?.kernel !== kernel || known.wrappers !== wrappers) {
    const list = calls(root).filter(
      ({ name }) =>
        name === null || (isNotable(name) && behaviourOf(name, kernel, wrappers) === undefined),
    );
    unknown.set(root, (known = { kernel, wrappers, list }));
  }
  return known.list;
}

/** A name that does not tell that nothing comes of the call. */
function isNotable(name: string): boolean {
  return (
    !isLog(name) && !isValueOrTest(name) && !isComputation(name) && loopCursors(name) === undefined
  );
}

/** Whether the module has a function or macro of a name that a function calls. */
function isOwn(index: ModuleIndex, fn: FunctionIr, name: string): boolean {
  const file = index.fileOf(fn);
  return (
    file === undefined || index.functions(file, name).length > 0 || index.macro(file, name) !== null
  );
}
