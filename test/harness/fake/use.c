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

/* What a user has been given, as one number. */
static unsigned int digest(const unsigned char *bytes, long count)
{
	unsigned int sum = 2166136261u;

	for (long i = 0; i < count; i++)
		sum = (sum ^ bytes[i]) * 16777619u;
	return sum;
}

void fake_use(struct vfio_device *device)
{
	static unsigned char buffer[64];
	loff_t position = 0;

	memset(buffer, 0, sizeof(buffer));
	if (device->ops->read) {
		long count = device->ops->read(device, (char __user __force *)buffer, sizeof(buffer), &position);

		host_event("read: %ld, %08x", count, digest(buffer, count > 0 ? min_t(long, count, sizeof(buffer)) : 0));
	}
	position = 0;
	if (device->ops->write)
		host_event("write: %ld", (long)device->ops->write(device, (const char __user __force *)buffer, 4, &position));
	if (device->ops->ioctl)
		host_event("reset: %ld", device->ops->ioctl(device, VFIO_DEVICE_RESET, 0));
}
