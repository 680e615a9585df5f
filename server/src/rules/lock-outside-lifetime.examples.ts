/** Drivers that the rule lock-outside-lifetime reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { OPEN_AND_CLOSE, withCallbacks } from './open-close.examples.ts';

const FOO = 'struct foo *foo = container_of(vdev, struct foo, vdev);';

/** An open and a close with a statement each. */
function callbacks(open: string, close: string): string {
  return `
static int foo_open(struct vfio_device *vdev)
{
	${FOO}

	${open}
	foo->users = 1;
	return 0;
}

static void foo_close(struct vfio_device *vdev)
{
	${FOO}

	foo->users = 0;
	${close}
}
`;
}

const SHOW = `
static ssize_t users_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct foo *foo = dev_get_drvdata(dev);
	int users;

	mutex_lock(&foo->lock);
	users = foo->users;
	mutex_unlock(&foo->lock);
	return sysfs_emit(buf, "%d\\n", users);
}
static DEVICE_ATTR_RO(users);
`;

const RESET_DONE = `
static void foo_reset_done(struct pci_dev *pdev)
{
	struct foo *foo = dev_get_drvdata(&pdev->dev);

	spin_lock(&foo->lock);
	foo->users = 0;
	spin_unlock(&foo->lock);
}

static const struct pci_error_handlers foo_error_handlers = {
	.reset_done = foo_reset_done,
};
`;

const INIT = `
static int foo_init(struct vfio_device *vdev)
{
	${FOO}

	mutex_init(&foo->lock);
	return 0;
}
`;

const MUTEX = 'struct mutex lock; int users';

export const lockOutsideLifetimeExamples: Rule['examples'] = {
  bad: [
    {
      title: 'An attribute takes a mutex of the open',
      kernel: '6.2',
      code: withCallbacks(
        MUTEX,
        SHOW +
          callbacks(
            'mutex_init(&foo->lock);\n//                  ^^^^^^^^^ lock-outside-lifetime',
            'mutex_destroy(&foo->lock);',
          ),
        ...OPEN_AND_CLOSE,
      ),
    },
    {
      title: 'The end of a reset takes a spinlock of the open',
      kernel: '6.2',
      code: withCallbacks(
        'spinlock_t lock; int users',
        RESET_DONE +
          callbacks(
            'spin_lock_init(&foo->lock);\n//                      ^^^^^^^^^ lock-outside-lifetime',
            'smp_mb();',
          ),
        ...OPEN_AND_CLOSE,
      ),
    },
    {
      title: 'close destroys a mutex of .init',
      kernel: '6.2',
      code: withCallbacks(
        MUTEX,
        SHOW +
          INIT +
          callbacks(
            'smp_mb();',
            'mutex_destroy(&foo->lock);\n//                     ^^^^^^^^^ lock-outside-lifetime',
          ),
        '.init = foo_init',
        ...OPEN_AND_CLOSE,
      ),
    },
  ],
  good: [
    {
      title: 'The lock lives as long as the device',
      kernel: '6.2',
      code: withCallbacks(
        MUTEX,
        SHOW + INIT + callbacks('smp_mb();', 'smp_mb();'),
        '.init = foo_init',
        ...OPEN_AND_CLOSE,
      ),
    },
    {
      title: 'The attribute asks first whether the device is open',
      kernel: '6.2',
      code: withCallbacks(
        MUTEX,
        SHOW.replace('	mutex_lock', '	if (!foo->users)\n		return -ENODEV;\n	mutex_lock') +
          callbacks('mutex_init(&foo->lock);', 'mutex_destroy(&foo->lock);'),
        ...OPEN_AND_CLOSE,
      ),
    },
    {
      title: 'Only callbacks of an open device take it',
      kernel: '6.2',
      code: withCallbacks(
        MUTEX,
        `${callbacks('mutex_init(&foo->lock);', 'mutex_destroy(&foo->lock);')}
static ssize_t foo_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	${FOO}

	mutex_lock(&foo->lock);
	foo->users++;
	mutex_unlock(&foo->lock);
	return 0;
}
`,
        ...OPEN_AND_CLOSE,
        '.read = foo_read',
      ),
    },
  ],
};
