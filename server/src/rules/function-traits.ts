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

interface Question {
  readonly ask: (fn: FunctionIr) => boolean;
  readonly answers: KeptByOutline<boolean>;
  /** Where those are that do. */
  readonly calling: MadeByOutline<readonly number[]>;
}

const questions = new WeakMap<Names, Question>();

function questionFor(names: Names): Question {
  let question = questions.get(names);
  if (question === undefined) {
    const ask = keptByFunction((root) =>
      scanOf(root).calls.some(({ name }) => name !== null && names.has(name)),
    );
    question = { ask, answers: new WeakMap(), calling: new WeakMap() };
    questions.set(names, question);
  }
  return question;
}

/**
 * Whether a function calls one of some names.
 * @param names one set for one question, by which the answers are kept.
 */
export function callsOneOf(fn: FunctionIr, names: Names): boolean {
  return questionFor(names).ask(fn);
}

/** The functions of a module that call one of some names, as for callsOneOf(). */
export function callersOf(index: ModuleIndex, names: Names): readonly Defined<FunctionIr>[] {
  const { ask, answers, calling } = questionFor(names);
  const all = ofEachFunction(answers, index, (_, root) => ask(root));
  const positions = madeOfAll(calling, index, all, (values) =>
    values.flatMap((calls, i) => (calls ? [i] : [])),
  );
  return positions.map((i) => index.allFunctions[i]!);
}
