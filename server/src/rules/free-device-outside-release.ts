/** `vfio_free_device()` is called outside of `.release`. */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { ModuleFacts, OperationObservation } from '../lifecycle/types.ts';
import { nameOf } from './device.ts';
import { callAt, documentOf } from './locate.ts';
import { findingFor } from './report.ts';
import { replace } from './fixes/text.ts';
import { DRIVER, FOO_6_1, PROBE, REMOVE } from './examples.ts';
import { say } from './wording.ts';

const messages = {
  inInit:
    '{free}() of {device} in .init: the core frees it when .init fails; only return the error',
  outside: '{free}() may free {device} in .release only; call vfio_put_device() here',
} as const;

export const freeDeviceOutsideRelease: Rule = {
  id: 'free-device-outside-release',
  severity: 'error',
  kernels: { since: [6, 1], until: [6, 2] },
  fixable: 'unsafe',
  docs: {
    what: '`vfio_free_device()` is called outside of `.release`.',
    why: "In 6.1 `vfio_free_device()` is the bare `kvfree()` at the end of an object's life, which `.release` must call because the core does not. Called anywhere else it frees memory that still has references: the index and the device set of the device are leaked, `.release` never runs, and a later put works on freed memory. When `.init` fails the core frees the memory itself.",
    instead: 'Drop the reference with `vfio_put_device()`. In `.init` only return the error.',
    knownProblems:
      'A helper counts as part of `.release` when a `.release` of the module calls it; the other callers of such a helper are reported.',
    references: ['v6.1 cb9ff3f3b84c adds vfio_free_device', 'v6.2 913447d06f03 removes it'],
  },
  examples: {
    bad: [
      {
        title: 'On the failing path of probe',
        kernel: '6.1',
        code: `${FOO_6_1}${PROBE.replace(
          '\tvfio_put_device(&foo->vdev);\n',
          `\tvfio_free_device(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ free-device-outside-release\n`,
        )}${REMOVE}${DRIVER}`,
        fixed: `${FOO_6_1}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'In remove',
        kernel: '6.1',
        code: `${FOO_6_1}${PROBE}${REMOVE.replace(
          '\tvfio_put_device(&foo->vdev);\n',
          `\tvfio_free_device(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ free-device-outside-release\n`,
        )}${DRIVER}`,
        fixed: `${FOO_6_1}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'In .init, where the core frees it',
        kernel: '6.1',
        code: `struct foo {
	struct vfio_device vdev;
	void *config;
};

static int foo_init_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	foo->config = kzalloc(256, GFP_KERNEL);
	if (!foo->config) {
		vfio_free_device(vdev);
//              ^^^^^^^^^^^^^^^^^^^^^^ free-device-outside-release
		return -ENOMEM;
	}
	return 0;
}

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	kfree(foo->config);
	vfio_free_device(vdev);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = foo_init_dev,
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'The helper of .release is called by remove too',
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
${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	foo_free(foo);
//      ^^^^^^^^^^^^^ free-device-outside-release
}
${DRIVER}`,
      },
    ],
    good: [
      { title: 'In .release', kernel: '6.1', code: `${FOO_6_1}${PROBE}${REMOVE}${DRIVER}` },
      {
        title: 'In a helper of .release',
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
        title: "A function of the driver's own with that name",
        kernel: '6.1',
        code: `${FOO_6_1.replaceAll('vfio_free_device', 'foo_free_device').replace(
          'static void foo_release_dev',
          `static void foo_free_device(struct vfio_device *vdev)
{
	vfio_free_device(vdev);
}

static void foo_release_dev`,
        )}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'A helper that no one is seen to call',
        kernel: '6.1',
        code: `${FOO_6_1}
void foo_core_release(struct foo *foo)
{
	kfree(foo->config);
	vfio_free_device(&foo->vdev);
}
${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'vfio_pci_core_release_dev() in .release frees it',
        kernel: '6.1',
        code: `static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = vfio_pci_core_init_dev,
	.release = vfio_pci_core_release_dev,
};

static int foo_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfio_pci_core_device *vdev;
	int ret;

	vdev = vfio_alloc_device(vfio_pci_core_device, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);

	dev_set_drvdata(&pdev->dev, vdev);
	ret = vfio_pci_core_register_device(vdev);
	if (ret)
		vfio_put_device(&vdev->vdev);
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
    if (one.kind !== 'operation' || one.op !== 'free-device' || !isOutside(one)) return [];
    return [
      findingFor({
        rule: freeDeviceOutsideRelease.id,
        severity: 'error',
        observation: one,
        message: messageFor(one),
        fix: fixFor(facts, one),
      }),
    ];
  });
}

/** What a helper does to an object that it was given is judged in its callers. */
function isOutside({ role, before, device }: OperationObservation): boolean {
  if (
    role === 'release' ||
    before.model === 'embedded' ||
    before.model === 'old' ||
    before.memory === 'freed' ||
    before.memory === 'error-pointer'
  )
    return false;
  if (role === 'init') return device.originKind === 'parameter';
  // A put before it is use-after-put, a missing unregister put-while-registered.
  if (before.reference === 'dropped' || before.registered === 'yes') return false;
  if (role === 'callback' && device.originKind === 'parameter') return true;
  return role === 'helper'
    ? before.model === 'new' && before.reference === 'held'
    : before.model === 'new' || role === 'remove' || role === 'probe';
}

function messageFor(one: OperationObservation): string {
  const names = { free: one.api, device: nameOf(one) };
  return say(one.role === 'init' ? messages.inInit : messages.outside, names);
}

/** A put in its place: .release may then do what was done by hand before. */
function fixFor(facts: ModuleFacts, one: OperationObservation): Fix | null {
  const file = documentOf(facts.module, one.function);
  const call = callAt(one.function.body, one.site);
  if (
    file === null ||
    one.role === 'init' ||
    one.inner !== null ||
    call === null ||
    call.name !== 'vfio_free_device'
  )
    return null;
  return {
    title: 'Call vfio_put_device() (check that .release does the rest)',
    safety: 'unsafe',
    edits: [{ path: file.path, edits: [replace(call.callee, 'vfio_put_device')] }],
  };
}
