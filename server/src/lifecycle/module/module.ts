/**
 * The index of a module: functions, macros, structs and variables by name, as the target kernel
 * sees them.
 */
import { cleanupIn } from '../../ir/attributes.ts';
import { readMacroText } from '../../ir/barrier.ts';
import { originalOf, originalsIn } from '../../ir/lower.ts';
import type {
  Expr,
  FileIr,
  FunctionIr,
  MacroIr,
  NameExpr,
  Stmt,
  StructIr,
  TypeName,
  VariableIr,
} from '../../ir/types.ts';
import { walkExpr, walkExprs, walkStmt } from '../../ir/visit.ts';
import { kernelConstant } from '../../kernel/constants.ts';
import type { KernelVersion } from '../../kernel/types.ts';
import type { Condition } from '../../syntax/node.ts';
import { isExcluded, macrosOf } from './preprocessor.ts';
import { constantsOf, type Constants } from '../interpret/constants.ts';
import type { Module } from '../types.ts';
import {
  newOutline,
  placesOfRoots,
  type Outline,
  type Outlined,
  type RootPlaces,
} from './outline.ts';

/** A definition and the document it stands in. */
export interface Defined<T> {
  readonly file: FileIr;
  readonly item: T;
}

/**
 * Names of a module, resolved as a C compiler would: the file first, then its headers, then
 * external linkage.
 */
export interface ModuleIndex {
  readonly module: Module;
  /** Another object for each module, which says who it is and keeps nothing of it. */
  readonly version: object;
  /** What was made for it holds for the index of any module that has it. */
  readonly outline: Outline;
  /** What names of functions and macros mean is the same where this and `kept` are. */
  readonly naming: object;
  /**
   * Which of the definitions of each name the kernel has, in the order of `names`: how many
   * there are, and the positions of their documents and their own there.
   */
  readonly kept: readonly number[];
  /** Where this is the same too, so are the places of all macros. */
  readonly macroPlaces: object;
  /**
   * All definitions that `name` may mean in `from`; several when #if arms define it more than once.
   */
  functions(from: FileIr, name: string): readonly Defined<FunctionIr>[];
  macro(from: FileIr, name: string): Defined<MacroIr> | null;
  /**
   * The macros that `name` may be in a function of `from` that starts at `at`, one for each
   * configuration: of those under equal conditions the last one in front of it.
   */
  macros(from: FileIr, name: string, at: number): readonly Defined<MacroIr>[];
  /**
   * Those as functions: the body of each is what the macro returns or does, or says that it was not
   * understood. Constants are left out.
   */
  macroFunctions(from: FileIr, name: string, at: number): readonly Defined<FunctionIr>[];
  variable(from: FileIr, name: string): Defined<VariableIr> | null;
  /**
   * The value of an enumerator or of a macro that stands for a number; null when neither the module
   * nor the kernel says.
   */
  constant(from: FileIr, name: string): number | null;
  struct(from: FileIr, tag: string): Defined<StructIr> | null;
  /** Those too that the target kernel leaves out. */
  readonly allFunctions: readonly Defined<FunctionIr>[];
  /** The same functions as they were lowered, wherever an edit has moved them. */
  readonly roots: readonly FunctionIr[];
  /** The names of all functions and macros, in order: equal lists resolve equal names alike. */
  readonly names: readonly string[];
  /** Where in allFunctions a function of the module is. */
  positionOf(fn: FunctionIr): number | undefined;
  /**
   * Where the functions are, by the functions as they were lowered; null where two of them were
   * lowered as one. Good until another module is asked.
   */
  rootPositions(): ReadonlyMap<FunctionIr, number> | null;
  /** The document that a function of the module stands in. */
  fileOf(fn: FunctionIr): FileIr | undefined;
}

const indices = new WeakMap<
  Module,
  { readonly kernel: KernelVersion; readonly index: ModuleIndex }
>();

/**
 * The index of a module, which is made once for all who ask about one kernel.
 * @param kernel the target kernel: a function or macro that its version leaves out of the module is
 * not what a call means.
 * @param outlined where another version of the module may have been asked about.
 */
export function indexModule(
  module: Module,
  kernel: KernelVersion,
  outlined: Outlined = newOutline(),
): ModuleIndex {
  let known = indices.get(module);
  if (known?.kernel !== kernel)
    indices.set(module, (known = { kernel, index: makeIndex(module, kernel, outlined) }));
  return known.index;
}

/** The index that was made of a module last, for whichever kernel; undefined when there is none. */
export function indexMadeOf(module: Module): ModuleIndex | undefined {
  return indices.get(module)?.index;
}

function makeIndex(module: Module, kernel: KernelVersion, outlined: Outlined): ModuleIndex {
  const documents = [...module.sources, ...module.headers],
    files = documents.map(definitionsIn);
  const places = placesFor(outlined.outline, module, kernel);
  const functions = named(files, places.functions, 'functions'),
    macros = named(files, places.macros, 'macros'),
    variables = named(files, places.variables, 'variables'),
    structs = named(files, places.structs, 'structs');
  const headers = new Set(module.headers);
  const resolve = <T>(
    definitions: (name: string) => readonly Defined<T>[],
    from: FileIr,
    name: string,
    shared: (item: T) => boolean,
  ): readonly Defined<T>[] => {
    const all = definitions(name);
    if (all.length === 0) return NOTHING;
    // What a header names that no header defines is of the source that includes it.
    if (all.length === 1)
      return all[0]!.file === from ||
        headers.has(all[0]!.file) ||
        headers.has(from) ||
        shared(all[0]!.item)
        ? all
        : NOTHING;
    const own = all.filter((definition) => definition.file === from);
    if (own.length) return own;
    const header = all.filter((definition) => headers.has(definition.file));
    return header.length ? header : all.filter((definition) => shared(definition.item));
  };
  const resolved = new Map<FileIr, Map<string, readonly Defined<FunctionIr>[]>>();
  const macrosNamed = (from: FileIr, name: string) => resolve(macros, from, name, () => false);
  const macrosAt = (from: FileIr, name: string, at: number) =>
    onePerConfiguration(macrosNamed(from, name), from, at);
  const constantsIn = (file: FileIr): Constants => {
    const at = documents.indexOf(file);
    let known = places.constants.get(at);
    if (!known) {
      const kept = [...places.macros.values()].flat().filter((place) => place.file === at);
      const items = kept.map(({ item }) => item).sort((left, right) => left - right);
      known = constantsOf(
        file,
        items.map((item) => file.macros[item]!),
      );
      places.constants.set(at, known);
    }
    return known;
  };
  const allFunctions = places.all.map(({ file, item }) => files[file]!.functions[item]!);
  const roots = places.all.map(({ file, item }) => files[file]!.roots[item]!);
  let positions: Map<FunctionIr, number> | undefined;
  let rootPlaces: RootPlaces | undefined;
  const rootPositions = () => {
    // Another version may have asked since.
    if (rootPlaces?.roots !== roots) rootPlaces = placesOfRoots(outlined.outline, roots);
    return rootPlaces.haveTwins ? null : rootPlaces.byRoot;
  };
  const positionOf = (fn: FunctionIr) => {
    const byRoot = rootPositions();
    if (byRoot === null) {
      positions ??= new Map(allFunctions.map(({ item }, i) => [item, i] as const));
      return positions.get(fn);
    }
    const position = byRoot.get(originalOf(fn));
    return position !== undefined && allFunctions[position]!.item === fn ? position : undefined;
  };
  return {
    module,
    version: {},
    ...outlined,
    functions: (from, name) => {
      let known = resolved.get(from);
      if (!known) resolved.set(from, (known = new Map()));
      let found = known.get(name);
      if (!found) known.set(name, (found = resolve(functions, from, name, (fn) => !fn.isStatic)));
      return found;
    },
    macro: (from, name) => macrosNamed(from, name)[0] ?? null,
    macros: macrosAt,
    macroFunctions: (from, name, at) =>
      macrosAt(from, name, at).flatMap(({ file, item }) => {
        const fn = expansionOf(item);
        return fn ? [{ file, item: fn }] : [];
      }),
    // A forward declaration is no definition: the one with a value wins.
    variable: (from, name) => {
      const all = resolve(variables, from, name, (variable) => !variable.isStatic),
        found = all.find((variable) => variable.item.init) ?? all[0];
      // What a header declares, another source of the module defines.
      return (
        (found?.item.isExtern
          ? variables(name).find((variable) => variable.item.init && !variable.item.isStatic)
          : undefined) ??
        found ??
        null
      );
    },
    constant: (from, name) => {
      const seen = [from, ...module.headers];
      for (const file of seen) {
        const value = constantsIn(file).values.get(name);
        if (value !== undefined) return value;
      }
      // Of an enum that the driver has in part, the rest may have other numbers too.
      const isRedefined = seen.some((file) => constantsIn(file).redefinesKernel);
      return isRedefined ? null : kernelConstant(name, kernel);
    },
    struct: (from, tag) => resolve(structs, from, tag, () => false)[0] ?? null,
    allFunctions,
    roots,
    names: places.names,
    kept: places.kept,
    positionOf,
    rootPositions,
    fileOf(fn) {
      const position = positionOf(fn);
      return position === undefined ? undefined : allFunctions[position]!.file;
    },
  };
}

/** What a document defines, in its order. */
interface Definitions {
  readonly functions: readonly Defined<FunctionIr>[];
  readonly roots: readonly FunctionIr[];
  readonly macros: readonly Defined<MacroIr>[];
  readonly variables: readonly Defined<VariableIr>[];
  readonly structs: readonly Defined<StructIr>[];
}

const definitions = new WeakMap<FileIr, Definitions>();

function definitionsIn(file: FileIr): Definitions {
  let known = definitions.get(file);
  if (!known) {
    const defined = <T>(items: readonly T[]) => items.map((item): Defined<T> => ({ file, item }));
    definitions.set(
      file,
      (known = {
        functions: defined(file.functions),
        roots: originalsIn(file).functions,
        macros: defined(file.macros),
        variables: defined(file.variables),
        structs: defined(file.structs),
      }),
    );
  }
  return known;
}

/** A definition by its position: of the document in its module, and its own there. */
interface Position {
  readonly file: number;
  readonly item: number;
}
type Positions = ReadonlyMap<string, readonly Position[]>;

/** Where the names of a module are defined; without what the target kernel leaves out. */
interface Places {
  readonly functions: Positions;
  readonly macros: Positions;
  readonly variables: Positions;
  readonly structs: Positions;
  /** By document, for those that were asked. */
  readonly constants: Map<number, Constants>;
  /** Of all functions, those too that the target kernel leaves out. */
  readonly all: readonly Position[];
  readonly names: readonly string[];
  readonly kept: readonly number[];
}

const placesKnown = new WeakMap<
  Outline,
  { readonly kernel: KernelVersion; readonly places: Places }
>();

function placesFor(outline: Outline, module: Module, kernel: KernelVersion): Places {
  let known = placesKnown.get(outline);
  if (known?.kernel !== kernel)
    placesKnown.set(outline, (known = { kernel, places: findPlaces(module, kernel) }));
  return known.places;
}

function findPlaces(module: Module, kernel: KernelVersion): Places {
  const isKept = keptIn(module, kernel);
  const files = [...module.sources, ...module.headers];
  const every = byName(files, (file) => file.functions);
  const functions = only(every, ({ file, item }) => isKept(files[file]!.functions[item]!)),
    macros = only(
      byName(files, (file) => file.macros),
      ({ file, item }) => isKept(files[file]!.macros[item]!),
    );
  return {
    functions,
    macros,
    variables: byName(files, (file) => file.variables),
    structs: byName(files, (file) => file.structs),
    constants: new Map(),
    all: [...every.values()].flat(),
    names: [...functions.keys(), ...macros.keys()],
    kept: [...listed(functions), ...listed(macros)],
  };
}

/** How many definitions each name has, and where. */
function listed(positions: Positions): number[] {
  const list: number[] = [];
  positions.forEach((all) => {
    list.push(all.length);
    for (const { file, item } of all) list.push(file, item);
  });
  return list;
}

/** The definitions of today that names mean. */
function named<K extends 'functions' | 'macros' | 'variables' | 'structs'>(
  files: readonly Definitions[],
  positions: Positions,
  kind: K,
): (name: string) => Definitions[K] {
  const known = new Map<string, Definitions[K]>();
  return (name) => {
    let found = known.get(name);
    if (found === undefined) {
      const at = positions.get(name) ?? NOTHING;
      found = at.map(({ file, item }) => files[file]![kind][item]!) as unknown as Definitions[K];
      known.set(name, found);
    }
    return found;
  };
}

const NOTHING: readonly never[] = [];

/** Of the definitions under equal conditions the one that holds at a place of a document. */
function onePerConfiguration(
  list: readonly Defined<MacroIr>[],
  from: FileIr,
  at: number,
): readonly Defined<MacroIr>[] {
  if (list.length < 2) return list;
  const byConditions = new Map<string, Defined<MacroIr>>();
  for (const one of list) {
    const key = one.item.conditions.map(({ test, holds }) => `${holds} ${test}`).join('\n');
    if (!byConditions.has(key) || one.file !== from || one.item.start < at)
      byConditions.set(key, one);
  }
  return [...byConditions.values()];
}

function only(
  map: Map<string, Position[]>,
  isKept: (position: Position) => boolean,
): Map<string, Position[]> {
  // In nearly all modules nothing is left out.
  if ([...map.values()].every((list) => list.every(isKept))) return map;
  const kept = [...map].map(([name, list]) => [name, list.filter(isKept)] as const);
  return new Map(kept.filter(([, list]) => list.length > 0));
}

/** Whether the kernel's version leaves a definition in. Many stand under the same few tests. */
function keptIn(
  module: Module,
  kernel: KernelVersion,
): (item: { readonly conditions: readonly Condition[] }) => boolean {
  const macros = macrosOf(module, kernel),
    known = new Map<string, boolean>();
  const isOut = (condition: Condition): boolean => {
    const key = `${condition.holds} ${condition.test}`;
    let out = known.get(key);
    if (out === undefined) known.set(key, (out = isExcluded([condition], kernel, macros)));
    return out;
  };
  return ({ conditions }) => !conditions.some(isOut);
}

const expansions = new WeakMap<MacroIr, FunctionIr | null>();

/**
 * The function that stands for a macro: the same one wherever an edit moves the macro, with the
 * offsets of where it was first.
 */
export function expansionOf(macro: MacroIr): FunctionIr | null {
  const root = originalOf(macro);
  let fn = expansions.get(root);
  if (fn === undefined) expansions.set(root, (fn = asFunction(root)));
  return fn;
}

function byName(
  files: readonly FileIr[],
  list: (file: FileIr) => readonly { readonly name: string }[],
): Map<string, Position[]> {
  const map = new Map<string, Position[]>();
  for (const [file, one] of files.entries())
    for (const [item, { name }] of list(one).entries()) {
      const same = map.get(name);
      if (same) same.push({ file, item });
      else map.set(name, [{ file, item }]);
    }
  return map;
}

const assigned = new WeakMap<FunctionIr, ReadonlySet<number>>();

/**
 * The parameters that a macro assigns to, by position: the caller's variable is meant, so they are
 * pointers to it in the function that stands for the macro.
 */
export function assignedParameters(macro: FunctionIr): ReadonlySet<number> | undefined {
  return assigned.get(macro);
}

/**
 * A macro's arguments are evaluated once here and as often as they are named in C: the same thing
 * for arguments without effects.
 */
function asFunction(macro: MacroIr): FunctionIr | null {
  const targets = new Set<string>();
  const note = (expr: Expr): void => {
    if (expr.kind === 'assign' && expr.target.kind === 'name') targets.add(expr.target.name);
  };
  for (const stmt of macro.statements ?? []) walkExprs(stmt, note);
  if (macro.body) walkExpr(macro.body, note);
  const outs = new Set((macro.params ?? []).flatMap((name, i) => (targets.has(name) ? [i] : [])));
  const names = new Set([...outs].map((i) => macro.params![i]!));
  const fn = functionOf(
    outs.size === 0
      ? macro
      : {
          ...macro,
          statements: throughPointers(macro.statements, names),
          body: throughPointers(macro.body, names),
        },
  );
  if (!fn) return null;
  const standing = { macro, ...fn };
  if (outs.size > 0) assigned.set(standing, outs);
  return standing;
}

/**
 * Code in which some names are pointers to what they were. A tree of plain data, as deep as the
 * lowering lets it be.
 */
function throughPointers<T>(node: T, names: ReadonlySet<string>): T {
  if (Array.isArray(node)) return node.map((one: unknown) => throughPointers(one, names)) as T;
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, throughPointers<unknown>(value, names)]),
  ) as T;
  const { kind, name, start, end } = node as unknown as NameExpr;
  return kind === 'name' && names.has(name)
    ? ({ kind: 'unary', op: '*', operand: copy, start, end } as T)
    : copy;
}

/**
 * Another name for something, or an attribute with it: `#define foo_put vfio_put_device`, `#define
 * auto_foo __cleanup(foo_put)`.
 */
const ALIAS = /^[A-Za-z_]\w*$/;

function bodyOf(macro: MacroIr): readonly Stmt[] | null {
  const at = { start: macro.start, end: macro.end };
  if (macro.statements) return macro.statements;
  if (macro.body) return [{ kind: 'return', value: macro.body, ...at }];
  if (macro.params !== null) return unreadBody(macro);
  const name = ALIAS.test(macro.bodyText) ? macro.bodyText : cleanupIn(macro.bodyText)?.cleanup;
  if (name == null && macro.bodyText.startsWith('__attribute')) return [];
  return name == null ? null : [{ kind: 'expr', expr: { kind: 'name', name, ...at }, ...at }];
}

/** What a macro with arguments does that stands for nothing, or was not understood. */
function unreadBody({ start, end, bodyText }: MacroIr): readonly Stmt[] {
  if (bodyText === '') return [];
  const { names, calls, isOpaque } = readMacroText(bodyText);
  return [{ kind: 'unknown', start, end, names, calls, opaque: isOpaque }];
}

function functionOf(macro: MacroIr): FunctionIr | null {
  const at = { start: macro.start, end: macro.end };
  const body = bodyOf(macro);
  if (!body) return null;
  const type: TypeName = {
    name: macro.body ? 'unknown' : 'void',
    keyword: null,
    pointers: 0,
    arrays: 0,
    ...at,
  };
  return {
    kind: 'function',
    name: macro.name,
    nameSpan: at,
    returnType: type,
    params: (macro.params ?? []).map((name) => ({ name, type, ...at })),
    isStatic: true,
    isInline: true,
    body: { kind: 'block', body, ...at },
    conditions: macro.conditions,
    opaque: body.some((one) =>
      macro.statements === null ? one.kind === 'unknown' && one.opaque : leavesMacro(one),
    ),
    text: macro.bodyText,
    ...at,
  };
}

/**
 * A `return` or `goto` in a macro's statements is one of the function that uses it: control flow
 * that a call does not have.
 */
function leavesMacro(stmt: Stmt): boolean {
  let leaves = false;
  walkStmt(stmt, (inner) => {
    if (inner.kind === 'goto' || inner.kind === 'return') leaves = true;
  });
  return leaves;
}
