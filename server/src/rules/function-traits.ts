/**
 * What is true of one function whatever module it stands in: found once for the function as it was
 * lowered, and known wherever an edit elsewhere moves it.
 */
import { originalOf } from '../ir/lower.ts';
import type { FunctionIr } from '../ir/types.ts';
import type { Defined, ModuleIndex } from '../lifecycle/module/module.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import {
  madeOfAll,
  ofEachFunction,
  type KeptByOutline,
  type MadeByOutline,
  type Outline,
} from '../lifecycle/module/outline.ts';
import type { Names } from '../text/words.ts';

/**
 * Makes a question about a function that is answered once for it.
 * @param compute is given the function as it was lowered: what it says of places is said of that.
 */
export function keptByFunction<T>(compute: (root: FunctionIr) => T): (fn: FunctionIr) => T {
  const answers = new WeakMap<FunctionIr, { readonly answer: T }>();
  return (fn) => {
    const root = originalOf(fn);
    let kept = answers.get(root);
    if (kept === undefined) answers.set(root, (kept = { answer: compute(root) }));
    return kept.answer;
  };
}

/** The names that a function calls, or may call where a variable ends. */
export const namesCalled: (fn: FunctionIr) => ReadonlySet<string> = keptByFunction(
  (root) => new Set(scanOf(root).names.called),
);

/** Something that is true of a function, as it was lowered, or not. */
type Trait = (root: FunctionIr) => boolean;

interface Answers {
  readonly byOutline: KeptByOutline<boolean>;
  /** Where those are of which it is true. */
  readonly positions: MadeByOutline<readonly number[]>;
}

const answers = new WeakMap<Trait, Answers>();

/**
 * The functions of a module of which something is true: asked again only of those that have changed.
 * @param isSo one function for one question, by which the answers are kept.
 */
export function functionsThat(index: ModuleIndex, isSo: Trait): readonly Defined<FunctionIr>[] {
  let known = answers.get(isSo);
  if (known === undefined)
    answers.set(isSo, (known = { byOutline: new WeakMap(), positions: new WeakMap() }));
  const all = ofEachFunction(known.byOutline, index, (_, root) => isSo(root));
  const positions = madeOfAll(known.positions, index, all, (values) =>
    values.flatMap((isTrue, i) => (isTrue ? [i] : [])),
  );
  return positions.map((i) => index.allFunctions[i]!);
}

const traits = new WeakMap<Names, Trait>();

function callingOneOf(names: Names): Trait {
  let trait = traits.get(names);
  if (trait === undefined) {
    trait = keptByFunction((root) =>
      scanOf(root).calls.some(({ name }) => name !== null && names.has(name)),
    );
    traits.set(names, trait);
  }
  return trait;
}

/**
 * Whether a function calls one of some names.
 * @param names one set for one question, by which the answers are kept.
 */
export function callsOneOf(fn: FunctionIr, names: Names): boolean {
  return callingOneOf(names)(fn);
}

/** The functions of a module that call one of some names, as for callsOneOf(). */
export function callersOf(index: ModuleIndex, names: Names): readonly Defined<FunctionIr>[] {
  return functionsThat(index, callingOneOf(names));
}

/** The names that the functions of a module have, as they were for the last version that asked. */
interface NamedPositions {
  roots: readonly FunctionIr[];
  readonly names: ReadonlySet<string>[];
  /** Where in the list of all functions those are that have a name, in order. */
  readonly byName: Map<string, number[]>;
}

/**
 * Makes a question about names that functions have: where in the list of all functions those are
 * that have a name among them. Nobody may keep the list.
 */
export function positionsByName(
  namesOf: (root: FunctionIr) => ReadonlySet<string>,
): (index: ModuleIndex, name: string) => readonly number[] {
  const byOutline = new WeakMap<Outline, NamedPositions>();
  return ({ outline, roots }, name) => {
    let known = byOutline.get(outline);
    if (known === undefined)
      byOutline.set(outline, (known = { roots: [], names: [], byName: new Map() }));
    if (known.roots !== roots) {
      for (let i = 0; i < roots.length; i++)
        if (known.roots[i] !== roots[i]) rename(known, i, namesOf(roots[i]!));
      known.roots = roots;
    }
    return known.byName.get(name) ?? NOWHERE;
  };
}

const NOWHERE: readonly number[] = [];

/** Gives the function at a position other names. */
function rename({ names, byName }: NamedPositions, at: number, now: ReadonlySet<string>): void {
  const before = names[at] ?? NO_NAMES;
  names[at] = now;
  for (const name of before) {
    if (now.has(name)) continue;
    const positions = byName.get(name)!;
    positions.splice(positions.indexOf(at), 1);
    if (positions.length === 0) byName.delete(name);
  }
  for (const name of now) {
    if (before.has(name)) continue;
    const positions = byName.get(name);
    if (positions === undefined) byName.set(name, [at]);
    else {
      const isLast = positions.at(-1)! < at;
      positions.push(at);
      if (!isLast) positions.sort((left, right) => left - right);
    }
  }
}

const NO_NAMES: ReadonlySet<string> = new Set();

const callersByName = positionsByName(namesCalled);

/** The functions of a module that call one of some names, or may where a variable ends. */
export function callersOfNames(
  index: ModuleIndex,
  names: readonly string[],
): ReadonlySet<FunctionIr> {
  const callers = new Set<FunctionIr>();
  for (const name of names)
    for (const position of callersByName(index, name))
      callers.add(index.allFunctions[position]!.item);
  return callers;
}
