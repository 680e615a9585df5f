/**
 * A copy of IR with every span moved by `delta`. Everything else is shared or copied unchanged;
 * zero gives the node itself.
 */
export function shiftSpans<T>(node: T, delta: number): T {
  return delta === 0 ? node : (copy(node, delta) as T);
}

/**
 * A copy of IR with every place in it put where `at` says. A span of one character ends one after
 * its start all the same: an empty statement is told by that.
 */
export function placeSpans<T>(node: T, at: (place: number) => number): T {
  return placed(node, at) as T;
}

/** Whether two pieces of IR are equal in all parts, spans included. */
export function equalIr(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return false;
  const left = one as Record<string, unknown>,
    right = other as Record<string, unknown>;
  for (const key in left) if (!equalIr(left[key], right[key])) return false;
  for (const key in right) if (!(key in left)) return false;
  return true;
}

function copy(value: unknown, delta: number): unknown {
  if (Array.isArray(value)) return value.map((item) => copy(item, delta));
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  for (const key in result) {
    const part = result[key];
    if (typeof part === 'object') result[key] = copy(part, delta);
    // Only spans have these keys with numbers.
    else if ((key === 'start' || key === 'end') && typeof part === 'number')
      result[key] = part + delta;
  }
  return result;
}

function placed(value: unknown, at: (place: number) => number): unknown {
  if (Array.isArray(value)) return value.map((item) => placed(item, at));
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  for (const key in result) {
    const part = result[key];
    if (typeof part === 'object') result[key] = placed(part, at);
  }
  const { start, end } = result;
  if (typeof start === 'number') result['start'] = at(start);
  if (typeof end === 'number')
    result['end'] =
      typeof start === 'number' && end === start + 1 ? (result['start'] as number) + 1 : at(end);
  return result;
}
