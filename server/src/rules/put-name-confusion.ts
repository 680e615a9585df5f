/** `vfio_device_put()` is called instead of `vfio_put_device()`, or the other way round. */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { ModuleFacts, OperationObservation } from '../lifecycle/types.ts';
import { inRange } from '../kernel/version.ts';
import { assignedName, nameOf, operationsOn } from './device.ts';
import { callAt, callsIn, documentOf, isSameSite, walk, type PlacedCall } from './locate.ts';
import { findingFor } from './report.ts';
import { replace } from './fixes/text.ts';
import { DRIVER, FOO, FOO_6_1, PROBE, REMOVE } from './examples.ts';
import { say } from './wording.ts';

const messages = {
  notTaken: '{put}() drops a registration count that nobody took; delete this call',
  notReference: '{put}() does not drop the reference of {device}; call vfio_put_device()',
  count: 'vfio_put_device() does not match vfio_device_get_from_dev(); call vfio_device_put()',
} as const;

export const putNameConfusion: Rule = {
  id: 'put-name-confusion',
  severity: 'error',
  kernels: { since: [5, 13] },
  fixable: 'safe',
  docs: {
    what: '`vfio_device_put()` is called instead of `vfio_put_device()`, or the other way round.',
    why: '`vfio_put_device()` (since 6.1) drops a reference to the object, the one of `vfio_alloc_device()`. `vfio_device_put()` (for drivers until 5.18, internal in 5.19 and 6.0, `vfio_device_put_registration()` since 6.1) drops a registration count that `vfio_device_get_from_dev()` took, for which unregister waits. The wrong one leaks the reference that is held, and drops one that is not.',
    instead:
      'Drop the reference of `vfio_alloc_device()` with `vfio_put_device()`, and the count of `vfio_device_get_from_dev()` with `vfio_device_put()`.',
    knownProblems: 'Only a device that the module visibly allocates or looks up is checked.',
    references: [
      'v6.1 cb9ff3f3b84c adds vfio_put_device',
      'v6.1 4a725b8de4cc renames vfio_device_put to vfio_device_put_registration',
    ],
  },
  examples: {
    bad: [
      {
        title: 'On the failing path of probe',
        kernel: '6.1',
        code: `${FOO_6_1}${PROBE.replace(
          '\tvfio_put_device(&foo->vdev);\n',
          `\tvfio_device_put(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^ put-name-confusion\n`,
        )}${REMOVE}${DRIVER}`,
        fixed: `${FOO_6_1}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'In remove, by the name of today',
        kernel: '6.2',
        code: `${FOO}${PROBE}${REMOVE.replace(
          '\tvfio_put_device(&foo->vdev);\n',
          `\tvfio_device_put_registration(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ put-name-confusion\n`,
        )}${DRIVER}`,
        fixed: `${FOO}${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'The other way round, up to 5.18',
        kernel: '5.15',
        code: `
static int foo_reset_all(struct device *dev)
{
	struct vfio_device *vdev;
	int ret;

	vdev = vfio_device_get_from_dev(dev);
	if (!vdev)
		return -ENODEV;
	ret = foo_reset(vdev);
	vfio_put_device(vdev);
//      ^^^^^^^^^^^^^^^^^^^^^ put-name-confusion
	return ret;
}
`,
        fixed: `
static int foo_reset_all(struct device *dev)
{
	struct vfio_device *vdev;
	int ret;

	vdev = vfio_device_get_from_dev(dev);
	if (!vdev)
		return -ENODEV;
	ret = foo_reset(vdev);
	vfio_device_put(vdev);
	return ret;
}
`,
      },
      {
        title: 'A count that the old model never took',
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
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret) {
		vfio_device_put(&foo->vdev);
//              ^^^^^^^^^^^^^^^^^^^^^^^^^^^ put-name-confusion
		kfree(foo);
	}
	return ret;
}
`,
      },
    ],
    good: [
      { title: 'The reference is put', kernel: '6.2', code: `${FOO}${PROBE}${REMOVE}${DRIVER}` },
      {
        title: 'The count is put',
        kernel: '5.15',
        code: `
static int foo_reset_all(struct device *dev)
{
	struct vfio_device *vdev = vfio_device_get_from_dev(dev);
	int ret;

	if (!vdev)
		return -ENODEV;
	ret = foo_reset(vdev);
	vfio_device_put(vdev);
	return ret;
}
`,
      },
      {
        title: 'A count that the caller took',
        kernel: '5.15',
        code: `
static void foo_finish(struct foo_job *job)
{
	vfio_device_put(job->vdev);
	kfree(job);
}
`,
      },
      {
        title: "A function of the driver's own with that name",
        kernel: '6.2',
        code: `${FOO}
static void vfio_device_put(struct vfio_device *vdev)
{
	vfio_put_device(vdev);
}
${PROBE.replace('\tvfio_put_device(', '\tvfio_device_put(')}${REMOVE}${DRIVER}`,
      },
    ],
  },
  messages,
  check,
};

/** Kernels that have vfio_device_put() and vfio_device_get_from_dev(). */
const COUNTED = { until: [5, 19] } as const;

function check({ facts }: RuleContext): Finding[] {
  const puts = facts.observations.flatMap((one): Finding[] => {
    const message = one.kind === 'operation' ? messageFor(facts, one) : null;
    return message === null || one.kind !== 'operation'
      ? []
      : [
          findingFor({
            rule: putNameConfusion.id,
            severity: 'error',
            observation: one,
            message,
            fix: fixFor(facts, one),
          }),
        ];
  });
  return [...puts, ...putsOfCounts(facts).map((placed) => findingOf(facts, placed))];
}

function messageFor(facts: ModuleFacts, one: OperationObservation): string | null {
  const { before } = one;
  if (
    one.op !== 'put-registration' ||
    before.memory === 'freed' ||
    before.memory === 'error-pointer'
  )
    return null;
  if (before.model === 'new' && before.reference === 'held') {
    return isPutElsewhere(facts, one)
      ? say(messages.notTaken, { put: one.api })
      : say(messages.notReference, { put: one.api, device: nameOf(one) });
  }
  if (
    before.model === 'old' &&
    before.initialised === 'yes' &&
    inRange(facts.kernel, COUNTED) &&
    !/\bvfio_device_(get_from_dev|try_get)/.test(one.function.text)
  ) {
    return say(messages.notTaken, { put: one.api });
  }
  return null;
}

/**
 * A path through the call, or the same one further on, has a put that is right: then this is no
 * misnomer of it.
 */
function isPutElsewhere(facts: ModuleFacts, one: OperationObservation): boolean {
  return operationsOn(facts, one.function, one.device).some(
    (other) =>
      other.op === 'put' &&
      other.trace.some(
        (step) => step.op === 'put-registration' && isSameSite(step.site, one.inner ?? one.site),
      ),
  );
}

function fixFor(facts: ModuleFacts, one: OperationObservation): Fix | null {
  const file = documentOf(facts.module, one.function);
  const call = callAt(one.function.body, one.site);
  if (
    file === null ||
    call === null ||
    one.inner !== null ||
    call.name !== one.api ||
    one.before.model !== 'new' ||
    isPutElsewhere(facts, one)
  )
    return null;
  // Where a path comes here with the device registered, the put in its place would be the next
  // mistake.
  const isRegistered = facts.observations.some(
    (other) =>
      other.kind === 'operation' &&
      other.op === one.op &&
      isSameSite(other.site, one.site) &&
      other.before.registered === 'yes',
  );
  return {
    title: 'Call vfio_put_device()',
    safety: isRegistered ? 'unsafe' : 'safe',
    edits: [{ path: file.path, edits: [replace(call.callee, 'vfio_put_device')] }],
  };
}

/** `vfio_put_device(v)` of a v that vfio_device_get_from_dev() returned in the same function. */
function putsOfCounts(facts: ModuleFacts): PlacedCall[] {
  if (!inRange(facts.kernel, COUNTED)) return [];
  return callsIn(facts.module, ['vfio_device_get_from_dev']).flatMap(
    ({ function: fn, call, file }) => {
      const variable = assignedName(fn.body, call);
      // A variable that is given another value elsewhere may hold another device.
      const values = [...walk(fn.body)].filter(
        (node) =>
          (node.kind === 'assign' &&
            node.target.kind === 'name' &&
            node.target.name === variable) ||
          (node.kind === 'decl' && node.name === variable && node.init !== null),
      );
      if (variable === null || values.length !== 1) return [];
      return callsIn({ sources: [file], headers: [] }, ['vfio_put_device']).filter((put) => {
        const [argument] = put.call.args;
        return put.function === fn && argument?.kind === 'name' && argument.name === variable;
      });
    },
  );
}

function findingOf(facts: ModuleFacts, { file, function: fn, call }: PlacedCall): Finding {
  const get = callsIn(facts.module, ['vfio_device_get_from_dev']).find(
    (one) => one.function === fn,
  );
  return {
    rule: putNameConfusion.id,
    severity: 'error',
    message: messages.count,
    site: { path: file.path, start: call.start, end: call.end },
    functionName: fn.name,
    related:
      get === undefined
        ? []
        : [{ site: get.site, message: 'vfio_device_get_from_dev() takes the registration count' }],
    fix: {
      title: 'Call vfio_device_put()',
      safety: 'safe',
      edits: [{ path: file.path, edits: [replace(call.callee, 'vfio_device_put')] }],
    },
  };
}

/**
 * The callees that this rule speaks of, `path:offset`: another rule need not say that the target
 * has no such function.
 */
export function confusedPuts(facts: ModuleFacts): ReadonlySet<string> {
  const places = new Set(putsOfCounts(facts).map(({ site }) => `${site.path}:${site.start}`));
  for (const one of facts.observations) {
    if (
      one.kind === 'operation' &&
      one.op === 'put-registration' &&
      messageFor(facts, one) !== null
    )
      places.add(`${one.site.path}:${one.site.start}`);
  }
  return places;
}
