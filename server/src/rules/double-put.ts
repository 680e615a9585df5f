/**
 * A reference is put that is not there: put a second time on the same path, or of a device whose
 * allocation failed.
 */
import { originalOf } from '../ir/lower.ts';
import { soundsLikeGet } from '../kernel/heuristics.ts';
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { CallExpr, FunctionIr } from '../ir/types.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import type { ModuleFacts, OperationObservation } from '../lifecycle/types.ts';
import type { Span } from '../text/span.ts';
import { startsIn } from './deferred-ends.ts';
import { nameOf, operationsOn } from './device.ts';
import { functionsThat, keptByFunction } from './function-traits.ts';
import { documentOf, isSameSite, loweredSpan } from './locate.ts';
import { indexOf } from './members.ts';
import { findingFor } from './report.ts';
import { isUseOfFailure } from './unchecked-alloc.ts';
import { deleteCall } from './fixes/delete-call.ts';
import { DRIVER, FOO, PROBE, REMOVE, REMOVE_CONFIG } from './examples.ts';
import { say } from './wording.ts';

const messages = {
  errorPointer: '{put}() is given an error pointer, {device}; return PTR_ERR() instead',
  inRelease: '{put}() of {device} in .release, which runs after the last put; delete this call',
  twice: '{put}() drops the reference of {device} a second time on this path; keep one put',
  afterStart: '{call}() follows {start}(), which starts what makes the last put; drop one put',
} as const;

export const doublePut: Rule = {
  id: 'double-put',
  severity: 'error',
  kernels: { since: [6, 1] },
  fixable: 'unsafe',
  docs: {
    what: 'A path puts a reference that it does not have: it puts twice, or its allocation failed.',
    why: '`vfio_alloc_device()` takes one reference for its caller. The first `vfio_put_device()` may free the container, and the second uses freed memory. After a failed allocation there is no device, only an error pointer; if `.init` failed, the core has already freed the memory.',
    instead:
      'Put once on each path. When a helper puts, its caller must not. On the branch where `IS_ERR()` holds only return `PTR_ERR()`. In `.init` return the error and leave the device to the core.',
    knownProblems:
      'References that the driver takes itself with `get_device(&vdev->device)` are counted; those that other code takes are not.',
    references: ['v6.1 cb9ff3f3b84c: _vfio_alloc_device frees the memory when ops->init fails'],
  },
  examples: {
    bad: [
      {
        title: 'The helper has put already',
        kernel: '6.2',
        code: `${FOO}
static void foo_destroy(struct foo *foo)
{
	vfio_put_device(&foo->vdev);
}

static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret) {
		foo_destroy(foo);
		goto err_put;
	}
	return 0;

err_put:
	vfio_put_device(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^ double-put
	return ret;
}
${REMOVE}${DRIVER}`,
      },
      {
        title: 'The allocation failed',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo)) {
		ret = PTR_ERR(foo);
		goto err_put;
	}

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_put;
	return 0;

err_put:
	vfio_put_device(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^ double-put
	return ret;
}
${REMOVE}${DRIVER}`,
      },
      {
        title: 'Twice in remove',
        kernel: '6.2',
        code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(&foo->vdev);
	put_device(&foo->vdev.device);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ double-put
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
    ],
    good: [
      {
        title: 'Two puts on two paths',
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
		vfio_put_device(&foo->vdev);
		return -ENOMEM;
	}
	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if ((ret)) {
		kfree(foo->config);
		vfio_put_device(&foo->vdev);
	}
	return ret;
}
${REMOVE_CONFIG}${DRIVER}`,
      },
      {
        title: 'A reference for each of two puts',
        kernel: '6.2',
        code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	get_device(&foo->vdev.device);
	vfio_unregister_group_dev(&foo->vdev);
	put_device(&foo->vdev.device);
	vfio_put_device(&foo->vdev);
}
${DRIVER}`,
      },
      {
        title: 'The variable holds another device by then',
        kernel: '6.2',
        code: `${FOO}
static int foo_create_pair(struct device *dev)
{
	struct foo *foo;

	foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	vfio_put_device(&foo->vdev);

	foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);
	vfio_put_device(&foo->vdev);
	return 0;
}

static int foo_probe(struct mdev_device *mdev)
{
	return foo_create_pair(&mdev->dev);
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
    if (one.kind !== 'operation' || one.op !== 'put' || isOfSomebody(facts, one)) return [];
    const message = messageFor(one);
    const start = message === null ? startOfLastPut(facts, one) : null;
    if (start !== null) return [findingOfStart(one, start)];
    // What goes on with the error pointer before the put is the defect: unchecked-alloc.
    if (
      message === null ||
      facts.observations.some(
        (other) =>
          isUseOfFailure(other) &&
          other.function === one.function &&
          other.device.id === one.device.id,
      )
    )
      return [];
    return [
      findingFor({
        rule: doublePut.id,
        severity: 'error',
        observation: one,
        message,
        alsoSee: tablesOf(facts, one),
        fix: fixFor(facts, one),
      }),
    ];
  });
}

/**
 * What remove has started before its put and makes the last put itself, where nobody takes a
 * reference for it; null where nothing is. Both are on every path.
 */
function startOfLastPut(facts: ModuleFacts, put: OperationObservation): CallExpr | null {
  const { function: fn, before, role, certain, inner } = put;
  const isLast = before.reference === 'held' && before.extraReferences === 0;
  if (role !== 'remove' || !isLast || !certain || inner !== null) return null;
  if (!isOnEveryPath(fn, put.site) || takesReferences(facts)) return null;
  const starts = startsIn(facts, fn, 'put');
  return starts.find((call) => call.end <= put.site.start && isOnEveryPath(fn, call)) ?? null;
}

function takesReferences({ module, kernel }: ModuleFacts): boolean {
  return functionsThat(indexOf(module, kernel), takesReference).length > 0;
}

const takesReference = keptByFunction((root) =>
  scanOf(root).calls.some(({ name }) => soundsLikeGet(name ?? '')),
);

function findingOfStart(put: OperationObservation, start: CallExpr): Finding {
  const { path } = put.site;
  const by = start.name ?? 'a call';
  return findingFor({
    rule: doublePut.id,
    severity: 'warning',
    observation: put,
    message: say(messages.afterStart, { call: put.api, start: by }),
    alsoSee: [{ site: { path, start: start.start, end: start.end }, message: `${by}() here` }],
    fix: null,
  });
}

/**
 * A reference beyond the first was taken on the way for somebody else, and remove drops one under a
 * condition of its own: `if (cancel_work_sync(…)) put`.
 */
function isOfSomebody(facts: ModuleFacts, put: OperationObservation): boolean {
  const { certain, role, trace, function: fn, device } = put;
  if (certain || role !== 'remove' || !trace.some(({ op }) => op === 'get')) return false;
  return operationsOn(facts, fn, device).some(
    ({ op, site }) => op === 'put' && !isOnEveryPath(fn, site),
  );
}

/** A statement of the function's own block. */
function isOnEveryPath(fn: FunctionIr, place: Span): boolean {
  const { start, end } = loweredSpan(fn, place);
  return originalOf(fn).body.body.some(
    (stmt) => stmt.kind === 'expr' && stmt.start <= start && end <= stmt.end,
  );
}

/** The device that `.release` was given. */
function isInRelease({ role, device }: OperationObservation): boolean {
  return role === 'release' && device.originKind === 'parameter';
}

/** The ops tables that name the function of a put as their `.release`. */
function tablesOf(facts: ModuleFacts, put: OperationObservation): Finding['related'] {
  return isInRelease(put)
    ? facts.opsTables
        .filter(({ members }) => members.get('release')?.value === put.function.name)
        .map(({ path, variable }) => ({
          site: { path, start: variable.nameSpan.start, end: variable.nameSpan.end },
          message: `\`${variable.name}\` names it as .release`,
        }))
    : [];
}

function messageFor(put: OperationObservation): string | null {
  const { before } = put;
  const names = { put: put.api, device: nameOf(put) };
  // An allocation that was never tested has a defect of its own: unchecked-alloc,
  // null-check-on-alloc.
  if (before.memory === 'error-pointer' && !before.checked) return null;
  if (before.memory === 'error-pointer') {
    return say(messages.errorPointer, names);
  }
  // A put in .init is init-callback-contract.
  if (put.role === 'init' && put.device.originKind === 'parameter' && before.extraReferences === 0)
    return null;
  if (before.model !== 'new' || before.reference !== 'dropped') return null;
  if (isInRelease(put)) return say(messages.inRelease, names);
  return say(messages.twice, names);
}

/** Drops the second put where it is the second on every path that comes here. */
function fixFor(facts: ModuleFacts, put: OperationObservation): Fix | null {
  const file = documentOf(facts.module, put.function);
  if (file === null || put.inner !== null) return null;
  const here = operationsOn(facts, put.function, put.device).filter(
    (one) => one.op === 'put' && isSameSite(one.site, put.site),
  );
  if (here.some((one) => messageFor(one) === null)) return null;
  const edit = deleteCall(file.text, put.function, put.site);
  if (edit === null) return null;
  return {
    title: 'Drop this put (check who owns the reference)',
    safety: 'unsafe',
    edits: [{ path: file.path, edits: [edit] }],
  };
}
