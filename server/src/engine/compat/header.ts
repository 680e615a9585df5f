/**
 * The header that brings the calls of the new model to older kernels, and the driver that uses it:
 * its functions have one form for all kernels, and only tables and callbacks have arms of #if.
 */
import type { SyntaxTree } from '../../syntax/node.ts';
import { splitLines } from '../../text/diff.ts';
import { append } from '../../text/lists.ts';
import { lineIndex } from '../../text/position.ts';
import type { Guard } from './arms.ts';
import type { Region } from './regions.ts';
import type { Lines } from './units.ts';

/** The header that a driver is to include. */
export interface CompatHeader {
  /** Beside the driver. */
  readonly path: string;
  /** As the driver includes it, such as `vfio-compat.h`. */
  readonly name: string;
}

/**
 * What the header says. Before Linux 6.1 a device has neither `.init` nor `.release`, and whoever
 * drops the only reference frees the container, which begins with the device.
 * @param guard a macro that is defined where the kernel has the new model.
 */
export function headerText(name: string, guard: Guard): string {
  const macro = name.replace(/\W/g, '_').toUpperCase();
  const test =
    guard === undefined ? '#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)' : `#ifndef ${guard}`;
  return `/* SPDX-License-Identifier: GPL-2.0-only */
/* vfio_alloc_device() and vfio_put_device() for kernels before 6.1. */
#ifndef ${macro}
#define ${macro}

#include <linux/version.h>

${test}

#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/vfio.h>

static inline struct vfio_device *
vfio_compat_alloc(size_t size, struct device *dev, const struct vfio_device_ops *ops)
{
	struct vfio_device *vdev = kzalloc(size, GFP_KERNEL);

	if (!vdev)
		return ERR_PTR(-ENOMEM);
	vfio_init_group_dev(vdev, dev, ops);
	return vdev;
}

#define vfio_alloc_device(dev_struct, member, dev, ops)				\\
	container_of(vfio_compat_alloc(sizeof(struct dev_struct) +		\\
			BUILD_BUG_ON_ZERO(offsetof(struct dev_struct, member)),	\\
			dev, ops), struct dev_struct, member)

static inline void vfio_put_device(struct vfio_device *vdev)
{
	vfio_uninit_group_dev(vdev);
	kfree(vdev);
}

#endif
#endif /* ${macro} */
`;
}

/**
 * The old text as it is over the header: each function as `made` has it. Undefined where the header
 * would not do what the driver does: it has its own `.init`, frees more in `.release`, changes a
 * struct, or is a driver over the core of vfio-pci.
 * @param regions in which `made`, the text for the first kernel of the new model, differs.
 */
export function overHeader(
  old: SyntaxTree,
  made: SyntaxTree,
  regions: readonly Region[],
): readonly string[] | undefined {
  const [before, after] = [splitLines(old.text), splitLines(made.text)];
  const [oldBodies, madeBodies] = [bodiesOf(old), bodiesOf(made)];
  const lines: string[] = [];
  let at = 0;
  for (const region of regions) {
    const there = region.variants[0]!;
    const [removed, added] = [textOf(before, region), textOf(after, there)];
    const isBody = isWithin(region, oldBodies) && isWithin(there, madeBodies);
    if (isBody ? /\bvfio_pci_core_/.test(removed + added) : !isKept(removed, added))
      return undefined;
    const isNew = isBody || isIncludes(removed + added);
    append(lines, before.slice(at, region.start));
    append(
      lines,
      isNew ? after.slice(there.start, there.end) : before.slice(region.start, region.end),
    );
    at = region.end;
  }
  return [...lines, ...before.slice(at)];
}

/** A text whose last `#include` is followed by one of the header. */
export function including(lines: readonly string[], name: string): readonly string[] {
  let depth = 0;
  let last = -1;
  lines.forEach((line, i) => {
    if (/^\s*#\s*if/.test(line)) depth++;
    else if (/^\s*#\s*endif/.test(line)) depth--;
    else if (depth === 0 && /^#\s*include\b/.test(line)) last = i;
  });
  return [...lines.slice(0, last + 1), `#include "${name}"\n`, ...lines.slice(last + 1)];
}

/** Lines that the new model adds outside of functions, and that old kernels can do without. */
function isKept(removed: string, added: string): boolean {
  if (isIncludes(removed + added)) return true;
  const pieces = added
    .replace(FREEING, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return removed.trim() === '' && pieces.every((line) => MEMBER.test(line));
}

/** A `.release` that frees the device and does nothing else. */
const FREEING =
  /^static void \w+\(struct vfio_device \*\w+\)\n\{\n\s+vfio_free_device\(\w+\);\n\}\n/gm;
/** A member of the ops table but `.init`, or the prototype of a `.release`. */
const MEMBER = /^\s*\.(?!init\b)\w+\s*=\s*\w+,$|^static void \w+\(struct vfio_device \*\w+\);$/;

function isIncludes(text: string): boolean {
  return text.split('\n').every((line) => line.trim() === '' || /^#\s*include\b/.test(line));
}

function textOf(lines: readonly string[], { start, end }: Lines): string {
  return lines.slice(start, end).join('');
}

/** The lines between the braces of each function. */
function bodiesOf(tree: SyntaxTree): readonly Lines[] {
  const index = lineIndex(tree.text);
  return tree
    .items()
    .filter((item) => item.type === 'function_definition')
    .map(({ start, end }) => {
      const brace = tree.text.indexOf('{', start);
      return { start: index.position(brace).line + 1, end: index.position(end - 1).line };
    });
}

function isWithin({ start, end }: Lines, bodies: readonly Lines[]): boolean {
  return bodies.some((body) => body.start <= start && end <= body.end);
}
