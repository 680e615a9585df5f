/**
 * A device is unregistered that is not registered: a second time on the same path, or after its
 * registration failed.
 */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { ModuleFacts, OperationObservation } from '../lifecycle/types.ts';
import { nameOf, operationsOn } from './device.ts';
import { documentOf, isSameSite } from './locate.ts';
import { findingFor } from './report.ts';
import { deleteCall } from './fixes/delete-call.ts';
import { DRIVER, FOO, OLD_PROBE, PROBE, REMOVE, REMOVE_CONFIG } from './examples.ts';
import { say } from './wording.ts';

const OLD = OLD_PROBE.replace(
  /^\tvfio_init_group_dev\(.*$/m,
  (line) => `${line}\n//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev`,
);

const messages = {
  twice: '{device} is unregistered a second time on this path; delete one {unregister}()',
  failed: '{device} is unregistered although its registration failed; only call vfio_put_device()',
  failedOldModel:
    '{device} is unregistered although its registration failed; only undo what came before',
  notRegistered:
    '{device} is unregistered but not registered on this path; use a label below this call',
} as const;

export const doubleUnregister: Rule = {
  id: 'double-unregister',
  severity: 'error',
  kernels: {},
  fixable: 'unsafe',
  docs: {
    what: 'A path unregisters a device that is not registered: it does so twice, or the registration failed.',
    why: 'Registration and unregistration come in pairs. `vfio_unregister_group_dev()` drops the count that the registration set to one and waits until it is zero; without a registration the count runs below zero, or the wait never ends, and the group and the sysfs entries of the device are removed twice. If the registration fails, the core has undone its own part.',
    instead:
      'Unregister once, on the paths on which the registration succeeded. In the error labels of probe the label that unregisters comes before the label that puts, and only steps after the registration jump to it.',
    knownProblems:
      'If the driver tests a state of its own before the call, such as a flag, the finding is a hint. A device that code outside the module may have registered is not reported.',
    references: ['v5.13 0bfc6a4ea63c pairs vfio_register_group_dev and vfio_unregister_group_dev'],
  },
  examples: {
    bad: [
      {
        title: 'The label after a failed registration',
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
	if (ret)
		goto err_unregister;
	return 0;

err_unregister:
	vfio_unregister_group_dev(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ double-unregister
	vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
        fixed: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_unregister;
	return 0;

err_unregister:
	vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
      },
      {
        title: 'A helper has done it already',
        kernel: '6.2',
        code: `${FOO}${PROBE}
static void foo_stop(struct foo *foo)
{
	vfio_unregister_group_dev(&foo->vdev);
	destroy_workqueue(foo->wq);
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	foo_stop(foo);
	vfio_unregister_group_dev(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ double-unregister
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
        fixed: `${FOO}${PROBE}
static void foo_stop(struct foo *foo)
{
	vfio_unregister_group_dev(&foo->vdev);
	destroy_workqueue(foo->wq);
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	foo_stop(foo);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
      },
      {
        title: 'Twice in the remove of an old driver',
        kernel: '6.0',
        code: `${FOO}${OLD}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	flush_workqueue(foo->wq);
	vfio_unregister_group_dev(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ double-unregister
	vfio_uninit_group_dev(&foo->vdev);
	kfree(foo);
}
${DRIVER}`,
      },
      {
        title: 'A step before the registration jumps to the same label',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config) {
		ret = -ENOMEM;
		goto err_unregister;
	}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_free;
	ret = sysfs_create_group(&mdev->dev.kobj, &foo_group);
	if (ret)
		goto err_unregister;
	return 0;

err_unregister:
	vfio_unregister_group_dev(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ double-unregister
err_free:
	kfree(foo->config);
	vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE_CONFIG}${DRIVER}`,
      },
    ],
    good: [
      { title: 'Once on each path', kernel: '6.2', code: `${FOO}${PROBE}${REMOVE}${DRIVER}` },
      {
        title: 'A step after the registration fails',
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
	if (ret)
		goto err_put;
	ret = sysfs_create_group(&mdev->dev.kobj, &foo_group);
	if (ret)
		goto err_unregister;
	return 0;

err_unregister:
	vfio_unregister_group_dev(&foo->vdev);
err_put:
	vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
      },
      {
        title: 'A flag of the driver says whether it is registered',
        kernel: '6.2',
        code: `struct foo {
	struct vfio_device vdev;
	bool registered;
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
};
${PROBE.replace('\treturn 0;', '\tfoo->registered = true;\n\treturn 0;')}
static void foo_stop(struct foo *foo)
{
	if (!foo->registered)
		return;
	vfio_unregister_group_dev(&foo->vdev);
	foo->registered = false;
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	foo_stop(foo);
	foo_stop(foo);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
      },
      {
        title: 'A failed registration is tried again',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int tries = 3;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	do {
		ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	} while (ret == -EAGAIN && --tries);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
      },
      {
        title: 'Two devices, each unregistered once',
        kernel: '6.2',
        code: `struct foo {
	struct vfio_device vdev;
};

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
};

static int foo_add(struct device *dev, struct foo **result)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret) {
		vfio_put_device(&foo->vdev);
		return ret;
	}
	*result = foo;
	return 0;
}

static void foo_del(struct foo *foo)
{
	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}

static int foo_probe(struct device *dev)
{
	struct foo *first, *second;
	int ret;

	ret = foo_add(dev, &first);
	if (ret)
		return ret;
	ret = foo_add(dev, &second);
	if (ret) {
		foo_del(first);
		return ret;
	}
	foo_del(second);
	foo_del(first);
	return 0;
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
    if (one.kind !== 'operation' || one.op !== 'unregister') return [];
    const message = messageFor(one);
    return message === null
      ? []
      : [
          findingFor({
            rule: doubleUnregister.id,
            severity: 'error',
            observation: one,
            message,
            fix: fixFor(facts, one),
          }),
        ];
  });
}

function messageFor(one: OperationObservation): string | null {
  const { before, role } = one;
  // What was freed or is an error pointer has a defect of its own: use-after-put, unchecked-alloc.
  if (
    before.memory === 'freed' ||
    before.memory === 'error-pointer' ||
    before.reference === 'dropped'
  )
    return null;
  const device = nameOf(one);
  // What probe did not undo is probe's defect; remove would repeat it.
  const entry = one.trace.findLastIndex((step) => step.kind === 'entry');
  if (
    entry >= 0 &&
    (before.registered !== 'undone' ||
      !one.trace.slice(entry).some((step) => step.op === 'unregister'))
  )
    return null;
  switch (before.registered) {
    case 'undone':
      return say(messages.twice, { device, unregister: one.api });
    case 'failed':
      return say(before.model === 'new' ? messages.failed : messages.failedOldModel, { device });
    case 'no':
      // `.init` and `.release` run before and after all that; what they see says nothing of a
      // registration.
      if (
        role === 'init' ||
        role === 'release' ||
        before.model === 'none' ||
        before.model === 'unknown'
      )
        return null;
      return say(messages.notRegistered, { device });
    default:
      return null;
  }
}

/** Drops the call where the device is not registered on any path that comes here. */
function fixFor(facts: ModuleFacts, one: OperationObservation): Fix | null {
  const file = documentOf(facts.module, one.function);
  if (file === null || one.inner !== null) return null;
  const here = operationsOn(facts, one.function, one.device).filter(
    (other) => other.op === 'unregister' && isSameSite(other.site, one.site),
  );
  if (here.some((other) => messageFor(other) === null)) return null;
  const edit = deleteCall(file.text, one.function, one.site);
  if (edit === null) return null;
  return {
    title: 'Drop this unregister (check which steps come here)',
    safety: 'unsafe',
    edits: [{ path: file.path, edits: [edit] }],
  };
}
