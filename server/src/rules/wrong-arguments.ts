/** A function of the life cycle is called with a number of arguments that it does not take in any release. */
import type { Finding, Rule, RuleContext } from './types.ts';
import type { CallExpr } from '../ir/types.ts';
import { judgeArguments } from '../kernel/argument-counts.ts';
import { inRange, uncertainBackport } from '../kernel/version.ts';
import { apiCalls } from './availability.ts';
import { isExcluded, macrosOf, undecided } from '../lifecycle/module/preprocessor.ts';
import type { PlacedCall } from './locate.ts';
import { DRIVER, FOO, PROBE, REMOVE } from './examples.ts';
import { say } from './wording.ts';

const messages = {
  wrongCount: '{call}() takes {counts} {arguments}, not {given}',
  longTermCount:
    '{call}() takes {counts} {arguments}, not {given}; {given} are those of {longTerm}',
} as const;

export const wrongArguments: Rule = {
  id: 'wrong-arguments',
  severity: 'error',
  isAbsence: true,
  kernels: {},
  fixable: 'none',
  docs: {
    what: 'A function of the life cycle is called with a number of arguments that it does not take in any release.',
    why: 'The driver does not build. Usually another function is meant, or a function of a vendor kernel with the same name.',
    instead: 'Call it as the header of the target kernel declares it; the hover shows how.',
    knownProblems:
      'A function or macro of the same name that the module defines or declares is not checked, nor is a call with a macro for several arguments. In an `#if` arm whose condition is not known, the finding is a hint.',
    references: [
      'v5.13 0bfc6a4ea63c: vfio_init_group_dev takes the device, its parent and the ops table',
      'v5.10.137 include/linux/vfio.h: there it takes the object of the driver too',
    ],
  },
  examples: {
    bad: [
      {
        title: 'The object of the driver as a fourth argument',
        kernel: '5.14',
        code: `${FOO}
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return -ENOMEM;
	vfio_init_group_dev(&foo->vdev, &mdev->dev, &foo_ops, foo);
//      ^^^^^^^^^^^^^^^^^^^ deprecated-init-group-dev
//      ^^^^^^^^^^^^^^^^^^^ wrong-arguments

	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_group_dev(&foo->vdev);
	if (ret)
		kfree(foo);
	return ret;
}
`,
      },
      {
        title: 'A put with the name of the member',
        kernel: '6.2',
        code: `${FOO}${PROBE}
static void foo_remove(struct mdev_device *mdev)
{
	struct foo *foo = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&foo->vdev);
	vfio_put_device(foo, vdev);
//      ^^^^^^^^^^^^^^^ wrong-arguments
}
${DRIVER}`,
      },
      {
        title: 'The allocation without the ops table',
        kernel: '6.2',
        code: `struct foo {
	struct vfio_device vdev;
};

static struct foo *foo_create(struct device *dev)
{
	return vfio_alloc_device(foo, vdev, dev);
//             ^^^^^^^^^^^^^^^^^ wrong-arguments
}
`,
      },
    ],
    good: [
      { title: 'As the header says', kernel: '6.2', code: `${FOO}${PROBE}${REMOVE}${DRIVER}` },
      {
        title: 'A macro for several arguments',
        kernel: '6.2',
        code: `${FOO}
static struct foo *foo_create(struct device *dev)
{
	return vfio_alloc_device(FOO_DEVICE, dev, &foo_ops);
}
`,
      },
      {
        title: 'A macro of the driver that has the name',
        kernel: '5.14',
        code: `#define vfio_unregister_group_dev(device, reason) foo_unregister(device, reason)
${FOO}
static void foo_stop(struct foo *foo)
{
	vfio_unregister_group_dev(&foo->vdev, 1);
}
`,
      },
    ],
  },
  messages,
  check,
};

function check({ facts, kernel }: RuleContext): Finding[] {
  const macros = macrosOf(facts.module, kernel);
  return apiCalls(facts, isMiscounted).flatMap((call): Finding[] => {
    const given = call.lowered.args.length;
    const judged = judgementOf(call.lowered);
    if (judged === undefined || judged.known || isExcluded(call.conditions, kernel, macros))
      return [];
    const { longTerm, longTermText } = judged;
    const isThere =
      longTerm !== null &&
      (inRange(kernel, longTerm) || uncertainBackport(kernel, longTerm) !== undefined);
    if (isThere || mayBeSeveral(call)) return [];
    const names = {
      call: call.name,
      counts: judged.counts.join(' or '),
      arguments: judged.counts.at(-1) === 1 ? 'argument' : 'arguments',
      given: String(given),
    };
    return [
      {
        rule: wrongArguments.id,
        severity: undecided(call.conditions, kernel, macros).length > 0 ? 'hint' : 'error',
        message:
          longTermText === null
            ? say(messages.wrongCount, names)
            : say(messages.longTermCount, { ...names, longTerm: longTermText }),
        site: call.site,
        functionName: call.function.name,
        related: [],
        fix: null,
      },
    ];
  });
}

const judgements = new WeakMap<CallExpr, { readonly judged: ReturnType<typeof judgeArguments> }>();

function judgementOf(call: CallExpr): ReturnType<typeof judgeArguments> {
  let known = judgements.get(call);
  if (known === undefined) {
    known = { judged: judgeArguments(call.name ?? '', call.args.length) };
    judgements.set(call, known);
  }
  return known.judged;
}

function isMiscounted(call: CallExpr): boolean {
  return judgementOf(call)?.known === false;
}

/** Whether an argument may be a macro for several. */
function mayBeSeveral({ lowered: call }: PlacedCall): boolean {
  return call.args.some((arg) => arg.kind === 'name' && /^[A-Z_][A-Z0-9_]*$/.test(arg.name));
}
