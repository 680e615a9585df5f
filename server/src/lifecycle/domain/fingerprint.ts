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
import type { Interner } from './objects.ts';
import {
  deviceKey,
  flagsKey,
  isConstant,
  sizeOf,
  type LoggedOp,
  type PathState,
} from './path-state.ts';
import { ANY, type Value } from './values.ts';

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

/**
 * The fingerprint of a state but for what it holds. To be compared after prune(), which takes out
 * what no longer matters, and within one exploration.
 */
export function fingerprint(state: PathState): number {
  spend(sizeOf(state));
  const own = state.interner;
  low = 0;
  high = 0;
  for (const [name, value] of state.env) addValue(own, ENVIRONMENT, nameOf(own, name), value);
  if (state.result) addValue(own, RESULT, 0, state.result);
  for (const [at, value] of state.heap) addValue(own, HEAP, at.serial, value);
  for (const [object, tracked] of state.devices)
    add(DEVICES, object.serial, nameOf(own, deviceKey(tracked)));
  for (const [object, mask] of state.masks)
    if (mask !== ANY && !isConstant(object)) add(MASKS, object.serial, mask);
  for (const [test, holds] of state.config) add(CONFIGURATION, nameOf(own, test), holds ? 1 : 0);
  add(FLAGS, 0, nameOf(own, flagsKey(state)));
  for (const [i, logged] of state.log.entries()) add(LOG, i, operationNumber(own, logged));
  for (const [i, { callback, data }] of state.deferred.entries())
    addValue(own, DEFERRED, mix(SEED, 0, i, nameOf(own, callback)), data);
  return sum();
}

/** The fingerprint of a state, and that of the state with what it holds. */
export function fingerprints(state: PathState): readonly [apart: number, whole: number] {
  const apart = fingerprint(state);
  const { interner: own, held } = state;
  if (held === null) add(HELD, -1, 0);
  for (const { id, when, shared, kept } of held?.values() ?? [])
    add(HELD, nameOf(own, id), (when ? 4 : 0) + (shared ? 2 : 0) + (kept ? 1 : 0));
  return [apart, sum()];
}

/** 53 bits of the two sums: more is no integer of a double. */
function sum(): number {
  return (high >>> 0) * 2 ** 21 + (low >>> 11);
}

function addValue(own: Interner, section: number, key: number, value: Value): void {
  switch (value.kind) {
    case 'pointer':
      return add(section, key, value.serial);
    case 'int':
      double[0] = value.value;
      return add(section + 16, mix(SEED, 0, key, words[0]!), words[1]!);
    case 'function':
      return add(section + 32, key, nameOf(own, value.name));
  }
}

const double = new Float64Array(1);
const words = new Int32Array(double.buffer);

function operationNumber(own: Interner, { op, ok, place, site }: LoggedOp): number {
  const what = mix(SEED, ok ? 1 : 0, nameOf(own, op), place.serial);
  return mix(SEED, what, nameOf(own, site.path), site.start);
}

/** A number of its own for each name of an exploration. */
function nameOf({ names }: Interner, name: string): number {
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
