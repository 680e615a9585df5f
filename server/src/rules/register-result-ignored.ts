/** The result of a registration is not tested. */
import { originalOf } from '../ir/lower.ts';
import type { Finding, Rule, RuleContext } from './types.ts';
import type { CallExpr, Expr, FunctionIr, Stmt } from '../ir/types.ts';
import type { Module, ModuleFacts } from '../lifecycle/types.ts';
import { apiEntry, API_FUNCTIONS } from '../kernel/lifecycle-api.ts';
import {
  contains,
  callsIn,
  walk,
  walkWithParents,
  type IrNode,
  type PlacedCall,
} from './locate.ts';
import { DRIVER, FOO, PROBE, REMOVE } from './examples.ts';
import { say } from './wording.ts';

const messages = {
  call: '{register}() can fail and its result is not tested; test and return it',
  helper: '{helper}() can fail to register and its result is not tested; test and return it',
} as const;

export const registerResultIgnored: Rule = {
  id: 'register-result-ignored',
  severity: 'warning',
  isAbsence: true,
  kernels: {},
  fixable: 'none',
  docs: {
    what: 'The result of a registration is not tested.',
    why: 'A registration can fail: the device has no IOMMU group, the ops table lacks a member, or memory is short. The caller then still owns the device and must put it, and `.remove` must not unregister it. A probe that ignores the failure has a device that user space cannot open, and its remove undoes a registration that does not exist.',
    instead: 'Store the result. If it is not 0, undo the steps of probe and return it.',
    knownProblems: 'A result that is stored in memory or passed to a function counts as tested.',
    references: ['v5.13 0bfc6a4ea63c: vfio_register_group_dev returns 0 or a negative errno'],
  },
  examples: {
    bad: [
      {
        title: 'The result is dropped',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct platform_device *pdev)
{
	struct foo *foo;

	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	platform_set_drvdata(pdev, foo);
	vfio_register_group_dev(&foo->vdev);
//      ^^^^^^^^^^^^^^^^^^^^^^^ register-result-ignored
	return 0;
}
`,
      },
      {
        title: 'Stored and overwritten',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct platform_device *pdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	platform_set_drvdata(pdev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
//            ^^^^^^^^^^^^^^^^^^^^^^^ register-result-ignored
	ret = sysfs_create_group(&pdev->dev.kobj, &foo_group);
	if (ret)
		dev_warn(&pdev->dev, "no attributes\\n");
	return 0;
}
`,
      },
      {
        title: 'A helper returns it and its caller drops it',
        kernel: '6.2',
        code: `${FOO}
static int foo_start(struct foo *foo)
{
	int ret;

	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}

static int foo_probe(struct platform_device *pdev)
{
	struct foo *foo;

	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	platform_set_drvdata(pdev, foo);
	foo_start(foo);
//      ^^^^^^^^^ register-result-ignored
	return 0;
}
`,
      },
    ],
    good: [
      { title: 'Tested', kernel: '6.2', code: `${FOO}${PROBE}${REMOVE}${DRIVER}` },
      {
        title: 'Assigned in a condition',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct platform_device *pdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	platform_set_drvdata(pdev, foo);
	if ((ret = vfio_register_group_dev(&foo->vdev)) != 0)
		vfio_put_device(&foo->vdev);
	return ret;
}
`,
      },
      {
        title: 'Tested much later',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct platform_device *pdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	platform_set_drvdata(pdev, foo);
	if (device_iommu_mapped(&pdev->dev))
		ret = vfio_register_group_dev(&foo->vdev);
	else
		ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	dev_dbg(&pdev->dev, "registered\\n");
	if (ret < 0)
		goto err_put;
	return 0;

err_put:
	vfio_put_device(&foo->vdev);
	return ret;
}
`,
      },
      {
        title: 'Returned through a pointer',
        kernel: '6.2',
        code: `${FOO}
static void foo_start(struct foo *foo, int *result)
{
	*result = vfio_register_group_dev(&foo->vdev);
}

static int foo_probe(struct platform_device *pdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	platform_set_drvdata(pdev, foo);
	foo_start(foo, &ret);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
`,
      },
      {
        title: 'Tested in the step of a loop',
        kernel: '6.2',
        code: `${FOO}
static int foo_probe(struct platform_device *pdev)
{
	struct foo *foo;
	int ret = -EAGAIN;
	int tries;

	foo = vfio_alloc_device(foo, vdev, &pdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

	platform_set_drvdata(pdev, foo);
	for (tries = 0; ret && tries < 3; tries++)
		ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		vfio_put_device(&foo->vdev);
	return ret;
}
`,
      },
    ],
  },
  messages,
  check,
};

/** Functions of the kernel that register a device and say whether they could. */
const REGISTERING: readonly string[] = API_FUNCTIONS.filter((entry) =>
  entry.behaviours.some(
    (one) => one.errors === 'errno' && one.success.some((effect) => effect.op === 'register'),
  ),
).map((entry) => entry.name);

function check({ facts }: RuleContext): Finding[] {
  const { module } = facts;
  const findings: Finding[] = [];
  const seen = new Set<string>(REGISTERING);
  // A function of the module that hands the result to its caller is one more that can fail.
  for (let names: string[] = [...REGISTERING]; names.length > 0;) {
    const passing: string[] = [];
    for (const placed of callsIn(module, names)) {
      if (apiEntry(placed.function.name) !== undefined) continue;
      const fate = fateOf(placed);
      if (fate === 'ignored' && mayRegister(facts, placed)) findings.push(findingOf(placed));
      const { name } = placed.function;
      if (fate === 'returned' && !seen.has(name) && isOnlyOne(module, name)) {
        seen.add(name);
        passing.push(name);
      }
    }
    names = passing;
  }
  return findings;
}

/**
 * Whether a call may register: with these arguments a helper may do nothing but unregister, as in
 * `foo_set(foo, false)`.
 */
function mayRegister(facts: ModuleFacts, { name, site, function: fn }: PlacedCall): boolean {
  if (REGISTERING.includes(name)) return true;
  const done = facts.observations.filter(
    (one) => one.kind === 'operation' && one.function === fn && one.site.start === site.start,
  );
  return done.length === 0 || done.some((one) => one.kind === 'operation' && one.op === 'register');
}

/** A second function of the name would be another one in another file. */
function isOnlyOne({ sources }: Module, name: string): boolean {
  let count = 0;
  for (const { functions } of sources) for (const fn of functions) if (fn.name === name) count++;
  return count === 1;
}

function findingOf({ name, site, function: fn }: PlacedCall): Finding {
  return {
    rule: registerResultIgnored.id,
    severity: 'warning',
    message: REGISTERING.includes(name)
      ? say(messages.call, { register: name })
      : say(messages.helper, { helper: name }),
    site,
    functionName: fn.name,
    related: [],
    fix: null,
  };
}

type Fate = 'ignored' | 'returned' | 'tested';

const fates = new WeakMap<CallExpr, Fate>();

/** What becomes of the value of a call. */
function fateOf({ function: fn, lowered: call }: PlacedCall): Fate {
  let fate = fates.get(call);
  if (fate === undefined) fates.set(call, (fate = findFate(originalOf(fn), call)));
  return fate;
}

function findFate(fn: FunctionIr, call: CallExpr): Fate {
  let node: IrNode = call;
  const around = parentsOf(fn, call);
  let depth = around.length - 1;
  while (around[depth]?.kind === 'cast') node = around[depth--]!;
  const parent = around[depth];
  if (parent?.kind === 'expr') return 'ignored';
  if (parent?.kind === 'return') return 'returned';
  let variable: string | null = null;
  if (parent?.kind === 'decl') variable = parent.isStatic ? null : parent.name;
  if (
    parent?.kind === 'assign' &&
    parent.op === '=' &&
    parent.value === node &&
    parent.target.kind === 'name' &&
    around[depth - 1]?.kind === 'expr'
  )
    variable = parent.target.name;
  if (variable === null || !isLocal(fn, variable)) return 'tested';
  const reads = readsOf(fn, variable);
  if (reads.some((one) => one.isReturned && one.start > call.end))
    return isOverwritten(fn, call, variable) ? 'ignored' : 'returned';
  return reads.length === 0 || isOverwritten(fn, call, variable) ? 'ignored' : 'tested';
}

function parentsOf(fn: FunctionIr, wanted: IrNode): readonly IrNode[] {
  for (const { node, parents } of walkWithParents(fn.body))
    if (node === wanted) return [...parents];
  return [];
}

function isLocal(fn: FunctionIr, name: string): boolean {
  return [...walk(fn.body)].some(
    (node) => node.kind === 'decl' && node.name === name && !node.isStatic,
  );
}

/** The places where a variable's value, or its address, is used. */
function readsOf(
  fn: FunctionIr,
  name: string,
): { readonly start: number; readonly isReturned: boolean }[] {
  const reads: { start: number; isReturned: boolean }[] = [];
  for (const { node, parents } of walkWithParents(fn.body)) {
    if (node.kind === 'unknown' && node.names.includes(name))
      reads.push({ start: node.start, isReturned: false });
    if (node.kind !== 'name' || node.name !== name) continue;
    const parent = parents.at(-1);
    if (parent?.kind === 'assign' && parent.op === '=' && parent.target === node) continue;
    reads.push({ start: node.start, isReturned: parents.some((one) => one.kind === 'return') });
  }
  return reads;
}

/**
 * Whether the straight way from the call leads to a return that does not name the variable, or to a
 * statement that gives it another value without a look at this one.
 */
function isOverwritten(fn: FunctionIr, call: CallExpr, name: string): boolean {
  for (const { node } of walkWithParents(fn.body)) {
    if (node.kind !== 'block') continue;
    const at = node.body.findIndex((statement) => contains(statement, call));
    const first = node.body[at];
    if (first === undefined || (first.kind !== 'expr' && first.kind !== 'decl')) continue;
    for (const next of node.body.slice(at + 1)) {
      if (
        (next.kind === 'expr' && isAssignment(next.expr, name)) ||
        (next.kind === 'return' && !mentions(next, name))
      )
        return true;
      // Anything but plain statements may leave the way; what names the variable may look at it.
      if (next.kind !== 'expr' || mentions(next, name)) return false;
    }
  }
  return false;
}

function isAssignment(expr: Expr, name: string): boolean {
  return (
    expr.kind === 'assign' &&
    expr.op === '=' &&
    expr.target.kind === 'name' &&
    expr.target.name === name &&
    !mentions(expr.value, name)
  );
}

function mentions(root: Expr | Stmt, name: string): boolean {
  return [...walk(root)].some(
    (node) =>
      (node.kind === 'name' && node.name === name) ||
      (node.kind === 'unknown' && node.names.includes(name)),
  );
}
