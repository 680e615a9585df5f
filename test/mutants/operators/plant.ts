/** What most operators share: a defect at each call of some functions. */
import type { CallExpr } from '../../../server/src/ir/types.ts';
import type { Edit } from '../../../server/src/text/span.ts';
import { callsOf, files, mentions, usersOf, type Entry, type Place } from '../places.ts';
import type { Defect, Operator, Subject } from '../types.ts';

export interface Call {
  readonly place: Place;
  readonly call: CallExpr;
}

/** The reason why code of another kernel cannot be broken. */
const DEAD = 'the #if arm is not compiled for this kernel';

/** A defect in the function of a place. */
export function defect(subject: Subject, place: Place, edits: readonly Edit[]): Defect {
  return {
    path: place.file.path,
    edits,
    at: place.stmt.start,
    functions: usersOf(subject, place.fn.name),
    ...(place.isDead ? { equivalent: DEAD } : {}),
  };
}

/** Plants one defect at each statement that calls one of `names` and that `fits`. */
export function onCall(
  names: readonly string[],
  edit: (one: Call, subject: Subject) => Edit[],
  fits: (one: Call, subject: Subject) => boolean = () => true,
): Operator['plant'] {
  return (subject) =>
    callsOf(subject, names)
      .filter((one) => fits(one, subject))
      .map((one) => defect(subject, one.place, edit(one, subject)));
}

/** A table that no function and no other table names is given to no device. */
export function unnamed(subject: Subject, { table }: Entry): Pick<Defect, 'equivalent'> {
  const is = (name: string): boolean => name === table.name;
  const isNamed = files(subject).some(
    (file) =>
      file.functions.some((fn) => mentions(fn.body, is)) ||
      file.variables.some(
        (one) =>
          one !== table &&
          one.init !== null &&
          mentions({ kind: 'expr', expr: one.init, start: 0, end: 0 }, is),
      ),
  );
  return isNamed ? {} : { equivalent: 'no code names the table' };
}
