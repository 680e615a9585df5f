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
import type { ForkMap } from './fork-map.ts';
import type { AbstractObject, Interner, Place } from './objects.ts';
import {
  deviceKey,
  flagsKey,
  isConstant,
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
  add(FLAGS, 0, nameOf(flagsKey(state)));
  state.log.forEach(addOperation);
  for (const [i, { callback, data }] of state.deferred.entries())
    addValue(DEFERRED, mix(SEED, 0, i, nameOf(callback)), data);
  return sum();
}

/** Adds the entries of a map: those that no path has changed since were summed before. */
function addEntries<K, V>(map: ForkMap<K, V>, addEntry: (value: V, key: K) => void): void {
  if (map.sum === null) {
    const lowBefore = low,
      highBefore = high;
    low = 0;
    high = 0;
    map.forEach(addEntry);
    map.sum = { low, high };
    low = lowBefore;
    high = highBefore;
  }
  low = (low + map.sum.low) | 0;
  high = (high + map.sum.high) | 0;
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

function addOperation({ op, ok, place, site }: LoggedOp, position: number): void {
  const what = mix(SEED, ok ? 1 : 0, nameOf(op), place.serial);
  add(LOG, position, mix(SEED, what, nameOf(site.path), site.start));
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
    case 'int':
      double[0] = value.value;
      return add(section + 16, mix(SEED, 0, key, words[0]!), words[1]!);
    case 'function':
      return add(section + 32, key, nameOf(value.name));
  }
}

const double = new Float64Array(1);
const words = new Int32Array(double.buffer);

/** A number of its own for each name of an exploration. */
function nameOf(name: string): number {
  const { names } = own;
  let number = names.get(name);
  if (number === undefined) names.set(name, (number = names.size + 1));
  return number;
}

const SEED = 0x2545f491;

function add(section: number, key: number, value: number): void {
  low = (low + mix(SEED, section, key, value)) | 0;
  high = (high + mix(~SEED, section, key, value)) | 0;
}

/** A number of 32 bits from four, by the steps of MurmurHash3 (Appleby, public domain). */
function mix(seed: number, first: number, second: number, third: number): number {
  let hash = seed;
  hash = round(hash, first);
  hash = round(hash, second);
  hash = round(hash, third);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function round(hash: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e2d51);
  mixed = (mixed << 15) | (mixed >>> 17);
  mixed = hash ^ Math.imul(mixed, 0x1b873593);
  mixed = (mixed << 13) | (mixed >>> 19);
  return (Math.imul(mixed, 5) + 0xe6546b64) | 0;
}
