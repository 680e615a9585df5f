/**
 * The driver uses the old model of the life cycle, which is right for this target kernel and gone
 * in 6.1.
 */
import type { Finding, Rule, RuleContext } from './types.ts';
import { apiUses, type ApiUse } from './availability.ts';
import { areAlternatives, isExcluded, macrosOf } from '../lifecycle/module/preprocessor.ts';
import { isInit } from './removed-api.ts';
import { formatVersion } from '../kernel/version.ts';
import { DRIVER, FOO, OLD_PROBE, OLD_REMOVE, PROBE, REMOVE } from './examples.ts';
import { say } from './wording.ts';

const messages = {
  oldModel: '{init}() exists in Linux {kernel} but not in 6.1; use vfio_alloc_device() there',
} as const;

export const deprecatedInitGroupDev: Rule = {
  id: 'deprecated-init-group-dev',
  severity: 'information',
  kernels: { since: [5, 13], until: [6, 1] },
  fixable: 'conversion',
  docs: {
    what: 'The driver uses the old model of the life cycle, which is right for this target kernel but was removed in 6.1.',
    why: 'Up to 6.0 the driver owns the memory of the container and calls `vfio_init_group_dev()` on it. 6.1 has neither that function nor `vfio_uninit_group_dev()`: there the core allocates the container and counts its references.',
    instead:
      'Nothing, if the driver is for this kernel only. For 6.1 or later convert it: `vfio_alloc_device()` replaces the allocation and the init, `vfio_put_device()` the uninit and the free. The result does not build for 6.0 and earlier.',
    knownProblems:
      'Nothing is reported if the other `#if` arm of the driver already uses the new model.',
    references: [
      'v6.1 cb9ff3f3b84c adds vfio_alloc_device and vfio_put_device',
      'v6.1 ebb72b765fb4 removes vfio_init_group_dev and vfio_uninit_group_dev',
    ],
  },
  examples: {
    bad: [
      {
        title: 'A driver for 6.0',
        kernel: '6.0',
        code: `${FOO}${OLD_PROBE.replace(/^\tvfio_init_group_dev\(.*$/m, (line) => `${line}\n//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev`)}${OLD_REMOVE}${DRIVER}`,
      },
      {
        title: 'A driver for 5.14, which has no uninit',
        kernel: '5.14',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		kfree(foo);
	return ret;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	kfree(foo);
}
${DRIVER}`,
      },
      {
        title: 'A driver with two calls, told once',
        kernel: '6.0',
        code: `static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfio_pci_core_device *vdev;
	int ret;

	vdev = kzalloc(sizeof(*vdev), GFP_KERNEL);
	if (!vdev)
		return -ENOMEM;
	if (pdev->is_virtfn)
		vfio_pci_core_init_device(vdev, pdev, &foo_vf_ops);
//              ^^^^^^^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
	else
		vfio_pci_core_init_device(vdev, pdev, &foo_ops);

	dev_set_drvdata(&pdev->dev, vdev);
	ret = vfio_pci_core_register_device(vdev);
	if (ret) {
		vfio_pci_core_uninit_device(vdev);
		kfree(vdev);
	}
	return ret;
}

static void foo_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(vdev);
	vfio_pci_core_uninit_device(vdev);
	kfree(vdev);
}
`,
      },
      {
        title: 'A driver on top of vfio-pci core',
        kernel: '6.0',
        code: `static const struct vfio_device_ops foo_ops = {
	.name = "foo",
};

static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfio_pci_core_device *vdev;
	int ret;

	vdev = kzalloc(sizeof(*vdev), GFP_KERNEL);
	if (!vdev)
		return -ENOMEM;
	vfio_pci_core_init_device(vdev, pdev, &foo_ops);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev

	dev_set_drvdata(&pdev->dev, vdev);
	ret = vfio_pci_core_register_device(vdev);
	if (ret)
		goto out_free;
	return 0;

out_free:
	vfio_pci_core_uninit_device(vdev);
	kfree(vdev);
	return ret;
}

static void foo_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(vdev);
	vfio_pci_core_uninit_device(vdev);
	kfree(vdev);
}

static struct pci_driver foo_driver = {
	.driver_managed_dma = true,
	.name = "foo",
	.probe = foo_probe,
	.remove = foo_remove,
};
`,
      },
    ],
    good: [
      {
        title: 'A driver that has the new model for newer kernels',
        kernel: '6.0',
        code: `${FOO}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
${PROBE}${REMOVE}
#else
${OLD_PROBE}${OLD_REMOVE}
#endif
${DRIVER}`,
      },
      {
        title: 'The name in a comment and in a string',
        kernel: '6.0',
        code: `/* vfio_init_group_dev(&foo->vdev, dev, &foo_ops) is what the core does here. */
static void foo_report(struct device *dev)
{
	dev_info(dev, "vfio_init_group_dev() done\\n");
}
`,
      },
      {
        title: 'A wrapper of the driver by that name',
        kernel: '6.0',
        code: `static void vfio_init_group_dev(struct foo_group *group)
{
	group->ready = true;
}

static void foo_group_add(struct foo_group *group)
{
	vfio_init_group_dev(group);
}
`,
      },
    ],
  },
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  const uses = apiUses(facts);
  const kernel = formatVersion(facts.kernel);
  const inits = uses.filter(
    (use) =>
      isInit(use.entry.name) &&
      use.verdict === 'available' &&
      !isExcluded(use.conditions, facts.kernel, macrosOf(facts.module, facts.kernel)) &&
      !uses.some(
        (other) =>
          isNewModel(other.entry.model) && areAlternatives(use.conditions, other.conditions),
      ),
  );
  return firstOfEachDocument(inits).map((use): Finding => {
    const others = inits.filter((one) => one !== use && one.site.path === use.site.path);
    return {
      rule: deprecatedInitGroupDev.id,
      severity: 'information',
      message: say(messages.oldModel, { init: use.entry.name, kernel }),
      site: use.site,
      functionName: use.functionName,
      related: others.map(({ site, entry }) => ({
        site,
        message: `${entry.name}() is called here too`,
      })),
      fix: null,
      convertible: true,
      tags: ['deprecated'],
    };
  });
}

/** It is told once a driver, and not once a call: no call of them is wrong. */
function firstOfEachDocument(uses: readonly ApiUse[]): readonly ApiUse[] {
  const first = new Map<string, ApiUse>();
  for (const use of uses) {
    const { path, start } = use.site;
    const before = first.get(path);
    if (before === undefined || start < before.site.start) first.set(path, use);
  }
  return [...first.values()];
}

function isNewModel(model: string): boolean {
  return model === 'new' || model === 'core-new';
}
