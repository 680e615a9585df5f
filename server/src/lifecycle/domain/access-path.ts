/** Steps from an object to a place in it, and out of it to the object that contains it. */
import { keptObjects, makePlace, stepText, type Interner, type Place } from './objects.ts';

export type AccessStep =
  | { readonly kind: 'field'; readonly name: string }
  /** Some element of an array: which one is not told apart. */
  | { readonly kind: 'element' }
  /** Out to the object of which this is the member `field`. */
  | { readonly kind: 'container'; readonly field: string }
  /** What dev_set_drvdata() and its like keep for a device. */
  | { readonly kind: 'drvdata' };

const ELEMENT: AccessStep = { kind: 'element' };
const DRVDATA: AccessStep = { kind: 'drvdata' };

/** `place.name`. Out of a container and back in is where it began. */
export function fieldOf(place: Place, name: string): Place {
  const last = place.step;
  return last?.kind === 'container' && last.field === name
    ? place.parent!
    : (place.next?.get(name) ?? further(place, { kind: 'field', name }));
}

export function elementOf(place: Place): Place {
  return further(place, ELEMENT);
}

/** Where the elements are that were stored in arrays. */
export function keptElement(own: Interner): Place {
  return fieldOf(keptObjects(own).start, 'element');
}

export function drvdataOf(place: Place): Place {
  return further(place.object.start, DRVDATA);
}

export function isDrvdata(place: Place): boolean {
  return place.step?.kind === 'drvdata';
}

/** container_of: the object of which `place` is the member that `steps` lead to. */
export function containerOf(place: Place, steps: readonly AccessStep[]): Place {
  let at = place;
  for (const step of steps.toReversed()) {
    if (at.step !== null && stepText(at.step) === stepText(step)) at = at.parent!;
    else if (step.kind === 'field') at = further(at, { kind: 'container', field: step.name });
  }
  // Members are at offset 0 in objects that the core allocated: container_of() of an error pointer
  // or of the allocation is the allocation.
  return at.isOutward && place.object.kind === 'allocation' ? place.object.start : at;
}

/** The place that one comes to from `place` by `steps`. */
export function follow(place: Place, steps: readonly AccessStep[]): Place {
  return steps.reduce(oneStep, place);
}

/** The place that one comes to from `place` by the steps that lead to `other` in its object. */
export function followTo(place: Place, other: Place): Place {
  return other.parent === null ? place : oneStep(followTo(place, other.parent), other.step!);
}

function oneStep(at: Place, step: AccessStep): Place {
  if (step.kind === 'field') return fieldOf(at, step.name);
  if (step.kind === 'container') return containerOf(at, [{ kind: 'field', name: step.field }]);
  return further(at, step);
}

/** From the object's start to the place. */
export function stepsTo(place: Place): AccessStep[] {
  const steps: AccessStep[] = [];
  for (let at = place; at.parent !== null; at = at.parent) steps.push(at.step!);
  return steps.reverse();
}

/** Whether one of the two is the other, or in it. */
export function overlap(one: Place, other: Place): boolean {
  return isWithin(one, other) || isWithin(other, one);
}

/** Whether `inner` is `outer` or a place in it. */
export function isWithin(inner: Place, outer: Place): boolean {
  for (let at: Place | null = inner; at !== null; at = at.parent) if (at === outer) return true;
  return false;
}

/** As C writes it: `core_device.vdev`. */
export function pathText(place: Place): string {
  return textOf(stepsTo(place));
}

export function textOf(steps: readonly AccessStep[]): string {
  return steps.reduce((text, step) => {
    const isFirst = text === '' || step.kind === 'element';
    return `${text}${isFirst ? '' : '.'}${stepText(step)}`;
  }, '');
}

function further(place: Place, step: AccessStep): Place {
  place.next ??= new Map();
  const text = stepText(step);
  let next = place.next.get(text);
  if (!next) place.next.set(text, (next = makePlace(place.object, place, step)));
  return next;
}
