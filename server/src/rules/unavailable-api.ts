/**
 * The driver calls a function or macro, or fills a table or a member, that the target kernel does
 * not have yet.
 */
import type { Finding, Rule, RuleContext } from './types.ts';
import type { ApiUse } from './availability.ts';
import { gravity, lackingUses } from './availability.ts';
import { titleOf } from '../kernel/describe-entry.ts';
import { formatVersion } from '../kernel/version.ts';
import { confusedPuts } from './put-name-confusion.ts';
import { DRIVER, FOO, OLD_REMOVE } from './examples.ts';
import { say } from './wording.ts';

const messages = {
  tooNew: '{name} needs Linux {since} (target {kernel}); put it under LINUX_VERSION_CODE',
  newer: '{name} is in newer kernels than Linux {kernel} only; put it under LINUX_VERSION_CODE',
  backported: '{name} is in Linux {kernel} from {late} on; name the sublevel of the target kernel',
} as const;

export const unavailableApi: Rule = {
  id: 'unavailable-api',
  severity: 'error',
  kernels: {},
  fixable: 'none',
  docs: {
    what: 'The driver calls a function or macro, or fills a table or a member, that the target kernel does not have yet.',
    why: 'The driver does not build for the target kernel. `vfio_alloc_device()`, `vfio_put_device()` and the ops members `.init` and `.release` of the object are new in 6.1, `vfio_uninit_group_dev()` in 5.15. 5.10.137 and later releases of 5.10.y have `vfio_init_group_dev()`, `vfio_register_group_dev()` and `vfio_unregister_group_dev()` of 5.13: a target 5.10 without its sublevel makes it a warning.',
    instead:
      'Set the target kernel to the kernel of the driver. If one source must build for several kernels, put each model into its own `#if LINUX_VERSION_CODE` arm.',
    knownProblems:
      'A function of the same name that the module defines or declares is not reported. Neither is code that a test of LINUX_VERSION_CODE excludes from the target kernel, nor an arm of an `#if` whose other arm uses what the target kernel has. Under a macro that is neither, the finding is a hint. A vendor kernel may have a function earlier than the release of its number.',
    references: [
      'v6.1 cb9ff3f3b84c adds vfio_alloc_device, vfio_put_device and the ops members init and release',
      'v5.15 ae03c3771b8c adds vfio_uninit_group_dev',
      'v5.15 2fd585f4ed9d adds open_device and close_device',
    ],
  },
  examples: {
    bad: [
      {
        title: 'The new model in a driver for 6.0',
        kernel: '6.0',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
//            ^^^^^^^^^^^^^^^^^ unavailable-api
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
//              ^^^^^^^^^^^^^^^ unavailable-api
	return ret;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
//      ^^^^^^^^^^^^^^^ unavailable-api
}
${DRIVER}`,
      },
      {
        title: 'Uninit came with 5.15',
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
	if (ret) {
		vfio_uninit_group_dev(&foo->vdev);
//              ^^^^^^^^^^^^^^^^^^^^^ unavailable-api
		kfree(foo);
	}
	return ret;
}
`,
      },
      {
        title: 'A release of 5.10.y before the one that took it',
        kernel: '5.10.100',
        code: `static int foo_start(struct foo *foo)
{
	return vfio_register_group_dev(&foo->vdev);
//             ^^^^^^^^^^^^^^^^^^^^^^^ unavailable-api
}
`,
      },
      {
        title: 'Callbacks of the object in a table for 6.0',
        kernel: '6.0',
        code: `static int foo_init_dev(struct vfio_device *vdev)
{
	return 0;
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = foo_init_dev,
//      ^^^^^ unavailable-api
};
`,
      },
      {
        title: 'The .release of a device that the core allocates, in a table for 6.0',
        kernel: '6.0',
        code: `static void foo_release_dev(struct vfio_device *vdev)
{
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
//      ^^^^^^^^ unavailable-api
};

static struct foo *foo_create(struct device *dev)
{
	return vfio_alloc_device(foo, vdev, dev, &foo_ops);
//             ^^^^^^^^^^^^^^^^^ unavailable-api
}
`,
      },
    ],
    good: [
      {
        title: 'A driver for a late release of 5.10.y',
        kernel: '5.10.198',
        code: `static int foo_probe(struct foo *foo, struct device *dev)
{
	vfio_init_group_dev(&foo->vdev, dev, &foo_ops, foo);
	return vfio_register_group_dev(&foo->vdev);
}

static void foo_remove(struct foo *foo)
{
	vfio_unregister_group_dev(&foo->vdev);
}
`,
      },
      {
        title: 'The new model where the kernel is new',
        kernel: '6.0',
        code: `${FOO}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
static struct foo *foo_create(struct device *dev)
{
	return vfio_alloc_device(foo, vdev, dev, &foo_ops);
}
#endif
`,
      },
      {
        title: 'A wrapper of the driver that fills the gap',
        kernel: '5.14',
        code: `${FOO}
static inline void vfio_uninit_group_dev(struct vfio_device *vdev)
{
}
${OLD_REMOVE}`,
      },
      {
        title: "The file descriptor's .release of 5.14",
        kernel: '5.14',
        code: `static int foo_open(struct vfio_device *vdev)
{
	return 0;
}

static void foo_close(struct vfio_device *vdev)
{
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.open = foo_open,
	.release = foo_close,
};
`,
      },
    ],
  },
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  const uses = lackingUses(facts).filter(({ verdict }) => verdict === 'unavailable');
  if (uses.length === 0) return [];
  const findings: Finding[] = [];
  // A misnomer is worth one finding, the one that names the right function.
  const confused = confusedPuts(facts);
  for (const use of uses) {
    if (confused.has(`${use.site.path}:${use.site.start}`)) continue;
    const severity = gravity(use, facts, 'error');
    if (severity === null) continue;
    findings.push({
      rule: unavailableApi.id,
      severity,
      message: messageFor(use, formatVersion(facts.kernel)),
      site: use.site,
      functionName: use.functionName,
      related: [],
      fix: null,
    });
  }
  return findings;
}

function messageFor({ entry, isUncertain }: ApiUse, kernel: string): string {
  const name = entry.kind === 'member' ? `\`.${entry.name}\` of ${entry.owner}` : titleOf(entry);
  const [late] = isUncertain ? (entry.kernels.backports ?? []) : [];
  if (late !== undefined)
    return say(messages.backported, { name, kernel, late: formatVersion(late) });
  const { since } = entry.kernels;
  return since === undefined
    ? say(messages.newer, { name, kernel })
    : say(messages.tooNew, { name, since: formatVersion(since), kernel });
}
