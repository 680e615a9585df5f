/* SPDX-License-Identifier: MIT */
#ifndef SCALE_H
#define SCALE_H

#include <linux/mutex.h>
#include <linux/vfio.h>

struct scale {
	struct vfio_device vdev;
	struct mutex lock;		/* guards weights */
	u32 *weights;
};

int scale_calibrate(struct scale *scale);
void scale_forget(struct scale *scale);

#endif
