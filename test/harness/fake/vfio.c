/*
 * The vfio core: the old model (vfio_init_group_dev, vfio_uninit_group_dev) beside the one of the headers' kernel. Each vfio_device has a state
 * here, outside of the object, so that what a driver does to a device that is gone can be told.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/version.h>
#include <linux/vfio.h>
#include "../harness.h"
#include "fake.h"

/* From 6.2 on the core frees the memory itself, after .release, which need not be there. */
#define CORE_FREES (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0))

enum model { OLD_MODEL, NEW_MODEL };
enum state { INITIALISED, REGISTERED, UNREGISTERED, FINISHED };

static struct tracked {
	struct vfio_device *device;
	struct device *parent;
	const struct vfio_device_ops *ops;
	enum model model;
	enum state state;
	int references, users;
} all[512];
static int count;
static struct vfio_device *held[16];
static unsigned int held_count;

static struct tracked *find(const struct vfio_device *device)
{
	for (int i = count - 1; i >= 0; i--)
		if (all[i].device == device && all[i].state != FINISHED)
			return &all[i];
	return NULL;
}

int fake_registered(void)
{
	int registered = 0;

	for (int i = 0; i < count; i++)
		registered += all[i].state == REGISTERED;
	return registered;
}

int fake_unfinished(void)
{
	int unfinished = 0;

	for (int i = 0; i < count; i++)
		unfinished += all[i].state != FINISHED;
	return unfinished;
}

static void start(struct vfio_device *device, struct device *parent, const struct vfio_device_ops *ops, enum model model)
{
	if (find(device))
		host_bug("a vfio_device is initialised a second time");
	if (count == ARRAY_SIZE(all)) {
		host_bug("more than %d vfio_devices", count);
		return;
	}
	host_is_container(device);
	all[count++] = (struct tracked){ .device = device, .parent = parent, .ops = ops, .model = model, .state = INITIALISED, .references = 1 };
	device->dev = parent;
	device->ops = ops;
}

/* What the core keeps in a vfio_device is its own: a driver that overwrites it is found out before the core follows it. */
static bool is_whole(const struct tracked *one, const char *function)
{
	if (one->device->ops == one->ops && one->device->dev == one->parent)
		return true;
	host_bug("%s of a vfio_device that was overwritten", function);
	return false;
}

static void finish(struct vfio_device *device, const char *function)
{
	struct tracked *one = find(device);

	if (!one) {
		host_bug("%s of a vfio_device that is not there: never initialised, or finished before", function);
		return;
	}
	if (one->state == REGISTERED)
		host_bug("%s of a vfio_device that is still registered", function);
	if (one->users)
		host_bug("%s of a vfio_device that is open", function);
	one->state = FINISHED;
}

/* ---- the old model ---- */

void vfio_init_group_dev(struct vfio_device *device, struct device *parent, const struct vfio_device_ops *ops)
{
	host_event("~init");
	start(device, parent, ops, OLD_MODEL);
}

void vfio_uninit_group_dev(struct vfio_device *device)
{
	struct tracked *one = find(device);

	host_event("~uninit");
	if (one && one->model == NEW_MODEL)
		host_bug("vfio_uninit_group_dev of a vfio_device of the new model");
	finish(device, "vfio_uninit_group_dev");
}

/* ---- the new model ---- */

static int init(struct vfio_device *device, struct device *parent, const struct vfio_device_ops *ops)
{
	int result;

	start(device, parent, ops, NEW_MODEL);
	if (!ops->init)
		return 0;
	host_event("~.init");
	result = ops->init(device);
	if (result > 0)
		host_bug(".init returns %d", result);
	/* .release does not run when .init has failed. */
	if (result) {
		fake_init_failed(device);
		finish(device, ".init that fails");
	}
	return result;
}

struct vfio_device *_vfio_alloc_device(size_t size, struct device *parent, const struct vfio_device_ops *ops)
{
	struct vfio_device *device = host_allocate(size, "container");
	int result;

	if (!device)
		return ERR_PTR(-ENOMEM);
	result = init(device, parent, ops);
	if (result) {
		host_free(device, "core");
		return ERR_PTR(result);
	}
	return device;
}

#if !CORE_FREES
int vfio_init_device(struct vfio_device *device, struct device *parent, const struct vfio_device_ops *ops)
{
	if (host_fails("vfio_init_device"))
		return -ENOSPC;
	return init(device, parent, ops);
}

void vfio_free_device(struct vfio_device *device)
{
	if (find(device))
		host_bug("vfio_free_device of a vfio_device that is still referenced");
	host_free(device, "vfio_free_device");
}
#endif

static void put(struct tracked *one)
{
	struct vfio_device *device = one->device;

	host_event("~put");
	if (one->model == OLD_MODEL)
		host_bug("vfio_put_device of a vfio_device of the old model");
	if (--one->references)
		return;
	if (!is_whole(one, "vfio_put_device")) {
		one->state = FINISHED;
		return;
	}
	finish(device, "vfio_put_device");
	if (device->ops->release) {
		host_event("~.release");
		device->ops->release(device);
	} else if (!CORE_FREES) {
		host_bug("the ops table has no .release");
	}
	if (CORE_FREES)
		host_free(device, "core");
}

/* vfio_put_device() is an inline of this function. */
void put_device(struct device *device)
{
	/* The newest first: memory that is used again has had another device in it. */
	for (int i = count - 1; i >= 0; i--) {
		if (&all[i].device->device != device)
			continue;
		if (all[i].state == FINISHED)
			host_bug("vfio_put_device of a vfio_device that is gone");
		else
			put(&all[i]);
		return;
	}
	if (IS_ERR(container_of(device, struct vfio_device, device)))
		host_bug("vfio_put_device of an error pointer");
}

struct device *get_device(struct device *device)
{
	for (int i = count - 1; i >= 0; i--) {
		if (&all[i].device->device == device && all[i].state != FINISHED) {
			all[i].references++;
			break;
		}
	}
	return device;
}

/* ---- registration, the same in both ---- */

static int check_ops(const struct vfio_device_ops *ops, bool is_emulated)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0) && IS_ENABLED(CONFIG_IOMMUFD)
	if (!ops->bind_iommufd || !ops->unbind_iommufd || !ops->attach_ioas)
		return -EINVAL;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	if (!ops->detach_ioas)
		return -EINVAL;
#endif
#endif
	return 0;
}

static int register_device(struct vfio_device *device, bool is_emulated)
{
	struct tracked *one = find(device);

	if (!one) {
		host_bug("register of a vfio_device that is not initialised");
		return -EINVAL;
	}
	if (one->state != INITIALISED)
		host_bug("register of a vfio_device a second time");
	if (!is_whole(one, "register"))
		return -EINVAL;
	if (check_ops(device->ops, is_emulated)) {
		host_bug("the ops table lacks members that register insists on");
		return -EINVAL;
	}
	if (host_fails(is_emulated ? "vfio_register_emulated_iommu_dev" : "vfio_register_group_dev"))
		return -EBUSY;
	host_event("register %s of parent %d", device->ops->name ?: "a table without a name", fake_number_of(device->dev));
	one->state = REGISTERED;
	return 0;
}

int vfio_register_group_dev(struct vfio_device *device)
{
	return register_device(device, false);
}

int vfio_register_emulated_iommu_dev(struct vfio_device *device)
{
	return register_device(device, true);
}

void vfio_unregister_group_dev(struct vfio_device *device)
{
	struct tracked *one = find(device);

	if (!one || one->state != REGISTERED) {
		host_bug("unregister of a vfio_device that is not registered");
		return;
	}
	/* The core asks the users to leave and waits for them. */
	if (one->users) {
		host_event("wait for the user");
		if (device->ops->request)
			device->ops->request(device, 0);
		fake_close_tracked(device);
	}
	host_event("unregister");
	one->state = UNREGISTERED;
}

int vfio_assign_device_set(struct vfio_device *device, void *id)
{
	if (!find(device))
		host_bug("vfio_assign_device_set of a vfio_device that is not initialised");
	return host_fails("vfio_assign_device_set") ? -ENOMEM : 0;
}

/* ---- users, and others who hold a reference ---- */

static struct device *parent_of(int device)
{
	return fake_parent(device);
}

static int open_one(struct tracked *one)
{
	int result = 0;

	host_event("open");
	if (one->device->ops->open_device)
		result = one->device->ops->open_device(one->device);
	host_event("opened: %d", result);
	if (result)
		return result;
	one->users++;
	fake_use(one->device);
	return 0;
}

/* Opens every device of a parent, which may have more than one; the result is that of the last. */
int fake_open(int device)
{
	int result = -ENODEV;

	for (int i = 0; i < count; i++)
		if (all[i].parent == parent_of(device) && all[i].state == REGISTERED)
			result = open_one(&all[i]);
	if (result == -ENODEV)
		host_bug("there is no registered vfio_device to open");
	return result;
}

void fake_close_tracked(struct vfio_device *device)
{
	struct tracked *one = find(device);

	host_event("close");
	if (one->device->ops->close_device)
		one->device->ops->close_device(one->device);
	one->users--;
}

void fake_close(int device)
{
	for (int i = count - 1; i >= 0; i--)
		if (all[i].parent == parent_of(device) && all[i].users)
			fake_close_tracked(all[i].device);
}

void fake_hold(int device)
{
	for (int i = 0; i < count && held_count < ARRAY_SIZE(held); i++) {
		if (all[i].parent != parent_of(device) || all[i].state == FINISHED)
			continue;
		held[held_count++] = all[i].device;
		get_device(&all[i].device->device);
	}
}

void fake_drop_held(void)
{
	while (held_count)
		put_device(&held[--held_count]->device);
}
