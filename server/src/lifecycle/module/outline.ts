/**
 * What all versions of a module have in common between which an edit has changed bodies of
 * functions and nothing else: what was worked out of the rest holds for all of them.
 */
import { areSameConditions } from '../../ir/text-conditions.ts';
import { originalOf, originalsIn } from '../../ir/lower.ts';
import type { FileIr, FileMacroIr, FunctionIr, TypeName } from '../../ir/types.ts';
import { blankComments } from '../../text/lexical.ts';
import { isSameList } from '../../text/lists.ts';
import type { Module } from '../types.ts';
import { tellTheSame } from './feature-tests.ts';
import type { Defined, ModuleIndex } from './module.ts';

/**
 * Stands for the documents of a module without the bodies of its functions: a key of what depends
 * on nothing else. The functions, macros, variables and structs of its versions correspond one by
 * one.
 */
export type Outline = object;

/** What is worked out of each function by itself, as it was for the last version that asked. */
export type KeptByOutline<T> = WeakMap<Outline, Worked<T>>;
export interface Worked<T> {
  readonly roots: FunctionIr[];
  readonly values: T[];
  /** Another object whenever a value has become another one. */
  stamp: object;
  /** The functions of the version that asked last. */
  all: readonly FunctionIr[] | null;
}

/**
 * What `of` says of each function of a module, in their order: worked out again only of those whose
 * bodies have changed. Nobody may keep the list. What is equal to what was said before, by `isSame`,
 * is what was said before.
 */
export function ofEachFunction<T>(
  kept: KeptByOutline<T>,
  { outline, allFunctions, roots }: Pick<ModuleIndex, 'outline' | 'allFunctions' | 'roots'>,
  of: (definition: Defined<FunctionIr>, root: FunctionIr, position: number) => T,
  isSame: (before: T, now: T) => boolean = Object.is,
): Worked<T> {
  let worked = kept.get(outline);
  if (!worked) kept.set(outline, (worked = { roots: [], values: [], stamp: {}, all: null }));
  // Many ask about one version.
  if (worked.all === roots) return worked;
  for (let i = 0; i < roots.length; i++) {
    const root = roots[i]!;
    if (worked.roots[i] === root) continue;
    const value = of(allFunctions[i]!, root, i);
    if (worked.roots[i] === undefined || !isSame(worked.values[i]!, value)) {
      worked.values[i] = value;
      worked.stamp = {};
    }
    worked.roots[i] = root;
  }
  worked.all = roots;
  return worked;
}

/** What is made of the values of all functions, as it was for the last version that asked. */
export type MadeByOutline<R> = WeakMap<Outline, { readonly stamp: object; readonly made: R }>;

/** What `make` makes of what is said of the functions: the same thing while that is the same. */
export function madeOfAll<T, R>(
  kept: MadeByOutline<R>,
  { outline }: Pick<ModuleIndex, 'outline'>,
  { values, stamp }: Worked<T>,
  make: (values: readonly T[]) => R,
): R {
  let known = kept.get(outline);
  if (known?.stamp !== stamp) kept.set(outline, (known = { stamp, made: make(values) }));
  return known.made;
}

/**
 * Where the functions of the versions with one outline are in their lists, by the functions as they
 * were lowered: in the version that asked last.
 */
export interface RootPlaces {
  roots: readonly FunctionIr[];
  readonly byRoot: Map<FunctionIr, number>;
  /**
   * Two functions with one text may be one function that has moved to the lowering: then the lists
   * are of no use.
   */
  haveTwins: boolean;
}

const rootPlaces = new WeakMap<Outline, RootPlaces>();

export function placesOfRoots(outline: Outline, roots: readonly FunctionIr[]): RootPlaces {
  let known = rootPlaces.get(outline);
  if (known?.roots === roots) return known;
  if (!known) rootPlaces.set(outline, (known = { roots: [], byRoot: new Map(), haveTwins: false }));
  const { roots: before, byRoot } = known;
  if (known.haveTwins) return known;
  for (let i = 0; i < before.length; i++) if (before[i] !== roots[i]) byRoot.delete(before[i]!);
  for (let i = 0; i < roots.length; i++) {
    if (before[i] === roots[i]) continue;
    known.haveTwins ||= byRoot.has(roots[i]!);
    byRoot.set(roots[i]!, i);
  }
  known.roots = roots;
  return known;
}

/** The outline of a version of a module, and keys of less than that and of more. */
export interface Outlined {
  readonly outline: Outline;
  /**
   * Of all that names of functions and macros mean but for the kernel: versions with the same one
   * have the same functions by name at the same positions, and the very same macros.
   */
  readonly naming: object;
  /** Of the places of all macros. */
  readonly macroPlaces: object;
}

/** The last version of a module that was asked about. */
export interface OutlineCache {
  last: (Outlined & { readonly module: Module }) | null;
}
export function createOutlineCache(): OutlineCache {
  return { last: null };
}

/** The outline of the last version where that is this one's too, else a new one. */
export function outlineOf(module: Module, cache: OutlineCache): Outlined {
  const { last } = cache;
  const outline = last && areAlike(last.module, module, alikeApartFromBodies) ? last.outline : {};
  const isNamedAlike =
    last?.outline === outline || (last && areAlike(last.module, module, nameTheSame));
  const isInPlace = last?.outline === outline && areAlike(last.module, module, haveMacrosInPlace);
  cache.last = {
    module,
    outline,
    naming: isNamedAlike ? last.naming : {},
    macroPlaces: isInPlace ? last.macroPlaces : {},
  };
  return cache.last;
}

/** An outline that no other version has. */
export function newOutline(): Outlined {
  return { outline: {}, naming: {}, macroPlaces: {} };
}

/** Whether two versions of a module are alike in what is no document, and their documents are. */
function areAlike(
  before: Module,
  after: Module,
  areAlikeIn: (before: FileIr, after: FileIr) => boolean,
): boolean {
  const areFilesAlike = (one: FileIr, other: FileIr) => one === other || areAlikeIn(one, other);
  return (
    before.wrappers === after.wrappers &&
    before.build === after.build &&
    isSameList(before.sources, after.sources, areFilesAlike) &&
    isSameList(before.headers, after.headers, areFilesAlike)
  );
}

/** Whether the functions and macros of two versions have the same names, one by one. */
function nameTheSame(before: FileIr, after: FileIr): boolean {
  const one = originalsIn(before),
    other = originalsIn(after);
  return (
    before.path === after.path &&
    isSameList(one.functions, other.functions, areNamedAlike) &&
    isSameList(one.macros, other.macros) &&
    isSameList(before.fileMacros, after.fileMacros, areUsedAlike) &&
    isSameList(macrosBefore(before), macrosBefore(after))
  );
}

function areNamedAlike(before: FunctionIr, after: FunctionIr): boolean {
  return (
    before === after ||
    (before.name === after.name &&
      before.isStatic === after.isStatic &&
      areSameConditions(before.conditions, after.conditions))
  );
}

function areUsedAlike(before: FileMacroIr, after: FileMacroIr): boolean {
  return before.name === after.name && isSameList(before.args, after.args);
}

/** How many macros stand in front of each function. */
function macrosBefore({ functions, macros }: FileIr): readonly number[] {
  let count = 0;
  return functions.map(({ start }) => {
    while (count < macros.length && macros[count]!.start < start) count++;
    return count;
  });
}

function haveMacrosInPlace(before: FileIr, after: FileIr): boolean {
  return isSameList(before.macros, after.macros);
}

/** Whether nothing but bodies of functions tells two versions apart. */
function alikeApartFromBodies(before: FileIr, after: FileIr): boolean {
  const one = originalsIn(before),
    other = originalsIn(after);
  return (
    before.path === after.path &&
    before.failed === undefined &&
    after.failed === undefined &&
    isSameList(one.functions, other.functions, isSameToOthers) &&
    isSameList(one.macros, other.macros) &&
    isSameList(one.variables, other.variables) &&
    isSameList(one.structs, other.structs) &&
    isSameList(before.prototypes, after.prototypes, haveOneName) &&
    isSameList(before.fileMacros, after.fileMacros, haveOneName) &&
    before.includes.length === after.includes.length &&
    before.typedefs.size === after.typedefs.size &&
    before.lost.length === after.lost.length &&
    haveEqualTextBetween(before, after)
  );
}

/** Equal texts between the functions of two versions have equal definitions. */
function haveEqualTextBetween(before: FileIr, after: FileIr): boolean {
  let from = 0,
    to = 0;
  for (let i = 0; i < before.functions.length; i++) {
    const one = before.functions[i]!,
      other = after.functions[i]!;
    if (!isSameCode(before.text.slice(from, one.start), after.text.slice(to, other.start)))
      return false;
    from = Math.max(from, one.end);
    to = Math.max(to, other.end);
  }
  return isSameCode(before.text.slice(from), after.text.slice(to));
}

/** Comments and blanks mean nothing. */
function isSameCode(before: string, after: string): boolean {
  return before === after || codeIn(before) === codeIn(after);
}

function codeIn(text: string): string {
  return blankComments(text)
    .replace(/[ \t]+/g, ' ')
    .replace(/ ?\n\s*/g, '\n');
}

function haveOneName(before: { readonly name: string }, after: { readonly name: string }): boolean {
  return before.name === after.name;
}

/** The function itself, or one whose body nobody reads but who looks at what it does. */
function isSameToOthers(before: FunctionIr, after: FunctionIr): boolean {
  return (
    before === after ||
    (before.isInline === after.isInline &&
      isPlain(before) &&
      isPlain(after) &&
      signatureText(before) === signatureText(after) &&
      tellTheSame(before, after))
  );
}

/**
 * Definitions of macros and enumerators in a body mean something to other functions, and a comment
 * that is left open to the text behind it.
 */
function isPlain({ text }: FunctionIr): boolean {
  return !MEANT_FOR_OTHERS.test(text) && text.lastIndexOf('/*') <= text.lastIndexOf('*/');
}

/**
 * A directive may stand behind a comment. No directive begins as `%#x` and `#%d` of a format do. An
 * `enum foo` that a `{` may follow is perhaps a definition.
 */
const MEANT_FOR_OTHERS =
  /#(?!%|[\dlhz]*[xXo]|[ \t]*(?:ifdef|ifndef|if|elif|else|endif)\b)|\benum\b(?!\s+\w+(?:\s+\w+)?\s*[*=;,()[])/;

const signatureTexts = new WeakMap<FunctionIr, string>();

/** A function as its callers see it before they ask what it does. */
export function signatureText(fn: FunctionIr): string {
  // An edit that moves the function leaves that as it is.
  const root = originalOf(fn);
  let text = signatureTexts.get(root);
  if (text === undefined) signatureTexts.set(root, (text = writeSignature(root)));
  return text;
}

function writeSignature(fn: FunctionIr): string {
  const type = ({ name, keyword, pointers, arrays }: TypeName): string =>
    `${keyword} ${name} ${pointers} ${arrays}`;
  return JSON.stringify([
    fn.name,
    type(fn.returnType),
    fn.isStatic,
    fn.params.map((param) => [param.name, type(param.type)]),
    fn.conditions.map(({ test, holds }) => [test, holds]),
  ]);
}
