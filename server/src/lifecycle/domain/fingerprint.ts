/**
 * A number for each state of a path, so that an exploration knows where it has been before.
 *
 * Equal states have equal fingerprints. Two states that differ have the same one with a probability
 * of 2^-53: with the most states that one function may have (MAX_STEPS of explore.ts) that happens
 * once in 10^8 functions, and then one path is not looked at. Model checkers call this hash
 * compaction (Wolper and Leroy, 1993). A text of each state, sorted and compared, took a fifth of
 * the time of an analysis.
 */
import { spend } from '../../budget/work.ts';
import type { Held } from '../interpret/held-resource.ts';
import type { ForkMap, Sum } from './fork-map.ts';
import type { AbstractObject, Interner, Place } from './objects.ts';
import {
  deviceKey,
  flagsOf,
  isConstant,
  opKey,
  sizeOf,
  type LoggedOp,
  type PathState,
  type Tracked,
} from './path-state.ts';
import { ANY, type Mask, type Value } from './values.ts';

/** What an entry is of: entries of different sections never are the same. */
const ENVIRONMENT = 1,
  RESULT = 2,
  HEAP = 3,
  DEVICES = 4,
  MASKS = 5,
  CONFIGURATION = 6,
  FLAGS = 7,
  LOG = 8,
  DEFERRED = 9,
  HELD = 10;

/** The sums of what was added since `begin`, modulo 2^32: they do not depend on the order. */
let low = 0,
  high = 0;
/** Of the state that is looked at. */
let own: Interner;

/**
 * The fingerprint of a state but for what it holds. To be compared after prune(), which takes out
 * what no longer matters, and within one exploration.
 */
export function fingerprint(state: PathState): number {
  spend(sizeOf(state));
  own = state.interner;
  low = 0;
  high = 0;
  addEntries(state.env, addVariable);
  if (state.result) addValue(RESULT, 0, state.result);
  addEntries(state.heap, addMember);
  addEntries(state.devices, addDevice);
  addEntries(state.masks, addMask);
  addEntries(state.config, addTest);
  add(FLAGS, 0, flagsOf(state));
  if (state.log.length > 0) addLog(state.log);
  for (const [i, { callback, data }] of state.deferred.entries())
    addValue(DEFERRED, nameOf(`${i} ${callback}`), data);
  return sum();
}

/** Adds the entries of a map: those that no path has changed since were summed before. */
function addEntries<K, V>(map: ForkMap<K, V>, addEntry: (value: V, key: K) => void): void {
  map.sum ??= sumOf(map, addEntry);
  addSum(map.sum);
}

/** Logs are never changed, and forks share them. */
const logSums = new WeakMap<PathState['log'], Sum>();

function addLog(log: PathState['log']): void {
  let sum = logSums.get(log);
  if (sum === undefined) logSums.set(log, (sum = sumOf(log, addOperation)));
  addSum(sum);
}

/** What entries alone come to. */
function sumOf<K, V>(
  entries: { forEach(visit: (value: V, key: K) => void): void },
  addEntry: (value: V, key: K) => void,
): Sum {
  const lowBefore = low,
    highBefore = high;
  low = 0;
  high = 0;
  entries.forEach(addEntry);
  const sum = { low, high };
  low = lowBefore;
  high = highBefore;
  return sum;
}

function addSum(sum: Sum): void {
  low = (low + sum.low) | 0;
  high = (high + sum.high) | 0;
}

function addVariable(value: Value, name: string): void {
  addValue(ENVIRONMENT, nameOf(name), value);
}

function addMember(value: Value, at: Place): void {
  addValue(HEAP, at.serial, value);
}

function addDevice(tracked: Tracked, object: AbstractObject): void {
  add(DEVICES, object.serial, nameOf(deviceKey(tracked)));
}

function addMask(mask: Mask, object: AbstractObject): void {
  if (mask !== ANY && !isConstant(object)) add(MASKS, object.serial, mask);
}

function addTest(holds: boolean, test: string): void {
  add(CONFIGURATION, nameOf(test), holds ? 1 : 0);
}

function addOperation(logged: LoggedOp, position: number): void {
  add(LOG, position, nameOf(opKey(logged)));
}

/** The fingerprint of a state, and that of the state with what it holds. */
export function fingerprints(state: PathState): readonly [apart: number, whole: number] {
  const apart = fingerprint(state);
  if (state.held === null) add(HELD, -1, 0);
  state.held?.forEach(addHeld);
  return [apart, sum()];
}

function addHeld({ id, when, shared, kept }: Held): void {
  add(HELD, nameOf(id), (when ? 4 : 0) + (shared ? 2 : 0) + (kept ? 1 : 0));
}

/** 53 bits of the two sums: more is no integer of a double. */
function sum(): number {
  return (high >>> 0) * 2 ** 21 + (low >>> 11);
}

function addValue(section: number, key: number, value: Value): void {
  switch (value.kind) {
    case 'pointer':
      return add(section, key, value.serial);
    case 'int': {
      const number = value.value;
      return (number | 0) === number
        ? add(section + 16, key, number)
        : add(section + 32, key, nameOf(String(number)));
    }
    case 'function':
      return add(section + 48, key, nameOf(value.name));
  }
}

/** A number of its own for each name of an exploration. */
function nameOf(name: string): number {
  const { names } = own;
  let number = names.get(name);
  if (number === undefined) names.set(name, (number = names.size + 1));
  return number;
}

/**
 * Adds an entry to both sums. Each has its own hash of the three numbers: one begins with the key
 * and one with the value, and both end as MurmurHash3 does (Appleby, public domain), each with
 * factors of its own.
 */
function add(section: number, key: number, value: number): void {
  let hash = Math.imul(key ^ Math.imul(section, 0x9e3779b1), 0x85ebca6b);
  hash ^= (hash >>> 15) ^ Math.imul(value, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  low = (low + (hash ^ (hash >>> 16))) | 0;
  hash = Math.imul(value ^ Math.imul(section, 0x85ebca77), 0x7feb352d);
  hash ^= (hash >>> 15) ^ Math.imul(key, 0x846ca68b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  high = (high + (hash ^ (hash >>> 16))) | 0;
}
