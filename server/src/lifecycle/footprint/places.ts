/**
 * What code reads and writes, as places that can be told apart by the names of variables and by the
 * structs that memory is laid out as.
 */
import type { Span } from '../../text/span.ts';
import { busView } from '../../kernel/casts.ts';
import { isSmallStruct } from '../../kernel/fixed-members.ts';
import { findStruct, resolveType, type Scope } from '../module/types-of.ts';
import { spend } from '../../budget/work.ts';

/**
 * A member on the way to a place: `p->cfg.size` is `cfg` of `struct foo`, then `size` of `struct
 * foo_cfg`.
 */
export interface Step {
  /** The struct; null when its type is not known. */
  readonly tag: string | null;
  /** The member; empty for those that may share their bytes with others (a union, bit-fields). */
  readonly field: string;
}

/**
 * What a place is filled with: a value that nothing lies in, a struct by its tag, or null for what
 * is not known.
 */
export type Leaf =
  { readonly kind: 'value' } | { readonly kind: 'struct'; readonly tag: string } | null;

/**
 * Memory behind a pointer. Which object it is in is not told apart: two of one struct count as one.
 */
export interface Memory {
  readonly kind: 'memory';
  readonly steps: readonly Step[];
  readonly leaf: Leaf;
  /** The kernel itself does not change it while the driver is bound. */
  readonly fixed?: true;
  /** In a summary: the parameter, by its position, that the way to it begins with. */
  readonly root?: number;
}

/** A variable of the function. */
export interface Local {
  readonly kind: 'local';
  readonly name: string;
  /** The members inside the variable; it is all of it when there are none. */
  readonly path: readonly string[];
  /** Its address is taken somewhere, so that who has it may read and write it: as this memory. */
  readonly exposed: Memory | null;
}

/** A variable of the file, or one of a function that lives as long. */
export interface Global {
  readonly kind: 'global';
  readonly name: string;
  /** The function that it is private to. */
  readonly owner: string | null;
  /** What a pointer to it leads to. */
  readonly exposed: Memory;
}

export type Place =
  | Local
  | Memory
  /** A block of memory that is given back. */
  | { readonly kind: 'freed'; readonly leaf: Leaf }
  /** In a summary: what a parameter points to that is no struct. */
  | { readonly kind: 'argument'; readonly index: number }
  | Global
  /** The pointer that a driver keeps in its parent device. */
  | { readonly kind: 'drvdata' }
  /** What the kernel and the hardware keep. */
  | { readonly kind: 'kernel' }
  /** All that code which is not seen can reach: all but those locals whose address nobody has. */
  | { readonly kind: 'everything' }
  /** Every local, as a macro can use them that is written out where it stands. */
  | { readonly kind: 'locals' };

/** A place, and where in the document it is read or written. */
export interface Access {
  readonly place: Place;
  readonly at: Span;
}

export const VALUE: Leaf = { kind: 'value' };
export const ANY_MEMORY: Memory = { kind: 'memory', steps: [], leaf: null };

/** Whether two places may have a byte in common. */
export function overlap(scope: Scope, one: Place, other: Place): boolean {
  spend(1);
  if (one.kind === 'argument') return overlap(scope, ANY_MEMORY, other);
  if (other.kind === 'argument') return overlap(scope, one, ANY_MEMORY);
  if (one.kind === 'local') return meetsLocal(scope, one, other);
  if (other.kind === 'local') return meetsLocal(scope, other, one);
  if (one.kind === 'locals' || other.kind === 'locals')
    return one.kind === 'everything' || other.kind === 'everything' || one.kind === other.kind;
  if (one.kind === 'everything' || other.kind === 'everything') return true;
  if (one.kind === 'memory') return meetsMemory(scope, one, other);
  if (other.kind === 'memory') return meetsMemory(scope, other, one);
  if (one.kind === 'global' && other.kind === 'global')
    return one.name === other.name && one.owner === other.owner;
  if (one.kind === 'freed' || other.kind === 'freed')
    return one.kind === other.kind || one.kind === 'kernel' || other.kind === 'kernel';
  return one.kind === other.kind;
}

function pathsMeet(one: readonly string[], other: readonly string[]): boolean {
  return one.every((field, i) => i >= other.length || other[i] === field);
}

function meetsLocal(scope: Scope, local: Local, other: Place): boolean {
  if (other.kind === 'local') return local.name === other.name && pathsMeet(local.path, other.path);
  if (other.kind === 'locals') return true;
  if (!local.exposed) return false;
  if (other.kind === 'everything') return true;
  return other.kind === 'memory' && meetsVariable(scope, local.exposed, other);
}

/** A plain variable is no member of a struct, but what a bare pointer leads to. */
function meetsVariable(scope: Scope, variable: Memory, other: Memory): boolean {
  if (variable.steps.length === 0 && variable.leaf?.kind === 'value') return isBare(other);
  return memoriesMeet(scope, variable, other);
}

function meetsMemory(scope: Scope, memory: Memory, other: Exclude<Place, Local>): boolean {
  switch (other.kind) {
    case 'memory':
      return memoriesMeet(scope, memory, other);
    case 'kernel':
      return memory.fixed !== true && isOfKernel(scope, memory);
    case 'freed':
      return !isInContainer(scope, memory);
    case 'drvdata':
      return (
        isBare(memory) ||
        memory.steps.some(
          (step) => step.field === 'driver_data' && (step.tag === 'device' || step.tag === null),
        )
      );
    case 'global':
      return meetsVariable(scope, other.exposed, memory);
    default:
      return true;
  }
}

/**
 * A member of a struct that holds a vfio_device: such an object is never given back by a plain
 * free.
 */
function isInContainer(scope: Scope, memory: Memory): boolean {
  const outer = memory.steps[0]?.tag;
  return (
    outer !== undefined &&
    outer !== null &&
    contains(scope, { kind: 'struct', tag: outer }, 'vfio_device', 0) &&
    isOwn(scope, outer)
  );
}

/** The kernel's own structs are in it, or it is not known what is. */
function isOfKernel(scope: Scope, memory: Memory): boolean {
  if (memory.steps.some((step) => step.tag === null || !isOwn(scope, step.tag))) return true;
  if (memory.leaf === null) return memory.steps.length === 0;
  return (
    (memory.leaf.kind === 'struct' && !isOwn(scope, memory.leaf.tag)) ||
    (memory.steps.length === 0 && memory.leaf.kind === 'value')
  );
}

/** The struct is defined by the driver. */
function isOwn(scope: Scope, tag: string): boolean {
  return findStruct(scope.module, scope.file, tag) !== undefined;
}

function memoriesMeet(scope: Scope, one: Memory, other: Memory): boolean {
  if (isBare(one) || isBare(other)) return true;
  for (const [i, step] of one.steps.entries()) {
    const at = step.tag === null ? -1 : other.steps.findIndex((item) => item.tag === step.tag);
    if (at < 0) continue;
    // From here on both are in a member of one struct.
    return one.steps.slice(i).every((item, index) => {
      const same = other.steps[at + index];
      return (
        same === undefined || item.field === '' || same.field === '' || item.field === same.field
      );
    });
  }
  if ([...one.steps, ...other.steps].some((step) => step.tag === null)) return true;
  // A whole struct is what a member of it is in.
  if (isWholeOf(one, other) || isWholeOf(other, one)) return true;
  return (
    contains(scope, one.leaf, outermost(other), 0, one) ||
    contains(scope, other.leaf, outermost(one), 0, other)
  );
}

function isWholeOf(whole: Memory, part: Memory): boolean {
  return (
    whole.steps.length === 0 &&
    whole.leaf?.kind === 'struct' &&
    part.steps.some((step) => step.tag === (whole.leaf as { readonly tag: string }).tag)
  );
}

/**
 * The struct that a place is in, in the end: one lies in the other, or the other in it, or they
 * have nothing to do with each other.
 */
function outermost(memory: Memory): string {
  return memory.steps[0]?.tag ?? (memory.leaf?.kind === 'struct' ? memory.leaf.tag : '');
}

/** What a pointer to no struct leads to: it can lead anywhere. */
function isBare(memory: Memory): boolean {
  return memory.steps.length === 0 && memory.leaf?.kind !== 'struct';
}

const MAX_DEPTH = 8;

/**
 * Whether a struct `tag` may lie in what a place is filled with. Structs of the kernel hold none of
 * the driver's.
 */
function contains(scope: Scope, leaf: Leaf, tag: string, depth: number, memory?: Memory): boolean {
  if (leaf?.kind === 'value') return false;
  if (leaf === null) {
    const owner = memory?.steps.at(-1)?.tag;
    return owner === undefined || owner === null || isOwn(scope, owner) || !isOwn(scope, tag);
  }
  if (leaf.tag === tag || depth > MAX_DEPTH) return true;
  const definition = findStruct(scope.module, scope.file, leaf.tag);
  if (!definition) return !isOwn(scope, tag) && !isApart(leaf.tag, tag);
  if (!definition.struct.complete) return true;
  return definition.struct.fields.some((field) => {
    if (field.type.pointers > 0) return false;
    const type = resolveType(scope.module, definition.file, field.type);
    return type
      ? contains(scope, { kind: 'struct', tag: type.tag }, tag, depth + 1)
      : field.type.keyword === 'union' || field.type.name === '';
  });
}

/**
 * Nothing but the core devices of buses holds a vfio_device, and nothing holds the device of a bus.
 */
function isApart(outer: string, inner: string): boolean {
  return (
    isSmallStruct(outer) ||
    busView(inner) !== undefined ||
    (inner === 'vfio_device' &&
      outer !== 'vfio_pci_core_device' &&
      outer !== 'vfio_platform_device')
  );
}
