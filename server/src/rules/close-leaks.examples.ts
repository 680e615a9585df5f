/** Drivers that the rule close-leaks reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { OPEN_AND_CLOSE, onCore, withCallbacks } from './open-close.examples.ts';

const FOO = 'struct foo *foo = container_of(vdev, struct foo, vdev);';

/** An open that allocates, and a close that does what it is given. */
function buffer(close: string, flagged = false): string {
  return `
static int foo_open(struct vfio_device *vdev)
{
	${FOO}

	foo->buffer = kzalloc(PAGE_SIZE, GFP_KERNEL);${
    flagged ? '\n//                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ close-leaks' : ''
  }
	return foo->buffer ? 0 : -ENOMEM;
}

static void foo_close(struct vfio_device *vdev)
{
	${FOO}

${close}
}
`;
}

/** A request that stores an eventfd, and a close. */
function trigger(close: string, flagged = false): string {
  return `
static long foo_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	${FOO}
	struct eventfd_ctx *ctx;

	ctx = eventfd_ctx_fdget(arg);${flagged ? '\n//            ^^^^^^^^^^^^^^^^^^^^^^ close-leaks' : ''}
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	if (foo->trigger)
		eventfd_ctx_put(foo->trigger);
	foo->trigger = ctx;
	return 0;
}

static void foo_close(struct vfio_device *vdev)
{
	${FOO}

${close}
}
`;
}

const IOCTL = ['.ioctl = foo_ioctl', '.close_device = foo_close'] as const;

const ENABLE = `
static int foo_open(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, core.vdev);
	int ret;

	ret = vfio_pci_core_enable(&foo->core);
	if (ret)
		return ret;
	vfio_pci_core_finish_enable(&foo->core);
	return 0;
}
`;

const CLOSE_OF_CORE = `
static void foo_close(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, core.vdev);

	memset(&foo->state, 0, sizeof(foo->state));
	vfio_pci_core_close_device(vdev);
}
`;

export const closeLeaksExamples: Rule['examples'] = {
  bad: [
    {
      title: 'Memory of an open',
      kernel: '6.2',
      code: withCallbacks(
        'void *buffer; bool is_open',
        buffer('\tfoo->is_open = false;', true),
        ...OPEN_AND_CLOSE,
      ),
    },
    {
      title: 'An eventfd that a request has stored',
      kernel: '6.2',
      code: withCallbacks(
        'struct eventfd_ctx *trigger; bool is_open',
        trigger('\tfoo->is_open = false;', true),
        ...IOCTL,
      ),
    },
    {
      title: 'A close that does not disable the device',
      kernel: '6.2',
      code: onCore(
        ENABLE.replace(
          '&foo->core);\n	if',
          '&foo->core);\n//            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ close-leaks\n	if',
        ) + CLOSE_OF_CORE.replace('\n	vfio_pci_core_close_device(vdev);', ''),
        'foo_close',
      ),
    },
  ],
  good: [
    {
      title: 'close frees the memory',
      kernel: '6.2',
      code: withCallbacks('void *buffer', buffer('\tkfree(foo->buffer);'), ...OPEN_AND_CLOSE),
    },
    {
      title: 'close takes the eventfd out of the device first',
      kernel: '6.2',
      code: withCallbacks(
        'struct eventfd_ctx *trigger',
        trigger(`	struct eventfd_ctx *old = xchg(&foo->trigger, NULL);

	if (old)
		eventfd_ctx_put(old);`),
        ...IOCTL,
      ),
    },
    {
      title: 'close calls the close of the core',
      kernel: '6.2',
      code: onCore(ENABLE + CLOSE_OF_CORE, 'foo_close'),
    },
    {
      title: '.release frees the memory',
      kernel: '6.2',
      code: withCallbacks(
        'void *buffer; bool is_open',
        `${buffer('\tfoo->is_open = false;')}
static void foo_release(struct vfio_device *vdev)
{
	${FOO}

	kfree(foo->buffer);
}
`,
        ...OPEN_AND_CLOSE,
        '.release = foo_release',
      ),
    },
  ],
};
