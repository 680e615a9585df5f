/** The member passed to `vfio_alloc_device()` is not the first of its struct. */
import { originalOf } from '../ir/lower.ts';
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { FileIr, FieldIr, StructIr } from '../ir/types.ts';
import type { Edit } from '../text/span.ts';
import type { ModuleFacts, Site } from '../lifecycle/types.ts';
import type { Defined, ModuleIndex } from '../lifecycle/module/module.ts';
import { isExcluded, macrosOf, undecided } from '../lifecycle/module/preprocessor.ts';
import { callsIn, type PlacedCall } from './locate.ts';
import { indexOf } from './members.ts';
import { putLinesBefore, takeLines } from './fixes/move.ts';
import { startsLine } from './fixes/text.ts';
import { DRIVER, FOO, PROBE, REMOVE } from './examples.ts';
import { quoted, say } from './wording.ts';

const OPS = `
static const struct vfio_device_ops foo_ops = {
	.name = "foo",
};
`;

/** The probe with its designator marked. */
function probeWith(member: string): string {
  return PROBE.replace('(foo, vdev,', `(foo, ${member},`)
    .replaceAll('&foo->vdev', `&foo->${member}`)
    .replace(
      /^\tfoo = vfio_alloc_device.*$/m,
      (line) =>
        `${line}\n//                                   ${'^'.repeat(member.length)} device-not-first`,
    );
}

const messages = {
  notFirst:
    '{member} is not the first member of struct {struct}: {before} is; move it to the front',
} as const;

export const deviceNotFirst: Rule = {
  id: 'device-not-first',
  severity: 'error',
  kernels: { since: [6, 1] },
  fixable: 'unsafe',
  docs: {
    what: 'The member passed to `vfio_alloc_device()` is not the first of its struct.',
    why: 'The core allocates the container and returns the vfio_device at its start. `vfio_alloc_device()` uses one pointer for both, and an error pointer must stay an error pointer. So the vfio_device has to be at offset 0, through every struct on the way. The macro does not compile otherwise.',
    instead:
      'Make the member the first of the struct, and the embedding member the first of the struct around that.',
    knownProblems:
      'Structs that the module does not define, and members of an anonymous union, are not checked. If an `#if` decides which members come first, the finding is a hint.',
    references: ['v6.1 cb9ff3f3b84c adds vfio_alloc_device with BUILD_BUG_ON_ZERO(offsetof())'],
  },
  examples: {
    bad: [
      {
        title: 'Another member comes first',
        kernel: '6.2',
        code: `struct foo {
	struct mutex lock;	/* protects config */
	struct vfio_device vdev;
	void *config;
};
${OPS}${probeWith('vdev')}${REMOVE}${DRIVER}`,
        fixed: `struct foo {
	struct vfio_device vdev;
	struct mutex lock;	/* protects config */
	void *config;
};
${OPS}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'Not first in the struct in between',
        kernel: '6.2',
        code: `struct foo_base {
	u32 id;
	struct vfio_device vdev;	/* what the core sees */
};

struct foo {
	struct foo_base base;
	void *config;
};
${OPS}${probeWith('base.vdev')}${REMOVE.replaceAll('->vdev', '->base.vdev')}${DRIVER}`,
        fixed: `struct foo_base {
	struct vfio_device vdev;	/* what the core sees */
	u32 id;
};

struct foo {
	struct foo_base base;
	void *config;
};
${OPS}${PROBE.replace('(foo, vdev,', '(foo, base.vdev,').replaceAll('&foo->vdev', '&foo->base.vdev')}${REMOVE.replaceAll('->vdev', '->base.vdev')}${DRIVER}`,
      },
      {
        title: 'After an anonymous struct',
        kernel: '6.2',
        code: `struct foo {
	struct {
		u32 low;
		u32 high;
	};
	struct vfio_device vdev;
};
${OPS}${probeWith('vdev')}${REMOVE}${DRIVER}`,
      },
      {
        title: 'An option decides',
        kernel: '6.2',
        code: `struct foo {
#ifdef CONFIG_FOO_DEBUG
	u32 magic;
#endif
	struct vfio_device vdev;
};
${OPS}${probeWith('vdev').replace('device-not-first', 'device-not-first hint')}${REMOVE}${DRIVER}`,
      },
    ],
    good: [
      { title: 'The first member', kernel: '6.2', code: `${FOO}${PROBE}${REMOVE}${DRIVER}` },
      {
        title: 'First at every level',
        kernel: '6.2',
        code: `struct foo_base {
	struct vfio_device vdev;
	u32 id;
};

struct foo {
	struct foo_base base;
	void *config;
};
${OPS}${PROBE.replace('(foo, vdev,', '(foo, base.vdev,').replaceAll('&foo->vdev', '&foo->base.vdev')}${REMOVE.replaceAll('->vdev', '->base.vdev')}${DRIVER}`,
      },
      {
        title: 'In a union of layouts',
        kernel: '6.2',
        code: `struct foo {
	union {
		u8 raw[64];
		struct vfio_device vdev;
	};
	void *config;
};
${OPS}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'One layout for each kernel',
        kernel: '6.2',
        code: `#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
struct foo {
	struct mutex lock;
	struct vfio_device vdev;
};
#else
struct foo {
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 0, 0)
	u32 magic;
#endif
	struct vfio_device vdev;
	struct mutex lock;
};
#endif
${OPS}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'A struct that the module does not define',
        kernel: '6.2',
        code: `#include <vendor/foo.h>
${OPS}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'The old model allows any offset',
        kernel: '6.0',
        code: `struct foo {
	struct mutex lock;
	struct vfio_device vdev;
};
${OPS}
static int foo_start(struct foo *foo, struct device *dev)
{
	int ret;

	vfio_init_group_dev(&foo->vdev, dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_uninit_group_dev(&foo->vdev);
	return ret;
}
`,
      },
    ],
  },
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  const calls = callsIn(facts.module, ['vfio_alloc_device']);
  if (calls.length === 0) return [];
  const index = indexOf(facts.module, facts.kernel);
  return calls.flatMap((placed): Finding[] => {
    const late = lateMembers(facts, index, placed);
    const [first] = late;
    const designator = first && placed.call.args[1];
    if (first === undefined || designator === undefined) return [];
    const { item } = first.struct;
    const path = placed.file.text.slice(designator.start, designator.end);
    return [
      {
        rule: deviceNotFirst.id,
        severity: late.some((one) => one.isCertain) ? 'error' : 'hint',
        message: say(messages.notFirst, {
          member: quoted(first.field.name),
          struct: item.name,
          before: quoted(first.before.name),
        }),
        site: { path: placed.file.path, start: designator.start, end: designator.end },
        functionName: placed.function.name,
        related: late.flatMap((one) => [
          {
            site: siteOf(one.struct.file, one.before),
            message: `\`${one.before.name}\` comes first`,
          },
          { site: siteOf(one.struct.file, one.field), message: mustBeFirst(one.field.name, path) },
        ]),
        fix: late.every((one) => one.isCertain) ? fixFor(late) : null,
      },
    ];
  });
}

/** The member, and where it is on the way to a device that lies deeper. */
function mustBeFirst(name: string, path: string): string {
  return path === name
    ? `\`${name}\` must be the first member`
    : `\`${name}\`, on the way to \`${path}\`, must be the first member`;
}

function siteOf(file: FileIr, field: FieldIr): Site {
  return { path: file.path, start: field.start, end: field.end };
}

interface LateMember {
  readonly struct: Defined<StructIr>;
  readonly field: FieldIr;
  /** A member in front of it. */
  readonly before: FieldIr;
  /** No #if decides whether it is in front. */
  readonly isCertain: boolean;
}

/** The members on the path of a vfio_alloc_device() call that are not the first of their struct. */
function lateMembers(
  facts: ModuleFacts,
  index: ModuleIndex,
  { file, function: fn, lowered: call }: PlacedCall,
): LateMember[] {
  const [tag, designator] = call.args;
  if (tag?.kind !== 'name' || designator === undefined) return [];
  const late: LateMember[] = [];
  let from = file;
  let name = tag.name;
  const { start } = originalOf(fn);
  for (const part of fn.text
    .slice(designator.start - start, designator.end - start)
    .replace(/\s/g, '')
    .split('.')) {
    const struct = definitionOf(facts, index, from, name);
    if (struct === null || struct.item.keyword !== 'struct') break;
    // What the target's preprocessor leaves out takes no room.
    const fields = struct.item.fields.filter((one) => !isLeftOut(facts, one.conditions));
    const at = fields.findIndex((one) => one.name === part);
    const field = fields[at];
    if (field === undefined) break;
    const before = frontOf(facts, fields, at);
    if (before !== null) late.push({ struct, field, ...before });
    if (field.type.keyword !== 'struct' || field.type.pointers > 0) break;
    from = struct.file;
    name = field.type.name;
  }
  return late;
}

/**
 * The struct of that tag; null when there are several, of which an #if that nobody here can decide
 * chooses one.
 */
function definitionOf(
  facts: ModuleFacts,
  index: ModuleIndex,
  from: FileIr,
  tag: string,
): Defined<StructIr> | null {
  const found = index.struct(from, tag);
  if (found === null) return null;
  const all = found.file.structs.filter(
    (one) => one.name === tag && !isLeftOut(facts, one.conditions),
  );
  return all.length === 1 ? { file: found.file, item: all[0]! } : null;
}

function isLeftOut(facts: ModuleFacts, conditions: FieldIr['conditions']): boolean {
  return isExcluded(conditions, facts.kernel, macrosOf(facts.module, facts.kernel));
}

function isAlways(facts: ModuleFacts, conditions: FieldIr['conditions']): boolean {
  return undecided(conditions, facts.kernel, macrosOf(facts.module, facts.kernel)).length === 0;
}

/**
 * A member in front of another, one that is always there if possible; null for the first, and where
 * it is not known.
 */
function frontOf(
  facts: ModuleFacts,
  fields: readonly FieldIr[],
  at: number,
): Pick<LateMember, 'before' | 'isCertain'> | null {
  const field = fields[at]!;
  // The layouts of an anonymous union all begin at its start; an array of no elements takes no
  // room.
  const front = fields
    .slice(0, at)
    .filter((one) => !(field.unplaced && one.unplaced) && !(one.type.arrays > 0 && one.unplaced));
  const always = front.find((one) => isAlways(facts, one.conditions));
  if (always !== undefined) return { before: always, isCertain: isAlways(facts, field.conditions) };
  return front[0] === undefined ? null : { before: front[0], isCertain: false };
}

/** Moves each member's declaration to the front of its struct, with its comments. */
function fixFor(late: readonly LateMember[]): Fix | null {
  const byPath = new Map<string, Edit[]>();
  for (const {
    struct: { file, item },
    field,
  } of late) {
    const { text } = file;
    const first = item.fields.find((one) => one.conditions.length === 0);
    const isAlone = item.fields.every(
      (one) => one === field || one.statement.start !== field.statement.start,
    );
    if (first === undefined || first.unplaced || field.unplaced || !isAlone) return null;
    const taken = takeLines(text, field.statement);
    if (taken === null || !startsLine(text, first.statement.start)) return null;
    byPath.set(file.path, [
      ...(byPath.get(file.path) ?? []),
      putLinesBefore(text, first.statement, taken.lines),
      ...taken.removed,
    ]);
  }
  return {
    title: 'Move the member to the front (other code may rely on the layout)',
    safety: 'unsafe',
    edits: [...byPath].map(([path, edits]) => ({ path, edits })),
  };
}
