/** Arithmetic with numbers that are known. */
import { maskOf, type PathState } from '../domain/path-state.ts';
import { NEGATIVE, int, isZero, type Value } from '../domain/values.ts';

/**
 * What `l OP r` is as far as numbers and signs tell: `err |= register()` is an error code whenever
 * one of the two is. Null when nothing is
 * known, and for a result that is an error code of which only the sign is known, 'negative'.
 */
export function combine(
  state: PathState,
  op: string,
  left: Value,
  right: Value,
): Value | 'negative' | null {
  // In a loop only what cannot grow for ever is worked out.
  if (left.kind === 'int' && right.kind === 'int')
    return state.looping && op !== '|' && op !== '&' ? null : compute(op, left.value, right.value);
  if (isZero(right) && (op === '|' || op === '+' || op === '-' || op === '^')) return left;
  if (isZero(left) && (op === '|' || op === '+' || op === '^')) return right;
  if ((isZero(left) || isZero(right)) && (op === '&' || op === '*')) return int(0);
  return op === '|' && (maskOf(state, left) === NEGATIVE || maskOf(state, right) === NEGATIVE)
    ? 'negative'
    : null;
}

function compute(op: string, left: number, right: number): Value | null {
  const small = Math.abs(left) < 2 ** 31 && Math.abs(right) < 2 ** 31;
  switch (op) {
    case '+':
      return int(left + right);
    case '-':
      return int(left - right);
    case '*':
      return small ? int(left * right) : null;
    case '|':
      return small ? int(left | right) : null;
    case '&':
      return small ? int(left & right) : null;
    case '^':
      return small ? int(left ^ right) : null;
    case '<<':
      return small && right >= 0 && right < 31 ? int(left * 2 ** right) : null;
    default:
      return null;
  }
}
