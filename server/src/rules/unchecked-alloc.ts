/** The result of `vfio_alloc_device()` is used on a path that has not tested it. */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { EffectOp } from '../kernel/types.ts';
import type {
  ModuleFacts,
  Observation,
  OperationObservation,
  TestObservation,
  UseObservation,
} from '../lifecycle/types.ts';
import { assignedName, nameOf } from './device.ts';
import { callAt, documentOf, statementAt } from './locate.ts';
import { nullHelperOf, nullSource } from './null-results.ts';
import { findingFor } from './report.ts';
import { isErrTest } from './fixes/error-style.ts';
import { DRIVER, FOO, PROBE, REMOVE } from './examples.ts';
import { say } from './wording.ts';

const messages = {
  useOfFailure:
    '{device} is an error pointer on this path, after the test of it; return PTR_ERR() there',
  notTested:
    '{device} may be an error pointer: vfio_alloc_device() is not tested; test it with IS_ERR()',
  helperReturnsNull:
    '{helper}() returns NULL on failure, which IS_ERR() does not see; test it against NULL',
} as const;

export const uncheckedAlloc: Rule = {
  id: 'unchecked-alloc',
  severity: 'error',
  kernels: { since: [6, 1] },
  fixable: 'safe',
  docs: {
    what: 'The result of `vfio_alloc_device()` is used on a path that has not tested it.',
    why: '`vfio_alloc_device()` fails when there is no memory and whenever `.init` fails, and then returns an error pointer. The first access through that pointer is near the end of the address space, and the kernel oopses.',
    instead: 'Test it with `IS_ERR()` directly after the call and return `PTR_ERR()`.',
    knownProblems:
      'Any test that mentions `IS_ERR()`, `IS_ERR_OR_NULL()` or `PTR_ERR_OR_ZERO()` of the result counts. A test against NULL is the defect null-check-on-alloc, and is reported there alone.',
    references: ['v6.1 cb9ff3f3b84c adds vfio_alloc_device, which returns ERR_PTR and never NULL'],
  },
  examples: {
    bad: [
      {
        title: 'No test at all',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	foo->wq = NULL;
//      ^^^^^^^ unchecked-alloc
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
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
	foo->wq = NULL;
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
      },
      {
        title: 'The first use is the registration',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	int ret;

	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
//            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ unchecked-alloc
	if (ret) {
		vfio_put_device(&foo->vdev);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, foo);
	return 0;
}
${REMOVE}${DRIVER}`,
        fixed: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	int ret;

	if (IS_ERR(foo))
		return PTR_ERR(foo);

	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
		vfio_put_device(&foo->vdev);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, foo);
	return 0;
}
${REMOVE}${DRIVER}`,
      },
      {
        title: 'Tested after the first use',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	foo->config = NULL;
//      ^^^^^^^^^^^ unchecked-alloc
	if (IS_ERR(foo))
		return PTR_ERR(foo);

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
      { title: 'Tested directly', kernel: '6.2', code: `${FOO}${PROBE}${REMOVE}${DRIVER}` },
      {
        title: 'Tested in another form',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	ret = PTR_ERR_OR_ZERO(foo);
	if (ret)
		return ret;

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
      },
      {
        title: 'A helper returns it and its caller tests it',
        kernel: '6.2',
        code: `${FOO}
static struct foo *foo_create(struct device *dev)
{
	return vfio_alloc_device(foo, vdev, dev, &foo_ops);
}

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo = foo_create(&mdev->dev);
	int ret;

	if (unlikely(IS_ERR(foo)))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
${REMOVE}${DRIVER}`,
      },
    ],
  },
  messages,
  check,
};

type Use = UseObservation | OperationObservation;

function check({ facts }: RuleContext): Finding[] {
  const first = new Map<string, Use>();
  for (const one of facts.observations) {
    if (!isUncheckedUse(one, facts) && !isUseOfFailure(one)) continue;
    const key = `${one.function.start}\0${one.device.origin.path}\0${one.device.origin.start}`;
    const other = first.get(key);
    if (other === undefined || one.site.start < other.site.start || (one.certain && !other.certain))
      first.set(key, one);
  }
  return [
    ...turnedIntoNull(facts),
    ...[...first.values()].map((one) =>
      findingFor({
        rule: uncheckedAlloc.id,
        severity: 'error',
        observation: one,
        message: say(isUseOfFailure(one) ? messages.useOfFailure : messages.notTested, {
          device: nameOf(one),
        }),
        fix: isUseOfFailure(one) ? null : fixFor(facts, one),
      }),
    ),
  ];
}

/** A helper makes NULL of the failure, and its caller looks for an error pointer. */
function turnedIntoNull(facts: ModuleFacts): Finding[] {
  return facts.observations.flatMap((one): Finding[] => {
    if (one.kind !== 'test' || !one.certain) return [];
    const helper = nullHelperOf(facts, one);
    if (helper === null) return [];
    return [
      findingFor({
        rule: uncheckedAlloc.id,
        severity: 'error',
        observation: one,
        message: say(messages.helperReturnsNull, { helper: helper.name }),
        fix: null,
      }),
    ];
  });
}

/**
 * A path on which the allocation failed, nobody has looked, and the error pointer is used like a
 * device.
 */
function isUncheckedUse(one: Observation, facts: ModuleFacts): one is Use {
  const { before } = one;
  if (before.memory !== 'error-pointer' || before.checked) return false;
  if (before.nullTested && !isNeededTest(facts, one)) return false;
  // What remove meets was wrong in probe already, and is reported there.
  if (one.role === 'remove' || one.role === 'release') return false;
  return one.kind === 'use' || (one.kind === 'operation' && !HARMLESS.has(one.op));
}

/**
 * Whether the test against NULL that the device has passed is there for a NULL of the driver's own:
 * then nobody has asked for an error pointer yet.
 */
function isNeededTest(facts: ModuleFacts, { function: fn, device }: Observation): boolean {
  const tests = facts.observations.filter(
    (one): one is TestObservation =>
      one.kind === 'test' &&
      one.form === 'null' &&
      one.function === fn &&
      one.device.id === device.id,
  );
  return tests.length > 0 && tests.every((one) => nullSource(facts, one) === 'path');
}

/**
 * A path that has asked, knows that the allocation failed, and goes on with the error pointer as
 * with a device. To put or free it is a defect of another name.
 */
export function isUseOfFailure(one: Observation): one is Use {
  const { before } = one;
  if (
    before.memory !== 'error-pointer' ||
    !before.checked ||
    !one.certain ||
    one.role === 'remove' ||
    one.role === 'release'
  )
    return false;
  return one.kind === 'use'
    ? one.form === 'write'
    : one.kind === 'operation' && (one.op === 'register' || one.op === 'assign-set');
}

/** Operations that an error pointer does not hurt: it is only stored. */
const HARMLESS: ReadonlySet<EffectOp> = new Set<EffectOp>([
  'alloc',
  'set-drvdata',
  'get-drvdata',
  'defer',
]);

function fixFor(facts: ModuleFacts, one: Use): Fix | null {
  const file = documentOf(facts.module, one.function);
  if (file === null || one.device.origin.path !== file.path) return null;
  const allocation = statementAt(one.function.body, one.device.origin);
  const call = callAt(one.function.body, one.device.origin);
  const variable = call === null ? null : assignedName(one.function.body, call);
  if (allocation === null || variable === null) return null;
  const proposal = isErrTest(file.text, one.function, variable, allocation);
  if (proposal === null) return null;
  const title =
    proposal.safety === 'safe'
      ? `Test \`${variable}\` with IS_ERR()`
      : `Test \`${variable}\` with IS_ERR() (check the label)`;
  return { title, safety: proposal.safety, edits: [{ path: file.path, edits: proposal.edits }] };
}
