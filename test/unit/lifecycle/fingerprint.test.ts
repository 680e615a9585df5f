/** Which states of a path are one. */
import { expect, test } from 'vitest';
import { fieldOf } from '../../../server/src/lifecycle/domain/access-path.ts';
import { fingerprint } from '../../../server/src/lifecycle/domain/fingerprint.ts';
import { createInterner, parameter } from '../../../server/src/lifecycle/domain/objects.ts';
import {
  emptyState,
  fork,
  type LoggedOp,
  type PathState,
} from '../../../server/src/lifecycle/domain/path-state.ts';
import { int, NEGATIVE, POSITIVE } from '../../../server/src/lifecycle/domain/values.ts';
import { UNKNOWN_DEVICE } from '../../../server/src/lifecycle/interpret/device.ts';

const own = createInterner();
const first = parameter(own, 0),
  second = parameter(own, 1);

function logged(op: LoggedOp['op'], start: number, ok = true): LoggedOp {
  const site = { path: 'a.c', start, end: start + 1 };
  return { op, ok, place: first.start, api: 'foo', argument: 0, site, settled: false };
}

const CHANGES: Readonly<Record<string, (state: PathState) => void>> = {
  'a variable': (state) => state.env.set('ret', first.start),
  'another variable': (state) => state.env.set('rc', first.start),
  'another value of it': (state) => state.env.set('ret', second.start),
  'a number': (state) => state.env.set('ret', int(first.start.serial)),
  'a negative number': (state) => state.env.set('ret', int(-22)),
  'a large number': (state) => state.env.set('ret', int(2 ** 40)),
  'a larger number': (state) => state.env.set('ret', int(2 ** 40 + 2 ** 32)),
  'a fraction': (state) => state.env.set('ret', int(0.5)),
  'a function': (state) => state.env.set('ret', { kind: 'function', name: 'ret' }),
  'a member': (state) => state.heap.set(fieldOf(first.start, 'ret'), first.start),
  'a member of another': (state) => state.heap.set(fieldOf(second.start, 'ret'), first.start),
  'a result': (state) => (state.result = first.start),
  'a mask': (state) => state.masks.set(first, POSITIVE),
  'another mask': (state) => state.masks.set(first, NEGATIVE),
  'a device': (state) => state.devices.set(first, { state: UNKNOWN_DEVICE, member: null }),
  'another device': (state) => state.devices.set(second, { state: UNKNOWN_DEVICE, member: null }),
  'a device that escaped': (state) =>
    state.devices.set(first, { state: { ...UNKNOWN_DEVICE, escaped: true }, member: null }),
  'a test': (state) => state.config.set('CONFIG_A', true),
  'a test that fails': (state) => state.config.set('CONFIG_A', false),
  'no certainty': (state) => (state.isUncertain = true),
  'a state of its own': (state) => (state.followsOwnState = true),
  'the end of an element': (state) => (state.endsElements = true),
  'a hidden test': (state) => (state.hidden = 1),
  'a hidden call': (state) => (state.hidden = 2),
  'an operation': (state) => (state.log = [...state.log, logged('put', 4)]),
  'another operation': (state) => (state.log = [...state.log, logged('get', 4)]),
  'one that failed': (state) => (state.log = [...state.log, logged('put', 4, false)]),
  'one elsewhere': (state) => (state.log = [...state.log, logged('put', 8)]),
  'two of them': (state) => (state.log = [...state.log, logged('put', 4), logged('get', 4)]),
  'two in another order': (state) =>
    (state.log = [...state.log, logged('get', 4), logged('put', 4)]),
  'an action': (state) => (state.deferred = [{ callback: 'foo', data: first.start }]),
  'another action': (state) => (state.deferred = [{ callback: 'bar', data: first.start }]),
};

test('states are told apart by all that a path knows', () => {
  const prints = [undefined, ...Object.values(CHANGES)].map((change) => {
    const state = emptyState(own);
    change?.(state);
    return fingerprint(state);
  });
  expect(new Set(prints).size).toBe(prints.length);
});

test.each(Object.entries(CHANGES))(
  'what changes a fork is no part of its origin: %s',
  (_, change) => {
    const state = emptyState(own);
    state.env.set('dev', second.start);
    state.log = [logged('alloc', 2)];
    const before = fingerprint(state),
      other = fork(state);
    expect(fingerprint(other)).toBe(before);
    change(other);
    const changed = fingerprint(other);
    expect(changed).not.toBe(before);
    expect(fingerprint(state)).toBe(before);
    const again = fork(state);
    change(again);
    expect(fingerprint(again)).toBe(changed);
  },
);

test('the order in which variables are set makes no difference', () => {
  const [one, other] = [emptyState(own), emptyState(own)];
  one.env.set('a', first.start);
  one.env.set('b', second.start);
  other.env.set('b', second.start);
  other.env.set('a', first.start);
  expect(fingerprint(one)).toBe(fingerprint(other));
  other.env.set('a', second.start);
  other.env.set('b', first.start);
  expect(fingerprint(one)).not.toBe(fingerprint(other));
});
