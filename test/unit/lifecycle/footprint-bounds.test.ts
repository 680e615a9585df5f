/** The bounds of a footprint, each from both sides. */
import { describe, expect, test } from 'vitest';
import type { Expr } from '../../../server/src/ir/types.ts';
import {
  footprintOfStmt,
  type Footprint,
} from '../../../server/src/lifecycle/footprint/footprint.ts';
import { mayMoveOver } from '../../../server/src/lifecycle/footprint/order.ts';
import { scopeOf, typeOf } from '../../../server/src/lifecycle/module/types-of.ts';
import { factsOf } from '../../support/analyse.ts';
import { FOO } from './support.ts';

/** The footprints of the statements of a function, which has `foo` as its parameter. */
function footprints(above: string, locals: string, ...statements: readonly string[]) {
  const body = statements.map((one) => `\t${one}\n`).join('');
  const { module } = factsOf(
    `${FOO}${above}static void work(struct foo *foo${locals})\n{\n${body}\tvfio_put_device(&foo->vdev);\n}\n`,
    '6.2',
  );
  const file = module.sources[0]!;
  const fn = file.functions.find(({ name }) => name === 'work')!;
  const scope = scopeOf(module, file, fn);
  const all = fn.body.body
    .slice(0, statements.length)
    .map((stmt): Footprint => footprintOfStmt(scope, stmt));
  return { scope, all };
}

describe('calls in calls', () => {
  /** So many helpers, of which each calls the one before, and the first sets a member. */
  const chain = (count: number): string =>
    Array.from(
      { length: count },
      (_, i) =>
        `static void h${i}(struct foo *foo)\n{\n\t${i === 0 ? 'foo->up = true' : `h${i - 1}(foo)`};\n}\n`,
    ).join('');

  test('forty deep are looked into', () => {
    const [call] = footprints(chain(40), '', 'h39(foo);').all;
    expect(call!.writes.map(({ place }) => place.kind)).toEqual(['memory']);
    expect(call!.maySleep).toBe(false);
  });

  test('a hundred deep are unseen code', () => {
    const [call] = footprints(chain(100), '', 'h99(foo);').all;
    expect(call!.writes.map(({ place }) => place.kind)).toContain('everything');
    expect(call!.maySleep).toBe(true);
  });
});

describe('structs in structs', () => {
  const nested = (depth: number): string =>
    Array.from({ length: depth }, (_, i) => depth - 1 - i)
      .map((i) => `struct s${i} { ${i === depth - 1 ? 'int n' : `struct s${i + 1} inner`}; };\n`)
      .join('') + 'struct other { int count; };\n';
  const moves = (depth: number): boolean => {
    const locals = ', struct s0 *one, struct s0 *two, struct other *other';
    const { scope, all } = footprints(nested(depth), locals, '*one = *two;', 'other->count = 1;');
    return mayMoveOver(scope, all[1]!, all[0]!);
  };

  test('six deep are told apart from a struct that none of them holds', () => {
    expect(moves(6)).toBe(true);
  });

  test('twenty deep may hold it', () => {
    expect(moves(20)).toBe(false);
  });

  /** The struct that an expression of so many members is. */
  const typeOfInner = (depth: number): string | undefined => {
    const { scope } = footprints(nested(depth + 1), ', struct s0 *one');
    const at = { start: 0, end: 0 };
    const expr = Array.from({ length: depth }).reduce<Expr>(
      (base, _, i) => ({
        kind: 'member',
        base,
        field: 'inner',
        fieldSpan: at,
        arrow: i === 0,
        ...at,
      }),
      { kind: 'name', name: 'one', ...at },
    );
    return typeOf(scope, expr)?.tag;
  };

  test('of an expression of twenty members the type is known, of one of a hundred it is not', () => {
    expect(typeOfInner(20)).toBe('s20');
    expect(typeOfInner(100)).toBeUndefined();
  });
});
