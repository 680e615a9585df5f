/**
 * What is true of one function whatever module it stands in: found once for the function as it was
 * lowered, and known wherever an edit elsewhere moves it.
 */
import type { FunctionIr } from '../ir/types.ts';
import type { Defined } from '../lifecycle/module/module.ts';
import { originalOf, scanOf } from '../lifecycle/module/function-scan.ts';

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

/** A set of names, or a map by them. */
export type Names = Pick<ReadonlySet<string>, 'has'>;

const questions = new WeakMap<Names, (fn: FunctionIr) => boolean>();

/**
 * Whether a function calls one of some names.
 * @param names one set for one question, by which the answers are kept.
 */
export function callsOneOf(fn: FunctionIr, names: Names): boolean {
  let question = questions.get(names);
  if (question === undefined) {
    question = keptByFunction((root) =>
      scanOf(root).calls.some(({ name }) => name !== null && names.has(name)),
    );
    questions.set(names, question);
  }
  return question(fn);
}

/**
 * The functions that call one of some names, as for callsOneOf().
 * @param among all functions of a module, or those of them that may.
 */
export function callersOf(
  among: readonly Defined<FunctionIr>[],
  names: Names,
): readonly Defined<FunctionIr>[] {
  return among.filter(({ item }) => callsOneOf(item, names));
}
