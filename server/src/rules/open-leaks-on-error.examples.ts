/** Drivers that the rule open-leaks-on-error reports, and drivers that it stays silent on. */
import type { Rule } from './types.ts';
import { OPEN_AND_CLOSE, onCore, withCallbacks } from './open-close.examples.ts';

const FOO = 'struct foo *foo = container_of(vdev, struct foo, vdev);';

const CLOSE_GUEST = `
static void foo_close(struct vfio_device *vdev)
{
	${FOO}

	foo->is_busy = false;
	kvm_put_kvm(vdev->kvm);
}
`;

const CLOSE_BUFFER = `
static void foo_close(struct vfio_device *vdev)
{
	${FOO}

	kfree(foo->buffer);
}
`;

function openGuest(failure: string): string {
  return `
static int foo_open(struct vfio_device *vdev)
{
	${FOO}

	if (!vdev->kvm)
		return -ESRCH;
	kvm_get_kvm(vdev->kvm);
${failure}
	foo->is_busy = true;
	return 0;
}
`;
}

function openBuffer(take: string, failure: string): string {
  return `
static int foo_open(struct vfio_device *vdev)
{
	${FOO}

${take}
	if (!foo->buffer)
		return -ENOMEM;
${failure}
	return 0;
}
`;
}

const TAKE = '\tfoo->buffer = kzalloc(PAGE_SIZE, GFP_KERNEL);';

function openCore(failure: string): string {
  return `
static int foo_open(struct vfio_device *vdev)
{
	struct foo *foo = container_of(vdev, struct foo, core.vdev);
	int ret;

	ret = vfio_pci_core_enable(&foo->core);
	if (ret)
		return ret;
${failure}
	vfio_pci_core_finish_enable(&foo->core);
	return 0;
}
`;
}

export const openLeaksOnErrorExamples: Rule['examples'] = {
  bad: [
    {
      title: 'The PCI device stays enabled',
      kernel: '6.2',
      code: onCore(
        openCore(`	ret = foo_load(foo);
	if (ret)
		return ret;
//              ^^^^^^^^^^^ open-leaks-on-error`),
      ),
    },
    {
      title: 'The reference to the guest',
      kernel: '6.2',
      code: withCallbacks(
        'bool is_busy',
        openGuest(`	if (foo->is_busy)
		return -EEXIST;
//              ^^^^^^^^^^^^^^^ open-leaks-on-error`) + CLOSE_GUEST,
        ...OPEN_AND_CLOSE,
      ),
    },
    {
      title: 'Memory that close frees',
      kernel: '6.2',
      code: withCallbacks(
        'void *buffer',
        openBuffer(
          TAKE,
          `	if (foo_start(foo))
		return -EIO;
//              ^^^^^^^^^^^^ open-leaks-on-error`,
        ) + CLOSE_BUFFER,
        ...OPEN_AND_CLOSE,
      ),
    },
    {
      title: 'One of the failing paths forgets it',
      kernel: '5.14',
      code: `struct foo {
	struct vfio_device vdev;
};

static int foo_open(struct vfio_device *vdev)
{
	int ret;

	ret = pm_runtime_resume_and_get(vdev->dev);
	if (ret)
		return ret;
	ret = foo_power_up(vdev);
	if (ret) {
		pm_runtime_put(vdev->dev);
		return ret;
	}
	ret = foo_calibrate(vdev);
	if (ret)
		goto err_down;
	return 0;

err_down:
	foo_power_down(vdev);
	return ret;
//      ^^^^^^^^^^^ open-leaks-on-error
}

static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.open = foo_open,
};
`,
    },
  ],
  good: [
    {
      title: 'The failing path disables the device',
      kernel: '6.2',
      code: onCore(
        openCore(`	ret = foo_load(foo);
	if (ret) {
		vfio_pci_core_disable(&foo->core);
		return ret;
	}`),
      ),
    },
    {
      title: 'The failing path drops the reference',
      kernel: '6.2',
      code: withCallbacks(
        'bool is_busy',
        openGuest(`	if (foo->is_busy) {
		kvm_put_kvm(vdev->kvm);
		return -EEXIST;
	}`) + CLOSE_GUEST,
        ...OPEN_AND_CLOSE,
      ),
    },
    {
      title: 'Memory that stays until the device goes',
      kernel: '6.2',
      code: withCallbacks(
        'void *buffer',
        openBuffer(
          `	if (!foo->buffer)
	${TAKE}`,
          `	if (foo_start(foo))
		return -EIO;`,
        ) +
          `
static void foo_close(struct vfio_device *vdev)
{
	foo_stop(container_of(vdev, struct foo, vdev));
}

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
    {
      title: 'The failing path calls what close calls',
      kernel: '6.2',
      code: withCallbacks(
        'void *buffer',
        CLOSE_BUFFER +
          openBuffer(
            TAKE,
            `	if (foo_start(foo)) {
		foo_close(vdev);
		return -EIO;
	}`,
          ),
        ...OPEN_AND_CLOSE,
      ),
    },
  ],
};
