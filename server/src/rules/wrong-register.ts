/**
 * A mediated device is registered as a device with an IOMMU group of its own, or the other way
 * round.
 */
import type { Finding, Rule, RuleContext } from './types.ts';
import { busView } from '../kernel/casts.ts';
import { familyOfHelper, familyRegisteredBy } from '../kernel/iommu-families.ts';
import type { ModuleFacts, OperationObservation } from '../lifecycle/types.ts';
import { DRIVER, FOO, PROBE, REMOVE } from './examples.ts';
import { callsIn, isSameSite } from './locate.ts';
import { parentOfDevice } from './parent-of-device.ts';
import { findingFor } from './report.ts';
import { say } from './wording.ts';

const PHYSICAL = PROBE.replace('vfio_register_emulated_iommu_dev', 'vfio_register_group_dev');

/** The driver for a device of the platform bus, whose device has an IOMMU group of its own. */
function onPlatform(code: string): string {
  return code
    .replaceAll('mdev_device *mdev', 'platform_device *pdev')
    .replaceAll('&mdev->dev', '&pdev->dev')
    .replace(
      'mdev_driver foo_driver = {',
      'platform_driver foo_driver = {\n\t.driver_managed_dma = true,',
    );
}

const messages = {
  noGroup: 'a mediated device has no IOMMU group: -EINVAL; use vfio_register_emulated_iommu_dev()',
  ownGroup: 'struct {parent} has an IOMMU group of its own; use vfio_register_group_dev()',
} as const;

export const wrongRegister: Rule = {
  id: 'wrong-register',
  severity: 'error',
  kernels: { since: [5, 16] },
  fixable: 'none',
  docs: {
    what: 'A mediated device is registered as a device with an IOMMU group of its own, or the other way round.',
    why: 'Since 5.16 a mediated device has no IOMMU group: `vfio_register_group_dev()` looks for one and returns `-EINVAL`, unless the unsafe no-IOMMU mode is on. A device of a bus with an IOMMU that is registered by `vfio_register_emulated_iommu_dev()` bypasses the mappings of user space with its DMA.',
    instead:
      'Register a mediated device with `vfio_register_emulated_iommu_dev()`, any other with `vfio_register_group_dev()`, and let the iommufd members follow.',
    knownProblems:
      'It is an error only if the parent is known to be a `struct mdev_device`. A device of another bus that is registered as an emulated one is a hint, unless its ops table has the iommufd members of an emulated one too: its driver may translate every access itself. If the parent is a bare `struct device *`, or the module puts a device into an IOMMU group itself, nothing is reported.',
    references: ['v5.16 c68ea0d00ad8 adds vfio_register_emulated_iommu_dev for mdev'],
  },
  examples: {
    bad: [
      {
        title: 'A mediated device registered as a physical one',
        kernel: '6.2',
        code: `${FOO}${PHYSICAL.replace(
          '&foo->vdev);\n	if (ret)',
          '&foo->vdev);\n//            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ wrong-register\n	if (ret)',
        )}${REMOVE}${DRIVER}`,
      },
      {
        title: 'A platform device registered as an emulated one',
        kernel: '6.2',
        code: onPlatform(
          `${FOO}${PROBE.replace(
            '&foo->vdev);\n	if (ret)',
            '&foo->vdev);\n//            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ wrong-register hint\n	if (ret)',
          )}${REMOVE}${DRIVER}`,
        ),
      },
      {
        title: 'A mediated device of the old model',
        kernel: '5.16',
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
//            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ wrong-register
	if (ret) {
		vfio_uninit_group_dev(&foo->vdev);
		kfree(foo);
	}
	return ret;
}
`,
      },
    ],
    good: [
      {
        title: 'A condition decides how it is registered',
        kernel: '6.2',
        code: `${FOO}${PROBE.replace(
          '	ret = vfio_register',
          '	if (foo_has_group)\n		ret = vfio_register_group_dev(&foo->vdev);\n	else\n		ret = vfio_register',
        )}${REMOVE}${DRIVER}`,
      },
      {
        title: 'A mediated device that the driver puts into a group',
        kernel: '6.2',
        code: `${FOO}${PHYSICAL.replace(
          '	dev_set_drvdata',
          '	iommu_group_add_device(foo_group, &mdev->dev);\n	dev_set_drvdata',
        )}${REMOVE}${DRIVER}`,
      },
      {
        title: 'A platform device that the ops table says to be emulated too',
        kernel: '6.2',
        code: onPlatform(
          `${FOO.replace(/(struct vfio_device_ops foo_ops = \{)/, '$1\n\t.bind_iommufd = vfio_iommufd_emulated_bind,\n\t.unbind_iommufd = vfio_iommufd_emulated_unbind,\n\t.attach_ioas = vfio_iommufd_emulated_attach_ioas,')}${PROBE}${REMOVE}${DRIVER}`,
        ),
      },
      { title: 'A mediated device', kernel: '6.2', code: `${FOO}${PROBE}${REMOVE}${DRIVER}` },
      {
        title: 'A platform device',
        kernel: '6.2',
        code: onPlatform(`${FOO}${PHYSICAL}${REMOVE}${DRIVER}`),
      },
      {
        title: 'A mediated device of 5.15, which has a group',
        kernel: '5.15',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev, struct foo *foo)
{
	return vfio_register_group_dev(&foo->vdev);
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
    if (one.kind !== 'operation' || one.op !== 'register') return [];
    if (isRegisteredBothWays(facts, one)) return [];
    const parent = parentOfDevice(facts, one);
    if (parent === 'mdev_device' && one.api === 'vfio_register_group_dev') {
      return [
        findingFor({
          rule: wrongRegister.id,
          severity: wrongRegister.severity,
          observation: one,
          message: messages.noGroup,
        }),
      ];
    }
    const isPhysical = parent !== null && parent !== 'mdev_device' && busView(parent) !== undefined;
    if (!isPhysical || one.api !== 'vfio_register_emulated_iommu_dev') return [];
    if (hasEmulatedTable(facts, one)) return [];
    return [
      findingFor({
        rule: wrongRegister.id,
        severity: 'hint',
        observation: one,
        message: say(messages.ownGroup, { parent }),
      }),
    ];
  });
  // A driver may make the group that its mediated device needs.
  const isMade =
    findings.length > 0 && callsIn(facts.module, ['iommu_group_add_device']).length > 0;
  return isMade ? [] : findings;
}

/** The ops table says the same of the device by its iommufd members: the driver means it. */
function hasEmulatedTable({ opsTables }: ModuleFacts, register: OperationObservation): boolean {
  return opsTables
    .filter(({ givenTo }) => givenTo.some(({ site }) => isSameSite(site, register.device.origin)))
    .some(({ members }) =>
      [...members.values()].some(({ value }) => familyOfHelper(value) === 'emulated'),
    );
}

/** Whether something decides which of the two calls registers the device. */
function isRegisteredBothWays({ observations }: ModuleFacts, register: OperationObservation) {
  const families = observations.flatMap((one) =>
    one.kind === 'operation' &&
    one.op === 'register' &&
    isSameSite(one.device.origin, register.device.origin)
      ? [familyRegisteredBy(one.api)]
      : [],
  );
  return new Set(families).size > 1;
}
