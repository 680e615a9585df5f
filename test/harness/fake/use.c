/* What a user does with an open device: enough for callbacks to touch the state that probe has set up. */
#include <linux/fs.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include "../harness.h"
#include "fake.h"

/* The harness has no user space: both are copies in one address space. The names are those that the inline functions of the headers call. */
unsigned long _copy_to_user(void __user *to, const void *from, unsigned long size)
{
	__builtin_memcpy((void __force *)to, from, size);
	return 0;
}

unsigned long _copy_from_user(void *to, const void __user *from, unsigned long size)
{
	__builtin_memcpy(to, (const void __force *)from, size);
	return 0;
}

void fake_use(struct vfio_device *device)
{
	static char buffer[64];
	loff_t position = 0;

	if (device->ops->read)
		host_event("read: %ld", (long)device->ops->read(device, (char __user __force *)buffer, 4, &position));
	position = 0;
	if (device->ops->write)
		host_event("write: %ld", (long)device->ops->write(device, (const char __user __force *)buffer, 4, &position));
	if (device->ops->ioctl)
		host_event("reset: %ld", device->ops->ioctl(device, VFIO_DEVICE_RESET, 0));
}
