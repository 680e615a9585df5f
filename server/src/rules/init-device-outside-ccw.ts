/**
 * `vfio_init_device()` initialises memory that the driver has just allocated; the core should
 * allocate it.
 */
import type { Finding, Rule, RuleContext } from './types.ts';
import type { OperationObservation } from '../lifecycle/types.ts';
import { nameOf } from './device.ts';
import { findingFor, lastOperation } from './report.ts';
import { DRIVER, FOO_6_1, PROBE, REMOVE } from './examples.ts';
import { say } from './wording.ts';

const EMBEDDED = `struct foo {
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
`;

const REMOVE_AND_WAIT = `
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
	wait_for_completion(&foo->release_comp);
	kfree(foo);
}
`;

const messages = {
  ownMemory: '{init}() of {device}, which {allocator} allocated; use vfio_alloc_device() instead',
} as const;

export const initDeviceOutsideCcw: Rule = {
  id: 'init-device-outside-ccw',
  severity: 'warning',
  kernels: { since: [6, 1], until: [6, 2] },
  fixable: 'none',
  docs: {
    what: '`vfio_init_device()` initialises memory that the driver has just allocated; the core should allocate it.',
    why: '`vfio_init_device()` was made for one driver whose container outlives its device. Its caller must not free the memory in `.release`, must wait in remove until `.release` has run, and must still put the device. Linux 6.2 removed the function.',
    instead:
      'Allocate the container with `vfio_alloc_device()`. Then the core owns the memory, and remove only unregisters and puts.',
    knownProblems:
      "Memory that the function did not allocate itself, such as a member of the parent's own structure, is not reported: the function exists for that.",
    references: [
      'v6.1 cb9ff3f3b84c adds vfio_init_device',
      'v6.2 d1104f9327df makes it static when the last user allocates its device',
    ],
  },
  examples: {
    bad: [
      {
        title: 'Memory of its own from kzalloc()',
        kernel: '6.1',
        code: `${EMBEDDED}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	init_completion(&foo->release_comp);
	ret = vfio_init_device(&foo->vdev, &mdev->dev, &foo_ops);
//            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ init-device-outside-ccw
	if (ret) {
		kfree(foo);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
		vfio_put_device(&foo->vdev);
		wait_for_completion(&foo->release_comp);
		kfree(foo);
	}
	return ret;
}
${REMOVE_AND_WAIT}${DRIVER}`,
      },
      {
        title: 'Managed memory',
        kernel: '6.1',
        code: `${EMBEDDED}
static int foo_probe(struct platform_device *pdev)
{
	struct foo *foo;
	int ret;

	foo = devm_kzalloc(&pdev->dev, sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	init_completion(&foo->release_comp);
	ret = vfio_init_device(&foo->vdev, &pdev->dev, &foo_ops);
//            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ init-device-outside-ccw
	if (ret)
		return ret;
	platform_set_drvdata(pdev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret) {
		vfio_put_device(&foo->vdev);
		wait_for_completion(&foo->release_comp);
	}
	return ret;
}
`,
      },
      {
        title: 'A helper initialises what its caller allocates',
        kernel: '6.1',
        code: `${EMBEDDED}
static int foo_setup(struct foo *foo, struct device *dev)
{
	init_completion(&foo->release_comp);
	return vfio_init_device(&foo->vdev, dev, &foo_ops);
}

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vzalloc(sizeof(*foo));
	if (!foo)
		return -ENOMEM;
	ret = foo_setup(foo, &mdev->dev);
//            ^^^^^^^^^^^^^^^^^^^^^^^^^^ init-device-outside-ccw
	if (ret) {
		vfree(foo);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
		vfio_put_device(&foo->vdev);
		wait_for_completion(&foo->release_comp);
		vfree(foo);
	}
	return ret;
}
`,
      },
    ],
    good: [
      { title: 'vfio_alloc_device()', kernel: '6.1', code: `${FOO_6_1}${PROBE}${REMOVE}${DRIVER}` },
      {
        title: "The container lives in the parent's memory",
        kernel: '6.1',
        code: `${EMBEDDED}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(mdev->dev.parent);
	int ret;

	reinit_completion(&foo->release_comp);
	ret = vfio_init_device(&foo->vdev, &mdev->dev, &foo_ops);
	if (ret)
		return ret;
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
		vfio_put_device(&foo->vdev);
		wait_for_completion(&foo->release_comp);
	}
	return ret;
}
`,
      },
      {
        title: 'One of the containers of an array',
        kernel: '6.1',
        code: `${EMBEDDED}
struct foo_card {
	struct foo ports[4];
};

static int foo_start_port(struct foo_card *card, struct device *dev, int i)
{
	return vfio_init_device(&card->ports[i].vdev, dev, &foo_ops);
}
`,
      },
      {
        title: "A function of the driver's own with that name",
        kernel: '6.2',
        code: `struct foo {
	struct work_struct work;
};

static int vfio_init_device(struct foo *foo)
{
	INIT_WORK(&foo->work, foo_work);
	return 0;
}

static int foo_probe(struct platform_device *pdev)
{
	struct foo *foo = devm_kzalloc(&pdev->dev, sizeof(*foo), GFP_KERNEL);

	return foo ? vfio_init_device(foo) : -ENOMEM;
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
    if (one.kind !== 'operation' || !isOwnMemory(one)) return [];
    const allocated = lastOperation(one.trace, 'allocate');
    return [
      findingFor({
        rule: initDeviceOutsideCcw.id,
        severity: 'warning',
        observation: one,
        message: say(messages.ownMemory, {
          init: one.api,
          device: nameOf(one),
          allocator: allocated === null ? 'the driver' : `${one.before.allocator}()`,
        }),
      }),
    ];
  });
}

function isOwnMemory({ op, before }: OperationObservation): boolean {
  return (
    op === 'init-device' &&
    before.model === 'none' &&
    before.memory === 'live' &&
    before.allocator !== null
  );
}
