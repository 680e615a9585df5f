/**
 * The callbacks that open and close a device, and what they call: who takes for the time that the
 * device is open, and who gives it back.
 */
import { loopCursors } from '../kernel/loop-macros.ts';
import type { CallExpr, Expr, FunctionIr } from '../ir/types.ts';
import { calls } from '../ir/visit.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import { isLog } from '../kernel/heuristics.ts';
import { isValueOrTest, testedArgument, isComputation } from '../kernel/macros.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { takenBy } from '../kernel/resource-pairs.ts';
import type { HeldResource, ModuleFacts, OpsTable } from '../lifecycle/types.ts';
import { callAt, contains, declaredType, documentAt, functionsIn, walk } from './locate.ts';
import { memberAccesses, reachedFrom } from './members.ts';

/** One ops table's way of opening and closing a device. */
export interface OpenAndClose {
  readonly table: OpsTable;
  readonly open: FunctionIr;
  /** The functions that a close leads to; empty where the module does not define it. */
  readonly closing: readonly FunctionIr[];
  /** The name at `.close_device`, or null where there is none. */
  readonly closeName: string | null;
}

/** Every pair of an open and a close of the ops tables of a module. */
export function opensAndCloses(facts: ModuleFacts, index: ModuleIndex): OpenAndClose[] {
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
    const closing = [...reachedFrom(index, functions(closeName)).keys()];
    return functions(openName).map((open) => ({ table, open, closing, closeName }));
  });
}

/** The functions that end a device for good, and what they call: not those of one opening. */
export function endingFunctions(facts: ModuleFacts, index: ModuleIndex): FunctionIr[] {
  const roots = functionsIn(facts, 'remove', 'release', 'action', 'module');
  return [...reachedFrom(index, roots).keys()];
}

/** A call of one of some names, with the function that it stands in. */
export interface FoundCall {
  readonly call: CallExpr;
  readonly fn: FunctionIr;
}

/** The calls of some names in some functions. */
export function callsOf(functions: readonly FunctionIr[], names: readonly string[]): FoundCall[] {
  const isWanted = ({ name }: CallExpr): boolean => name !== null && names.includes(name);
  return functions.flatMap((fn) => callsWhere(fn, isWanted).map((call) => ({ call, fn })));
}

/**
 * The calls of a function that have such a name. Nearly all functions have none: the body at today's
 * place is made only where there is one.
 */
export function callsWhere(
  fn: FunctionIr,
  hasSuchName: (call: CallExpr) => boolean,
): readonly CallExpr[] {
  return scanOf(fn).calls.some(hasSuchName) ? calls(fn).filter(hasSuchName) : [];
}

/**
 * What an argument names, in words that another function would find too: the member of a struct, or
 * the struct of a variable; null for anything else.
 */
export function namedBy(index: ModuleIndex, fn: FunctionIr, expr: Expr): string | null {
  const value = plain(expr);
  if (value.kind === 'member')
    return memberAccesses(index, fn).find(({ node }) => node === value)?.key ?? null;
  if (value.kind !== 'name') return null;
  const from = onlyMember(index, fn, value.name);
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
  return callsOf(functions, calls).some((found) => isGiven(index, found, name));
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
function onlyMember(index: ModuleIndex, fn: FunctionIr, name: string): string | null {
  const keys = new Set<string>();
  const note = (expr: Expr): void => {
    const value = plain(expr);
    const access =
      value.kind === 'member'
        ? memberAccesses(index, fn).find(({ node }) => node === value)
        : undefined;
    if (access !== undefined) keys.add(access.key);
  };
  for (const node of walk(fn.body)) {
    if (node.kind === 'decl' && node.name === name && node.init !== null) note(node.init);
    if (node.kind !== 'assign' || node.op !== '=') continue;
    if (node.target.kind === 'name' && node.target.name === name) note(node.value);
    if (node.value.kind === 'name' && node.value.name === name) note(node.target);
  }
  const [key] = keys;
  return keys.size === 1 ? (key ?? null) : null;
}

/**
 * The member that keeps what a call at a place returned: `p->m = f()`, or `x = f()` and later
 * `p->m = x`; null where no member of a known struct does.
 */
export function keeperOf(index: ModuleIndex, fn: FunctionIr, call: CallExpr): string | null {
  for (const node of walk(fn.body)) {
    if (node.kind === 'assign' && node.op === '=' && plain(node.value) === call)
      return namedBy(index, fn, node.target);
    if (node.kind === 'decl' && node.init !== null && plain(node.init) === call)
      return onlyMember(index, fn, node.name);
  }
  return null;
}

/** What a resource is named by, in words that other functions use too. */
export function keptName(facts: ModuleFacts, index: ModuleIndex, one: HeldResource): string | null {
  const fn = documentAt(facts.module, one.site.path)?.functions.find((other) =>
    contains(other, one.site),
  );
  const call = fn === undefined ? null : callAt(fn.body, one.site);
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
    const accesses = memberAccesses(index, fn);
    return callsWhere(fn, (call) => isUnseen(facts, index, fn, call)).some(({ args }) =>
      args.some((arg) => {
        const name = namedBy(index, fn, arg);
        return (
          name === key ||
          isAround(name, owner) ||
          accesses.some((one) => one.key === key && contains(arg, one.node))
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

/** A call of a function that neither the module defines nor the tables know. */
export function isUnseen(
  facts: ModuleFacts,
  index: ModuleIndex,
  fn: FunctionIr,
  { name }: CallExpr,
): boolean {
  if (name === null) return true;
  const file = index.fileOf(fn);
  if (file === undefined || index.functions(file, name).length > 0) return false;
  return (
    index.macro(file, name) === null &&
    !isLog(name) &&
    !isValueOrTest(name) &&
    !isComputation(name) &&
    loopCursors(name) === undefined &&
    behaviourOf(name, facts.kernel, facts.module.wrappers) === undefined
  );
}
