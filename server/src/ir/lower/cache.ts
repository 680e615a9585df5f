import type { Condition, TopLevelItem } from '../../syntax/node.ts';
import type { BlockStmt, FunctionIr, MacroIr, StructIr, VariableIr } from '../types.ts';
import type { ItemIr } from './toplevel.ts';
import { shiftSpans } from './shift.ts';

/** The lowered items of one document's last version. Opaque to its owner, who keeps one for each open document. */
export interface LoweringCache {
  entries: Map<string, CacheEntry[]>;
}

/** An empty cache. */
export function createLoweringCache(): LoweringCache {
  return { entries: new Map() };
}

export interface CacheEntry {
  readonly start: number;
  readonly type: string;
  readonly hasError: boolean;
  readonly conditions: string;
  /** What the parser saw: the mask may depend on what is around the item. */
  readonly masked: string;
  readonly ir: ItemIr;
}

/** The cache of one pass: what it takes from the last one and what it hands to the next. */
export interface Pass {
  /** What the last pass had for the same text and conditions, at the item's offset. */
  find(item: TopLevelItem, own: string, masked: string): ItemIr | null;
  keep(item: TopLevelItem, own: string, masked: string, ir: ItemIr): void;
  finish(): void;
}

const moved = new WeakMap<Definition, { readonly from: Definition; readonly delta: number }>();

type Definition = FunctionIr | MacroIr | StructIr | VariableIr;

/**
 * The definition that a moved copy was made of and by how much the copy's offsets are larger, when an edit before it
 * did nothing but move it: a cache keyed by the original needs only to shift its answer.
 */
export function movedFrom<T extends Definition>(item: T): { readonly from: T; readonly delta: number } | undefined {
  return moved.get(item) as { readonly from: T; readonly delta: number } | undefined;
}

export function startPass(cache: LoweringCache): Pass {
  const next = new Map<string, CacheEntry[]>();
  return {
    find(item, own, masked) {
      const list = cache.entries.get(own);
      if (list === undefined) return null;
      const conditions = conditionKey(item.conditions);
      const fits = (entry: CacheEntry): boolean =>
        entry.type === item.type && entry.hasError === item.hasError && entry.conditions === conditions && entry.masked === masked;
      // Equal texts at several places: the entry at this very place, else the next one in order.
      const exact = list.findIndex((entry) => entry.start === item.start && fits(entry));
      const index = exact >= 0 ? exact : list.findIndex(fits);
      if (index < 0) return null;
      const entry = list[index]!;
      if (exact >= 0) return entry.ir;
      list.splice(index, 1);
      return moveItem(entry.ir, item.start - entry.start);
    },
    keep(item, own, masked, ir) {
      const entry: CacheEntry = { start: item.start, type: item.type, hasError: item.hasError, conditions: conditionKey(item.conditions), masked, ir };
      const list = next.get(own);
      if (list === undefined) next.set(own, [entry]);
      else list.push(entry);
    },
    finish() {
      cache.entries = next;
    },
  };
}

function conditionKey(conditions: readonly Condition[]): string {
  return conditions.map(({ test, holds }) => `${holds ? '+' : '-'}${test}\n`).join('');
}

function moveItem(ir: ItemIr, delta: number): ItemIr {
  const { functions, macros, structs, variables, ...rest } = ir;
  const move = <T extends Definition>(item: T): T => moveDefinition(item, delta, shiftSpans);
  return {
    functions: functions.map((fn) => moveDefinition(fn, delta, moveFunction)), macros: macros.map(move), structs: structs.map(move), variables: variables.map(move),
    ...shiftSpans(rest, delta),
  };
}

/** A moved copy is always made of the definition as it was lowered, so that no chain of copies stays alive; at its old place it is that very definition again. */
function moveDefinition<T extends Definition>(item: T, delta: number, shift: (from: T, distance: number) => T): T {
  const origin = movedFrom(item);
  const from = origin?.from ?? item;
  const distance = (origin?.delta ?? 0) + delta;
  if (distance === 0) return from;
  const copy = shift(from, distance);
  moved.set(copy, { from, delta: distance });
  return copy;
}

/** The body moves when it is first read: nearly all of a file moves with each key pressed near its start. */
function moveFunction(from: FunctionIr, distance: number): FunctionIr {
  const copy: FunctionIr = shiftSpans({ ...from, body: { kind: 'block', start: 0, end: 0, body: [] } }, distance);
  let body: BlockStmt | undefined;
  Object.defineProperty(copy, 'body', { enumerable: true, configurable: true, get: () => (body ??= shiftSpans(from.body, distance)) });
  return copy;
}
