/**
 * Hazards: ways to write a driver so that a careless conversion would change what it does, or would
 * not compile. The grammar of generated drivers
 * puts one of them into a driver. Each driver is right as it is; its conversion does the same, or
 * is refused.
 */

/** What of the conversion a hazard is about. */
export type HazardKind =
  /**
   * An argument of the init is known only after a call that the allocation would move in front of.
   */
  | 'late-argument'
  /** The object or its vfio_device is overwritten before it is freed. */
  | 'overwritten'
  /** A macro hides the test of a step, or names a label. */
  | 'macro'
  /** What stands between two steps changes what the second reads. */
  | 'order-of-steps'
  /** The code relies on what is first in the object. */
  | 'layout'
  /** The free wipes. */
  | 'secret'
  /** The struct has no tag. */
  | 'untagged'
  /** A failure that says nothing stands beside an allocation that does. */
  | 'silent-failure';

/**
 * A step that a hazard adds, as the grammar's own levels are written. `p` is the object, DEV its
 * parent, VDEV the address of its vfio_device. KEPT is
 * what drvdata has to be, and GIVEN the object as it is found through the drvdata of `dev`.
 */
export interface HazardStep {
  readonly take: readonly string[];
  /** The condition of its failure, and what sets ret in it when the call itself does not. */
  readonly failure?: { readonly condition: string; readonly set?: string };
  readonly undo?: readonly string[];
  /** The test of the failure as the driver writes it; LABEL is where the error path goes on. */
  readonly test?: string;
}

export interface Hazard {
  readonly kind: HazardKind;
  /** Members at the front of the object, before everything else. */
  readonly head?: readonly string[];
  readonly members?: readonly string[];
  /** In front of the struct. */
  readonly before?: readonly string[];
  /** Behind the struct. */
  readonly declarations?: readonly string[];
  /** Locals of the function that allocates. */
  readonly locals?: readonly string[];
  readonly gap?: HazardStep;
  readonly steps?: readonly HazardStep[];
  /** The table as the init is given it, of gen_ops and gen_strict_ops. */
  readonly ops?: string;
  /** Between the uninit and the free. */
  readonly beforeFree?: readonly string[];
  /** The function that frees. */
  readonly free?: string;
  /** The body of a `.read` callback. */
  readonly read?: readonly string[];
  /** What is done when the allocation fails, before ret is set. */
  readonly complaint?: string;
  /** The struct is a typedef without a tag. */
  readonly untagged?: boolean;
  /** A macro in front of the probe; LABEL is where the error path goes on. */
  readonly macro?: string;
}

/** More than 16 bytes, so that the harness does not ask for its old value at the end. */
const FOUND = 'static struct { int strict; unsigned int size; char rest[24]; } gen_found;';
const DETECT = `${FOUND}\n\nstatic int gen_detect(struct device *dev)\n{\n\tgen_found.strict = 1;\n\tgen_found.size = 512;\n\treturn dma_set_mask(dev, DMA_BIT_MASK(48));\n}\n`;
const FOUND_TABLE = 'gen_found.strict ? &gen_strict_ops : &gen_ops';
/** A buffer whose size shows what the object's front holds. */
const sized = (size: string): HazardStep => ({
  take: [`p->sized = kzalloc(${size}, GFP_KERNEL);`],
  failure: { condition: '!p->sized', set: 'ret = -ENOMEM;' },
  undo: ['kfree(p->sized);'],
});
const HEAD = { head: ['u32 width;', 'u32 depth;'], members: ['void *sized;'] };
const FRONT = { take: ['p->width = 48;'] };
const SECRET = {
  members: ['u8 key[32];'],
  steps: [{ take: ['memset(p->key, 0x5a, sizeof(p->key));'] }],
};
const CAPS = 'struct gen_caps {\n\tint strict;\n\tunsigned int size;\n};\n';
const READ_CAPS = `${CAPS}\nstatic int gen_read_caps(struct gen_caps *caps, struct device *dev)\n{\n\tcaps->strict = 1;\n\tcaps->size = 256;\n\treturn dma_set_mask(dev, DMA_BIT_MASK(40));\n}\n`;

/** By name. Each kind has members that differ in the way the code says it. */
export const HAZARDS: Readonly<Record<string, Hazard>> = {
  'global-by-call': {
    kind: 'late-argument',
    declarations: [DETECT],
    gap: { take: ['ret = gen_detect(DEV);'], failure: { condition: 'ret' } },
    ops: FOUND_TABLE,
  },
  'global-two-calls-deep': {
    kind: 'late-argument',
    declarations: [
      DETECT,
      'static int gen_start(struct device *dev)\n{\n\treturn gen_detect(dev);\n}\n',
    ],
    gap: { take: ['ret = gen_start(DEV);'], failure: { condition: 'ret' } },
    ops: FOUND_TABLE,
  },
  'global-by-log-argument': {
    kind: 'late-argument',
    declarations: [DETECT],
    gap: { take: ['dev_info(DEV, "found %d\\n", gen_detect(DEV));'] },
    ops: FOUND_TABLE,
  },
  'local-by-address': {
    kind: 'late-argument',
    declarations: [READ_CAPS],
    locals: ['struct gen_caps caps = { 0 };'],
    gap: { take: ['ret = gen_read_caps(&caps, DEV);'], failure: { condition: 'ret' } },
    ops: 'caps.strict ? &gen_strict_ops : &gen_ops',
  },
  'behind-a-pointer': {
    kind: 'late-argument',
    declarations: [READ_CAPS, 'static struct gen_caps gen_all_caps[4];\n'],
    locals: ['struct gen_caps *caps = &gen_all_caps[1];'],
    gap: { take: ['ret = gen_read_caps(caps, DEV);'], failure: { condition: 'ret' } },
    ops: 'caps->strict ? &gen_strict_ops : &gen_ops',
  },
  'global-by-condition': {
    kind: 'late-argument',
    declarations: [DETECT],
    gap: { take: [], failure: { condition: 'gen_detect(DEV)', set: 'ret = -ENODEV;' } },
    ops: FOUND_TABLE,
  },

  'memset-of-the-object': { kind: 'overwritten', beforeFree: ['memset(p, 0, sizeof(*p));'] },
  'memset-by-type': { kind: 'overwritten', beforeFree: ['memset(p, 0, sizeof(struct gen));'] },
  'explicit-wipe': { kind: 'overwritten', beforeFree: ['memzero_explicit(p, sizeof(*p));'] },
  'assigned-empty': { kind: 'overwritten', beforeFree: ['*p = (struct gen){ };'] },
  'poisoned-device': {
    kind: 'overwritten',
    beforeFree: ['memset(VDEV, 0xdd, sizeof(struct vfio_device));'],
  },
  'wiped-by-helper': {
    kind: 'overwritten',
    declarations: ['static void gen_scrub(struct gen *g)\n{\n\tmemset(g, 0, sizeof(*g));\n}\n'],
    beforeFree: ['gen_scrub(p);'],
  },
  'wiped-two-calls-deep': {
    kind: 'overwritten',
    declarations: [
      'static void gen_zero(void *memory, size_t size)\n{\n\tmemset(memory, 0, size);\n}\n\nstatic void gen_scrub(struct gen *g)\n{\n\tgen_zero(g, sizeof(*g));\n}\n',
    ],
    beforeFree: ['gen_scrub(p);'],
  },
  'wiped-through-void': {
    kind: 'overwritten',
    declarations: [
      'static void gen_scrub(void *data)\n{\n\tstruct gen *g = data;\n\n\t*g = (struct gen){ };\n}\n',
    ],
    beforeFree: ['gen_scrub(p);'],
  },

  'goto-in-a-macro': {
    kind: 'macro',
    macro: '#define OUT_IF_ERR() do { if (ret) goto LABEL; } while (0)',
    steps: [
      {
        take: ['ret = dma_set_mask(DEV, DMA_BIT_MASK(44));'],
        failure: { condition: 'ret' },
        test: 'OUT_IF_ERR();',
      },
    ],
  },
  'goto-of-an-argument': {
    kind: 'macro',
    macro: '#define GOTO_IF(result, label) do { if (result) goto label; } while (0)',
    steps: [
      {
        take: ['ret = dma_set_mask(DEV, DMA_BIT_MASK(44));'],
        failure: { condition: 'ret' },
        test: 'GOTO_IF(ret, LABEL);',
      },
    ],
  },
  'goto-of-a-call': {
    kind: 'macro',
    macro: '#define TRY(call, label) do { ret = (call); if (ret) goto label; } while (0)',
    steps: [
      {
        take: [],
        failure: { condition: 'ret' },
        test: 'TRY(dma_set_mask(DEV, DMA_BIT_MASK(44)), LABEL);',
      },
    ],
  },

  'size-by-log-argument': {
    kind: 'order-of-steps',
    members: ['void *sized;', 'unsigned int size;'],
    declarations: ['static int gen_measure(struct gen *g)\n{\n\tg->size = 640;\n\treturn 1;\n}\n'],
    steps: [{ take: ['dev_info(DEV, "%d\\n", gen_measure(p));'] }, sized('16 + p->size')],
  },
  'size-by-warning': {
    kind: 'order-of-steps',
    members: ['void *sized;', 'unsigned int size;'],
    declarations: ['static int gen_measure(struct gen *g)\n{\n\tg->size = 640;\n\treturn 0;\n}\n'],
    steps: [{ take: ['WARN_ON(gen_measure(p));'] }, sized('16 + p->size')],
  },
  'size-by-global': {
    kind: 'order-of-steps',
    members: ['void *sized;'],
    declarations: [DETECT],
    steps: [{ take: ['gen_detect(DEV);'] }, sized('16 + gen_found.size')],
  },
  'size-by-drvdata': {
    kind: 'order-of-steps',
    members: ['void *sized;', 'unsigned int size;'],
    declarations: [
      'static void gen_parse(struct device *dev)\n{\n\tstruct gen *g = GIVEN;\n\n\tg->size = 384;\n}\n',
    ],
    steps: [
      { take: ['dev_set_drvdata(DEV, KEPT);'] },
      { take: ['gen_parse(DEV);'] },
      sized('16 + p->size'),
    ],
  },
  'read-by-drvdata': {
    kind: 'order-of-steps',
    members: ['void *sized;', 'unsigned int size;'],
    declarations: [
      'static int gen_limit(struct device *dev)\n{\n\tstruct gen *g = GIVEN;\n\n\treturn dma_set_mask(dev, DMA_BIT_MASK(g->size ? 32 : 64));\n}\n',
    ],
    steps: [
      { take: ['dev_set_drvdata(DEV, KEPT);'] },
      { take: ['ret = gen_limit(DEV);'], failure: { condition: 'ret' } },
      { take: ['p->size = 8;'] },
      sized('16 + p->size'),
    ],
  },

  'words-by-cast': { ...HEAD, kind: 'layout', steps: [FRONT, sized('16 + *(u32 *)p')] },
  'words-by-integer': {
    ...HEAD,
    kind: 'layout',
    steps: [FRONT, sized('16 + *(u32 *)(unsigned long)p')],
  },
  'words-through-void': {
    ...HEAD,
    kind: 'layout',
    declarations: [
      'static u32 gen_width(const void *data)\n{\n\tconst u32 *words = data;\n\n\treturn words[0];\n}\n',
    ],
    steps: [FRONT, sized('16 + gen_width(p)')],
  },
  'words-by-typedef': {
    ...HEAD,
    kind: 'layout',
    before: ['typedef struct {\n\tu32 width;\n} gen_front_t;\n'],
    steps: [FRONT, sized('16 + ((gen_front_t *)p)->width')],
  },
  'words-through-many-functions': {
    ...HEAD,
    kind: 'layout',
    declarations: [
      'static u32 gen_width(const void *data)\n{\n\treturn *(const u32 *)data;\n}\n',
      ...[1, 2, 3, 4, 5, 6, 7, 8].map(
        (count) =>
          `static u32 gen_width${count}(const void *data)\n{\n\treturn gen_width${count === 1 ? '' : count - 1}(data);\n}\n`,
      ),
    ],
    steps: [FRONT, sized('16 + gen_width8(p)')],
  },
  'head-by-memcpy': {
    ...HEAD,
    kind: 'layout',
    declarations: [
      'static u32 gen_width(struct gen *g)\n{\n\tu32 width;\n\n\tmemcpy(&width, g, sizeof(width));\n\treturn width;\n}\n',
    ],
    steps: [FRONT, sized('16 + gen_width(p)')],
  },
  'head-to-user-space': {
    ...HEAD,
    kind: 'layout',
    steps: [FRONT, sized('16')],
    read: ['if (copy_to_user(buf, p, 8))', '\treturn -EFAULT;', 'return 8;'],
  },
  'object-from-its-head': {
    kind: 'layout',
    before: ['struct gen_top {\n\tu32 width;\n};\n'],
    head: ['struct gen_top top;'],
    members: ['void *sized;'],
    declarations: [
      'static u32 gen_strict_of(struct gen_top *top)\n{\n\tvoid *data = top;\n\tstruct gen *g = data;\n\n\treturn g->top.width;\n}\n',
    ],
    steps: [{ take: ['p->top.width = 24;'] }, sized('16 + gen_strict_of(&p->top)')],
  },

  'kfree-sensitive': { ...SECRET, kind: 'secret', free: 'kfree_sensitive(p);' },
  'kvfree-sensitive': { ...SECRET, kind: 'secret', free: 'kvfree_sensitive(p, sizeof(*p));' },
  'sensitive-in-a-helper': {
    ...SECRET,
    kind: 'secret',
    declarations: ['static void gen_free(struct gen *g)\n{\n\tkfree_sensitive(g);\n}\n'],
    free: 'gen_free(p);',
  },
  'key-wiped-alone': {
    ...SECRET,
    kind: 'secret',
    beforeFree: ['memzero_explicit(p->key, sizeof(p->key));'],
  },

  'typedef-without-tag': { kind: 'untagged', untagged: true },

  'allocation-speaks': {
    kind: 'silent-failure',
    complaint: 'dev_err(DEV, "no memory\\n");',
    members: ['void *sized;'],
    steps: [sized('96')],
  },
  'allocation-warns': {
    kind: 'silent-failure',
    complaint: 'dev_warn(DEV, "cannot allocate\\n");',
    members: ['void *sized;'],
    steps: [sized('96')],
  },
};
