/** What a variable, a member or an expression may be on a path. */
import type { Place } from './objects.ts';

/**
 * A pointer to a place, a known integer, or a function. A value of which nothing is known is the
 * pointer to an object that stands for it; what is computed is the pointer to an object that has
 * the operands.
 */
export type Value = Place | IntValue | FunctionValue;
export interface IntValue {
  readonly kind: 'int';
  readonly value: number;
}
export interface FunctionValue {
  readonly kind: 'function';
  readonly name: string;
}

/**
 * What a value may be, as a set of three classes: null or zero; positive or a valid pointer;
 * negative or an error pointer.
 */
export const ZERO = 1,
  POSITIVE = 2,
  NEGATIVE = 4,
  ANY = 7;
export type Mask = number;

export const NULL: Value = { kind: 'int', value: 0 };

export function int(value: number): Value {
  return { kind: 'int', value };
}

export function isZero(value: Value): boolean {
  return value.kind === 'int' && value.value === 0;
}

/** Of one exploration. */
export function sameValue(one: Value, other: Value): boolean {
  if (one === other) return true;
  if (one.kind === 'int') return other.kind === 'int' && one.value === other.value;
  return one.kind === 'function' && other.kind === 'function' && one.name === other.name;
}

/** A key of a value: equal for equal values of one exploration. */
export function valueKey(value: Value): string {
  switch (value.kind) {
    case 'pointer':
      return String(value.serial);
    case 'int':
      return `=${value.value}`;
    case 'function':
      return `&${value.name}`;
  }
}
