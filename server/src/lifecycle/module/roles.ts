/** The roles of a module's functions, kept for as long as an edit changes none of them. */
import type { FunctionIr } from '../../ir/types.ts';
import { isSameList } from '../../text/lists.ts';
import type { Role } from '../types.ts';
import type { ModuleIndex } from './module.ts';
import type { Outline } from './outline.ts';

/** Roles by the positions of the functions, which all versions with one outline have in common. */
interface Given {
  /** Those that a table or a call gives, in the order in which they were given. */
  readonly positions: readonly number[];
  readonly roles: readonly Role[];
  /** Of all functions. */
  readonly all: readonly Role[];
  /** The others come after those. */
  readonly order: readonly number[];
}

const lastGiven = new WeakMap<Outline, Given>();

/** The roles of all functions: those that are given, else they are helpers. */
export function givenRoles(
  index: ModuleIndex,
  given: ReadonlyMap<number, Role>,
): ReadonlyMap<FunctionIr, Role> {
  const positions = [...given.keys()],
    roles = [...given.values()];
  let known = lastGiven.get(index.outline);
  if (!known || !isSameList(known.positions, positions) || !isSameList(known.roles, roles)) {
    const all = index.allFunctions.map((_, i) => given.get(i) ?? 'helper');
    const others = all.flatMap((_, i) => (given.has(i) ? [] : [i]));
    known = { positions, roles, all, order: [...positions, ...others] };
    lastGiven.set(index.outline, known);
  }
  return new RolesOfToday(index, known);
}

/**
 * The roles of all functions in the order of the module, as the functions are numbered: the same
 * list for versions with one outline and the same roles.
 */
export function rolesInOrder(
  { allFunctions }: ModuleIndex,
  roles: ReadonlyMap<FunctionIr, Role>,
): readonly (Role | undefined)[] {
  return roles instanceof RolesOfToday
    ? roles.inOrder
    : allFunctions.map(({ item }) => roles.get(item));
}

/** The roles of one version of a module. */
class RolesOfToday implements ReadonlyMap<FunctionIr, Role> {
  readonly #index: ModuleIndex;
  readonly #given: Given;

  constructor(index: ModuleIndex, given: Given) {
    this.#index = index;
    this.#given = given;
  }

  get inOrder(): readonly Role[] {
    return this.#given.all;
  }

  get size(): number {
    return this.#given.all.length;
  }

  get(fn: FunctionIr): Role | undefined {
    const position = this.#index.positionOf(fn);
    return position === undefined ? undefined : this.#given.all[position];
  }

  has(fn: FunctionIr): boolean {
    return this.#index.positionOf(fn) !== undefined;
  }

  forEach(of: (role: Role, fn: FunctionIr, map: ReadonlyMap<FunctionIr, Role>) => void): void {
    for (const position of this.#given.order)
      of(this.#given.all[position]!, this.#index.allFunctions[position]!.item, this);
  }

  entries(): MapIterator<[FunctionIr, Role]> {
    return this.#given.order
      .map((position): [FunctionIr, Role] => [
        this.#index.allFunctions[position]!.item,
        this.#given.all[position]!,
      ])
      .values();
  }

  *keys(): MapIterator<FunctionIr> {
    for (const [fn] of this.entries()) yield fn;
  }

  *values(): MapIterator<Role> {
    for (const [, role] of this.entries()) yield role;
  }

  [Symbol.iterator](): MapIterator<[FunctionIr, Role]> {
    return this.entries();
  }
}
