/**
 * What functions of the kernel do with the bytes behind a pointer that they are given, and what
 * they need of the memory there.
 */
import { column, functionRow } from './functions/table.ts';
import type { ByteRange } from './functions/row.ts';
import { words } from './behaviour-builders.ts';

export type { ByteRange } from './functions/row.ts';

/**
 * The stretches that a call of the kernel's `name` reads and writes; none where it is not known for
 * that.
 */
export function byteRangesOf(name: string): readonly ByteRange[] {
  return functionRow(name)?.bytes ?? [];
}

/** True when a free overwrites the memory first, and leaves nothing of the content. */
export function wipesMemory(name: string): boolean {
  return functionRow(name)?.wipes === true;
}

/** Whether a free waits until no reader under RCU is left, and returns before that. */
export function freesAfterReaders(name: string): boolean {
  return functionRow(name)?.afterReaders === true;
}

/**
 * The position of the argument of the kernel's `name` that must be physically contiguous, because
 * it is mapped for DMA, or translated to a page or a physical address, as one; undefined where
 * there is none.
 */
export function contiguousArgument(name: string): number | undefined {
  return functionRow(name)?.needs?.contiguous;
}

/**
 * The position of the argument of the kernel's `name` that must come from kmalloc(); undefined
 * where there is none.
 */
export function slabArgument(name: string): number | undefined {
  return functionRow(name)?.needs?.slab;
}

/**
 * The position of the argument of the kernel's `name` that must come from vmalloc(); undefined
 * where there is none.
 */
export function vmallocArgument(name: string): number | undefined {
  return functionRow(name)?.needs?.vmalloc;
}

/** True when a call of the kernel's `name` takes a pointer without looking behind it. */
export function takesCookie(name: string): boolean {
  return functionRow(name)?.takesCookie === true;
}

/**
 * The members of the kernel's links that lead to another link (<linux/types.h>, <linux/llist.h>,
 * <linux/rbtree_types.h>, <linux/plist.h> of 6.12).
 */
const LINK_MEMBERS: ReadonlySet<string> = new Set(
  words('next prev first pprev rb_node rb_left rb_right rb_leftmost node_list prio_list'),
);

/**
 * True for a member that is most often a link of a list or tree, which is embedded in an object.
 */
export function isLinkMember(name: string): boolean {
  return LINK_MEMBERS.has(name);
}

/** True when the kernel's `name` returns a link of a list or tree. */
export function returnsLink(name: string): boolean {
  return functionRow(name)?.returnsLink === true;
}

/**
 * True when a call of the kernel's `name` stores its argument 1, a pointer, where argument 0 says.
 */
export function publishes(name: string): boolean {
  return functionRow(name)?.publishes === true;
}

/** True when a free or a put does nothing with NULL. */
export function ignoresNull(name: string): boolean {
  return functionRow(name)?.ignoresNull === true;
}

/**
 * True when `name(p)` frees at once and does no more, as the core does at the last put: it leaves
 * NULL alone, and does not overwrite what it frees.
 */
export function isPlainFree(name: string): boolean {
  return (
    ignoresNull(name) &&
    !wipesMemory(name) &&
    functionRow(name)?.behaviours?.some(({ success }) =>
      success.some((effect) => effect.op === 'free' && effect.target === 0),
    ) === true
  );
}

const settingUp = [...column('setsUp')];

/** Calls that make something of their argument 0, other than a lock. */
export const INITIALISERS: ReadonlySet<string> = new Set(settingUp.map(([name]) => name));

/** Those without which others find what is there broken: zeroed memory is none of it. */
export const LINK_INITIALISERS: ReadonlySet<string> = new Set(
  settingUp.flatMap(([name, what]) => (what === 'link' ? [name] : [])),
);
