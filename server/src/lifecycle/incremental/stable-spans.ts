/** Places in a function that stay the same when the text in front of it changes. */
import { placeSpans } from '../../ir/lower.ts';
import type { FunctionIr } from '../../ir/types.ts';
import { commonPrefix, commonSuffix } from '../../text/common.ts';
import type { Span } from '../../text/span.ts';

/**
 * A function at an address. What is learnt of a function's paths is full of offsets: of its calls,
 * its allocations, its values. So that it stays true when an edit moves the function, each is
 * explored as a copy at an address of its own, which no other function of the module has had or will
 * have. What an edit of the function does not touch keeps its addresses too, in their order: what it
 * does for its callers is then the same, and they need not be explored. A Layout says where the
 * addresses are in today's documents.
 */
export interface Frame {
  readonly fn: FunctionIr;
  readonly start: number;
  /** The documents' text of the function. */
  readonly text: string;
  /** Of each place in the text and of its end; null where they are GAP apart. */
  readonly addresses: Int32Array | null;
}

export interface Frames {
  next: number;
  readonly byRoot: WeakMap<FunctionIr, Frame>;
  /** The last version of a function, by what its callers know it by. */
  readonly latest: WeakMap<object, Version>;
  readonly layout: Layout;
}

interface Version {
  readonly root: FunctionIr;
  readonly frame: Frame;
}

/** Whose last version a function may be, and which of its versions are not in the module today. */
export interface Ancestry {
  readonly signature: object;
  isGone(root: FunctionIr): boolean;
}

/**
 * No offset into a document is as large as an address. All have as many digits, so that texts of
 * them have their order.
 */
const FIRST = 100_000_000,
  LAST = 999_999_999;
/** Addresses between two places, for what is typed there. */
const GAP = 16;
/** More than one version of a module can have, in UTF-16 code units. */
const ROOM = 40_000_000 * GAP;

export function createFrames(): Frames {
  const layout = { byFunction: new Map(), sorted: [], places: [], count: 0, isSettled: true };
  return { next: FIRST, byRoot: new WeakMap(), latest: new WeakMap(), layout };
}

/**
 * The frames of all functions and macros of a version, for versions that begin with it: what these
 * explore is not seen here.
 */
export function forkFrames(frames: Frames, kept: readonly Kept[]): Frames {
  const fork = { ...createFrames(), next: frames.next };
  for (const { root, signature } of kept) {
    const frame = frames.byRoot.get(root),
      latest = frames.latest.get(signature);
    if (frame) fork.byRoot.set(root, frame);
    if (latest) fork.latest.set(signature, latest);
  }
  return fork;
}

/** A function of a version as it was lowered, and what its callers know it by. */
export interface Kept {
  readonly root: FunctionIr;
  readonly signature: object;
}

/**
 * Whether another version of the module fits in. To be asked between two analyses: what one
 * analysis explores it explores in the same frames.
 */
export function hasRoom(frames: Frames): boolean {
  return LAST - frames.next > ROOM;
}

/** The frame of a function. `text` is asked for only when there is none yet. */
export function frameOf(
  frames: Frames,
  root: FunctionIr,
  text: () => string,
  ancestry?: Ancestry,
): Frame {
  let frame = frames.byRoot.get(root);
  if (!frame) {
    const before = ancestry && frames.latest.get(ancestry.signature);
    frame =
      (before && ancestry?.isGone(before.root) ? edited(frames, before, root, text()) : null) ??
      created(frames, root, text());
    frames.byRoot.set(root, frame);
    if (ancestry) frames.latest.set(ancestry.signature, { root, frame });
  }
  return frame;
}

function created(frames: Frames, root: FunctionIr, text: string): Frame {
  const start = frames.next;
  frames.next += GAP * (root.end - root.start + 1);
  return frameAt(root, { start, text, addresses: null });
}

/** The frame of an edited function at the addresses of its last version; null if they do not do. */
function edited({ byRoot }: Frames, before: Version, root: FunctionIr, text: string): Frame | null {
  const addresses = addressesAfter(before.frame, text);
  if (addresses === null) return null;
  // Two functions of one module never have the same addresses: should the last version come back,
  // it gets a frame anew.
  byRoot.delete(before.root);
  return frameAt(root, { start: before.frame.start, text, addresses });
}

function frameAt(root: FunctionIr, frame: Omit<Frame, 'fn'>): Frame {
  return { fn: placeSpans(root, (at) => addressOf(frame, at - root.start)), ...frame };
}

/**
 * What both texts begin and end with keeps its addresses. Null when there are too few for what is
 * between.
 */
function addressesAfter(before: Frame, text: string): Int32Array | null {
  const head = commonPrefix(before.text, text),
    tail = commonSuffix(before.text, text, head);
  const inserted = text.length - tail - head,
    removed = before.text.length - tail - head;
  const low = addressOf(before, head - 1),
    high = addressOf(before, head + removed);
  if (head === 0 || high - low <= inserted) return null;
  // One after the other, so that there is room for what is typed next.
  const step = high - low > inserted * GAP ? GAP : 1;
  const addresses = new Int32Array(text.length + 1);
  for (let i = 0; i < head; i++) addresses[i] = addressOf(before, i);
  for (let i = 0; i < inserted; i++) addresses[head + i] = low + step * (i + 1);
  for (let i = head + inserted; i <= text.length; i++)
    addresses[i] = addressOf(before, i - inserted + removed);
  return addresses;
}

type Addressed = Pick<Frame, 'start' | 'text' | 'addresses'>;

function addressOf({ start, text, addresses }: Addressed, at: number): number {
  if (addresses === null || at < 0) return start + GAP * at;
  return at <= text.length ? addresses[at]! : addresses[text.length]! + GAP * (at - text.length);
}

/** The place in the text of a frame that has an address, or the last one before it. */
function placeBefore({ start, text, addresses }: Addressed, address: number): number {
  if (addresses === null || address < start) return Math.floor((address - start) / GAP);
  const last = addresses[text.length]!;
  if (address >= last) return text.length + Math.floor((address - last) / GAP);
  let low = 0,
    high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (addresses[middle]! <= address) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where a span of addresses is in the text of the frame. */
export function placesIn(frame: Addressed, { start, end }: Span): Span {
  const before = placeBefore(frame, end);
  return {
    start: placeBefore(frame, start),
    // An end may be between two places, after a span of one character.
    end: addressOf(frame, before) === end ? before : before + 1,
  };
}

/** Something with addresses, and what it was in the documents when it was last asked for. */
export interface Framed<T> {
  readonly value: T;
  last: { readonly value: T; readonly places: readonly Place[]; readonly copied: Copied } | null;
}

export function framed<T>(value: T): Framed<T> {
  return { value, last: null };
}

/** A function explored, and the function of today's documents that it is. */
interface Place {
  readonly frame: Frame;
  readonly fn: FunctionIr;
  readonly start: number;
  /** Where it is among the sorted ones. */
  rank: number;
}

/** Where the frames are in one version of a module. What is as in the last version is kept. */
export interface Layout {
  readonly byFunction: Map<FunctionIr, Place>;
  sorted: Place[];
  /** In the order in which the module has them. */
  readonly places: Place[];
  /** Those that have been placed in this version. */
  count: number;
  isSettled: boolean;
}

/** Begins another version, in which each frame is placed, and each once. */
export function begin(layout: Layout): void {
  layout.count = 0;
}

/** Says where a frame is: `fn` stands for it, and begins at `start` of its document. */
export function place(layout: Layout, frame: Frame, fn: FunctionIr, start: number): void {
  const { places, byFunction } = layout;
  const at = layout.count++,
    before = places[at];
  if (before?.frame === frame && before.fn === fn && before.start === start) return;
  const now: Place = { frame, fn, start, rank: before?.rank ?? 0 };
  places[at] = now;
  if (!before || before.frame.start !== frame.start) layout.isSettled = false;
  if (!layout.isSettled) return;
  if (before?.frame !== frame) byFunction.delete(before!.frame.fn);
  byFunction.set(frame.fn, now);
  layout.sorted[now.rank] = now;
}

/** To be called when all frames have their place, before anything is translated. */
export function settle(layout: Layout): void {
  const { places, byFunction } = layout;
  if (layout.isSettled && places.length === layout.count) return;
  places.length = layout.count;
  byFunction.clear();
  for (const one of places) byFunction.set(one.frame.fn, one);
  layout.sorted = [...places].sort((left, right) => left.frame.start - right.frame.start);
  for (const [rank, one] of layout.sorted.entries()) one.rank = rank;
  layout.isSettled = true;
}

/**
 * The value with the functions and the offsets of today's documents: the very object of the last
 * time while nothing that it speaks of has moved.
 */
export function inDocuments<T>(layout: Layout, framed: Framed<T>): T {
  const { last } = framed,
    { byFunction } = layout;
  if (last?.places.every((place) => isStill(place, byFunction.get(place.frame.fn))))
    return last.value;
  // Most functions have only moved: what has to be copied is known, and where it is in them.
  const isKnown =
    last?.copied.isWhole && last.places.every(({ frame }) => byFunction.has(frame.fn));
  const copied = isKnown ? last.copied : copiedIn(layout, framed.value);
  const places = copied.frames.map(({ fn }) => byFunction.get(fn)!);
  const value = copyAt(places, copied) ?? framed.value;
  framed.last = { value: value as T, places, copied };
  return framed.last.value;
}

function isStill(before: Place, now: Place | undefined): boolean {
  return now !== undefined && now.fn === before.fn && now.start === before.start;
}

/** What has to be copied of a value: what has addresses in it. The rest is shared. */
interface Copied {
  readonly frames: readonly Frame[];
  /** Each behind its parts; the last one is the value itself, unless nothing has to be copied. */
  readonly objects: readonly CopiedObject[];
  /** All functions and addresses in it have a place. */
  readonly isWhole: boolean;
}

interface CopiedObject {
  readonly from: object;
  /** The copies that it has, by their keys or positions. */
  readonly parts: readonly (readonly [key: unknown, copy: number])[];
  /** The position of the frame that it is the function of, or in which it is a span; else -1. */
  readonly frame: number;
  /** In the text of the frame. */
  readonly span: Span | null;
}

function copiedIn(layout: Layout, value: unknown): Copied {
  const frames: Frame[] = [],
    objects: CopiedObject[] = [],
    copies = new Map<object, number>();
  let isWhole = true;
  const frameAt = (place: Place | undefined): number => {
    isWhole &&= place !== undefined;
    if (!place) return -1;
    const known = frames.indexOf(place.frame);
    return known >= 0 ? known : frames.push(place.frame) - 1;
  };
  /** The position of its copy; -1 where it needs none. What is shared in the value is copied once. */
  const copyOf = (item: unknown): number => {
    if (typeof item !== 'object' || item === null) return -1;
    let copy = copies.get(item);
    if (copy === undefined) copies.set(item, (copy = look(item)));
    return copy;
  };
  const look = (from: object): number => {
    if ('body' in from) {
      const frame = frameAt(placeOfFunction(layout, from as FunctionIr));
      return frame < 0 ? -1 : objects.push({ from, parts: NO_PARTS, frame, span: null }) - 1;
    }
    let parts: CopiedObject['parts'][number][] | undefined;
    const visit = (key: unknown, part: unknown): void => {
      const copy = copyOf(part);
      if (copy >= 0) (parts ??= []).push([key, copy]);
    };
    if (from instanceof Map) for (const [key, part] of from) visit(key, part);
    else for (const key in from) visit(key, (from as Record<string, unknown>)[key]);
    const { start, end } = from as Partial<Span>;
    const isAddressed = typeof start === 'number' && typeof end === 'number' && start >= FIRST;
    const place = isAddressed ? placeOf(layout, start) : undefined,
      frame = isAddressed ? frameAt(place) : -1,
      span = place ? placesIn(place.frame, { start: start!, end: end! }) : null;
    if (parts === undefined && span === null) return -1;
    return objects.push({ from, parts: parts ?? NO_PARTS, frame, span }) - 1;
  };
  copyOf(value);
  return { frames, objects, isWhole };
}

const NO_PARTS: readonly never[] = [];

/** The copy with the functions at their places; undefined where nothing has to be copied. */
function copyAt(places: readonly Place[], { objects }: Copied): unknown {
  const copies: unknown[] = [];
  for (let i = 0; i < objects.length; i++) {
    const { from, parts, frame, span } = objects[i]!;
    if (frame >= 0 && span === null) copies.push(places[frame]!.fn);
    else {
      const copy = withParts(from, parts, copies);
      if (span !== null) {
        const { start } = places[frame]!;
        copy['start'] = start + span.start;
        copy['end'] = start + span.end;
      }
      copies.push(copy);
    }
  }
  return copies.at(-1);
}

function withParts(
  from: object,
  parts: CopiedObject['parts'],
  copies: readonly unknown[],
): Record<string, unknown> {
  if (from instanceof Map) {
    const map = new Map<unknown, unknown>(from);
    for (const [key, copy] of parts) map.set(key, copies[copy]);
    return map as never;
  }
  const to = (Array.isArray(from) ? from.slice() : { ...from }) as Record<string, unknown>;
  for (let i = 0; i < parts.length; i++) to[parts[i]![0] as string] = copies[parts[i]![1]];
  return to;
}

/**
 * The place of a function in a frame. Where the frame was given to another version of the function,
 * and that was left undone, another frame has its addresses.
 */
function placeOfFunction(layout: Layout, fn: FunctionIr): Place | undefined {
  const place = layout.byFunction.get(fn);
  if (place || fn.start < FIRST) return place;
  const heir = placeOf(layout, fn.start);
  return heir?.frame.start === fn.start ? heir : undefined;
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
