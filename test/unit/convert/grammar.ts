/**
 * A grammar of drivers of the old model. A driver is a list of levels: things taken one after the
 * other in probe, each undone in the reverse order
 * on every way out and in remove. What it renders compiles against the headers of 6.1 with
 * examples/conversion/old-model.h, and is right.
 */
import fc from 'fast-check';
import { HAZARDS, type Hazard, type HazardStep } from './hazards.ts';

/** Something that probe does. */
export type Step =
  | 'buffer'
  | 'memory'
  | 'page'
  | 'queue'
  | 'interrupt'
  | 'number'
  | 'counter'
  | 'helper'
  /** A call that fails and takes nothing. */
  | 'mask'
  /** A failure that counts only for some devices. */
  | 'soft'
  /** Taken for some devices only. */
  | 'optional'
  /** Several in a loop, which undoes its own beginning. */
  | 'ring'
  /** Managed: goes when the driver is unbound. */
  | 'managed'
  /** The set of devices that are reset together; the core gives it up by itself. */
  | 'set'
  /** Set up without a failure, and stopped. */
  | 'work'
  /** A count, and a size that depends on it: the two have an order. */
  | 'counted'
  /** In an #if arm. */
  | 'arm'
  | 'field'
  | 'lock'
  | 'message'
  | 'read-back';

export interface GeneratedDriver {
  readonly bus: 'mdev' | 'pci' | 'pci-core' | 'platform';
  readonly allocation:
    'kzalloc' | 'kzalloc-type' | 'kvzalloc' | 'vzalloc' | 'kcalloc' | 'devm' | 'declaration';
  readonly check: '!p' | 'p == NULL' | 'unlikely(!p)';
  /**
   * What is done about a failure: a ladder of labels, everything on the spot, or one helper for
   * all.
   */
  readonly errors: 'ladder' | 'inline' | 'helper';
  /** Before the allocation. */
  readonly before: readonly Step[];
  /** Between the allocation and the init. */
  readonly gap: readonly Step[];
  /** Between the init and the register. */
  readonly steps: readonly Step[];
  /** After the register. */
  readonly late: readonly ('list' | 'message' | 'failing')[];
  readonly tables: 'one' | 'forward' | 'chosen-first' | 'chosen-in-call' | 'two-inits';
  readonly uninit: 'natural' | 'none';
  readonly drvdata: 'before' | 'after';
  /** Where the vfio_device is in its struct. */
  readonly first: boolean;
  /** The allocation and the init are in a function that probe calls. */
  readonly creator: boolean;
  readonly strict: boolean;
  /** A local for the parent device. */
  readonly local: boolean;
  /**
   * Whether remove undoes as a failure does, in another order, or one thing before it unregisters.
   */
  readonly remove: 'same' | 'other-order' | 'one-before-unregister' | 'reads-first';
  /**
   * Where nothing comes behind the register, its failure undoes on the spot and falls through to
   * the return.
   */
  readonly falls: boolean;
  /** A failure to register leaves out the first undo: a leak of the driver's own. */
  readonly leaks: boolean;
  /** The name of what a careless conversion would get wrong, of HAZARDS. */
  readonly hazard?: string | undefined;
}

const anyStep: fc.Arbitrary<Step> = fc.constantFrom(
  'buffer',
  'memory',
  'page',
  'queue',
  'interrupt',
  'number',
  'counter',
  'helper',
  'mask',
  'soft',
  'optional',
  'ring',
  'managed',
  'set',
  'work',
  'counted',
  'arm',
  'field',
  'lock',
  'message',
  'read-back',
);
const few = <T>(element: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<T[]> =>
  fc.array(element, { maxLength });
/** Mostly the first: the rare forms would hide each other. */
const mostly = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );

export const generatedDrivers: fc.Arbitrary<GeneratedDriver> = fc.record({
  bus: fc.constantFrom('mdev' as const, 'pci' as const, 'pci-core' as const, 'platform' as const),
  allocation: fc.constantFrom(
    'kzalloc' as const,
    'kzalloc' as const,
    'kzalloc-type' as const,
    'kvzalloc' as const,
    'vzalloc' as const,
    'kcalloc' as const,
    'devm' as const,
    'declaration' as const,
  ),
  check: fc.constantFrom('!p' as const, 'p == NULL' as const, 'unlikely(!p)' as const),
  errors: fc.constantFrom(
    'ladder' as const,
    'ladder' as const,
    'inline' as const,
    'helper' as const,
  ),
  before: few(
    fc.constantFrom('number' as const, 'counter' as const, 'message' as const, 'mask' as const),
    2,
  ),
  gap: few(fc.constantFrom('field' as const, 'buffer' as const, 'mask' as const), 1),
  steps: few(anyStep, 5),
  late: few(fc.constantFrom('list' as const, 'message' as const, 'failing' as const), 2),
  tables: mostly<GeneratedDriver['tables']>(
    'one',
    'forward',
    'chosen-first',
    'chosen-in-call',
    'two-inits',
  ),
  uninit: mostly<GeneratedDriver['uninit']>('natural', 'none'),
  drvdata: fc.constantFrom('before' as const, 'after' as const),
  first: mostly(true, false),
  creator: mostly(false, true),
  strict: fc.boolean(),
  local: fc.boolean(),
  remove: mostly<GeneratedDriver['remove']>(
    'same',
    'other-order',
    'one-before-unregister',
    'reads-first',
  ),
  falls: fc.boolean(),
  leaks: fc.oneof(
    { weight: 9, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
});

/**
 * Drivers with a hazard, in forms that do not hide it: nothing else in them would refuse the
 * conversion.
 */
export function hazardousDrivers(hazard: string): fc.Arbitrary<GeneratedDriver> {
  const { kind, ops, steps = [] } = HAZARDS[hazard]!;
  const keeps = steps.some(({ take }) => take.some((line) => line.includes('KEPT')));
  return generatedDrivers.map((shape) => ({
    ...shape,
    hazard,
    allocation: 'kzalloc' as const,
    errors: kind === 'macro' || shape.errors === 'helper' ? ('ladder' as const) : shape.errors,
    tables: ops === undefined ? ('one' as const) : ('chosen-in-call' as const),
    gap: ops === undefined ? shape.gap : [],
    steps: shape.steps.slice(0, 2),
    creator: false,
    uninit: 'natural' as const,
    drvdata: keeps ? ('before' as const) : shape.drvdata,
    first: kind !== 'layout' && shape.first,
    leaks: false,
  }));
}

/** A step with its place, as lines of C. */
interface Level {
  readonly name: string;
  /** Ends without a test when it cannot fail. */
  readonly take: readonly string[];
  /** The condition of its failure, and what sets ret in it when the call itself does not. */
  readonly failure?: { readonly condition: string; readonly set?: string };
  readonly undo: readonly string[];
  /** What a failure undoes by itself before it leaves. */
  readonly own?: readonly string[];
  /** Takes lines in a loop around them. */
  readonly loop?: string;
  /** Members of the container. */
  readonly members: readonly string[];
  /** Functions and variables of the file. */
  readonly declarations: readonly string[];
  /** Whether undoing what was never done is harmless. */
  readonly tolerant: boolean;
  /**
   * The test of the failure as a macro of the driver writes it; LABEL is where the error path goes
   * on.
   */
  readonly test?: string | undefined;
}

const LEVEL: Omit<Level, 'name'> = {
  take: [],
  undo: [],
  members: [],
  declarations: [],
  tolerant: true,
};

function level(step: Step, id: number, before: boolean): Level {
  const name = `${step.replace('-', '_')}${id}`;
  const memory = {
    failure: { condition: `!p->${name}`, set: 'ret = -ENOMEM;' },
    members: [`void *${name};`],
  };
  switch (step) {
    case 'buffer':
      return {
        ...LEVEL,
        name,
        ...memory,
        take: [`p->${name} = kzalloc(${16 + id}, GFP_KERNEL);`],
        undo: [`kfree(p->${name});`],
      };
    case 'memory':
      return {
        ...LEVEL,
        name,
        ...memory,
        take: [`p->${name} = vzalloc(PAGE_SIZE);`],
        undo: [`vfree(p->${name});`],
      };
    case 'page':
      return {
        ...LEVEL,
        name,
        ...memory,
        take: [`p->${name} = (void *)get_zeroed_page(GFP_KERNEL);`],
        undo: [`free_page((unsigned long)p->${name});`],
      };
    case 'queue':
      return {
        ...LEVEL,
        name,
        ...memory,
        members: [`struct workqueue_struct *${name};`],
        take: [`p->${name} = alloc_ordered_workqueue("gen", 0);`],
        undo: [`destroy_workqueue(p->${name});`],
        tolerant: false,
      };
    case 'interrupt':
      return {
        ...LEVEL,
        name,
        take: [`ret = request_irq(${id}, gen_interrupt, 0, "gen", p);`],
        failure: { condition: 'ret' },
        undo: [`free_irq(${id}, p);`],
        tolerant: false,
      };
    case 'number': {
      const variable = before ? name : `p->${name}`;
      return {
        ...LEVEL,
        name,
        take: [`${variable} = ida_alloc(&gen_numbers, GFP_KERNEL);`],
        failure: { condition: `${variable} < 0`, set: `ret = ${variable};` },
        undo: [`ida_free(&gen_numbers, ${variable});`],
        members: [`int ${name};`],
        tolerant: false,
      };
    }
    case 'counter':
      return {
        ...LEVEL,
        name,
        take: [],
        failure: { condition: `atomic_dec_if_positive(&gen_${name}) < 0`, set: 'ret = -ENOSPC;' },
        undo: [`atomic_inc(&gen_${name});`],
        declarations: [`static atomic_t gen_${name} = ATOMIC_INIT(${2 + id});`],
        tolerant: false,
      };
    case 'helper':
      return {
        ...LEVEL,
        name,
        take: [`ret = gen_${name}_get(p);`],
        failure: { condition: 'ret' },
        undo: [`gen_${name}_put(p);`],
        members: [`void *${name};`],
        declarations: [
          `static int gen_${name}_get(struct gen *p)\n{\n\tp->${name} = kzalloc(64, GFP_KERNEL);\n\treturn p->${name} ? 0 : -ENOMEM;\n}\n`,
          `static void gen_${name}_put(struct gen *p)\n{\n\tkfree(p->${name});\n\tp->${name} = NULL;\n}`,
        ],
      };
    case 'mask':
      return {
        ...LEVEL,
        name,
        take: ['ret = dma_set_mask(DEV, DMA_BIT_MASK(32));'],
        failure: { condition: 'ret' },
      };
    case 'soft':
      return {
        ...LEVEL,
        name,
        take: ['ret = dma_set_mask(DEV, DMA_BIT_MASK(64));'],
        failure: { condition: 'ret && p->strict' },
      };
    case 'optional':
      return {
        ...LEVEL,
        name,
        take: ['if (p->strict)', `\tp->${name} = kzalloc(8, GFP_KERNEL);`],
        failure: { condition: `p->strict && !p->${name}`, set: 'ret = -ENOMEM;' },
        undo: ['if (p->strict)', `\tkfree(p->${name});`],
        members: [`void *${name};`],
      };
    case 'ring':
      return {
        ...LEVEL,
        name,
        loop: 'for (i = 0; i < 3; i++)',
        take: [`p->${name}[i] = kzalloc(24, GFP_KERNEL);`],
        failure: { condition: `!p->${name}[i]`, set: 'ret = -ENOMEM;' },
        own: ['while (i--)', `\tkfree(p->${name}[i]);`],
        undo: ['for (i = 0; i < 3; i++)', `\tkfree(p->${name}[i]);`],
        members: [`void *${name}[3];`],
        tolerant: false,
      };
    case 'managed':
      return {
        ...LEVEL,
        name,
        ...memory,
        take: [`p->${name} = devm_kzalloc(DEV, 40, GFP_KERNEL);`],
      };
    case 'set':
      return {
        ...LEVEL,
        name,
        take: ['ret = vfio_assign_device_set(VDEV, p);'],
        failure: { condition: 'ret' },
      };
    case 'work':
      return {
        ...LEVEL,
        name,
        take: [`INIT_WORK(&p->${name}, gen_work);`],
        undo: [`cancel_work_sync(&p->${name});`],
        members: [`struct work_struct ${name};`],
        tolerant: false,
      };
    case 'counted':
      return {
        ...LEVEL,
        name,
        take: [
          'atomic_inc(&gen_total);',
          `p->${name} = kzalloc(32 + atomic_read(&gen_total), GFP_KERNEL);`,
        ],
        failure: { condition: `!p->${name}`, set: 'ret = -ENOMEM;' },
        own: ['atomic_dec(&gen_total);'],
        undo: [`kfree(p->${name});`, 'atomic_dec(&gen_total);'],
        members: [`void *${name};`],
        tolerant: false,
      };
    case 'arm':
      return {
        ...LEVEL,
        name,
        take: ['#ifdef CONFIG_PM', `p->${name} = kzalloc(48, GFP_KERNEL);`, '#endif'],
        undo: ['#ifdef CONFIG_PM', `kfree(p->${name});`, '#endif'],
        members: [`void *${name};`],
      };
    case 'field':
      return { ...LEVEL, name, take: [`p->${name} = ${id};`], members: [`int ${name};`] };
    case 'lock':
      return {
        ...LEVEL,
        name,
        take: [`mutex_init(&p->${name});`],
        members: [`struct mutex ${name};`],
      };
    case 'message':
      return { ...LEVEL, name, take: [`dev_info(DEV, "step ${id}\\n");`] };
    case 'read-back':
      return {
        ...LEVEL,
        name,
        take: [`p->${name} = p->strict ? 1 : 2;`],
        members: [`int ${name};`],
      };
  }
}

interface Bus {
  readonly parameter: string;
  readonly arguments: string;
  readonly dev: string;
  readonly initialise: string;
  readonly uninitialise: string;
  readonly register: string;
  readonly unregister: string;
  readonly member: string;
}

const BUSES: Record<GeneratedDriver['bus'], Bus> = {
  mdev: {
    parameter: 'struct mdev_device *mdev',
    arguments: 'mdev',
    dev: '&mdev->dev',
    initialise: 'vfio_init_group_dev(&p->vdev, &mdev->dev, OPS);',
    uninitialise: 'vfio_uninit_group_dev(&p->vdev);',
    register: 'vfio_register_emulated_iommu_dev(&p->vdev)',
    unregister: 'vfio_unregister_group_dev(&p->vdev);',
    member: 'struct vfio_device vdev;',
  },
  pci: {
    parameter: 'struct pci_dev *pdev',
    arguments: 'pdev',
    dev: '&pdev->dev',
    initialise: 'vfio_init_group_dev(&p->vdev, &pdev->dev, OPS);',
    uninitialise: 'vfio_uninit_group_dev(&p->vdev);',
    register: 'vfio_register_group_dev(&p->vdev)',
    unregister: 'vfio_unregister_group_dev(&p->vdev);',
    member: 'struct vfio_device vdev;',
  },
  platform: {
    parameter: 'struct platform_device *pdev',
    arguments: 'pdev',
    dev: '&pdev->dev',
    initialise: 'vfio_init_group_dev(&p->vdev, &pdev->dev, OPS);',
    uninitialise: 'vfio_uninit_group_dev(&p->vdev);',
    register: 'vfio_register_group_dev(&p->vdev)',
    unregister: 'vfio_unregister_group_dev(&p->vdev);',
    member: 'struct vfio_device vdev;',
  },
  'pci-core': {
    parameter: 'struct pci_dev *pdev',
    arguments: 'pdev',
    dev: '&pdev->dev',
    initialise: 'vfio_pci_core_init_device(&p->core, pdev, OPS);',
    uninitialise: 'vfio_pci_core_uninit_device(&p->core);',
    register: 'vfio_pci_core_register_device(&p->core)',
    unregister: 'vfio_pci_core_unregister_device(&p->core);',
    member: 'struct vfio_pci_core_device core;',
  },
};

const SIZES = {
  kzalloc: ['kzalloc(sizeof(*p), GFP_KERNEL)', 'kfree'],
  'kzalloc-type': ['kzalloc(sizeof(struct gen), GFP_KERNEL)', 'kfree'],
  kvzalloc: ['kvzalloc(sizeof(*p), GFP_KERNEL)', 'kvfree'],
  vzalloc: ['vzalloc(sizeof(struct gen))', 'vfree'],
  kcalloc: ['kcalloc(1, sizeof(*p), GFP_KERNEL)', 'kfree'],
  devm: ['devm_kzalloc(DEV, sizeof(*p), GFP_KERNEL)', null],
  declaration: ['kzalloc(sizeof(*p), GFP_KERNEL)', 'kfree'],
} as const;

/** The driver as C. */
export function renderDriver(shape: GeneratedDriver): string {
  const bus = BUSES[shape.bus];
  const isCore = shape.bus === 'pci-core';
  const [call, free] = SIZES[shape.allocation];
  // A helper that undoes everything can do so from any state only where undoing nothing is
  // harmless.
  const tolerantOnly = shape.errors === 'helper';
  let id = 0;
  const levelsOf = (steps: readonly Step[], before = false): Level[] =>
    steps
      .map((step) => level(step, ++id, before))
      .filter((one) => !tolerantOnly || before || one.tolerant);
  const before = levelsOf(
    shape.creator || shape.allocation === 'declaration' ? [] : shape.before,
    true,
  );
  const hazard: Hazard = shape.hazard === undefined ? { kind: 'untagged' } : HAZARDS[shape.hazard]!;
  const levelOfHazard = (step: HazardStep, index: number): Level => ({
    ...LEVEL,
    ...step,
    name: `hazard${index}`,
    undo: step.undo ?? [],
    tolerant: false,
  });
  const gap = [...levelsOf(shape.gap), ...(hazard.gap ? [levelOfHazard(hazard.gap, 0)] : [])];
  const steps = [
    ...levelsOf(shape.steps),
    ...(hazard.steps ?? []).map((step, index) => levelOfHazard(step, index + 1)),
  ];
  const all = [...before, ...gap, ...steps];

  const freed: string[] =
    free === null ? [] : [...(hazard.beforeFree ?? []), hazard.free ?? `${free}(p);`];
  const uninit = shape.uninit === 'natural' ? [bus.uninitialise] : [];
  const choice = shape.tables.startsWith('chosen') || shape.tables === 'two-inits';
  const ops = {
    one: '&gen_ops',
    forward: '&gen_ops',
    'chosen-first': 'ops',
    'chosen-in-call': hazard.ops ?? 'gen_strict ? &gen_strict_ops : &gen_ops',
    'two-inits': '',
  }[shape.tables];
  const initialise = (table: string): string => bus.initialise.replace('OPS', table);
  const init =
    shape.tables === 'two-inits'
      ? [
          'if (gen_strict)',
          `\t${initialise('&gen_strict_ops')}`,
          'else',
          `\t${initialise('&gen_ops')}`,
        ]
      : [initialise(ops)];

  // Everything that probe does until it registers, in order.
  const allocation: Level = {
    ...LEVEL,
    name: 'free',
    take: shape.allocation === 'declaration' ? [] : [`p = ${call};`],
    failure: { condition: shape.check, set: 'ret = -ENOMEM;' },
    own: hazard.complaint === undefined ? [] : [hazard.complaint],
    undo: freed,
  };
  const initialised: Level = {
    ...LEVEL,
    name: 'uninit',
    take: [...init, 'p->strict = gen_strict;'],
    undo: uninit,
  };
  const drvdata: Level = {
    ...LEVEL,
    name: 'drvdata',
    take: [isCore ? 'dev_set_drvdata(DEV, &p->core);' : 'dev_set_drvdata(DEV, p);'],
  };
  const registration: Level = {
    ...LEVEL,
    name: 'register',
    take: [`ret = ${bus.register};`],
    failure: { condition: 'ret' },
    undo: [bus.unregister],
  };
  const early = isCore || shape.drvdata === 'before';
  const late = shape.late.map((kind, index): Level => {
    if (kind === 'list')
      return {
        ...LEVEL,
        name: `list${index}`,
        take: [`list_add(&p->list${index}, &gen_list${index});`],
        undo: [`list_del(&p->list${index});`],
        members: [`struct list_head list${index};`],
        declarations: [`static LIST_HEAD(gen_list${index});`],
      };
    if (kind === 'message')
      return { ...LEVEL, name: `late${index}`, take: ['dev_info(DEV, "registered\\n");'] };
    return {
      ...LEVEL,
      name: `late${index}`,
      take: ['ret = dma_set_coherent_mask(DEV, DMA_BIT_MASK(32));'],
      failure: { condition: 'ret' },
    };
  });
  const creation = [allocation, ...gap, initialised];
  const rest = [
    ...steps,
    ...(early ? [drvdata] : []),
    registration,
    ...(early ? [] : [drvdata]),
    ...late,
  ];
  const destroyed = [...uninit, ...gap.toReversed().flatMap((one) => one.undo), ...freed];
  const undoneBy = (levels: readonly Level[]): string[] =>
    levels.toReversed().flatMap((one) => one.undo);

  // The last thing before the register that something undoes, where there is another.
  const undoable = steps.filter(({ undo }) => undo.length > 0);
  const leaked = shape.leaks && shape.errors !== 'helper' ? undoable.at(-1) : undefined;

  const fallen =
    shape.falls && shape.errors !== 'ladder' && rest.at(-1) === registration
      ? registration
      : undefined;

  /** The macro of the hazard, with the label that it goes to. */
  let macro = hazard.macro;

  /** Takes levels one after the other; `outer` is what was taken before by the same function. */
  const body = (
    levels: readonly Level[],
    outer: readonly Level[],
    give: string,
  ): { lines: string[]; labels: string[] } => {
    const lines: string[] = [];
    const used = new Set<Level>();
    const taken = [...outer];
    let helperUsed = false;
    for (const one of levels) {
      const inner: string[] = [...one.take];
      if (one.failure) {
        const initialisedYet = taken.includes(initialised);
        const withHelper = shape.errors === 'helper' && initialisedYet;
        const undo = taken.filter(({ undo }) => undo.length > 0);
        const setting = [
          ...(one.own ?? []),
          ...(one.failure.set === undefined ? [] : [one.failure.set]),
        ];
        let leave: string[];
        if (undo.length === 0)
          leave = [
            ...(one.own ?? []),
            one.failure.set === undefined
              ? 'return ret;'
              : one.failure.set.replace('ret =', 'return'),
          ];
        else if (withHelper && !taken.includes(registration)) {
          leave = [...setting, 'goto err_destroy;'];
          helperUsed = true;
        } else if (shape.errors === 'inline' || shape.errors === 'helper')
          leave = [
            ...setting,
            ...(withHelper
              ? [
                  ...undoneBy(taken.slice(taken.indexOf(registration) + 1)),
                  bus.unregister,
                  'gen_destroy(p);',
                  ...undoneBy(before),
                ]
              : undoneBy(
                  one === registration && leaked
                    ? taken.filter((other) => other !== leaked)
                    : taken,
                )),
            'return ret;',
          ];
        else {
          const target =
            one === registration && leaked
              ? undo.findLast((other) => other !== leaked)!
              : undo.at(-1)!;
          used.add(target);
          leave = [...setting, `goto err_${target.name};`];
        }
        if (give !== '')
          leave = leave.map((line) => line.replace(/^return (.*);$/, 'return ERR_PTR($1);'));
        if (one === fallen) leave = leave.filter((line) => line !== 'return ret;');
        const label = /^goto (\w+);$/.exec(leave.at(-1) ?? '')?.[1];
        if (one.test !== undefined && label !== undefined) {
          macro = macro?.replace('LABEL', label);
          inner.push(one.test.replace('LABEL', label));
        } else
          inner.push(
            leave.length === 1
              ? `if (${one.failure.condition})`
              : `if (${one.failure.condition}) {`,
            ...leave.map((line) => `\t${line}`),
            ...(leave.length === 1 ? [] : ['}']),
          );
      }
      lines.push(
        ...(one.loop === undefined
          ? inner
          : [`${one.loop} {`, ...inner.map((line) => `\t${line}`), '}']),
      );
      taken.push(one);
    }
    const labels: string[] = [];
    const lowest = taken.findLastIndex((one) => used.has(one));
    for (let index = lowest; index >= 0; index--) {
      const one = taken[index]!;
      if (used.has(one)) labels.push(`:err_${one.name}:`);
      labels.push(...one.undo);
    }
    if (helperUsed) labels.push(':err_destroy:', 'gen_destroy(p);', ...undoneBy(before));
    if (labels.length > 0) labels.push(give === '' ? 'return ret;' : 'return ERR_PTR(ret);');
    return { lines, labels };
  };

  const out: string[] = ['// SPDX-License-Identifier: MIT'];
  for (const header of [
    'dma-mapping',
    'idr',
    'interrupt',
    'mdev',
    'module',
    'pci',
    'platform_device',
    'slab',
    'vfio',
    'vfio_pci_core',
    'vmalloc',
    'workqueue',
  ])
    out.push(`#include <linux/${header}.h>`);
  out.push('', ...(hazard.before ?? []), 'struct gen {');
  const members = [...all, ...late].flatMap((one) => one.members).map((line) => `\t${line}`);
  out.push(...(hazard.head ?? []).map((line) => `\t${line}`));
  out.push(
    ...(shape.first
      ? [`\t${bus.member}`, '\tbool strict;']
      : ['\tbool strict;', `\t${bus.member}`]),
    ...members,
    ...(hazard.members ?? []).map((line) => `\t${line}`),
    '};',
    '',
  );
  out.push(
    `static bool gen_strict = ${shape.strict};`,
    'module_param_named(strict, gen_strict, bool, 0444);',
  );
  if (all.some(({ name }) => name.startsWith('counted')))
    out.push('static atomic_t gen_total = ATOMIC_INIT(0);');
  if (all.some(({ name }) => name.startsWith('number')))
    out.push('static DEFINE_IDA(gen_numbers);');
  for (const one of [...all, ...late])
    if (one.declarations.length > 0) out.push(...one.declarations, '');
  const drvdataOf = isCore
    ? 'container_of((struct vfio_pci_core_device *)dev_get_drvdata(dev), struct gen, core)'
    : 'dev_get_drvdata(dev)';
  out.push(...(hazard.declarations ?? []).map((text) => text.replaceAll('GIVEN', drvdataOf)));
  if (all.some(({ name }) => name.startsWith('work')))
    out.push('static void gen_work(struct work_struct *work)', '{', '}', '');
  if (all.some(({ name }) => name.startsWith('interrupt')))
    out.push(
      'static irqreturn_t gen_interrupt(int irq, void *data)',
      '{',
      '\treturn IRQ_HANDLED;',
      '}',
      '',
    );
  const path = isCore ? 'core.vdev' : 'vdev';
  const open = (name: string, lines: readonly string[]): void =>
    void out.push(
      `static int ${name}(struct vfio_device *vdev)`,
      '{',
      `\tstruct gen *p = container_of(vdev, struct gen, ${path});`,
      '',
      ...lines.map((line) => `\t${line}`),
      '\treturn 0;',
      '}',
      '',
    );
  const table = (name: string, callback: string): void =>
    void out.push(
      `static const struct vfio_device_ops ${name} = {`,
      `\t.name = "${name}",`,
      `\t.open_device = ${callback},`,
      ...(hazard.read ? ['\t.read = gen_read,'] : []),
      '};',
      '',
    );
  if (hazard.read)
    out.push(
      'static ssize_t gen_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)',
      '{',
      `\tstruct gen *p = container_of(vdev, struct gen, ${path});`,
      '',
      ...hazard.read.map((line) => `\t${line}`),
      '}',
      '',
    );
  const touched = steps.find(({ name }) => /^(?:buffer|memory|page)/.test(name));
  open('gen_open', [
    ...(touched ? [`memset(p->${touched.name}, 0, 8);`] : []),
    'p->strict = gen_strict;',
  ]);
  if (shape.tables === 'forward') out.push('static const struct vfio_device_ops gen_ops;', '');
  else table('gen_ops', 'gen_open');
  if (choice) {
    open('gen_strict_open', ['dev_info(p->' + path + '.dev, "strict\\n");']);
    table('gen_strict_ops', 'gen_strict_open');
  }
  if (shape.errors === 'helper')
    out.push(
      'static void gen_destroy(struct gen *p)',
      '{',
      ...[...undoneBy(steps), ...destroyed].map((line) => (/^#/.test(line) ? line : `\t${line}`)),
      '}',
      '',
    );

  const PARENT = shape.local ? [`struct device *dev = ${bus.dev};`] : [];
  const DEV = shape.local ? 'dev' : bus.dev;
  const placed = (line: string): string =>
    line
      .replaceAll('KEPT', isCore ? '&p->core' : 'p')
      .replaceAll(/\bVDEV\b/g, isCore ? '&p->core.vdev' : '&p->vdev')
      .replaceAll(/\bDEV\b/g, DEV);
  const emit = (
    head: string,
    declarations: readonly string[],
    raw: { lines: string[]; labels: string[] },
    end: string,
  ): void => {
    const parts = { lines: raw.lines.map(placed), labels: raw.labels.map(placed) };
    const success = placed(end);
    const text = [
      ...parts.lines,
      success,
      ...parts.labels,
      ...declarations.map((line) => line.split(' = ')[1] ?? ''),
    ].join('\n');
    const kept = [...declarations, ...PARENT, 'int i;'].filter((line) => {
      const name = /(\w+)(?: = .*)?;$/.exec(line)![1]!;
      return new RegExp(`(?<!->)\\b${name}\\b`).test(text);
    });
    out.push(head, '{', ...kept.map((line) => `\t${line}`), '');
    const indented = (line: string): string =>
      /^\t*#/.test(line) ? line.trimStart() : `\t${line}`;
    out.push(...[...parts.lines, success].map(indented));
    if (parts.labels.length > 0) out.push('');
    out.push(
      ...parts.labels.map((line) => (line.startsWith(':') ? line.slice(1) : indented(line))),
      '}',
      '',
    );
  };
  const declareOps =
    shape.tables === 'chosen-first'
      ? ['const struct vfio_device_ops *ops = gen_strict ? &gen_strict_ops : &gen_ops;']
      : [];
  const declareP =
    shape.allocation === 'declaration' ? `struct gen *p = ${call};` : 'struct gen *p;';
  const numbers = before.filter(({ name }) => name.startsWith('number')).map(({ name }) => name);
  const probeHead = `static int gen_probe(${bus.parameter}${shape.bus.startsWith('pci') ? ', const struct pci_device_id *id' : ''})`;
  const macroAt = out.length;
  const keep: Level = {
    ...LEVEL,
    name: 'keep',
    take: numbers.map((name) => `p->${name} = ${name};`),
  };
  if (shape.creator) {
    emit(
      `static struct gen *gen_create(${bus.parameter})`,
      [declareP, ...declareOps, ...(hazard.locals ?? []), 'int ret;'],
      body(creation, [], 'p'),
      'return p;',
    );
    const created: Level = {
      ...LEVEL,
      name: 'created',
      take: [`p = gen_create(${bus.arguments});`, 'if (IS_ERR(p))', '\treturn PTR_ERR(p);'],
      undo: [],
    };
    const parts = body(rest, creation, '');
    emit(
      probeHead,
      ['struct gen *p;', 'int ret;'],
      { lines: [...created.take, ...parts.lines], labels: parts.labels },
      fallen ? 'return ret;' : 'return 0;',
    );
  } else {
    emit(
      probeHead,
      [
        declareP,
        ...declareOps,
        ...(hazard.locals ?? []),
        ...numbers.map((name) => `int ${name};`),
        'int ret;',
      ],
      body([...before, ...creation, keep, ...rest], [], ''),
      fallen ? 'return ret;' : 'return 0;',
    );
  }

  // Without the helper, remove undoes in its own way.
  const outer = numbers.map((name) => `int ${name} = p->${name};`);
  const isOwn = shape.errors !== 'helper';
  const earlyUndo = isOwn && shape.remove === 'one-before-unregister' ? undoable.at(-1) : undefined;
  const later = steps.filter((one) => one !== earlyUndo);
  const stepsUndone =
    isOwn && shape.remove === 'other-order' ? later.flatMap((one) => one.undo) : undoneBy(later);
  const teardown = isOwn ? [...stepsUndone, ...destroyed] : ['gen_destroy(p);'];
  const first =
    shape.remove === 'reads-first' ? ['if (p->strict)', '\tdev_info(DEV, "strict\\n");'] : [];
  const head = isCore
    ? [
        `struct vfio_pci_core_device *core = dev_get_drvdata(${bus.dev});`,
        'struct gen *p = container_of(core, struct gen, core);',
      ]
    : [`struct gen *p = dev_get_drvdata(${bus.dev});`];
  const removal = [
    ...first,
    ...undoneBy(late),
    ...(earlyUndo?.undo ?? []),
    bus.unregister,
    ...teardown,
    ...undoneBy(before),
  ];
  const lastLine = removal.pop()!;
  if (shape.bus === 'platform')
    emit(
      `static int gen_remove(${bus.parameter})`,
      [...head, ...outer],
      { lines: [...removal, lastLine], labels: [] },
      'return 0;',
    );
  else
    emit(
      `static void gen_remove(${bus.parameter})`,
      [...head, ...outer],
      { lines: removal, labels: [] },
      lastLine,
    );
  if (shape.tables === 'forward') table('gen_ops', 'gen_open');
  if (shape.bus === 'mdev') {
    out.push(
      'static struct mdev_driver gen_driver = {',
      '\t.driver = { .name = "gen", .owner = THIS_MODULE },',
      '\t.probe = gen_probe,',
      '\t.remove = gen_remove,',
      '};',
      'module_driver(gen_driver, mdev_register_driver, mdev_unregister_driver);',
    );
  } else {
    out.push(
      `static struct ${shape.bus === 'platform' ? 'platform' : 'pci'}_driver gen_driver = {`,
      ...(shape.bus === 'platform' ? ['\t.driver = { .name = "gen" },'] : ['\t.name = "gen",']),
      '\t.probe = gen_probe,',
      '\t.remove = gen_remove,',
      '};',
      `module_${shape.bus === 'platform' ? 'platform' : 'pci'}_driver(gen_driver);`,
    );
  }
  out.push('MODULE_LICENSE("Dual MIT/GPL");', '');
  if (macro !== undefined) out.splice(macroAt, 0, macro, '');
  const text = out.join('\n');
  return hazard.untagged
    ? text
        .replace(/struct gen \{([\s\S]*?)\n\};/, 'typedef struct {$1\n} gen_t;')
        .replaceAll(/\bstruct gen\b/g, 'gen_t')
    : text;
}
