/**
 * The objects that a path speaks of, and the places in them. Each has a kind that says what it is,
 * and is interned: within one exploration of a function the same object is the same JavaScript
 * object, so that maps are keyed by it and equality is identity. Between explorations, objects are
 * compared by `id`, a text that nothing reads.
 */
import type { AccessStep } from './access-path.ts';
import type { Value } from './values.ts';

/** Why a value came to be that only one place of one function can name. */
export type Origin =
  | 'call' // the result of a call
  | 'state' // what a call answered about a device: a state of the driver's own
  | 'out' // what a call left in a local variable
  | 'errno' // an error code of which only the sign is known
  | 'error' // an error pointer
  | 'value'; // anything else

/** What an object is. `calls` are the places of the calls through which it came, inmost first. */
export type ObjectKind =
  | { readonly kind: 'parameter'; readonly index: number }
  | { readonly kind: 'global'; readonly name: string }
  /** All that list_add() and its like have put somewhere. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'local'; readonly name: string }
  /** What a local variable holds before it is set. */
  | { readonly kind: 'undefined'; readonly name: string; readonly calls: readonly number[] }
  | {
      readonly kind: 'allocation';
      readonly path: string;
      readonly at: number;
      readonly calls: readonly number[];
    }
  /** What a place holds that was not written on this path. */
  | { readonly kind: 'load'; readonly from: Place }
  /** The element that a loop is at. */
  | { readonly kind: 'cursor'; readonly name: string; readonly at: number }
  /** Something too far away to have a name of its own. */
  | { readonly kind: 'deep' }
  /** A constant that the module does not define. */
  | {
      readonly kind: 'symbol';
      readonly name: string;
      readonly isErrno: boolean;
      readonly isNegated: boolean;
    }
  /** A constant by its text: a string, a sizeof, a number too large. */
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'computed'; readonly op: string; readonly operands: readonly Value[] }
  /** The error code in a pointer. */
  | { readonly kind: 'code'; readonly of: AbstractObject }
  /** What was told apart before paths were joined. */
  | {
      readonly kind: 'joined';
      readonly where: string;
      readonly name: string;
      readonly calls: readonly number[];
    }
  | {
      readonly kind: 'result';
      readonly of: Origin;
      readonly at: number;
      readonly calls: readonly number[];
    };

interface Interned {
  readonly owner: Interner;
  /** Of its interner, never used again: what keys of states are made of. */
  readonly serial: number;
  /** Equal for what is structurally equal, in all explorations. */
  readonly id: string;
  /** Where the object begins: the pointer to it. */
  readonly start: Place;
  /** How much it takes to name it: what is larger than a bound gets no name of its own. */
  readonly size: number;
  /** It stands for many: what is learnt of one does not hold for the next. */
  readonly isWeak: boolean;
  /** A caller can name it too: a parameter, a global, or what they lead to. */
  readonly isOutside: boolean;
  /** The last pruning of a state that names it: prune() alone looks at this. */
  namedIn: number;
}
export type AbstractObject = ObjectKind & Interned;
export type ObjectOf<K extends ObjectKind['kind']> = Extract<AbstractObject, { kind: K }>;

/**
 * A place in an object: where a value is stored, and as a value the pointer to it. The access path
 * is the list of steps from the object's start, which the chain of `parent` is.
 */
export interface Place {
  readonly kind: 'pointer';
  readonly object: AbstractObject;
  /** Null at the object's start. */
  readonly parent: Place | null;
  readonly step: AccessStep | null;
  readonly serial: number;
  readonly size: number;
  /** One of its steps goes to an element, so that it stands for many places. */
  readonly hasElement: boolean;
  /** Its first step goes out to a container of the object. */
  readonly isOutward: boolean;
  /** The places one step further, by the text of the step. Null until there is one. */
  next: Map<string, Place> | null;
  content: AbstractObject | null;
  /** What placeText() says, once it was asked. */
  text: string | null;
}

/** The objects of one exploration. It lives as long as what the exploration has found. */
export interface Interner {
  readonly roots: Map<string, AbstractObject>;
  /** Numbers of names, for fingerprints of states. */
  readonly names: Map<string, number>;
  serial: number;
}

export function createInterner(): Interner {
  return { roots: new Map(), names: new Map(), serial: 0 };
}

export function parameter(own: Interner, index: number): AbstractObject {
  return root(own, `param:${index}`, { kind: 'parameter', index });
}
export function globalVariable(own: Interner, name: string): AbstractObject {
  return root(own, `global:${name}`, { kind: 'global', name });
}
export function keptObjects(own: Interner): AbstractObject {
  return root(own, 'kept', { kind: 'kept' });
}
export function localVariable(own: Interner, name: string): AbstractObject {
  return root(own, `local:${name}`, { kind: 'local', name });
}
export function undefinedValue(
  own: Interner,
  name: string,
  calls: readonly number[] = [],
): AbstractObject {
  return root(own, `undef:${name}${through(calls)}`, { kind: 'undefined', name, calls });
}
export function allocation(
  own: Interner,
  path: string,
  start: number,
  calls: readonly number[] = [],
): AbstractObject {
  const id = `alloc:${path}:${start}${through(calls)}`;
  return root(own, id, { kind: 'allocation', path, at: start, calls });
}
export function resultAt(
  own: Interner,
  of: Origin,
  start: number,
  calls: readonly number[] = [],
): AbstractObject {
  return root(own, `${of}:${start}${through(calls)}`, { kind: 'result', of, at: start, calls });
}
export function cursor(own: Interner, name: string, start: number): AbstractObject {
  return root(own, `cursor:${name}:${start}`, { kind: 'cursor', name, at: start });
}
export function symbol(
  own: Interner,
  name: string,
  { isErrno, isNegated }: { readonly isErrno: boolean; readonly isNegated: boolean },
): AbstractObject {
  const id = `const:${isNegated ? '-' : ''}${name}`;
  return root(own, id, { kind: 'symbol', name, isErrno, isNegated });
}
export function literal(own: Interner, text: string): AbstractObject {
  return root(own, `literal:${text}`, { kind: 'literal', text });
}
export function joinedValue(
  own: Interner,
  where: string,
  name: string,
  calls: readonly number[] = [],
): AbstractObject {
  const id = `joined:${where}:${name}${through(calls)}`;
  return root(own, id, { kind: 'joined', where, name, calls });
}
/** What stands for all that is too far away. */
export function deepObject(own: Interner): AbstractObject {
  return root(own, 'deep', { kind: 'deep' });
}
export function codeOf(own: Interner, of: AbstractObject): AbstractObject {
  return root(own, `code:${of.id}`, { kind: 'code', of });
}

/** Values computed from more than this have no name of their own. */
const MAX_COMPUTED = 24;

/** `left op right`, or `op operand`: null for one that would be too large. */
export function computed(
  own: Interner,
  op: string,
  operands: readonly Value[],
): ObjectOf<'computed'> | null {
  const size = operands.reduce(
    (sum, value) => sum + (value.kind === 'pointer' ? value.size : 1),
    1,
  );
  if (size > MAX_COMPUTED) return null;
  const id = `(${op} ${operands.map(valueText).join(' ')})`;
  return root(own, id, { kind: 'computed', op, operands }, size) as ObjectOf<'computed'>;
}

/** Objects further away than this are one object: the bound that keeps list walks finite. */
const MAX_SIZE = 16;

/** What a place holds that was not written. */
export function contentOf(place: Place): AbstractObject {
  if (place.content) return place.content;
  const { object, size } = place;
  if (size > MAX_SIZE) return deepObject(object.owner);
  place.content = made(
    object.owner,
    `load:${placeText(place)}`,
    { kind: 'load', from: place },
    size + 1,
  );
  return place.content;
}

function through(calls: readonly number[]): string {
  let text = '';
  for (let i = 0; i < calls.length; i++) text += `@${calls[i]!}`;
  return text;
}

function root(own: Interner, id: string, kind: ObjectKind, size = 1): AbstractObject {
  let object = own.roots.get(id);
  if (!object) own.roots.set(id, (object = made(own, id, kind, size)));
  return object;
}

function made(owner: Interner, id: string, kind: ObjectKind, size: number): AbstractObject {
  const object = {
    owner,
    id,
    serial: owner.serial++,
    size,
    isWeak: standsForMany(kind),
    isOutside: isNamedOutside(kind),
    namedIn: 0,
    ...kind,
  } as unknown as AbstractObject & { start: Place };
  object.start = makePlace(object, null, null);
  return object;
}

function standsForMany(kind: ObjectKind): boolean {
  switch (kind.kind) {
    case 'cursor':
    case 'deep':
      return true;
    case 'load':
      return kind.from.hasElement || kind.from.object.isWeak;
    case 'computed':
      return kind.operands.some(
        (value) => value.kind === 'pointer' && (value.hasElement || value.object.isWeak),
      );
    default:
      return false;
  }
}

function isNamedOutside(kind: ObjectKind): boolean {
  switch (kind.kind) {
    case 'parameter':
    case 'global':
    case 'kept':
      return true;
    case 'load':
      return kind.from.object.isOutside;
    default:
      return false;
  }
}

/** A place of an object that has none there yet. */
export function makePlace(
  object: AbstractObject,
  parent: Place | null,
  step: AccessStep | null,
): Place {
  return {
    kind: 'pointer',
    object,
    parent,
    step,
    serial: object.owner.serial++,
    size: parent === null ? object.size : parent.size + 1,
    hasElement: step?.kind === 'element' || (parent?.hasElement ?? false),
    isOutward: parent?.parent ? parent.isOutward : step?.kind === 'container',
    next: null,
    content: null,
    text: null,
  };
}

/** The same object by the same steps, in all explorations. */
export function placeText(place: Place): string {
  let { text } = place;
  if (text === null) {
    let path = '';
    for (let at = place; at.parent !== null; at = at.parent) path = `.${stepText(at.step!)}${path}`;
    place.text = text = `${place.object.id}|${path}`;
  }
  return text;
}

/** A step as text: what places one step further are found by. */
export function stepText(step: AccessStep): string {
  switch (step.kind) {
    case 'field':
      return step.name;
    case 'container':
      return `-${step.field}`;
    case 'element':
      return '[]';
    case 'drvdata':
      return '@drvdata';
  }
}

/** Equal for equal values, in all explorations. */
export function valueText(value: Value): string {
  switch (value.kind) {
    case 'pointer':
      return placeText(value);
    case 'int':
      return String(value.value);
    case 'function':
      return `&${value.name}`;
  }
}

/** What one must begin at to come to an object by reading: itself, where it was not read. */
export function rootOf(object: AbstractObject): AbstractObject {
  let from = object;
  while (from.kind === 'load') from = from.from.object;
  return from;
}
