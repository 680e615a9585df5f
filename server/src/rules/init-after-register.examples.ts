/** Drivers that the rule init-after-register reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { DRIVER, PROBE, REMOVE } from './examples.ts';

const CONTAINER = `struct foo {
	struct vfio_device vdev;
	struct mutex lock;
	struct list_head regions;
	struct list_head next;
	struct dentry *debugfs;
	void __iomem *base;
	bool ready;
	u32 id;
};

static LIST_HEAD(foo_list);
`;

const CALLBACKS = `
static int foo_open_device(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	if (!foo->ready)
		return -EAGAIN;
	mutex_lock(&foo->lock);
	list_del_init(&foo->regions);
	mutex_unlock(&foo->lock);
	return 0;
}

static ssize_t foo_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	return foo_copy(buf, foo->base, count);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.open_device = foo_open_device,
	.read = foo_read,
};
`;

/** A probe with what it does before and after the registration. */
function probe(before: string, after: string): string {
  return `
static int foo_probe(struct mdev_device *mdev)
{
	struct foo *foo;
	int ret;

	foo = vfio_alloc_device(foo, vdev, &mdev->dev, &foo_ops);
	if (IS_ERR(foo))
		return PTR_ERR(foo);

${before}	dev_set_drvdata(&mdev->dev, foo);
	ret = vfio_register_emulated_iommu_dev(&foo->vdev);
	if (ret)
		goto err_put;
${after}	return 0;

err_put:
	vfio_put_device(&foo->vdev);
	return ret;
}
`;
}

function driver(before: string, after: string): string {
  return `${CONTAINER}${CALLBACKS}${probe(before, after)}${REMOVE}${DRIVER}`;
}

const MUTEX = '\tmutex_init(&foo->lock);\n';
const LIST = '\tINIT_LIST_HEAD(&foo->regions);	/* filled by the first open */\n';

/** The probe that `fixed` shows: the statement directly before the registration. */
function fixed(statement: string): string {
  return driver('', '').replace(
    '\tret = vfio_register_emulated',
    `${statement}\tret = vfio_register_emulated`,
  );
}

export const initAfterRegisterExamples: Rule['examples'] = {
  bad: [
    {
      title: 'A reset of what a request stores',
      kernel: '6.2',
      code: `struct foo {
	struct vfio_device vdev;
	struct eventfd_ctx *trigger;
};

static long foo_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	foo->trigger = eventfd_ctx_fdget(arg);
	return PTR_ERR_OR_ZERO(foo->trigger);
}

static void foo_close(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	eventfd_ctx_put(foo->trigger);
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.ioctl = foo_ioctl,
	.close_device = foo_close,
};
${PROBE.replace(
  'goto err_put;\n\treturn 0;',
  `goto err_put;
\tfoo->trigger = NULL;
//      ^^^^^^^^^^^^ init-after-register
\treturn 0;`,
)}${REMOVE}${DRIVER}`,
    },
    {
      title: 'A lock',
      kernel: '6.2',
      code: driver('', `${MUTEX}//                  ^^^^^^^^^ init-after-register error\n`),
      fixed: fixed(MUTEX),
    },
    {
      title: 'A list head',
      kernel: '6.2',
      code: driver(
        MUTEX,
        `${LIST}//                      ^^^^^^^^^^^^ init-after-register error\n`,
      ),
      fixed: driver(MUTEX, '').replace(
        '\tret = vfio_register_emulated',
        `${LIST}\tret = vfio_register_emulated`,
      ),
    },
    {
      title: 'A pointer',
      kernel: '6.2',
      code: driver(
        MUTEX,
        `	foo->base = foo_map(mdev->dev.parent);
//      ^^^^^^^^^ init-after-register
	if (!foo->base)
		dev_warn(&mdev->dev, "no registers\\n");
`,
      ),
    },
    {
      title: 'Migration, which the core looks for',
      kernel: '6.2',
      code: driver(
        MUTEX,
        `	foo->vdev.mig_ops = &foo_mig_ops;
//      ^^^^^^^^^^^^^^^^^ init-after-register error
	foo->vdev.migration_flags = VFIO_MIGRATION_STOP_COPY;
//      ^^^^^^^^^^^^^^^^^^^^^^^^^ init-after-register error
`,
      ),
      fixed: driver(MUTEX, '').replace(
        '\tret = vfio_register_emulated',
        '\tfoo->vdev.mig_ops = &foo_mig_ops;\n\tfoo->vdev.migration_flags = VFIO_MIGRATION_STOP_COPY;\n\tret = vfio_register_emulated',
      ),
    },
    {
      title: 'A helper initialises the lock',
      kernel: '6.2',
      code: driver(
        '',
        `	foo_setup(foo);
//                ^^^ init-after-register error
`,
      ).replace(
        '\nstatic int foo_probe',
        `
static void foo_setup(struct foo *foo)
{
	mutex_init(&foo->lock);
}

static int foo_probe`,
      ),
    },
  ],
  good: [
    {
      title: 'All of it before',
      kernel: '6.2',
      code: driver(`${MUTEX}${LIST}	foo->base = foo_map(mdev->dev.parent);\n`, ''),
    },
    {
      title: 'Lists, files, power management and messages',
      kernel: '6.2',
      code: driver(
        MUTEX,
        `	list_add(&foo->next, &foo_list);
	foo->debugfs = debugfs_create_dir("foo", NULL);
	pm_runtime_enable(mdev->dev.parent);
	dev_info(&mdev->dev, "up\\n");
`,
      ).replace(
        REMOVE,
        REMOVE.replace('\tvfio_put_device', '\tlist_del(&foo->next);\n\tvfio_put_device'),
      ),
    },
    {
      title: 'A flag that callbacks wait for',
      kernel: '6.2',
      code: driver(MUTEX, '\tfoo->ready = true;\n'),
    },
    {
      title: 'State that no callback uses',
      kernel: '6.2',
      code: driver(MUTEX, '\tfoo->id = foo_next_id();\n'),
    },
    {
      title: '.init has initialised it, and probe does so again',
      kernel: '6.2',
      code: driver('', MUTEX).replace(
        '\nstatic const struct vfio_device_ops foo_ops = {\n',
        `
static int foo_init_dev(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, vdev);

	mutex_init(&foo->lock);
	return 0;
}

static const struct vfio_device_ops foo_ops = {
	.init = foo_init_dev,
`,
      ),
    },
    {
      title: 'Another object of the driver',
      kernel: '6.2',
      code: driver(MUTEX, '\tfoo_stats.base = NULL;\n\tmutex_init(&foo_stats.lock);\n').replace(
        'static LIST_HEAD',
        'static struct { struct mutex lock; void *base; } foo_stats;\nstatic LIST_HEAD',
      ),
    },
  ],
};
