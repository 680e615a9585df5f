/**
 * One device is handled by both models: allocated by the core and initialised by hand, or
 * initialised by the driver and put.
 */
import type { Finding, Rule, RuleContext } from './types.ts';
import type { ModuleFacts, Observation } from '../lifecycle/types.ts';
import { apiEntry } from '../kernel/lifecycle-api.ts';
import type { KernelVersion } from '../kernel/types.ts';
import { inRange } from '../kernel/version.ts';
import { nameOf } from './device.ts';
import { functionsThat, keptByFunction } from './function-traits.ts';
import { documentsOf } from './locate.ts';
import { changesMember, indexOf, memberAccesses } from './members.ts';
import { findingFor } from './report.ts';
import { DRIVER, FOO, OLD_PROBE, OLD_REMOVE, PROBE, REMOVE } from './examples.ts';
import { quoted, say } from './wording.ts';

const messages = {
  initialisedTwice: '{device} is initialised by vfio_alloc_device() already; delete {init}()',
  noReference:
    '{device} has no reference: the driver allocated it; call vfio_uninit_group_dev() and free it',
  uninit: '{device} is from vfio_alloc_device(); call vfio_put_device() in place of {uninit}()',
  freed: '{free}() of {device}, which the driver allocated itself; free it as it was allocated',
  assigned: '{field} of a vfio_device is set by the core; delete this assignment',
} as const;

export const mixedModels: Rule = {
  id: 'mixed-models',
  severity: 'error',
  kernels: {},
  fixable: 'none',
  docs: {
    what: 'One device is handled by both models: allocated by the core and initialised by hand, or initialised by the driver and put.',
    why: 'In the old model (up to 6.0) the driver owns the memory and calls init and uninit; in the new one (from 6.1) the core allocates, initialises and frees it, and the driver drops a reference. No kernel release has both. `vfio_put_device()` of a device that the core did not allocate uses a `struct device` that was never initialised. Assigning `dev` or `ops` by hand replaces neither call.',
    instead: 'Choose one model for the target kernel and use its calls at both ends.',
    knownProblems: 'The two arms of an `#if` are different programs and never mixed.',
    references: ['v6.1 ebb72b765fb4: the last patch of the series removes the old functions'],
  },
  examples: {
    bad: [
      {
        title: 'Half converted: allocated by the core and initialised again',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ removed-api
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mixed-models

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
`,
      },
      {
        title: 'Put of a device that the driver allocated',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ removed-api

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
//              ^^^^^^^^^^^^^^^^^^^^^^^^^^^ mixed-models
	return ret;
}
`,
      },
      {
        title: 'ops assigned by hand',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	foo->vdev.ops = &foo_ops;
//      ^^^^^^^^^^^^^ mixed-models

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
      },
    ],
    good: [
      {
        title: 'The new model at both ends',
        kernel: '6.2',
        code: `${FOO}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'The old model at both ends',
        kernel: '6.0',
        code: `${FOO}${OLD_PROBE.replace(/^\tvfio_init_group_dev\(.*$/m, (line) => `${line}\n//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev`)}${OLD_REMOVE}${DRIVER}`,
      },
      {
        title: 'Each model in its own arm',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

#ifdef HAVE_VFIO_ALLOC_DEVICE
	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
#else
	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
#endif
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
#ifdef HAVE_VFIO_ALLOC_DEVICE
		vfio_put_device(&foo->vdev);
#else
		vfio_uninit_group_dev(&foo->vdev);
		kfree(foo);
#endif
	}
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
  const findings = facts.observations.flatMap((one): Finding[] => {
    const message = messageFor(one, facts.kernel);
    return message === null
      ? []
      : [findingFor({ rule: mixedModels.id, severity: 'error', observation: one, message })];
  });
  return [...findings, ...assignments(facts)];
}

function messageFor(one: Observation, kernel: KernelVersion): string | null {
  if (one.kind !== 'operation') return null;
  const { model } = one.before;
  if (model !== 'new' && model !== 'old') return null;
  const device = (): string => nameOf(one);
  switch (one.op) {
    case 'init':
    case 'init-device':
      return model === 'new'
        ? say(messages.initialisedTwice, { device: device(), init: one.api })
        : null;
    case 'put':
      // Of a device that has been allocated and initialised the second of the two is the defect.
      return model === 'old' && !one.trace.some((step) => step.op === 'alloc')
        ? say(messages.noReference, { device: device() })
        : null;
    case 'uninit':
      return model === 'new' && !isOwn(one.api, kernel)
        ? say(messages.uninit, { device: device(), uninit: one.api })
        : null;
    case 'free-device':
      return model === 'old' ? say(messages.freed, { free: one.api, device: device() }) : null;
    default:
      return null;
  }
}

/**
 * A private function of the core that the kernel has no longer: what is called is the driver's own
 * of that name, which need not uninitialise.
 */
function isOwn(name: string, kernel: KernelVersion): boolean {
  const entry = apiEntry(name);
  return entry?.isPrivate === true && !inRange(kernel, entry.kernels);
}

const mayAssign = keptByFunction((root) => /\b(ops|dev)\s*=[^=]/.test(root.text));

/** What init and alloc set. */
const SET_BY_CORE: readonly string[] = ['vfio_device.ops', 'vfio_device.dev'];

/**
 * `p->vdev.ops = …` and `vdev->dev = …`: what init and alloc do. The core itself, which defines
 * those, is left alone.
 */
function assignments(facts: ModuleFacts): Finding[] {
  const index = indexOf(facts.module, facts.kernel);
  const found = functionsThat(index, mayAssign)
    .filter(({ file }) => facts.module.sources.includes(file))
    .flatMap(({ file, item: fn }) =>
      SET_BY_CORE.some((key) => changesMember(index, file, fn, key))
        ? memberAccesses(index, fn).flatMap((access): Finding[] => {
            if (access.lowered.value === null || !SET_BY_CORE.includes(access.key)) return [];
            return [
              {
                rule: mixedModels.id,
                severity: 'error',
                message: say(messages.assigned, { field: quoted(access.lowered.node.field) }),
                site: access.site,
                functionName: fn.name,
                related: [],
                fix: null,
              },
            ];
          })
        : [],
    );
  return found.length > 0 && definesInterface(facts) ? [] : found;
}

function definesInterface({ module }: ModuleFacts): boolean {
  return documentsOf(module).some(({ functions }) =>
    functions.some(({ name }) => apiEntry(name) !== undefined),
  );
}
