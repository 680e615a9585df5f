/**
 * What is true of one function whatever module it stands in: found once for the function as it was
 * lowered, and known wherever an edit elsewhere moves it.
 */
import type { FunctionIr } from '../ir/types.ts';
import type { Defined, ModuleIndex } from '../lifecycle/module/module.ts';
import { originalOf, scanOf } from '../lifecycle/module/function-scan.ts';
import {
  madeOfAll,
  ofEachFunction,
  type KeptByOutline,
  type MadeByOutline,
} from '../lifecycle/module/outline.ts';
import { isSameSet } from '../text/lists.ts';
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

/**
 * Makes a question about names that functions have: where in the list of all functions those are
 * that have a name among them.
 */
export function positionsByName(
  namesOf: (root: FunctionIr) => ReadonlySet<string>,
): (index: ModuleIndex, name: string) => readonly number[] {
  const byOutline: KeptByOutline<ReadonlySet<string>> = new WeakMap();
  const positions: MadeByOutline<Map<string, readonly number[]>> = new WeakMap();
  return (index, name) => {
    const all = ofEachFunction(byOutline, index, (_, root) => namesOf(root), isSameSet);
    const known = madeOfAll(positions, index, all, () => new Map());
    let found = known.get(name);
    if (found === undefined) {
      found = all.values.flatMap((names, i) => (names.has(name) ? [i] : []));
      known.set(name, found);
    }
    return found;
  };
}

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
