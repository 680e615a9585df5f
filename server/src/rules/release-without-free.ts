/** A `.release` for 6.1 returns without freeing the container. */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { ExitObservation, ModuleFacts, Site } from '../lifecycle/types.ts';
import { areAlternatives, macrosOf, undecided } from '../lifecycle/module/preprocessor.ts';
import { isConfiguration } from './availability.ts';
import { documentOf } from './locate.ts';
import { findingFor } from './report.ts';
import { insertGuarded } from './fixes/error-style.ts';
import { exitPlaceOf, isEarlyExit, macroNotes, returnAt } from './exit-place.ts';
import { addAtEnd } from './fixes/unwind.ts';
import { DRIVER, FOO_6_1, PROBE, REMOVE } from './examples.ts';
import { say } from './wording.ts';

const messages = {
  early: '{function}() returns here without {free}(); Linux 6.1 needs it on every path',
  end: '{function}() returns without {free}(); Linux 6.1 needs it as the last statement',
} as const;

export const releaseWithoutFree: Rule = {
  id: 'release-without-free',
  severity: 'error',
  isAbsence: true,
  kernels: { since: [6, 1], until: [6, 2] },
  fixable: 'safe',
  docs: {
    what: 'A `.release` for 6.1 returns without freeing the container.',
    why: 'In 6.1, and only there, the driver frees the memory: `.release` must end with `vfio_free_device()`, or with `vfio_pci_core_release_dev()`, which calls it. Otherwise the container is leaked with every device.',
    instead: 'Call `vfio_free_device()` as the last statement of `.release`.',
    knownProblems:
      'The `.release` of a driver that uses `vfio_init_device()` is exempt: its memory is its own. From 6.2 on the core frees the memory and the function is gone.',
    references: ['v6.1 cb9ff3f3b84c adds vfio_free_device', 'v6.2 913447d06f03 removes it'],
  },
  examples: {
    bad: [
      {
        title: 'The driver frees its part only',
        kernel: '6.1',
        code: `struct foo {
	struct vfio_device vdev;
	void *config;
};

static void foo_release_dev(struct vfio_device *vdev)
//          ^^^^^^^^^^^^^^^ release-without-free
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	kfree(foo->config);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
        fixed: `struct foo {
	struct vfio_device vdev;
	void *config;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	kfree(foo->config);
	vfio_free_device(vdev);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'An empty one',
        kernel: '6.1',
        code: `struct foo {
	struct vfio_device vdev;
};

static void foo_release_dev(struct vfio_device *vdev)
//          ^^^^^^^^^^^^^^^ release-without-free
{
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
        fixed: `struct foo {
	struct vfio_device vdev;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	vfio_free_device(vdev);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'An early return leaks',
        kernel: '6.1',
        code: `struct foo {
	struct vfio_device vdev;
	void *config;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	if (!foo->config)
		return;
//              ^^^^^^^ release-without-free
	kfree(foo->config);
	vfio_free_device(vdev);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
        fixed: `struct foo {
	struct vfio_device vdev;
	void *config;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	if (!foo->config) {
		vfio_free_device(vdev);
		return;
	}
	kfree(foo->config);
	vfio_free_device(vdev);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
      },
    ],
    good: [
      {
        title: 'It ends with the free',
        kernel: '6.1',
        code: `${FOO_6_1}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'The free is in a helper',
        kernel: '6.1',
        code: `struct foo {
	struct vfio_device vdev;
	void *config;
};

static void foo_free(struct foo *foo)
{
	kfree(foo->config);
	vfio_free_device(&foo->vdev);
}

static void foo_release_dev(struct vfio_device *vdev)
{
	foo_free(container_of(vdev, struct foo, vdev));
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: "vfio_init_device(): the memory is the driver's",
        kernel: '6.1',
        code: `struct foo {
	struct vfio_device vdev;
	struct completion release_comp;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	complete(&foo->release_comp);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};

static int foo_start(struct foo *foo, struct device *dev)
{
	int ret;

	ret = vfio_init_device(&foo->vdev, dev, &foo_ops);
	if (ret)
		return ret;
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
`,
      },
      {
        title: 'From 6.2 on the core frees it',
        kernel: '6.2',
        code: `struct foo {
	struct vfio_device vdev;
	void *config;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	kfree(foo->config);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
      },
    ],
  },
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  return facts.observations.flatMap((exit): Finding[] => {
    if (
      exit.kind !== 'exit' ||
      exit.role !== 'release' ||
      isFreed(exit) ||
      exit.before.model === 'embedded'
    )
      return [];
    if (
      exit.device.originKind !== 'parameter' ||
      !isOwnedByCore(facts, exit) ||
      isOtherArmFreeing(facts, exit)
    )
      return [];
    const fn = exit.function;
    const isEarly = isEarlyExit(facts, fn, exit.returns);
    const free = freeFor(facts, fn.name);
    const site: Site = isEarly
      ? exit.returns
      : { path: exit.site.path, start: fn.nameSpan.start, end: fn.nameSpan.end };
    return [
      findingFor({
        rule: releaseWithoutFree.id,
        severity: 'error',
        observation: exit,
        site,
        message: say(isEarly ? messages.early : messages.end, { function: fn.name, free }),
        alsoSee: [
          ...macroNotes(facts, fn, exit.returns),
          ...tablesWith(facts, fn.name).map((table) => ({
            site: {
              path: table.path,
              start: table.variable.nameSpan.start,
              end: table.variable.nameSpan.end,
            },
            message: `\`${table.variable.name}\` names it as .release`,
          })),
        ],
        fix: fixFor(facts, exit),
      }),
    ];
  });
}

/** What a put in `.release` is taken to have freed is not: the last reference is gone already. */
function isFreed({ before, trace }: ExitObservation): boolean {
  return before.memory === 'freed' && trace.some(({ op }) => op !== undefined && FREES.has(op));
}

const FREES: ReadonlySet<string> = new Set(['free', 'free-device', 'core-release']);

/** A device that vfio-pci core initialises is released by it too: that ends with the free. */
function freeFor(facts: ModuleFacts, release: string): string {
  const inits = tablesWith(facts, release).map((table) => table.members.get('init')?.value);
  const core = facts.observations.some(
    (one) =>
      one.kind === 'operation' && one.op === 'core-init' && inits.includes(one.function.name),
  );
  return core || inits.includes('vfio_pci_core_init_dev')
    ? 'vfio_pci_core_release_dev'
    : 'vfio_free_device';
}

function tablesWith(facts: ModuleFacts, release: string): ModuleFacts['opsTables'] {
  return facts.opsTables.filter((table) => table.members.get('release')?.value === release);
}

/** The tables of a vfio_init_device() driver are given to that call; its memory is its own. */
function isOwnedByCore(facts: ModuleFacts, exit: ExitObservation): boolean {
  const uses = tablesWith(facts, exit.function.name).flatMap((table) => table.givenTo);
  return uses.every((use) => use.op !== 'init-device');
}

/**
 * An #if that may well stand for the kernel's version, and whose other arm frees: a driver for
 * several kernels.
 */
function isOtherArmFreeing(facts: ModuleFacts, exit: ExitObservation): boolean {
  const open = undecided(
    exit.conditions,
    facts.kernel,
    macrosOf(facts.module, facts.kernel),
  ).filter((condition) => !isConfiguration(condition.test));
  return (
    open.length > 0 &&
    facts.observations.some(
      (one) =>
        one.kind === 'exit' &&
        one.function === exit.function &&
        one.before.memory === 'freed' &&
        areAlternatives(open, one.conditions),
    )
  );
}

function fixFor(facts: ModuleFacts, exit: ExitObservation): Fix | null {
  const file = documentOf(facts.module, exit.function);
  const [param] = exit.function.params;
  if (
    file === null ||
    param === undefined ||
    param.type.name !== 'vfio_device' ||
    param.type.pointers !== 1
  )
    return null;
  const call = `${freeFor(facts, exit.function.name)}(${param.name})`;
  const leaves = facts.observations.filter(
    (one) =>
      one.kind === 'exit' && one.function === exit.function && one.device.id === exit.device.id,
  );
  const here = leaves.filter(
    (one) =>
      one.kind === 'exit' &&
      one.returns.start === exit.returns.start &&
      one.returns.end === exit.returns.end,
  );
  // A place that other paths reach with the memory freed wants a person.
  if (here.some((one) => one.before.memory === 'freed')) return null;
  if (exitPlaceOf(facts, exit.function, exit.returns).kind === 'macro') return null;
  const leave = returnAt(exit.function, exit.returns);
  const isEnd = leave === null || exit.function.body.body.at(-1) === leave;
  const edit = isEnd ? addAtEnd(file.text, exit.function, [`${call};`]) : null;
  const edits = isEnd
    ? edit && [edit]
    : insertGuarded(file.text, exit.function, leave, [`${call};`]);
  return edits === null
    ? null
    : { title: `Add ${call}`, safety: 'safe', edits: [{ path: file.path, edits }] };
}
