/**
 * A device is registered that was neither allocated nor initialised as a vfio_device, or that is
 * registered already.
 */
import type { Finding, Rule, RuleContext } from './types.ts';
import { inRange } from '../kernel/version.ts';
import type { ModuleFacts, OperationObservation } from '../lifecycle/types.ts';
import { nameOf } from './device.ts';
import { findingFor } from './report.ts';
import { DRIVER, FOO, PROBE, REMOVE } from './examples.ts';
import { say } from './wording.ts';

const ALLOCATED_BY_HAND = `
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;

	dev_set_drvdata(&mdev->dev, foo);
`;

const messages = {
  twice: '{register}() of {device}, which is registered already; delete one call',
  undone: '{device} is registered after its initialisation was undone; register it before',
  notInitialised:
    '{device} is registered but not initialised; allocate it with vfio_alloc_device()',
  notInitialisedOldModel:
    '{device} is registered but not initialised; call vfio_init_group_dev() first',
} as const;

export const registerBeforeInit: Rule = {
  id: 'register-before-init',
  severity: 'error',
  kernels: { since: [5, 13] },
  fixable: 'none',
  docs: {
    what: 'The driver registers a device that was neither allocated nor initialised as a vfio_device, or that is already registered.',
    why: 'The registration uses state that `vfio_alloc_device()`, or up to 6.0 `vfio_init_group_dev()`, has set up: the parent device, the ops table, the completion, the index and the struct device. In zeroed memory these pointers are NULL, and the registration dereferences them. A second registration adds the same struct device and the same list entries again.',
    instead:
      'Allocate the container with `vfio_alloc_device()`, or up to 6.0 initialise it with `vfio_init_group_dev()` after `kzalloc()`, and register it once, as the last step of probe that can fail.',
    knownProblems:
      'Only memory that the module allocates is checked. Once it was passed to a function outside the module, which may initialise it, nothing is reported. A failed registration may be repeated.',
    references: [
      'v5.13 0bfc6a4ea63c splits init and register',
      'v6.1 cb9ff3f3b84c adds vfio_alloc_device',
    ],
  },
  examples: {
    bad: [
      {
        title: 'Memory that is only zeroed',
        kernel: '6.2',
        code: `${FOO}${ALLOCATED_BY_HAND}	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
//            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ register-before-init
	if (ret)
		kfree(foo);
	return ret;
}
`,
      },
      {
        title: 'Initialised after the registration',
        kernel: '6.0',
        code: `${FOO}${ALLOCATED_BY_HAND}	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
//            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ register-before-init
	if (ret) {
		kfree(foo);
		return ret;
	}
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
	return 0;
}
`,
      },
      {
        title: 'Registered by the helper and by its caller',
        kernel: '6.2',
        code: `${FOO}
static int foo_start(struct foo *foo)
{
	return vfio_register_emulated_iommu_dev(&foo->vdev);
}

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = foo_start(foo);
	if (ret) {
		vfio_put_device(&foo->vdev);
		return ret;
	}
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
//            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ register-before-init
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
      },
      {
        title: 'Registered after its uninit',
        kernel: '6.0',
        code: `${FOO}${ALLOCATED_BY_HAND}	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
	ret = foo_self_test();
	vfio_uninit_group_dev(&foo->vdev);
	if (!ret)
		ret = vfio_register_emulated_iommu_dev(&foo->vdev);
//                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ register-before-init
	if (ret)
		kfree(foo);
	return ret;
}
`,
      },
    ],
    good: [
      {
        title: 'Allocated, then registered',
        kernel: '6.2',
        code: `${FOO}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'Initialised in a helper, up to 6.0',
        kernel: '6.0',
        code: `${FOO}
static void foo_setup(struct foo *foo, struct device *dev)
{
	vfio_init_group_dev(&foo->vdev, dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
}
${ALLOCATED_BY_HAND}	foo_setup(foo, &mdev->dev);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
		vfio_uninit_group_dev(&foo->vdev);
		kfree(foo);
	}
	return ret;
}
`,
      },
      {
        title: 'Code that is not here may have initialised it',
        kernel: '6.2',
        code: `${FOO}${ALLOCATED_BY_HAND}	ret = vendor_core_setup(foo, &mdev->dev, &foo_ops);
	if (ret)
		return ret;
	return vfio_register_emulated_iommu_dev(&foo->vdev);
}
`,
      },
      {
        title: 'Tried again after a failure',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret == -EBUSY)
		ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
      },
      {
        title: 'One of two ways to register',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct platform_device *pdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	platform_set_drvdata(pdev, foo);
	if (device_iommu_mapped(&pdev->dev))
		ret = vfio_register_group_dev(&foo->vdev);
	else
		ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
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
  return facts.observations.flatMap((one): Finding[] => {
    // A wrapper that initialises and registers has not come to the one when it fails in the other.
    if (
      one.kind !== 'operation' ||
      one.op !== 'register' ||
      one.after.registered !== 'yes' ||
      one.before.memory === 'freed' ||
      one.before.memory === 'error-pointer'
    )
      return [];
    const message = messageFor(facts, one);
    // What unseen code was given it may have initialised: then there is nothing to say.
    if (message === null || (!one.certain && one.before.registered !== 'yes')) return [];
    return [
      findingFor({ rule: registerBeforeInit.id, severity: 'error', observation: one, message }),
    ];
  });
}

function messageFor(facts: ModuleFacts, one: OperationObservation): string | null {
  const { model, initialised, registered, reference } = one.before;
  const device = nameOf(one);
  if (registered === 'yes') return say(messages.twice, { register: one.api, device });
  if (model === 'old' && initialised === 'undone') return say(messages.undone, { device });
  if (model !== 'none' || reference !== 'none') return null;
  // Fields that are set by hand are mixed-models.
  if (/(->|\.)\s*ops\s*=[^=]/.test(one.function.text)) return null;
  const isNewModel = inRange(facts.kernel, { since: [6, 1] });
  return say(isNewModel ? messages.notInitialised : messages.notInitialisedOldModel, { device });
}
