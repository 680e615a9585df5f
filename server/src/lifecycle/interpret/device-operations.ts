/** What is done to a device and what is looked at in it, with the observation that says so. */
import { mayEndContainer } from '../../kernel/containers.ts';
import { namesAnUndo } from '../../kernel/heuristics.ts';
import { inRange } from '../../kernel/version.ts';
import type { EffectOp } from '../../kernel/types.ts';
import type { CodeNode } from '../../ir/types.ts';
import type { Span } from '../../text/span.ts';
import { UNKNOWN_DEVICE, transition } from './device.ts';
import { elementBefore, isOfThisTurn } from './elements.ts';
import { conditionsOf, deviceRef, observe, site, sourceText, type Run } from './run.ts';
import { fieldOf, overlap } from '../domain/access-path.ts';
import { type AbstractObject, type Place } from '../domain/objects.ts';
import {
  addStep,
  maskOf,
  stepsOf,
  type LoggedOp,
  type PathState,
  type Tracked,
} from '../domain/path-state.ts';
import type { DeviceState, OperationObservation, Site, Step } from '../types.ts';
import { spend } from '../../budget/work.ts';
import { POSITIVE } from '../domain/values.ts';

/** One operation at one place of the source, its outcome decided. */
export interface Operation {
  readonly op: EffectOp;
  readonly ok: boolean;
  readonly place: Place;
  readonly api: string;
  readonly argument: number | null;
  /** Where it is observed: the call in the function under analysis. */
  readonly at: CodeNode;
  /** The device as the user wrote it. */
  readonly text: string;
  /**
   * Where the operation stands when a helper does it, and whether the helper could judge it
   * already.
   */
  readonly inner: Site | null;
  readonly settled: boolean;
}

const UNTRACKED: Tracked = { state: UNKNOWN_DEVICE, member: null };

/** What a pointer that is NULL points to. */
const NULL_DEVICE: Tracked = { state: { ...UNKNOWN_DEVICE, memory: 'null' }, member: null };

/** One of many, that others have in their hands. */
const SHARED_DEVICE: DeviceState = { ...UNKNOWN_DEVICE, escaped: true };

const CORE_FREES = { since: [6, 1], until: [6, 2] } as const;

/**
 * What an error pointer survives: kfree() of one is a defect of its own, and storing one is none.
 */
const HARMLESS_TO_ERROR: ReadonlySet<string> = new Set([
  'alloc',
  'free',
  'set-drvdata',
  'escape',
  'checked',
]);

const ENDING_MEMORY: ReadonlySet<EffectOp> = new Set<EffectOp>(['put', 'free', 'free-device']);

/** Operations that follow the pointer they are given. */
const DEREFERENCING: ReadonlySet<string> = new Set(['init', 'register']);

/** Applies an operation to the device at a place: observation, new state, trace and log. */
export function operate(run: Run, state: PathState, operation: Operation): void {
  const known = state.devices.get(operation.place.object);
  const element = elementBefore(run, state, operation.place.object, operation.op, operation.at);
  const before: Tracked = element
    ? { ...element, member: known?.member ?? null }
    : stateOf(known, operation.place.object);
  const conflict = known !== undefined && !sameDevice(known.member, operation.place);
  const memberPath =
    before.member ?? (isObjectOp(operation.op) ? null : devicePlace(operation.place));
  let after: DeviceState = transition(before.state, operation.op, {
    api: operation.api,
    ok: operation.ok,
    viaCore: operation.api.startsWith('vfio_pci_core_'),
    frees: inRange(run.kernel, CORE_FREES),
  });
  // Two devices in one object, or one of many: what is known of the one is not known of the other.
  if (conflict || (operation.place.object.isWeak && element === null))
    after = { ...UNKNOWN_DEVICE, escaped: true };
  if (operation.place.object.isWeak && ENDING_MEMORY.has(operation.op)) state.endsElements = true;
  const step: Step = {
    site: operation.inner ?? site(run, operation.at),
    kind: 'operation',
    op: operation.op,
    text: clause(operation),
  };
  if (!operation.settled) {
    const certain = isCertain(run, state, before.state) && !conflict;
    observe(
      run,
      `${operation.op}${operation.ok};${operation.inner?.start ?? ''}`,
      {
        at: operation.at.start,
        object: operation.place.object.id,
        tracked: before,
        certain,
        ownState: state.followsOwnState,
      },
      () => ({
        kind: 'operation',
        function: run.fn,
        role: run.role,
        site: site(run, operation.at),
        device: deviceRef(run, operation.place.object, { ...before, member: memberPath }),
        before: before.state,
        after,
        text: operation.text,
        op: operation.op,
        api: operation.api,
        argument: operation.argument,
        inner: operation.inner ?? definedAt(operation.at),
        certain,
        doubt: conflict ? 'suggested' : doubtOf(run, state, operation.place.object, before.state),
        trace: stepsOf(state.trace),
        conditions: conditionsOf(state),
      }),
    );
  }
  state.devices.set(operation.place.object, {
    state: after,
    member: memberPath,
    ...(element && !after.escaped && { turn: element.turn }),
  });
  // What the core was given and worked on is there: no later test finds NULL.
  if (
    operation.ok &&
    DEREFERENCING.has(operation.op) &&
    (maskOf(state, operation.place.object.start) & POSITIVE) !== 0
  )
    state.masks.set(operation.place.object, POSITIVE);
  if (before.state.memory === 'error-pointer' && !HARMLESS_TO_ERROR.has(operation.op))
    state.hasEnded = true;
  if (operation.op !== 'set-drvdata') addStep(state, step); // it changes nothing about the device
  record(state, logged(run, operation, before.state));
}

/** What is known of an object that is no element of this turn of a loop. */
function stateOf(known: Tracked | undefined, object: AbstractObject): Tracked {
  if (!known) return UNTRACKED;
  if (!object.isWeak && !known.turn) return known;
  return { state: object.isWeak ? SHARED_DEVICE : known.state, member: known.member };
}

/** Where a macro has what stands at the place of its use. */
function definedAt({ expansion }: CodeNode): Site | null {
  return expansion ? { path: expansion.path, start: expansion.start, end: expansion.end } : null;
}

/** These serve every struct device: only the one inside a vfio_device counts. */
const GENERIC_REFERENCE: ReadonlySet<string> = new Set(['get_device', 'put_device']);

/**
 * As operate(), but a reference of a struct device that is no vfio_device's is left alone; where
 * only a caller can know, it is left to the caller.
 */
export function operateIfVfio(run: Run, state: PathState, operation: Operation): void {
  if (!GENERIC_REFERENCE.has(operation.api)) {
    operate(run, state, operation);
    return;
  }
  const tracked = state.devices.get(operation.place.object);
  if (tracked === undefined) {
    if (operation.place.step?.kind === 'field' && operation.place.step.name === 'device')
      record(state, {
        op: operation.op,
        ok: operation.ok,
        place: operation.place,
        api: operation.api,
        argument: operation.argument,
        site: operation.inner ?? site(run, operation.at),
        settled: false,
      });
    return;
  }
  const isVfio =
    (tracked.state.model === 'new' || tracked.state.model === 'unknown') &&
    operation.place === fieldOf(tracked.member ?? operation.place.object.start, 'device');
  if (isVfio && (tracked.state.model === 'new' || tracked.member !== null))
    operate(run, state, operation);
  else if (mayEndContainer(operation.api))
    escape(run, state, operation.place, operation.at, operation.api);
}

/** Operations that end a device's life or a part of it. */
export const ENDS: ReadonlySet<string> = new Set([
  'unregister',
  'put',
  'uninit',
  'free',
  'free-device',
]);

/** Whether facts about this device on this path may be reported as certain. */
export function isCertain(run: Run, state: PathState, device: DeviceState): boolean {
  return !device.escaped && !run.fn.opaque && !state.isUncertain;
}

/**
 * What could excuse a finding about a device on this path: nothing; an unseen function that was
 * given it, although its name speaks of nothing that it would undo; or code that may well have done
 * it, or was not understood.
 */
function doubtOf(
  run: Run,
  state: PathState,
  object: AbstractObject,
  device: DeviceState,
): OperationObservation['doubt'] {
  if (run.fn.opaque || state.isUncertain) return 'suggested';
  if (!device.escaped) return 'none';
  const givenTo = state.log.flatMap((logged) =>
    logged.op === 'escape' && logged.place.object === object ? [logged.api] : [],
  );
  const isUnlikely = givenTo.length > 0 && givenTo.every((api) => api !== '' && !namesAnUndo(api));
  return isUnlikely ? 'possible' : 'suggested';
}

/** From here on the path is not understood (an ERROR node, inline assembly with labels). */
export function loseCertainty(state: PathState): void {
  state.isUncertain = true;
}

/** Objects that may be a device that somebody else made. */
const REACHED: ReadonlySet<AbstractObject['kind']> = new Set<AbstractObject['kind']>([
  'parameter',
  'load',
  'global',
  'kept',
]);

/** What unseen code has got hold of, where nothing else is known of it. */
const ESCAPED_DEVICE: Tracked = { state: SHARED_DEVICE, member: null };

/** Unseen code gets hold of the device. */
export function escape(run: Run, state: PathState, place: Place, at: Span, api: string): void {
  const tracked = state.devices.get(place.object);
  if (tracked?.state.escaped === false)
    state.devices.set(place.object, { ...tracked, state: { ...tracked.state, escaped: true } });
  else if (!tracked && REACHED.has(place.object.kind))
    state.devices.set(place.object, ESCAPED_DEVICE);
  else if (!tracked) return;
  record(state, {
    op: 'escape',
    ok: true,
    place,
    api,
    argument: null,
    site: site(run, at),
    settled: true,
  });
}

/**
 * Adds to the path's log. What a loop does again is there already: else no loop would come to a
 * fixed point.
 */
function record(state: PathState, logged: LoggedOp): void {
  spend(state.log.length);
  const isKnown = (other: LoggedOp) =>
    (other.place === logged.place &&
      other.op === logged.op &&
      other.ok === logged.ok &&
      other.site.start === logged.site.start &&
      other.site.path === logged.site.path) ||
    (logged.op === 'escape' && other.op === 'escape' && other.place === logged.place);
  if (!state.log.some(isKnown)) state.log = [...state.log, logged];
}

/** A read, write or pass of memory in a device that this path knows. */
export function use(
  run: Run,
  state: PathState,
  place: Place,
  at: Span,
  form: 'read' | 'write' | 'pass',
  field: string | null,
  api: string | null = null,
): void {
  const tracked = state.devices.get(place.object);
  if (!tracked || tracked.state.model === 'none') return;
  // Of an element only what is used after its end is worth a word.
  if (place.object.isWeak && !(isOfThisTurn(tracked) && tracked.state.memory === 'freed')) return;
  const device = tracked.state;
  const certain =
    isCertain(run, state, device) && !(device.memory === 'error-pointer' && state.hidden !== 0);
  observe(
    run,
    `use${form}${field};${at.end}`,
    { at: at.start, object: place.object.id, tracked, certain },
    () => ({
      kind: 'use',
      function: run.fn,
      role: run.role,
      site: site(run, at),
      device: deviceRef(run, place.object, tracked),
      before: device,
      text: sourceText(run, at),
      form,
      field,
      api,
      certain,
      trace: stepsOf(state.trace),
      conditions: conditionsOf(state),
    }),
  );
  if (device.memory === 'error-pointer' && form !== 'pass') state.hasEnded = true;
}

/** The allocation's result is tested. */
export function test(
  run: Run,
  state: PathState,
  object: AbstractObject,
  at: Span,
  condition: Span,
  form: 'null' | 'is-err' | 'is-err-or-null',
): void {
  const tracked = state.devices.get(object);
  if (!tracked || tracked.state.model !== 'new' || tracked.state.allocator === null) return;
  const certain = isCertain(run, state, tracked.state);
  observe(run, `test${form}`, { at: at.start, object: object.id, tracked, certain }, () => ({
    kind: 'test',
    function: run.fn,
    role: run.role,
    site: site(run, at),
    device: deviceRef(run, object, tracked),
    before: tracked.state,
    text: sourceText(run, at),
    form,
    condition: site(run, condition),
    certain,
    trace: stepsOf(state.trace),
    conditions: conditionsOf(state),
  }));
  if (form === 'null') {
    state.devices.set(object, { ...tracked, state: { ...tracked.state, nullTested: true } });
    return;
  }
  markChecked(state, object);
  record(state, {
    op: 'checked',
    ok: true,
    place: object.start,
    api: form,
    argument: null,
    site: site(run, at),
    settled: true,
  });
}

/**
 * A pointer that the driver itself set to NULL on this path meets a test: the test is needed,
 * whatever other paths bring to it.
 */
export function testNull(
  run: Run,
  next: PathState,
  at: Span,
  condition: Span,
  form: 'null' | 'is-err' | 'is-err-or-null',
): void {
  const { state } = NULL_DEVICE;
  const certain = isCertain(run, next, state);
  observe(
    run,
    `null${form}`,
    { at: at.start, object: 'null', tracked: NULL_DEVICE, certain },
    () => {
      const place = site(run, at);
      return {
        kind: 'test',
        function: run.fn,
        role: run.role,
        site: place,
        device: { id: 'null', origin: place, originKind: 'load', container: null, member: null },
        before: state,
        text: sourceText(run, at),
        form,
        condition: site(run, condition),
        certain,
        trace: stepsOf(next.trace),
        conditions: conditionsOf(next),
      };
    },
  );
}

/** The result of the allocation was tested for an error, here or in a helper. */
export function markChecked(state: PathState, object: AbstractObject): void {
  const tracked = state.devices.get(object);
  if (tracked && !tracked.state.checked)
    state.devices.set(object, { ...tracked, state: { ...tracked.state, checked: true } });
}

/** `alloc`, `allocate` and `free` name the whole object; the others name the vfio_device in it. */
function isObjectOp(op: EffectOp): boolean {
  return op === 'allocate' || op === 'free' || op === 'free-device';
}

function devicePlace(place: Place): Place | null {
  return place.parent === null || place.isOutward ? null : place;
}

/** The place of a device and that of an operation name one device when one is in the other. */
function sameDevice(member: Place | null, place: Place): boolean {
  return member === null || devicePlace(place) === null || overlap(member, place);
}

function logged(run: Run, operation: Operation, before: DeviceState): LoggedOp {
  // Of a second put only a caller can tell whether there was a second reference.
  const settled =
    operation.settled ||
    before.model !== 'unknown' ||
    ((before.reference === 'dropped' || before.memory === 'freed') &&
      !(operation.op === 'put' && before.reference === 'dropped')) ||
    (before.registered !== 'unknown' &&
      operation.op !== 'put' &&
      operation.op !== 'free' &&
      operation.op !== 'uninit');
  return {
    op: operation.op,
    ok: operation.ok,
    place: operation.place,
    api: operation.api,
    argument: operation.argument,
    site: operation.inner ?? site(run, operation.at),
    settled,
  };
}

const CLAUSES: Partial<Record<EffectOp, readonly [ok: string, failed: string]>> = {
  alloc: ['takes the reference', 'fails and returns an error pointer'],
  allocate: ['allocates the object', 'returns NULL'],
  init: ['initialises the device', ''],
  uninit: ['undoes the initialisation', ''],
  'init-device': ['initialises the device', 'fails'],
  'core-init': ['initialises the PCI device', 'fails'],
  'core-release': ['releases the PCI device', ''],
  register: ['registers the device', 'fails: the device is not registered'],
  unregister: ['unregisters the device', ''],
  get: ['takes another reference', ''],
  put: ['drops the reference', ''],
  free: ['frees the memory', ''],
  'free-device': ['frees the memory', ''],
};

/** The step's text in a trace: the call and what it did. */
function clause(operation: Operation): string {
  const words = CLAUSES[operation.op]?.[operation.ok ? 0 : 1];
  return words ? `${operation.api}() ${words}` : `${operation.api}()`;
}
