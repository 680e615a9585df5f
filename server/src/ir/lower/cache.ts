/** Keeps the lowered items of a document from one version to the next. */
import type { Condition, SyntaxTree, TopLevelItem } from '../../syntax/node.ts';
import { commonPrefix, commonSuffix } from '../../text/common.ts';
import type {
  CommentIr,
  FileIr,
  FileMacroIr,
  FunctionIr,
  MacroIr,
  StructIr,
  VariableIr,
} from '../types.ts';
import { areSameConditions } from '../text-conditions.ts';
import { commentsAfter } from './comments.ts';
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
  /** The tree that all of it was taken from. */
  version: object | undefined;
  /** In the order of their start. */
  entries: readonly CacheEntry[];
  comments: readonly CommentIr[];
  /** What uses of macros at file scope say that the mask has noted, by their text. */
  readonly uses: Map<string, MacroUse>;
}

/** A cache for another version of the document, which leaves the one that it is made of as it is. */
export function copyLoweringCache({ entries, uses, ...rest }: LoweringCache): LoweringCache {
  return { entries: entries.map((entry) => ({ ...entry })), uses: new Map(uses), ...rest };
}

export type MacroUse = Pick<FileMacroIr, 'name' | 'args'>;

/** An empty cache. */
export function createLoweringCache(): LoweringCache {
  const nothing = { text: '', masked: '', version: undefined };
  return { ...nothing, entries: [], comments: [], uses: new Map() };
}

/** An item as it was lowered, and as it is where it was in the last version. */
export interface CacheEntry {
  start: number;
  end: number;
  readonly type: string;
  readonly hasError: boolean;
  readonly conditions: readonly Condition[];
  /** Of the item that it was found for last: the parser's tree of equal texts may differ. */
  identity: object;
  readonly lowered: ItemIr;
  readonly loweredAt: number;
  /** `lowered`, or the copy of it that has been moved by `delta`. */
  ir: ItemIr;
  delta: number;
}

/** The entry of an item that was lowered where it is. */
export function newEntry(
  { start, end, type, hasError, identity }: TopLevelItem,
  conditions: readonly Condition[],
  ir: ItemIr,
): CacheEntry {
  const where = { start, end, lowered: ir, loweredAt: start, ir, delta: 0 };
  return { type, hasError, conditions, identity, ...where };
}

/** The cache of one pass: what it takes from the last one and what it hands to the next. */
export interface Pass {
  /**
   * What the last pass had for the same text under the same conditions, at the item's offset. To be
   * asked in the order of the items.
   */
  find(item: TopLevelItem): CacheEntry | null;
  keep(entry: CacheEntry, item: TopLevelItem): void;
  /** The comments of the document. */
  comments(): readonly CommentIr[];
  finish(): void;
}

/**
 * Compares the two versions once: before the first difference nothing has moved, and behind the
 * last all has moved alike.
 */
export function startPass(cache: LoweringCache, tree: SyntaxTree): Pass {
  const { entries } = cache,
    { text, masked } = tree;
  const delta = text.length - cache.text.length;
  const { head, tail } = commonEnds(cache, tree);
  const next: CacheEntry[] = [],
    items: TopLevelItem[] = [];
  let at = 0;
  let between: Map<string, CacheEntry[]> | undefined;

  /**
   * Equal texts that the difference between the versions touches: a replacement of the whole
   * document may have left much as it was.
   */
  const findBetween = (item: TopLevelItem): CacheEntry | null => {
    if (entries.length === 0) return null;
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
    // One entry may do for two items.
    return { ...entry };
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
    keep(entry, item) {
      next.push(entry);
      items.push(item);
    },
    comments: () =>
      (cache.comments = commentsAfter(text, { list: cache.comments, head, tail, delta })),
    // Until now the entries have the places by which they are found.
    finish() {
      for (let i = 0; i < next.length; i++) {
        const entry = next[i]!,
          { start, end, identity } = items[i]!;
        entry.start = start;
        entry.end = end;
        entry.identity = identity;
      }
      cache.text = text;
      cache.masked = masked;
      cache.version = tree.version;
      cache.entries = next;
    },
  };
}

/** How far both versions begin alike, and where in the new one begins what they end with alike. */
function commonEnds(
  cache: LoweringCache,
  { text, masked, since }: SyntaxTree,
): { readonly head: number; readonly tail: number } {
  if (since && since.version === cache.version)
    return { head: since.difference.start, tail: since.difference.newEnd };
  const head = Math.min(commonPrefix(cache.text, text), commonPrefix(cache.masked, masked));
  const suffix = Math.min(
    commonSuffix(cache.text, text, head),
    commonSuffix(cache.masked, masked, head),
  );
  return { head, tail: text.length - suffix };
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
    areSameConditions(entry.conditions, item.conditions)
  );
}

/** The entry with what is lowered where it is today: what did not move is the very same object. */
function moveEntry(entry: CacheEntry | null, start: number): CacheEntry | null {
  if (entry === null) return null;
  const delta = start - entry.loweredAt;
  if (delta !== entry.delta) {
    entry.ir = delta === 0 ? entry.lowered : moveItem(entry.lowered, delta);
    entry.delta = delta;
  }
  return entry;
}

type Definition = FunctionIr | MacroIr | StructIr | VariableIr;

/**
 * What a moved copy knows of where it comes from. A property rather than a weak map, because
 * everything that is kept of a definition is found by it.
 */
const MOVED = Symbol('moved');
class Moved<T extends Definition> {
  readonly from: T;
  readonly delta: number;
  /** The parts that were read. */
  #made: Record<string, unknown> | null = null;

  constructor(from: T, delta: number) {
    this.from = from;
    this.delta = delta;
  }

  part(key: string): unknown {
    this.#made ??= {};
    return (this.#made[key] ??= shiftSpans((this.from as never)[key], this.delta));
  }
}

/**
 * The definition that a moved copy was made of and by how much the copy's offsets are larger, when
 * an edit before it
 * did nothing but move it: a cache keyed by the original needs only to shift its answer.
 */
export function movedFrom<T extends Definition>(
  item: T,
): Pick<Moved<T>, 'from' | 'delta'> | undefined {
  return (item as { readonly [MOVED]?: Moved<T> })[MOVED];
}

/** The definition as it was lowered, which no edit has moved. A copy is made of that, never of a copy. */
export function originalOf<T extends Definition>(item: T): T {
  return movedFrom(item)?.from ?? item;
}

/** By how much the offsets of a definition are larger than those of its original. */
export function movedBy(item: Definition): number {
  return movedFrom(item)?.delta ?? 0;
}

/** The definitions of a document as they were lowered, wherever edits have moved them. */
interface Originals {
  readonly functions: readonly FunctionIr[];
  readonly macros: readonly MacroIr[];
  readonly variables: readonly VariableIr[];
  readonly structs: readonly StructIr[];
}

const originals = new WeakMap<FileIr, Originals>();

/** Its definitions as they were lowered, in their order: what tells two versions of it apart. */
export function originalsIn(file: FileIr): Originals {
  let known = originals.get(file);
  if (!known) {
    const { functions, macros, variables, structs } = file;
    known = {
      functions: functions.map(originalOf),
      macros: macros.map(originalOf),
      variables: variables.map(originalOf),
      structs: structs.map(originalOf),
    };
    originals.set(file, known);
  }
  return known;
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
  return {
    functions: moveAll(functions, delta, moveFunction),
    macros: moveAll(macros, delta, moveMacro),
    structs: moveAll(structs, delta, moveStruct),
    variables: moveAll(variables, delta, moveVariable),
    includes: shift(includes, delta),
    prototypes: shift(prototypes, delta),
    fileMacros: shift(fileMacros, delta),
    typedefs: shift(typedefs, delta),
    lost: shift(lost, delta),
    ...(failed !== undefined && { failed }),
  };
}

/** Most items have nothing of most kinds. */
function shift<T>(list: readonly T[], delta: number): readonly T[] {
  return list.length === 0 ? list : shiftSpans(list, delta);
}

/**
 * A moved copy is always made of the definition as it was lowered, so that no chain of copies stays
 * alive.
 */
function moveAll<T extends Definition>(
  list: readonly T[],
  delta: number,
  move: (from: T, delta: number) => T,
): T[] {
  return list.length === 0 ? NONE : list.map((from) => move(from, delta));
}

const NONE: never[] = [];

/**
 * A part that moves when it is first read: nearly all of a file moves with each key pressed near
 * its start, and nearly nothing of that is read.
 */
function movedPart(key: string): PropertyDescriptor & ThisType<{ readonly [MOVED]: Moved<never> }> {
  return {
    enumerable: true,
    get() {
      return this[MOVED].part(key);
    },
  };
}

type Lazy = readonly (readonly [key: string, part: PropertyDescriptor])[];

// One getter for all, and nothing to replace: so all copies of a kind keep one hidden class.
const lazily = (...keys: string[]): Lazy => keys.map((key) => [key, movedPart(key)] as const);
const OF_FUNCTION = lazily('nameSpan', 'returnType', 'params', 'body');
const OF_MACRO = lazily('body', 'statements');
const OF_TABLE_MACRO = lazily('body', 'statements', 'table');
const OF_STRUCT = lazily('fields', 'bodySpan');
const OF_VARIABLE = lazily('nameSpan', 'type', 'init');

function withParts<T extends Definition>(copy: object, from: T, delta: number, parts: Lazy): T {
  for (let i = 0; i < parts.length; i++) Object.defineProperty(copy, parts[i]![0], parts[i]![1]);
  return Object.defineProperty(copy, MOVED, { value: new Moved(from, delta) }) as T;
}

function moveFunction(from: FunctionIr, delta: number): FunctionIr {
  const { kind, start, end, name, isStatic, isInline, conditions, opaque, text } = from;
  const copy = {
    kind,
    start: start + delta,
    end: end + delta,
    name,
    isStatic,
    isInline,
    conditions,
    opaque,
    text,
  };
  return withParts(copy, from, delta, OF_FUNCTION);
}

function moveMacro(from: MacroIr, delta: number): MacroIr {
  const { kind, start, end, name, params, rest, bodyText, bodyOffset, conditions } = from;
  const copy = {
    kind,
    start: start + delta,
    end: end + delta,
    name,
    params,
    rest,
    bodyText,
    bodyOffset,
    conditions,
  };
  return withParts(copy, from, delta, from.table === undefined ? OF_MACRO : OF_TABLE_MACRO);
}

function moveStruct(from: StructIr, delta: number): StructIr {
  const { kind, keyword, start, end, name, conditions, complete } = from;
  const copy = {
    kind,
    keyword,
    start: start + delta,
    end: end + delta,
    name,
    conditions,
    complete,
  };
  return withParts(copy, from, delta, OF_STRUCT);
}

function moveVariable(from: VariableIr, delta: number): VariableIr {
  const { kind, start, end, name, isStatic, isConst, isExtern, conditions } = from;
  const copy = {
    kind,
    start: start + delta,
    end: end + delta,
    name,
    isStatic,
    isConst,
    isExtern,
    conditions,
  };
  return withParts(copy, from, delta, OF_VARIABLE);
}
