/**
 * The driver calls a function or macro, or fills a table or a member, that the target kernel no
 * longer has.
 */
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import type { ApiUse } from './availability.ts';
import { gravity, lackingUses } from './availability.ts';
import { confusedPuts } from './put-name-confusion.ts';
import { deleteCall } from './fixes/delete-call.ts';
import { replace } from './fixes/text.ts';
import { titleOf } from '../kernel/describe-entry.ts';
import { formatVersion } from '../kernel/version.ts';
import { DRIVER, FOO, OLD_PROBE, OLD_REMOVE, PROBE, REMOVE } from './examples.ts';
import { say } from './wording.ts';

const messages = {
  removed: '{name} was removed in Linux {until}',
  replaced: '{name} was removed in Linux {until}; use {instead}',
  absent: '{name} does not exist in Linux {kernel}',
  absentReplaced: '{name} does not exist in Linux {kernel}; use {instead}',
} as const;

export const removedApi: Rule = {
  id: 'removed-api',
  severity: 'error',
  kernels: {},
  fixable: 'conversion',
  docs: {
    what: 'The driver calls a function or macro, or fills a table or a member, that the target kernel no longer has.',
    why: 'The driver does not build for the target kernel. `vfio_init_group_dev()` and `vfio_uninit_group_dev()` exist up to 6.0, and no release has both them and `vfio_alloc_device()`. `vfio_free_device()` and `vfio_init_device()` exist in 6.1 only. `.open` and the `.release` of a file descriptor exist up to 5.14. Most ports also meet the mdev bus (`mdev_register_device()`, `MDEV_TYPE_ATTR_RO()` and the like exist up to 6.0, `struct mdev_parent_ops` up to 5.18), `vfio_register_notifier()` (up to 5.19) and `vfio_pci_register_dev_region()` (up to 6.0, then renamed).',
    instead:
      'Convert the driver: allocate with `vfio_alloc_device()`, drop the reference with `vfio_put_device()`. In a `.release` for 6.2 and later delete the call of `vfio_free_device()`: the core frees the memory itself. If one source must build for several kernels, put each model into its own `#if LINUX_VERSION_CODE` arm.',
    knownProblems:
      'A function of the same name that the module defines or declares is not reported. Neither is code that a test of LINUX_VERSION_CODE excludes from the target kernel, nor an arm of an `#if` whose other arm uses what the target kernel has. Under a macro that is neither, the finding is a hint. Functions that the kernel declares in private headers are not checked.',
    references: [
      'v6.1 ebb72b765fb4 removes vfio_init_group_dev and vfio_uninit_group_dev',
      'v6.2 913447d06f03 removes vfio_free_device; d1104f9327df makes vfio_init_device static',
      'v5.15 eb24c1007e68 removes the ops members open and release',
      'v5.13 0bfc6a4ea63c replaces vfio_add_group_dev',
    ],
  },
  examples: {
    bad: [
      {
        title: 'The old model in a driver for 6.1',
        kernel: '6.1',
        code: `${FOO}${OLD_PROBE.replace(/^\tvfio_(init|uninit)_group_dev\(.*$/gm, (line) => `${line}\n//      ${'^'.repeat(/\w+/.exec(line)![0].length)} removed-api`)}${OLD_REMOVE.replace(
          /^\tvfio_uninit_group_dev\(.*$/gm,
          (line) => `${line}\n//      ^^^^^^^^^^^^^^^^^^^^^ removed-api`,
        )}${DRIVER}`,
      },
      {
        title: 'From 6.2 on the core frees the memory after .release',
        kernel: '6.3',
        code: `struct foo {
	struct vfio_device vdev;
	void *config;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	kfree(foo->config);
	vfio_free_device(vdev);
//      ^^^^^^^^^^^^^^^^ removed-api
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
        fixed: `struct foo {
	struct vfio_device vdev;
	void *config;
};

static void foo_release_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	kfree(foo->config);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.release = foo_release_dev,
};
${PROBE}${REMOVE}${DRIVER}`,
      },
      {
        title: 'Callbacks of 5.14 in a table for 5.15',
        kernel: '5.15',
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
//      ^^^^^ removed-api
	.release = foo_close,
//      ^^^^^^^^ removed-api
};
`,
      },
      {
        title: 'A function that was only renamed',
        kernel: '6.1',
        code: `static int foo_open_device(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, core.vdev);

	return vfio_pci_register_dev_region(&foo->core, FOO_TYPE, 0, &foo_regops, SZ_4K, 0, foo);
//             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ removed-api
}
`,
        fixed: `static int foo_open_device(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, core.vdev);

	return vfio_pci_core_register_dev_region(&foo->core, FOO_TYPE, 0, &foo_regops, SZ_4K, 0, foo);
}
`,
      },
      {
        title: 'The mdev bus of 6.0 in a driver for 6.1',
        kernel: '6.1',
        code: `static ssize_t name_show(struct mdev_type *mtype, struct mdev_type_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "foo\\n");
}
static MDEV_TYPE_ATTR_RO(name);
//     ^^^^^^^^^^^^^^^^^ removed-api

static struct mdev_driver foo_driver = {
	.probe = foo_probe,
	.supported_type_groups = foo_groups,
//      ^^^^^^^^^^^^^^^^^^^^^^ removed-api
};

static int foo_start(struct device *dev)
{
	return mdev_register_device(dev, &foo_driver);
//             ^^^^^^^^^^^^^^^^^^^^ removed-api
}
`,
      },
    ],
    good: [
      {
        title: 'Both forms of the bus, by the kernel',
        kernel: '6.1',
        code: `#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
static MDEV_TYPE_ATTR_RO(name);
#endif

static struct mdev_driver foo_driver = {
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
	.supported_type_groups = foo_groups,
#else
	.device_api = VFIO_DEVICE_API_PCI_STRING,
#endif
};

static int foo_start(struct foo *foo, struct device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
	return mdev_register_device(dev, &foo_driver);
#else
	return mdev_register_parent(&foo->parent, dev, &foo_driver, foo_types, 1);
#endif
}
`,
      },
      {
        title: 'The old model where the kernel is old',
        kernel: '6.1',
        code: `${FOO}
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
${OLD_PROBE}${OLD_REMOVE}
static struct mdev_driver foo_driver = {
	.probe = foo_probe,
	.remove = foo_remove,
};
#endif
`,
      },
      {
        title: 'A driver for both, with a test of its own',
        kernel: '6.2',
        code: `${FOO}
static struct foo *foo_create(struct device *dev)
{
	struct foo *foo;

#ifdef HAVE_VFIO_ALLOC_DEVICE
	foo = vfio_alloc_device(foo, vdev, dev, &foo_ops);
	if (IS_ERR(foo))
		return foo;
#else
	foo = kzalloc(sizeof(*foo), GFP_KERNEL);
	if (!foo)
		return ERR_PTR(-ENOMEM);
	vfio_init_group_dev(&foo->vdev, dev, &foo_ops);
#endif
	return foo;
}
`,
      },
      {
        title: 'A function of the driver that has the name of an old one',
        kernel: '6.2',
        code: `struct foo_port {
	struct list_head free_list;
};

/* vfio_free_device() of 6.1 was another function. */
static void vfio_free_device(struct foo_port *port)
{
	list_del(&port->free_list);
}

static void foo_port_exit(struct foo_port *port)
{
	vfio_free_device(port);
}
`,
      },
    ],
  },
  messages,
  check,
};

function check({ facts }: RuleContext): Finding[] {
  const uses = lackingUses(facts).filter(({ verdict }) => verdict === 'removed');
  if (uses.length === 0) return [];
  const findings: Finding[] = [];
  // A misnomer is worth one finding, the one that names the right function.
  const confused = confusedPuts(facts);
  for (const use of uses) {
    if (confused.has(`${use.site.path}:${use.site.start}`)) continue;
    const severity = gravity(use, facts, 'error');
    if (severity === null) continue;
    // The object that vfio_add_group_dev() is given is converted with it.
    const convertible = isInit(use.entry.name) || use.entry.name === 'vfio_add_group_dev';
    findings.push({
      rule: removedApi.id,
      severity,
      message: messageFor(use, formatVersion(facts.kernel)),
      site: use.site,
      functionName: use.functionName,
      related: meaningOf(use),
      fix: fixFor(use, facts),
      ...(convertible ? { convertible: true } : {}),
    });
  }
  return findings;
}

/** The calls at which the old model begins: where the conversion is offered. */
export function isInit(name: string): boolean {
  return name === 'vfio_init_group_dev' || name === 'vfio_pci_core_init_device';
}

function messageFor({ entry }: ApiUse, kernel: string): string {
  const name = entry.kind === 'member' ? `\`.${entry.name}\` of ${entry.owner}` : titleOf(entry);
  const instead = entry.replacement?.text.replaceAll('`', '');
  const { until } = entry.kernels;
  if (until === undefined)
    return instead === undefined
      ? say(messages.absent, { name, kernel })
      : say(messages.absentReplaced, { name, kernel, instead });
  return instead === undefined
    ? say(messages.removed, { name, until: formatVersion(until) })
    : say(messages.replaced, { name, until: formatVersion(until), instead });
}

/** Which member is meant, where a later one has the same name. */
function meaningOf({ entry, site }: ApiUse): Finding['related'] {
  return entry.kind === 'member'
    ? [{ site, message: `.${entry.name} here is ${firstClause(entry.summary)}` }]
    : [];
}

/** The first sentence of a summary, as part of another. */
function firstClause(summary: string): string {
  const [first] = summary.split(/\.(?:\s|$)/);
  return first!.charAt(0).toLowerCase() + first!.slice(1);
}

function fixFor(use: ApiUse, facts: RuleContext['facts']): Fix | null {
  const { call, entry } = use;
  if (call === null) return null;
  const text = call.file.text;
  if (entry.replacement?.rename !== undefined) {
    const edit = replace(use.site, entry.replacement.rename);
    return {
      title: `Call ${entry.replacement.rename}()`,
      safety: 'safe',
      edits: [{ path: call.file.path, edits: [edit] }],
    };
  }
  if (entry.name !== 'vfio_free_device' || facts.roles.get(call.function) !== 'release')
    return null;
  const edit = deleteCall(text, call.function, call.call);
  if (edit === null) return null;
  return {
    title: 'Delete the call: the core frees the memory after .release',
    safety: 'safe',
    edits: [{ path: call.file.path, edits: [edit] }],
  };
}
