/** Keeps the lowered items of a document from one version to the next. */
import type { Condition, SyntaxTree, TopLevelItem } from '../../syntax/node.ts';
import { commonPrefix, commonSuffix } from '../../text/common.ts';
import type { BlockStmt, FunctionIr, MacroIr, StructIr, VariableIr } from '../types.ts';
import type { ItemIr } from './toplevel.ts';
import { shiftSpans } from './shift.ts';

/**
 * The lowered items of one document's last version. Opaque to its owner, who keeps one for each
 * open document.
 */
export interface LoweringCache {
  text: string;
  /** What the parser saw: the mask may depend on what is around an item. */
  masked: string;
  /** In the order of their start. */
  entries: readonly CacheEntry[];
}

/** An empty cache. */
export function createLoweringCache(): LoweringCache {
  return { text: '', masked: '', entries: [] };
}

/** An item as it was lowered, or moved, to where it is. */
export interface CacheEntry {
  readonly start: number;
  readonly end: number;
  readonly type: string;
  readonly hasError: boolean;
  readonly conditions: readonly Condition[];
  /** Of the item that it was found for last: the parser's tree of equal texts may differ. */
  identity: object;
  readonly ir: ItemIr;
}

/** The cache of one pass: what it takes from the last one and what it hands to the next. */
export interface Pass {
  /**
   * What the last pass had for the same text under the same conditions, at the item's offset. To be
   * asked in the order of the items.
   */
  find(item: TopLevelItem): CacheEntry | null;
  keep(entry: CacheEntry): void;
  finish(): void;
}

/**
 * Compares the two versions once: before the first difference nothing has moved, and behind the
 * last all has moved alike.
 */
export function startPass(cache: LoweringCache, { text, masked }: SyntaxTree): Pass {
  const { entries } = cache;
  const delta = text.length - cache.text.length;
  const head = Math.min(commonPrefix(cache.text, text), commonPrefix(cache.masked, masked));
  const tail =
    text.length -
    Math.min(commonSuffix(cache.text, text, head), commonSuffix(cache.masked, masked, head));
  const next: CacheEntry[] = [];
  let at = 0;
  let between: Map<string, CacheEntry[]> | undefined;

  /**
   * Equal texts that the difference between the versions touches: a replacement of the whole
   * document may have left much as it was.
   */
  const findBetween = (item: TopLevelItem): CacheEntry | null => {
    between ??= groupBy(
      entries.filter((entry) => entry.end > head && entry.start < tail - delta),
      (entry) => cache.text.slice(entry.start, entry.end),
    );
    const list = between.get(text.slice(item.start, item.end));
    if (list === undefined) return null;
    const seen = masked.slice(item.start, item.end);
    const fits = (entry: CacheEntry): boolean =>
      isLike(entry, item) && cache.masked.slice(entry.start, entry.end) === seen;
    // Equal texts at several places: the entry at this very place, else the next one in order.
    const exact = list.findIndex((entry) => entry.start === item.start && fits(entry));
    const index = exact >= 0 ? exact : list.findIndex(fits);
    if (index < 0) return null;
    const entry = list[index]!;
    if (exact < 0) list.splice(index, 1);
    return entry;
  };

  return {
    find(item) {
      const isBefore = item.end <= head;
      if (!isBefore && item.start < tail) return moveEntry(findBetween(item), item.start);
      const start = isBefore ? item.start : item.start - delta;
      while (at < entries.length && entries[at]!.start < start) at++;
      for (let i = at; i < entries.length && entries[i]!.start === start; i++) {
        const entry = entries[i]!;
        if (entry.end - start === item.end - item.start && isLike(entry, item))
          return moveEntry(entry, item.start);
      }
      return null;
    },
    keep: (entry) => void next.push(entry),
    finish() {
      cache.text = text;
      cache.masked = masked;
      cache.entries = next;
    },
  };
}

function groupBy<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const key = keyOf(item),
      group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

function isLike(entry: CacheEntry, item: TopLevelItem): boolean {
  return (
    entry.type === item.type &&
    entry.hasError === item.hasError &&
    entry.conditions.length === item.conditions.length &&
    entry.conditions.every(
      ({ test, holds }, i) =>
        test === item.conditions[i]!.test && holds === item.conditions[i]!.holds,
    )
  );
}

function moveEntry(entry: CacheEntry | null, start: number): CacheEntry | null {
  if (entry === null || entry.start === start) return entry;
  const delta = start - entry.start;
  return { ...entry, start, end: entry.end + delta, ir: moveItem(entry.ir, delta) };
}

type Definition = FunctionIr | MacroIr | StructIr | VariableIr;

/**
 * What a moved copy knows of where it comes from. A property rather than a weak map, because
 * everything that is kept of a definition is found by it.
 */
const MOVED = Symbol('moved');
interface Moved<T extends Definition> {
  readonly from: T;
  readonly delta: number;
}

/**
 * The definition that a moved copy was made of and by how much the copy's offsets are larger, when
 * an edit before it
 * did nothing but move it: a cache keyed by the original needs only to shift its answer.
 */
export function movedFrom<T extends Definition>(item: T): Moved<T> | undefined {
  return (item as { readonly [MOVED]?: Moved<T> })[MOVED];
}

function moveItem(
  {
    functions,
    macros,
    structs,
    variables,
    includes,
    prototypes,
    fileMacros,
    typedefs,
    lost,
    failed,
  }: ItemIr,
  delta: number,
): ItemIr {
  const move = <T extends Definition>(list: T[]): T[] =>
    list.length === 0 ? list : list.map((item) => moveDefinition(item, delta, shiftSpans));
  const shift = <T>(list: T[]): T[] => (list.length === 0 ? list : shiftSpans(list, delta));
  return {
    functions: functions.map((fn) => moveDefinition(fn, delta, moveFunction)),
    macros: move(macros),
    structs: move(structs),
    variables: move(variables),
    includes: shift(includes),
    prototypes: shift(prototypes),
    fileMacros: shift(fileMacros),
    typedefs: shift(typedefs),
    lost: shift(lost),
    ...(failed !== undefined && { failed }),
  };
}

/**
 * A moved copy is always made of the definition as it was lowered, so that no chain of copies stays
 * alive; at its old place it is that very definition again.
 */
function moveDefinition<T extends Definition>(
  item: T,
  delta: number,
  shift: (from: T, distance: number) => T,
): T {
  const origin = movedFrom(item);
  const from = origin?.from ?? item;
  const distance = (origin?.delta ?? 0) + delta;
  return distance === 0
    ? from
    : Object.defineProperty(shift(from, distance), MOVED, {
        value: { from, delta: distance } satisfies Moved<T>,
      });
}

/** The moved bodies that were read. */
const bodies = new WeakMap<FunctionIr, BlockStmt>();

/**
 * The body moves when it is first read: nearly all of a file moves with each key pressed near its
 * start.
 */
const LAZY_BODY: PropertyDescriptor & ThisType<FunctionIr> = {
  enumerable: true,
  get() {
    let body = bodies.get(this);
    if (!body) {
      const { from, delta } = movedFrom(this)!;
      bodies.set(this, (body = shiftSpans(from.body, delta)));
    }
    return body;
  },
};

function moveFunction(
  {
    kind,
    start,
    end,
    name,
    nameSpan,
    returnType,
    params,
    isStatic,
    isInline,
    conditions,
    opaque,
    text,
  }: FunctionIr,
  distance: number,
): FunctionIr {
  const copy: Omit<FunctionIr, 'body'> = {
    kind,
    start: start + distance,
    end: end + distance,
    name,
    nameSpan: shiftSpans(nameSpan, distance),
    returnType: shiftSpans(returnType, distance),
    params: shiftSpans(params, distance),
    isStatic,
    isInline,
    conditions,
    opaque,
    text,
  };
  // One getter for all, and nothing to replace: so all copies keep one hidden class.
  return Object.defineProperty(copy, 'body', LAZY_BODY) as FunctionIr;
}
