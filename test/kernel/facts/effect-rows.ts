/**
 * What the tables of effects say of arguments of kernel functions, in one form, whatever the tables
 * look like: these are the only lines of the test that know them.
 */
import { ASYNC_KINDS } from '../../../server/src/kernel/async.ts';
import { SUBJECTS } from '../../../server/src/kernel/functions/table.ts';
import { RESOURCE_PAIRS, givenTo } from '../../../server/src/kernel/resource-pairs.ts';

/** A statement about one argument, or the result, of a kernel function. */
export interface ArgumentFact {
  readonly function: string;
  /** The table, for the message. */
  readonly table: string;
  readonly argument: number | 'return';
  /** What the argument has to be, as far as the table says. */
  readonly is: 'pointer' | 'function' | 'anything';
}

/** Two functions that name one thing by an argument each. */
export interface NamedTwice {
  readonly take: string;
  readonly taken: number;
  readonly undo: string;
  readonly given: number;
  /** The first is given where to store what the second is given. */
  readonly isStored: boolean;
}

/** What the tables say of single arguments. */
export function argumentFacts(): readonly ArgumentFact[] {
  const pairs = RESOURCE_PAIRS.flatMap((pair) => [
    ...pair.take.map((name): ArgumentFact => fact(name, 'pairs', pair.taken, 'anything')),
    ...pair.undo
      .filter((name) => pair.byName?.includes(name) !== true)
      .map((name): ArgumentFact => fact(name, 'pairs', givenTo(pair, name), 'anything')),
  ]);
  const later = ASYNC_KINDS.flatMap((kind) => [
    ...[...kind.arm].flatMap(([name, { argument, handler }]) => [
      fact(name, 'async', argument, 'pointer'),
      ...(handler === null ? [] : [fact(name, 'async', handler, 'function')]),
    ]),
    ...[...kind.start, ...kind.stop].map(([name, argument]) =>
      fact(name, 'async', argument, 'pointer'),
    ),
  ]);
  return [...pairs, ...later];
}

function fact(
  name: string,
  table: string,
  argument: ArgumentFact['argument'],
  is: ArgumentFact['is'],
): ArgumentFact {
  return { function: name, table, argument, is };
}

/** Pairs that name what they are about by an argument on both sides. */
export function namedTwice(): readonly NamedTwice[] {
  return RESOURCE_PAIRS.flatMap((pair) => {
    const { taken } = pair;
    return taken === 'return'
      ? []
      : pair.take.flatMap((take) =>
          pair.undo.map((undo): NamedTwice => ({
            take,
            taken,
            undo,
            given: givenTo(pair, undo),
            isStored: pair.isOut === true,
          })),
        );
  });
}

/** Functions that keep a pointer which they are given. */
export function keepers(): readonly string[] {
  return SUBJECTS.flatMap((subject) =>
    Object.entries(subject).flatMap(([name, { given }]) => (given === 'kept' ? [name] : [])),
  );
}
