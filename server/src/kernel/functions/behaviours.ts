/** What functions outside of VFIO do to memory, drvdata and references, as the rows say it. */
import {
  ALWAYS,
  returnsErrPtr,
  returnsErrno,
  returnsPointer,
  returnsValue,
  returnsVoid,
} from '../behaviour-builders.ts';
import type { Behaviour } from '../types.ts';

type Behaviours = readonly Behaviour[];

/** Returns NULL on failure. */
export const ALLOCATES: Behaviours = [returnsPointer(ALWAYS, { op: 'allocate', target: 'return' })];

/** Memory that goes with the binding of the driver. */
export const ALLOCATES_MANAGED: Behaviours = [
  returnsPointer(ALWAYS, { op: 'allocate', target: 'return', managed: true }),
];

/** memdup_user() and its like tell failure by ERR_PTR, unlike all the others. */
export const ALLOCATES_OR_ERR: Behaviours = [
  returnsErrPtr(ALWAYS, { op: 'allocate', target: 'return' }),
];

export function frees(target: number): Behaviours {
  return [returnsVoid(ALWAYS, { op: 'free', target })];
}

/** The old block is gone when the call succeeds, and untouched when it fails. */
export function reallocates(target: number): Behaviours {
  return [returnsPointer(ALWAYS, { op: 'free', target }, { op: 'allocate', target: 'return' })];
}

export const REALLOCATES_MANAGED: Behaviours = [
  returnsPointer(
    ALWAYS,
    { op: 'free', target: 1 },
    { op: 'allocate', target: 'return', managed: true },
  ),
];

/**
 * What is returned is described by a struct page, or belongs to the DMA layer: no container lives
 * there.
 */
export const GIVES_POINTER: Behaviours = [returnsPointer(ALWAYS)];

export const GIVES_POINTER_OR_ERR: Behaviours = [returnsErrPtr(ALWAYS)];

export const GIVES_VALUE: Behaviours = [returnsValue(ALWAYS)];

export const SETS_DRVDATA: Behaviours = [
  returnsVoid(ALWAYS, { op: 'set-drvdata', target: 0, value: 1 }),
];

export const GETS_DRVDATA: Behaviours = [
  returnsValue(ALWAYS, { op: 'get-drvdata', target: 0, result: 'return' }),
];

/** Runs a function of the driver when its device is unbound, in reverse order. */
export const DEFERS: Behaviours = [returnsErrno(ALWAYS, [{ op: 'defer', callback: 1, data: 2 }])];

/** On failure the action has run before the call returns. */
export const DEFERS_OR_RUNS: Behaviours = [
  returnsErrno(ALWAYS, [{ op: 'defer', callback: 1, data: 2, orRun: true }]),
];

/**
 * The reference count behind vfio_put_device(): only `&vdev->device` is the vfio_device's own, any
 * other device is another object.
 */
export const GETS_REFERENCE: Behaviours = [returnsValue(ALWAYS, { op: 'get', target: 0 })];

export const PUTS_REFERENCE: Behaviours = [returnsVoid(ALWAYS, { op: 'put', target: 0 })];
