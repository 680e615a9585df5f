/** Lowers a parsed document to the IR. */
import type { SyntaxParser, SyntaxTree } from '../syntax/node.ts';
import type {
  FileIr,
  FileMacroIr,
  FunctionIr,
  IncludeIr,
  MacroIr,
  PrototypeIr,
  StructIr,
  TypeName,
  VariableIr,
} from './types.ts';
import { copyString } from '../text/copy.ts';
import { append } from '../text/lists.ts';
import type { Span } from '../text/span.ts';
import { createLoweringCache, newEntry, startPass, type LoweringCache } from './lower/cache.ts';
import { copyConditions, createContext } from './lower/context.ts';
import { lowerMacroBodies, isWorthParsing } from './lower/macros.ts';
import { equalIr } from './lower/shift.ts';
import { lowerItemAlone, splitArguments, type ItemIr } from './lower/toplevel.ts';

export {
  copyLoweringCache,
  createLoweringCache,
  movedBy,
  movedFrom,
  originalOf,
  originalsIn,
  type LoweringCache,
} from './lower/cache.ts';
export { placeSpans, shiftSpans } from './lower/shift.ts';

/**
 * Lowers a parsed document. Never throws, whatever the document is: an item whose lowering fails is
 * in `failed`, and the rest is there.
 * @param path the key under which the project knows the document; only passed through.
 * @param tree the parsed document, read during the call only.
 * @param cache the cache of this document, from `createLoweringCache`. What the last version had in
 * equal text under equal
 * conditions is taken from it: the very same object where its offset is the same, else a copy with
 * moved spans.
 * @param parser parses the bodies of macros; without one these stay `null`.
 * @returns the IR, with offsets into `tree.text`.
 */
export function lowerFile(
  path: string,
  tree: SyntaxTree,
  cache: LoweringCache = createLoweringCache(),
  parser: SyntaxParser | null = null,
): FileIr {
  const pass = startPass(cache, tree);
  const items: ItemIr[] = [];
  const fresh: ItemIr[] = [];
  for (const item of tree.items()) {
    if (item.type === 'comment') continue;
    let entry = pass.find(item);
    // Around an error the tree also depends on the edits that led to it: a tree that is new wins over
    // the cache.
    if (entry === null || (item.hasError && entry.identity !== item.identity)) {
      const conditions = copyConditions(item.conditions);
      const ir = lowerItemAlone(item, conditions, createContext(tree.text, item, tree.notes));
      if (entry === null || !equalIr(entry.ir, ir)) {
        entry = newEntry(item, conditions, ir);
        fresh.push(ir);
      }
    }
    pass.keep(entry, item);
    items.push(entry.ir);
  }
  const comments = pass.comments();
  pass.finish();
  if (parser !== null) fillMacroBodies(fresh, parser);
  return { path, text: tree.text, comments, ...assemble(tree, items, cache, parser) };
}

function fillMacroBodies(items: readonly ItemIr[], parser: SyntaxParser): void {
  const places: { readonly macros: MacroIr[]; readonly index: number }[] = [];
  const worthParsing: MacroIr[] = [];
  for (const { macros } of items)
    for (let index = 0; index < macros.length; index++) {
      if (!isWorthParsing(macros[index]!)) continue;
      places.push({ macros, index });
      worthParsing.push(macros[index]!);
    }
  const lowered = lowerMacroBodies(worthParsing, parser);
  places.forEach(({ macros, index }, i) => {
    macros[index] = lowered[i]!;
  });
}

function assemble(
  tree: SyntaxTree,
  items: readonly ItemIr[],
  cache: LoweringCache,
  parser: SyntaxParser | null,
): Omit<FileIr, 'path' | 'text' | 'comments'> {
  const functions: FunctionIr[] = [];
  const structs: StructIr[] = [];
  const variables: VariableIr[] = [];
  const macros: MacroIr[] = [];
  const includes: IncludeIr[] = [];
  const prototypes: PrototypeIr[] = [];
  const fileMacros: FileMacroIr[] = [];
  const typedefs = new Map<string, TypeName>();
  const lost: Span[] = [];
  const failed: NonNullable<FileIr['failed']>[number][] = [];
  for (const item of items) {
    append(functions, item.functions);
    append(structs, item.structs);
    append(variables, item.variables);
    append(macros, item.macros);
    append(includes, item.includes);
    append(prototypes, item.prototypes);
    append(fileMacros, item.fileMacros);
    if (item.typedefs.length > 0)
      for (const { name, type } of item.typedefs) typedefs.set(name, type);
    append(lost, item.lost);
    if (item.failed !== undefined) failed.push({ ...item.lost[0]!, reason: item.failed });
  }
  for (const note of tree.notes) {
    if (note.kind === 'file-macro' && note.text.includes('('))
      fileMacros.push(maskedFileMacro(note, note.text, cache));
  }
  const cleanups = fileMacros.flatMap((macro) => cleanupsOf(macro, fileMacros, tree.text));
  if (cleanups.length > 0 && parser !== null) append(macros, lowerMacroBodies(cleanups, parser));
  // What was hoisted out of a function comes after it; equal offsets keep their order.
  for (const list of [functions, structs, variables, macros, fileMacros, lost]) sort(list);
  return {
    functions,
    structs,
    variables,
    macros,
    includes,
    prototypes,
    fileMacros,
    typedefs,
    lost,
    ...(failed.length > 0 && { failed }),
  };
}

/** By their start; nearly all lists are in order already. */
function sort(list: Span[]): void {
  for (let i = 1; i < list.length; i++)
    if (list[i - 1]!.start > list[i]!.start) {
      list.sort((left, right) => left.start - right.start);
      return;
    }
}

/**
 * What include/linux/cleanup.h (of Linux 6.5 to 6.18) makes of its macros, as macros of these names:
 * `DEFINE_FREE(foo_put, struct foo *, if (_T) foo_put(_T))` is a `__free_foo_put(_T)`,
 * `DEFINE_CLASS(foo, type, exit, init, params)` is that with `class_foo`, and a
 * `class_foo_constructor(params)`; `DEFINE_GUARD(foo, type, lock, unlock)` a `guard_foo_take(_T)` and
 * a `guard_foo_release(_T)`, and so is DEFINE_LOCK_GUARD_1(), whose `_T->lock` is what the guard is
 * given, and DEFINE_LOCK_GUARD_0(), which is given nothing.
 */
function cleanupsOf(
  macro: FileMacroIr,
  others: readonly FileMacroIr[],
  document: string,
): MacroIr[] {
  const [name = '', , first, second, ...rest] = macro.args;
  const made = (of: string, params: readonly string[], body: string | undefined): MacroIr[] =>
    madeBy(macro, document, { of, params, body });
  switch (macro.name) {
    case 'DEFINE_FREE':
      return made(`__free_${name}`, ['_T'], first);
    case 'DEFINE_CLASS':
      return [
        ...made(`__free_class_${name}`, ['_T'], first),
        ...made(`class_${name}_constructor`, rest.flatMap(declaredName), second),
      ];
    case 'DEFINE_GUARD':
    case 'DEFINE_LOCK_GUARD_1':
      return [
        ...made(`guard_${name}_take`, ['_T'], first),
        ...made(`guard_${name}_release`, ['_T'], second),
      ];
    case 'DEFINE_LOCK_GUARD_0':
      return [
        ...made(`guard_${name}_take`, [], macro.args[1]),
        ...made(`guard_${name}_release`, [], first),
      ];
    case 'DEFINE_GUARD_COND':
    case 'DEFINE_LOCK_GUARD_1_COND': {
      const all = `${name}${macro.args[1] ?? ''}`;
      const base = others.find(
        (one) => one.name === macro.name.replace(/_COND$/, '') && one.args[0] === name,
      );
      if (base === undefined) return [];
      return [
        ...made(`guard_${all}_take`, ['_T'], first),
        ...madeBy(base, document, {
          of: `guard_${all}_release`,
          params: ['_T'],
          body: base.args[3],
        }),
      ];
    }
    default:
      return [];
  }
}

/** A macro whose body is a part of another one. */
function madeBy(
  { start, end }: FileMacroIr,
  document: string,
  {
    of,
    params,
    body,
  }: {
    readonly of: string;
    readonly params: readonly string[];
    readonly body: string | undefined;
  },
): MacroIr[] {
  if (body === undefined || body === '') return [];
  return [
    {
      kind: 'macro',
      start,
      end,
      name: of,
      params,
      rest: null,
      body: null,
      statements: null,
      bodyText: body.replace(/\b_T->lock\b/g, (member) => '_T'.padEnd(member.length)),
      bodyOffset: document.slice(start, end).lastIndexOf(body),
      conditions: [],
    },
  ];
}

/** The name in `struct device *dev`; none in `void`. */
function declaredName(param: string): readonly string[] {
  const name = param.trim().split(/\W+/).at(-1) ?? '';
  return name === '' || name === 'void' ? [] : [name];
}

/** Texts of uses that are kept: more than a document has of them. */
const MAX_USES = 1_000;

function maskedFileMacro({ start, end }: Span, text: string, { uses }: LoweringCache): FileMacroIr {
  let use = uses.get(text);
  if (use === undefined) {
    const own = copyString(text),
      name = /\b(\w+)\s*\(/.exec(own)?.[1] ?? '';
    use = { name, args: splitArguments(own.slice(own.indexOf('('))) };
    if (uses.size >= MAX_USES) uses.clear();
    uses.set(own, use);
  }
  return { kind: 'file-macro', start, end, name: use.name, args: use.args };
}
