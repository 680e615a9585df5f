/** Takes over objects, values and places of another exploration: equal ones, in its own interner. */
import { followTo } from './access-path.ts';
import * as make from './objects.ts';
import type { AbstractObject, Interner, Place } from './objects.ts';
import type { Value } from './values.ts';

export function adoptObject(own: Interner, object: AbstractObject): AbstractObject {
  return object.owner === own ? object : adopted(own, object);
}

export function adoptPlace(own: Interner, place: Place): Place {
  if (place.object.owner === own) return place;
  return followTo(adoptObject(own, place.object).start, place);
}

export function adoptValue(own: Interner, value: Value): Value {
  return value.kind === 'pointer' ? adoptPlace(own, value) : value;
}

function adopted(own: Interner, object: AbstractObject): AbstractObject {
  switch (object.kind) {
    case 'parameter':
      return make.parameter(own, object.index);
    case 'global':
      return make.globalVariable(own, object.name);
    case 'kept':
      return make.keptObjects(own);
    case 'local':
      return make.localVariable(own, object.name);
    case 'undefined':
      return make.undefinedValue(own, object.name, object.calls);
    case 'allocation':
      return make.allocation(own, object.path, object.at, object.calls);
    case 'load':
      return make.contentOf(adoptPlace(own, object.from));
    case 'cursor':
      return make.cursor(own, object.name, object.at);
    case 'deep':
      return make.deepObject(own);
    case 'symbol':
      return make.symbol(own, object.name, object);
    case 'literal':
      return make.literal(own, object.text);
    case 'computed':
      return make.computed(
        own,
        object.op,
        object.operands.map((value) => adoptValue(own, value)),
      )!;
    case 'code':
      return make.codeOf(own, adoptObject(own, object.of));
    case 'joined':
      return make.joinedValue(own, object.where, object.name, object.calls);
    case 'result':
      return make.resultAt(own, object.of, object.at, object.calls);
  }
}

/** What a function made or worked out, as its caller knows it: an object of the call at `start`. */
export function ofCall(own: Interner, object: AbstractObject, start: number): AbstractObject {
  // A variable of a function that has returned is none of its caller's.
  if (object.kind === 'local') return make.undefinedValue(own, object.name, [start]);
  if (!('calls' in object)) return adoptObject(own, object);
  // A repeated call (recursion, loops) stays one object.
  const calls = object.calls.includes(start) ? object.calls : [...object.calls, start];
  switch (object.kind) {
    case 'undefined':
      return make.undefinedValue(own, object.name, calls);
    case 'allocation':
      return make.allocation(own, object.path, object.at, calls);
    case 'joined':
      return make.joinedValue(own, object.where, object.name, calls);
    case 'result':
      return make.resultAt(own, object.of, object.at, calls);
  }
}
