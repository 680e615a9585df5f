/** Which functions of a module call which by name, found once for all rules. */
import type { FunctionIr } from '../ir/types.ts';
import { originalOf, scanOf } from '../lifecycle/module/function-scan.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type { Module } from '../lifecycle/types.ts';

/** Of the names that functions call, those that the module has functions of. */
interface OwnCalls {
  readonly names: ReadonlyMap<FunctionIr, readonly string[]>;
  readonly callers: ReadonlyMap<string, readonly FunctionIr[]>;
}

const ownCalls = new WeakMap<Module, OwnCalls>();

function ownCallsOf(module: Module): OwnCalls {
  let known = ownCalls.get(module);
  if (known === undefined) ownCalls.set(module, (known = findOwnCalls(module)));
  return known;
}

function findOwnCalls({ sources, headers }: Module): OwnCalls {
  const functions = [...sources, ...headers].flatMap((file) => file.functions);
  const callers = new Map<string, FunctionIr[]>(functions.map(({ name }) => [name, []]));
  const signature = signatureOf([...callers.keys()]);
  const names = new Map<FunctionIr, readonly string[]>();
  for (const fn of functions) {
    const own = ownNamesIn(originalOf(fn), signature, callers);
    names.set(fn, own);
    for (const name of own) callers.get(name)!.push(fn);
  }
  return { names, callers };
}

/** The same object for the same names of a module's functions. */
type Signature = object;

const signatures = new Map<string, Signature>();
/** More than somebody has open at a time. */
const MAX_SIGNATURES = 50;

function signatureOf(names: readonly string[]): Signature {
  const text = names.join(' ');
  const signature = signatures.get(text) ?? {};
  // The last one is the last to go.
  signatures.delete(text);
  signatures.set(text, signature);
  if (signatures.size > MAX_SIGNATURES) signatures.delete(signatures.keys().next().value!);
  return signature;
}

const ownNames = new WeakMap<
  FunctionIr,
  { readonly signature: Signature; readonly names: readonly string[] }
>();

/** An edit that makes and renames no function leaves nearly all of them as they were. */
function ownNamesIn(
  root: FunctionIr,
  signature: Signature,
  own: ReadonlyMap<string, unknown>,
): readonly string[] {
  let known = ownNames.get(root);
  if (known?.signature !== signature) {
    known = { signature, names: scanOf(root).names.called.filter((name) => own.has(name)) };
    ownNames.set(root, known);
  }
  return known.names;
}

/** Whether the module has a function of that name. */
export function isOwnName(module: Module, name: string): boolean {
  return ownCallsOf(module).callers.has(name);
}

/** The functions that call, by its name, one that the module has. */
export function callersByName(module: Module, name: string): readonly FunctionIr[] {
  return ownCallsOf(module).callers.get(name) ?? [];
}

const callees = new WeakMap<ModuleIndex, Map<FunctionIr, readonly FunctionIr[]>>();

/** The functions of the module that a function calls by name. */
function calleesOf(index: ModuleIndex, fn: FunctionIr): readonly FunctionIr[] {
  let byFunction = callees.get(index);
  if (byFunction === undefined) callees.set(index, (byFunction = new Map()));
  let list = byFunction.get(fn);
  if (list === undefined) byFunction.set(fn, (list = findCallees(index, fn)));
  return list;
}

function findCallees(index: ModuleIndex, fn: FunctionIr): readonly FunctionIr[] {
  const file = index.fileOf(fn);
  const names = ownCallsOf(index.module).names.get(fn);
  if (file === undefined || names === undefined) return [];
  return names.flatMap((name) => index.functions(file, name).map(({ item }) => item));
}

/**
 * The functions that are reached from some others by calls by name, those included, with the
 * function each was first called in.
 */
export function reachedFrom(
  index: ModuleIndex,
  roots: Iterable<FunctionIr>,
): Map<FunctionIr, FunctionIr | null> {
  const reached = new Map<FunctionIr, FunctionIr | null>();
  for (const root of roots) reached.set(root, null);
  // A map is iterated in the order of insertion, and what is added on the way is visited too.
  for (const [fn] of reached)
    for (const callee of calleesOf(index, fn)) if (!reached.has(callee)) reached.set(callee, fn);
  return reached;
}

/** The functions of the module from which one of some others is reached, those included. */
export function leadingTo(
  index: ModuleIndex,
  targets: ReadonlySet<FunctionIr>,
): ReadonlySet<FunctionIr> {
  const leading = new Set(targets);
  // As above.
  for (const target of leading)
    for (const caller of callersByName(index.module, target.name))
      if (calleesOf(index, caller).includes(target)) leading.add(caller);
  return leading;
}
