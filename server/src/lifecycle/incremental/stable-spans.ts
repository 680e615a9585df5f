/** Places in a function that stay the same when the text in front of it changes. */
import { shiftSpans } from '../../ir/lower.ts';
import type { FunctionIr } from '../../ir/types.ts';

/**
 * A function at an address. What is learnt of a function's paths is full of offsets: of its calls,
 * its allocations, its values. So
 * that it stays true when an edit moves the function, each is explored as a copy at an address of
 * its own, which no other function of the
 * module has had or will have. A Layout says where the addresses are in today's documents.
 */
export interface Frame {
  readonly fn: FunctionIr;
  readonly start: number;
  /** The documents' text of the function. */
  readonly text: string;
}

export interface Frames {
  next: number;
  readonly byRoot: WeakMap<FunctionIr, Frame>;
}

/** No offset into a document is as large as an address. */
const FIRST = 10_000_000,
  LAST = 99_999_999;
/** UTF-16 code units: more than one version of a module can have. */
const ROOM = 40_000_000;

export function createFrames(): Frames {
  return { next: FIRST, byRoot: new WeakMap() };
}

/**
 * Whether another version of the module fits in. To be asked between two analyses: what one
 * analysis explores it explores in the same frames.
 */
export function hasRoom(frames: Frames): boolean {
  return LAST - frames.next > ROOM;
}

/** The frame of a function. `text` is asked for only when there is none yet. */
export function frameOf(frames: Frames, root: FunctionIr, text: () => string): Frame {
  let frame = frames.byRoot.get(root);
  if (!frame) {
    const start = frames.next;
    frames.next += root.end - root.start + 1;
    frames.byRoot.set(
      root,
      (frame = { fn: shiftSpans(root, start - root.start), start, text: text() }),
    );
  }
  return frame;
}

/** Something with addresses, and what it was in the documents when it was last asked for. */
export interface Framed<T> {
  readonly value: T;
  last: { readonly value: T; readonly places: readonly Place[] } | null;
}

export function framed<T>(value: T): Framed<T> {
  return { value, last: null };
}

/** A function explored, and the function of today's documents that it is. */
interface Place {
  readonly frame: Frame;
  readonly fn: FunctionIr;
  readonly delta: number;
}

/** Where the frames are in one version of a module. */
export interface Layout {
  readonly byFunction: Map<FunctionIr, Place>;
  readonly sorted: Place[];
}

export function createLayout(): Layout {
  return { byFunction: new Map(), sorted: [] };
}

/** Says where a frame is: `fn` stands for it, and begins at `start` of its document. */
export function place(layout: Layout, frame: Frame, fn: FunctionIr, start: number): void {
  if (layout.byFunction.has(frame.fn)) return;
  const place: Place = { frame, fn, delta: start - frame.start };
  layout.byFunction.set(frame.fn, place);
  layout.sorted.push(place);
}

/** To be called when all frames have their place, before anything is translated. */
export function settle(layout: Layout): void {
  layout.sorted.sort((left, right) => left.frame.start - right.frame.start);
}

/**
 * The value with the functions and the offsets of today's documents: the very object of the last
 * time while nothing that it speaks of has moved.
 */
export function inDocuments<T>(layout: Layout, framed: Framed<T>): T {
  if (framed.last?.places.every((place) => isStill(place, layout.byFunction.get(place.frame.fn))))
    return framed.last.value;
  const places = new Set<Place>();
  const value = translate(layout, framed.value, places);
  framed.last = { value, places: [...places] };
  return value;
}

function isStill(before: Place, now: Place | undefined): boolean {
  return now !== undefined && now.fn === before.fn && now.delta === before.delta;
}

/**
 * A copy of what has addresses in it. What has none is shared; what is shared in `value` is shared
 * in the copy.
 */
function translate<T>(layout: Layout, value: T, places: Set<Place>): T {
  const done = new Map<object, unknown>();
  const go = (item: unknown): unknown => {
    if (typeof item !== 'object' || item === null) return item;
    const before = done.get(item);
    if (before !== undefined) return before;
    const after = copy(item);
    done.set(item, after);
    return after;
  };
  const copy = (object: object): unknown => {
    if ('body' in object) {
      const place = layout.byFunction.get(object as FunctionIr);
      if (place) places.add(place);
      return place?.fn ?? object;
    }
    if (Array.isArray(object)) return unless(object, object.map(go));
    if (object instanceof Map) return new Map([...object].map(([key, item]) => [key, go(item)]));
    const from = object as Record<string, unknown>;
    let to: Record<string, unknown> | null = null;
    for (const key in from) {
      const part = go(from[key]);
      if (part !== from[key]) (to ??= { ...from })[key] = part;
    }
    const { start, end } = from;
    if (typeof start === 'number' && typeof end === 'number' && start >= FIRST) {
      const place = placeOf(layout, start);
      if (place) {
        places.add(place);
        to ??= { ...from };
        to['start'] = start + place.delta;
        to['end'] = end + place.delta;
      }
    }
    return to ?? object;
  };
  return go(value) as T;
}

/** `list` itself where its copy is the same. */
function unless(list: readonly unknown[], copied: unknown[]): readonly unknown[] {
  return copied.every((value, i) => value === list[i]) ? list : copied;
}

/** The last frame that begins at or before an address. */
function placeOf({ sorted }: Layout, address: number): Place | undefined {
  let low = 0,
    high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]!.frame.start <= address) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}
