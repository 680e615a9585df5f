import { mayEndContainer } from '../kernel/containers.ts';
import { inRange } from '../kernel/version.ts';
import type { EffectOp } from '../kernel/types.ts';
import type { CodeNode } from '../ir/types.ts';
import type { Span } from '../text/span.ts';
import { UNKNOWN_DEVICE, transition } from './device.ts';
import { conditionsOf, deviceRef, observe, site, sourceText, type Run } from './run.ts';
import { fieldOf, overlap } from './domain/access-path.ts';
import { type AbstractObject, type Place } from './domain/objects.ts';
import {
  addStep,
  maskOf,
  opKey,
  stepsOf,
  type LoggedOp,
  type PathState,
  type Tracked,
} from './domain/path-state.ts';
import type { DeviceState, Site, Step } from './types.ts';
import { spend } from '../budget/work.ts';
import { POSITIVE } from './domain/values.ts';

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

/** Operations that follow the pointer they are given. */
const DEREFERENCING: ReadonlySet<string> = new Set(['init', 'register']);

/** Applies an operation to the device at a place: observation, new state, trace and log. */
export function operate(run: Run, s: PathState, o: Operation): void {
  const known = s.devices.get(o.place.object);
  const before = known ?? { state: UNKNOWN_DEVICE, member: null };
  const conflict = known !== undefined && !sameDevice(known.member, o.place);
  const memberPath = before.member ?? (isObjectOp(o.op) ? null : devicePlace(o.place));
  let after: DeviceState = transition(before.state, o.op, {
    api: o.api,
    ok: o.ok,
    viaCore: o.api.startsWith('vfio_pci_core_'),
    frees: inRange(run.kernel, CORE_FREES),
  });
  // Two devices in one object, or one of many: what is known of the one is not known of the other.
  if (conflict || o.place.object.isWeak) after = { ...UNKNOWN_DEVICE, escaped: true };
  const step: Step = {
    site: o.inner ?? site(run, o.at),
    kind: 'operation',
    op: o.op,
    text: clause(o),
  };
  if (!o.settled) {
    const t: Tracked = before;
    observe(
      run,
      `${o.op}${o.ok};${o.inner?.start ?? ''}`,
      {
        kind: 'operation',
        function: run.fn,
        role: run.role,
        site: site(run, o.at),
        device: deviceRef(run, o.place.object, { ...before, member: memberPath }),
        before: before.state,
        after,
        text: o.text,
        op: o.op,
        api: o.api,
        argument: o.argument,
        inner: o.inner ?? definedAt(o.at),
        certain: isCertain(run, s, before.state) && !conflict,
        trace: stepsOf(s.trace),
        conditions: conditionsOf(s),
      },
      t,
      s.followsOwnState,
    );
  }
  s.devices.set(o.place.object, { state: after, member: memberPath });
  // What the core was given and worked on is there: no later test finds NULL.
  if (o.ok && DEREFERENCING.has(o.op) && (maskOf(s, o.place.object.start) & POSITIVE) !== 0)
    s.masks.set(o.place.object, POSITIVE);
  if (before.state.memory === 'error-pointer' && !HARMLESS_TO_ERROR.has(o.op)) s.hasEnded = true;
  if (o.op !== 'set-drvdata') addStep(s, step); // it changes nothing about the device
  record(s, logged(run, o, before.state));
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
export function operateIfVfio(run: Run, s: PathState, o: Operation): void {
  if (!GENERIC_REFERENCE.has(o.api)) {
    operate(run, s, o);
    return;
  }
  const t = s.devices.get(o.place.object);
  if (t === undefined) {
    if (o.place.step?.kind === 'field' && o.place.step.name === 'device')
      record(s, {
        op: o.op,
        ok: o.ok,
        place: o.place,
        api: o.api,
        argument: o.argument,
        site: o.inner ?? site(run, o.at),
        settled: false,
      });
    return;
  }
  const isVfio =
    (t.state.model === 'new' || t.state.model === 'unknown') &&
    o.place === fieldOf(t.member ?? o.place.object.start, 'device');
  if (isVfio && (t.state.model === 'new' || t.member !== null)) operate(run, s, o);
  else if (mayEndContainer(o.api)) escape(run, s, o.place, o.at, o.api);
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
export function isCertain(run: Run, s: PathState, d: DeviceState): boolean {
  return !d.escaped && !run.fn.opaque && !s.isUncertain;
}

/** From here on the path is not understood (an ERROR node, inline assembly with labels). */
export function loseCertainty(s: PathState): void {
  s.isUncertain = true;
}

/** Objects that may be a device that somebody else made. */
const REACHED: ReadonlySet<AbstractObject['kind']> = new Set<AbstractObject['kind']>([
  'parameter',
  'load',
  'global',
  'kept',
]);

/** Unseen code gets hold of the device. */
export function escape(run: Run, s: PathState, place: Place, at: Span, api: string): void {
  const t = s.devices.get(place.object);
  if (t) s.devices.set(place.object, { ...t, state: { ...t.state, escaped: true } });
  else if (REACHED.has(place.object.kind))
    s.devices.set(place.object, { state: { ...UNKNOWN_DEVICE, escaped: true }, member: null });
  else return;
  record(s, {
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
function record(s: PathState, l: LoggedOp): void {
  spend(s.log.length);
  const key = opKey(l);
  const isKnown = (x: LoggedOp) =>
    opKey(x) === key || (l.op === 'escape' && x.op === 'escape' && x.place === l.place);
  if (!s.log.some(isKnown)) s.log = [...s.log, l];
}

/** A read, write or pass of memory in a device that this path knows. */
export function use(
  run: Run,
  s: PathState,
  place: Place,
  at: Span,
  form: 'read' | 'write' | 'pass',
  field: string | null,
  api: string | null = null,
): void {
  const t = s.devices.get(place.object);
  if (!t || t.state.model === 'none' || place.object.isWeak) return;
  const d = t.state;
  observe(
    run,
    `use${form}${field};${at.end}`,
    {
      kind: 'use',
      function: run.fn,
      role: run.role,
      site: site(run, at),
      device: deviceRef(run, place.object, t),
      before: d,
      text: sourceText(run, at),
      form,
      field,
      api,
      certain: isCertain(run, s, d),
      trace: stepsOf(s.trace),
      conditions: conditionsOf(s),
    },
    t,
  );
  if (d.memory === 'error-pointer' && form !== 'pass') s.hasEnded = true;
}

/** The allocation's result is tested. */
export function test(
  run: Run,
  s: PathState,
  object: AbstractObject,
  at: Span,
  condition: Span,
  form: 'null' | 'is-err' | 'is-err-or-null',
): void {
  const t = s.devices.get(object);
  if (!t || t.state.model !== 'new' || t.state.allocator === null) return;
  observe(
    run,
    `test${form}`,
    {
      kind: 'test',
      function: run.fn,
      role: run.role,
      site: site(run, at),
      device: deviceRef(run, object, t),
      before: t.state,
      text: sourceText(run, at),
      form,
      condition: site(run, condition),
      certain: isCertain(run, s, t.state),
      trace: stepsOf(s.trace),
      conditions: conditionsOf(s),
    },
    t,
  );
  if (form === 'null') {
    s.devices.set(object, { ...t, state: { ...t.state, nullTested: true } });
    return;
  }
  markChecked(s, object);
  record(s, {
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
  s: PathState,
  at: Span,
  condition: Span,
  form: 'null' | 'is-err-or-null',
): void {
  const state: DeviceState = { ...UNKNOWN_DEVICE, memory: 'null' };
  const place = site(run, at);
  observe(
    run,
    `null${form}`,
    {
      kind: 'test',
      function: run.fn,
      role: run.role,
      site: place,
      device: { id: 'null', origin: place, originKind: 'load', container: null, member: null },
      before: state,
      text: sourceText(run, at),
      form,
      condition: site(run, condition),
      certain: isCertain(run, s, state),
      trace: stepsOf(s.trace),
      conditions: conditionsOf(s),
    },
    { state, member: null },
  );
}

/** The result of the allocation was tested for an error, here or in a helper. */
export function markChecked(s: PathState, object: AbstractObject): void {
  const t = s.devices.get(object);
  if (t && !t.state.checked) s.devices.set(object, { ...t, state: { ...t.state, checked: true } });
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

function logged(run: Run, o: Operation, before: DeviceState): LoggedOp {
  // Of a second put only a caller can tell whether there was a second reference.
  const settled =
    o.settled ||
    before.model !== 'unknown' ||
    ((before.reference === 'dropped' || before.memory === 'freed') &&
      !(o.op === 'put' && before.reference === 'dropped')) ||
    (before.registered !== 'unknown' && o.op !== 'put' && o.op !== 'free' && o.op !== 'uninit');
  return {
    op: o.op,
    ok: o.ok,
    place: o.place,
    api: o.api,
    argument: o.argument,
    site: o.inner ?? site(run, o.at),
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
function clause(o: Operation): string {
  const words = CLAUSES[o.op]?.[o.ok ? 0 : 1];
  return words ? `${o.api}() ${words}` : `${o.api}()`;
}
