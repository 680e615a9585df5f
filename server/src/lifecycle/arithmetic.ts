import { maskOf, type PathState } from './domain/path-state.ts';
import { NEGATIVE, int, isZero, type Value } from './domain/values.ts';

/**
 * What `l OP r` is as far as numbers and signs tell: `err |= register()` is an error code whenever
 * one of the two is. Null when nothing is
 * known, and for a result that is an error code of which only the sign is known, 'negative'.
 */
export function combine(s: PathState, op: string, l: Value, r: Value): Value | 'negative' | null {
  // In a loop only what cannot grow for ever is worked out.
  if (l.kind === 'int' && r.kind === 'int')
    return s.looping && op !== '|' && op !== '&' ? null : compute(op, l.value, r.value);
  if (isZero(r) && (op === '|' || op === '+' || op === '-' || op === '^')) return l;
  if (isZero(l) && (op === '|' || op === '+' || op === '^')) return r;
  if ((isZero(l) || isZero(r)) && (op === '&' || op === '*')) return int(0);
  return op === '|' && (maskOf(s, l) === NEGATIVE || maskOf(s, r) === NEGATIVE) ? 'negative' : null;
}

function compute(op: string, a: number, b: number): Value | null {
  const small = Math.abs(a) < 2 ** 31 && Math.abs(b) < 2 ** 31;
  switch (op) {
    case '+':
      return int(a + b);
    case '-':
      return int(a - b);
    case '*':
      return small ? int(a * b) : null;
    case '|':
      return small ? int(a | b) : null;
    case '&':
      return small ? int(a & b) : null;
    case '^':
      return small ? int(a ^ b) : null;
    case '<<':
      return small && b >= 0 && b < 31 ? int(a * 2 ** b) : null;
    default:
      return null;
  }
}
