// SPDX-License-Identifier: MIT
/* The table of weights of a scale. */
#include <linux/slab.h>

#include "scale.h"

#define SCALE_WEIGHTS 32

int scale_calibrate(struct scale *scale)
{
	unsigned int i;

	scale->weights = kcalloc(SCALE_WEIGHTS, sizeof(*scale->weights),
				 GFP_KERNEL);
	if (!scale->weights)
		return -ENOMEM;

	for (i = 0; i < SCALE_WEIGHTS; i++)
		scale->weights[i] = 1U << i;
	return 0;
}

void scale_forget(struct scale *scale)
{
	kfree(scale->weights);
	scale->weights = NULL;
}
