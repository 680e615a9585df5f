/* What the files of the fake kernel know of each other. */
#ifndef FAKE_H
#define FAKE_H

struct device;
struct vfio_device;

/* The device that a driver is bound to. */
struct device *fake_parent(int device);
/* The number of such a device, or -1 for any other. */
int fake_number_of(const struct device *parent);
void fake_use(struct vfio_device *device);
void fake_close_tracked(struct vfio_device *device);
void fake_init_failed(struct vfio_device *device);

/* What devm_ functions have taken for a device is given back, newest first: after a failed probe and after remove. */
void fake_release_managed(struct device *device);

/* Whether the driver calls vfio_alloc_device(); build.ts reads it from the object. */
extern const int driver_is_new_model;

#endif
