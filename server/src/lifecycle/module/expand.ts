/** Which macros of a module a function is looked at with, and the function with them written out. */
import { originalOf } from '../../ir/lower.ts';
import { expandMacros, isOpenEnded, type Definition } from '../../ir/expand.ts';
import type { FileIr, FunctionIr, MacroIr } from '../../ir/types.ts';
import { append } from '../../text/lists.ts';
import { expansionOf, type ModuleIndex } from './module.ts';
import type { Module } from '../types.ts';

/**
 * A function with the macros of its module written out, all of what one brings at the place of the
 * use: for those who follow its control flow. `index` has the macros.
 * @param isWanted by the name of a macro.
 * @param at the offset of the function among the macros of today: it may have been lowered elsewhere.
 * @returns `fn` itself when it uses none.
 */
export function writtenOut(
  index: Pick<ModuleIndex, 'macros' | 'functions'>,
  file: FileIr,
  fn: FunctionIr,
  isWanted: (name: string) => boolean,
  at = fn.start,
): FunctionIr {
  const macrosOf = (name: string): readonly Definition[] =>
    isWanted(name)
      ? index.macros(file, name, at).map((one) => ({ path: one.file.path, macro: one.item }))
      : [];
  const functionsOf = (name: string) =>
    index.functions(file, name).map(({ item }) => item.conditions);
  return expandMacros(fn, { macrosOf, functionsOf, identities: null });
}

interface FlowMacros {
  readonly leaving: ReadonlySet<string>;
  readonly flow: ReadonlySet<string>;
}

const known = new WeakMap<Module, FlowMacros>();

/** The macros of a module that jump or return, or use one that does: hardly any module has one. */
export function leavingNames(module: Module): ReadonlySet<string> {
  return flowMacrosOf(module).leaving;
}

/** Those, and the macros that may be the head of a loop. */
export function flowMacroNames(module: Module): ReadonlySet<string> {
  return flowMacrosOf(module).flow;
}

const all = new WeakMap<Module, ReadonlyMap<string, readonly FunctionIr[]>>();

/** The macros of a module that are more than a constant, by name. */
function macrosOf(module: Module): ReadonlyMap<string, readonly FunctionIr[]> {
  const known = all.get(module);
  if (known) return known;
  const macros = new Map<string, FunctionIr[]>();
  for (const file of [...module.sources, ...module.headers])
    for (const macro of file.macros) {
      const expansion = expansionOf(macro);
      if (expansion === null) continue;
      const same = macros.get(macro.name);
      if (same) same.push(expansion);
      else macros.set(macro.name, [expansion]);
    }
  all.set(module, macros);
  return macros;
}

const WORD = /[A-Za-z_]\w*/g;
const words = new WeakMap<FunctionIr, readonly string[]>();

function wordsOf(fn: FunctionIr): readonly string[] {
  let known = words.get(fn);
  if (!known) words.set(fn, (known = [...new Set(fn.text.match(WORD))]));
  return known;
}

/**
 * The names in a function that are macros of the module and more than a constant, and those in the
 * texts of these macros: all that can be written out in it. A look at words costs less than one at
 * code.
 */
export function macrosIn(module: Module, fn: FunctionIr): ReadonlySet<string> {
  const macros = macrosOf(module),
    found = new Set<string>();
  if (macros.size === 0) return found;
  const texts = [originalOf(fn)];
  for (const text of texts)
    for (const word of wordsOf(text)) {
      const named = found.has(word) ? undefined : macros.get(word);
      if (named === undefined) continue;
      found.add(word);
      append(texts, named);
    }
  return found;
}

function flowMacrosOf(module: Module): FlowMacros {
  let found = known.get(module);
  if (!found) {
    const macros = [...module.sources, ...module.headers]
      .flatMap((file) => file.macros)
      .filter((one) => one.params !== null);
    const leaving = leavingAmong(macros.filter((one) => one.body === null));
    const heads = macros.filter((one) =>
      one.statements === null ? one.body?.kind === 'call' : isOpenEnded(one.statements),
    );
    known.set(
      module,
      (found = { leaving, flow: new Set([...leaving, ...heads.map((one) => one.name)]) }),
    );
  }
  return found;
}

function leavingAmong(macros: readonly MacroIr[]): ReadonlySet<string> {
  const leaving = new Set(
    macros.filter((one) => /\b(goto|return)\b/.test(one.bodyText)).map((one) => one.name),
  );
  if (leaving.size === 0) return leaving;
  const users = new Map<string, string[]>();
  for (const { name, bodyText } of macros) {
    for (const used of new Set(bodyText.match(/\b[A-Za-z_]\w*(?=\s*\()/g)))
      (users.get(used) ?? users.set(used, []).get(used)!).push(name);
  }
  // What uses such a macro leaves too. A set hands out what is added to it while it is walked.
  for (const name of leaving) for (const user of users.get(name) ?? []) leaving.add(user);
  return leaving;
}
