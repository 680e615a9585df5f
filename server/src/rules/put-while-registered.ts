/** The device is put, freed or released while it is still registered on that path. */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { ModuleFacts, Observation, OperationObservation } from '../lifecycle/types.ts';
import { nameOf, operationsOn } from './device.ts';
import { documentOf, statementAt } from './locate.ts';
import { findingFor, passes } from './report.ts';
import { putLinesBefore, takeLines } from './fixes/move.ts';
import { startsLine } from './fixes/text.ts';
import { DRIVER, FOO, PROBE, REMOVE } from './examples.ts';
import { say } from './wording.ts';

const messages = {
  registered: '{put}() of {device} while it is still registered; unregister it first',
} as const;

export const putWhileRegistered: Rule = {
  id: 'put-while-registered',
  severity: 'error',
  isAbsence: true,
  kernels: {},
  fixable: 'safe',
  docs: {
    what: 'The device is put, freed or released while it is still registered on that path.',
    why: 'A registered device can be opened, and its callbacks run, until `vfio_unregister_group_dev()` returns. If an earlier put drops the last reference, the core frees the container under its users, and the unregister itself uses freed memory.',
    instead:
      'Call `vfio_unregister_group_dev()` first and `vfio_put_device()` last. A probe that fails after its registration owes both, in this order. Up to 6.0 the same holds for the uninit and the free.',
    knownProblems:
      'In `.remove` a put without any unregister after it is reported by remove-without-unregister. An unregister inside a helper is followed.',
    references: [
      'v6.1 cb9ff3f3b84c adds vfio_put_device',
      'v6.1 ca5f21b25749 ties the lifetime of the group to the registration',
    ],
  },
  examples: {
    bad: [
      {
        title: 'Remove has them in the wrong order',
        kernel: '6.2',
        code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_put_device(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^ put-while-registered
	vfio_unregister_group_dev(&foo->vdev);
}
${DRIVER}`,
        fixed: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
      },
      {
        title: 'A failing probe puts what it has registered',
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
		goto err_put;
	return 0;

err_put:
	vfio_put_device(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^ put-while-registered
	return ret;
}
${REMOVE}${DRIVER}`,
      },
      {
        title: 'The put is in a helper',
        kernel: '6.2',
        code: `${FOO}${PROBE}
static void foo_destroy(struct foo *foo)
{
	vfio_put_device(&foo->vdev);
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);
	struct vfio_device *vdev = &foo->vdev;

	foo_destroy(foo);
//      ^^^^^^^^^^^^^^^^ put-while-registered
	vfio_unregister_group_dev(vdev);
}
${DRIVER}`,
        fixed: `${FOO}${PROBE}
static void foo_destroy(struct foo *foo)
{
	vfio_put_device(&foo->vdev);
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);
	struct vfio_device *vdev = &foo->vdev;

	vfio_unregister_group_dev(vdev);
	foo_destroy(foo);
}
${DRIVER}`,
      },
    ],
    good: [
      { title: 'Unregister, then put', kernel: '6.2', code: `${FOO}${PROBE}${REMOVE}${DRIVER}` },
      {
        title: 'The put of a device whose registration failed',
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
        title: 'A second reference is put while the device stays registered',
        kernel: '6.2',
        code: `${FOO}${PROBE}
static void foo_report(struct foo *foo)
{
	get_device(&foo->vdev.device);
	dev_info(foo->vdev.dev, "still there\\n");
	put_device(&foo->vdev.device);
}

static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	foo_report(foo);
	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
      },
    ],
  },
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  return facts.observations.flatMap((one): Finding[] => {
    if (!isPutWhileRegistered(one) || isReportedElsewhere(facts, one)) return [];
    // Who puts an element may have taken the reference by finding it, unless it goes away here.
    if (one.device.isElement && unregisterBehind(facts, one) === null) return [];
    return [
      findingFor({
        rule: putWhileRegistered.id,
        severity: 'error',
        observation: one,
        message: say(messages.registered, { put: one.api, device: nameOf(one) }),
        alsoSee: (unregisterBehind(facts, one) ?? []).map((later) => ({
          site: later.site,
          message: 'the unregister comes only here',
        })),
        fix: fixFor(facts, one),
      }),
    ];
  });
}

/**
 * Whether an operation gives up the last reference, or the memory, of a device that is registered
 * on this path.
 */
function isPutWhileRegistered(one: Observation): one is OperationObservation {
  if (one.kind !== 'operation' || one.before.registered !== 'yes') return false;
  const { model, reference, initialised, extraReferences, memory } = one.before;
  switch (one.op) {
    case 'put':
      return model === 'new' && reference === 'held' && extraReferences === 0;
    case 'free-device':
    case 'core-release':
      return model === 'new' && reference === 'held';
    case 'uninit':
      return model === 'old' && initialised === 'yes';
    // What was put or uninitialised before has been reported there.
    case 'free':
      return (
        memory === 'live' &&
        (model === 'new' ? reference === 'held' : model === 'old' && initialised === 'yes')
      );
    default:
      return false;
  }
}

/**
 * A remove that never unregisters is remove-without-unregister, and in the old model an unregister
 * behind the free is a use of freed
 * memory, use-after-put.
 */
function isReportedElsewhere(facts: ModuleFacts, one: OperationObservation): boolean {
  const [later] = unregisterBehind(facts, one) ?? [];
  if (one.before.model === 'old')
    return one.op === 'uninit' && later !== undefined
      ? later.before.memory === 'freed'
      : one.role === 'remove' || later !== undefined;
  return (
    one.role === 'remove' &&
    facts.observations.some(
      (exit) =>
        exit.kind === 'exit' &&
        exit.function === one.function &&
        exit.device.id === one.device.id &&
        exit.before.registered === 'yes' &&
        passes(exit.trace, one),
    )
  );
}

/** The unregister calls that follow on a path through the operation, or null. */
function unregisterBehind(
  facts: ModuleFacts,
  put: OperationObservation,
): OperationObservation[] | null {
  const later = operationsOn(facts, put.function, put.device).filter(
    (one) => one.op === 'unregister' && one.before.registered === 'yes' && passes(one.trace, put),
  );
  return later.length > 0 ? later.slice(0, 1) : null;
}

/** Safe when the unregister stands behind the put in the same block: it moves up as it is. */
function fixFor(facts: ModuleFacts, put: OperationObservation): Fix | null {
  const file = documentOf(facts.module, put.function);
  const [later] = unregisterBehind(facts, put) ?? [];
  if (file === null || later === undefined) return null;
  const from = statementAt(put.function.body, later.site);
  const to = statementAt(put.function.body, put.site);
  if (
    !from ||
    !to ||
    from.siblings === null ||
    from.siblings !== to.siblings ||
    from.index <= to.index
  )
    return null;
  if (
    from.statement.kind !== 'expr' ||
    from.statement.expr.kind !== 'call' ||
    !startsLine(file.text, to.statement.start)
  )
    return null;
  if (
    from.siblings
      .slice(to.index, from.index)
      .some((one) => one.kind === 'label' || one.kind === 'preproc')
  )
    return null;
  const taken = takeLines(file.text, from.statement);
  if (taken === null) return null;
  return {
    title: 'Unregister before the put',
    safety: 'safe',
    edits: [
      {
        path: file.path,
        edits: [putLinesBefore(file.text, to.statement, taken.lines), ...taken.removed],
      },
    ],
  };
}
