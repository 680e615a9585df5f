/**
 * Drivers in small, written for these tests: what the mask changes, #if chains, labels, tables,
 * both line ends.
 */
export const SAMPLES: readonly string[] = [
  `// SPDX-License-Identifier: GPL-2.0
#include <linux/vfio.h>

struct toy_state {
	struct vfio_device vdev;
	struct list_head list;
	DECLARE_BITMAP(map, 64);
	u8 *config __aligned(8);
};

static DEFINE_MUTEX(toy_lock);

static int toy_init_dev(struct vfio_device *vdev)
{
	struct toy_state *state = container_of(vdev, struct toy_state, vdev);
	struct toy_state *other;

	list_for_each_entry(other, &toy_list, list) {
		if (other == state)
			return -EBUSY;
	}
	state->config = kzalloc(min_t(size_t, PAGE_SIZE, 4096), GFP_KERNEL);
	if (!state->config)
		return -ENOMEM;
	scoped_guard(mutex, &toy_lock)
		list_add(&state->list, &toy_list);
	return 0;
}

static const struct vfio_device_ops toy_ops = {
	.name = "toy",
	.init = toy_init_dev,
#ifdef CONFIG_IOMMUFD
	.bind_iommufd = vfio_iommufd_emulated_bind,
#endif
};

static int __init toy_probe(struct device *dev)
{
	struct toy_state *state;
	int ret;

	state = vfio_alloc_device(toy_state, vdev, dev, &toy_ops);
	if (IS_ERR(state))
		return PTR_ERR(state);
	ret = vfio_register_emulated_iommu_dev(&state->vdev);
	if (ret)
		goto err_put;
#ifdef CONFIG_DEBUG_FS
	toy_debugfs(state);
#endif
	switch (ret) {
	case 1 ... 3:
		return -EINVAL;
	default:
		return 0;
	}

err_put:
	vfio_put_device(&state->vdev);
	return ret;
}

module_init(toy_probe)
MODULE_LICENSE("GPL");
`,
  `#ifndef TOY_H
#define TOY_H
#include "other.h"

#if IS_ENABLED(CONFIG_TOY)
int toy(struct device *dev, void __user *arg) __must_check;
#else
static inline int toy(struct device *dev, void __user *arg) { return -ENODEV; }
#endif

#define to_toy(v) container_of(v, struct toy, vdev)

#endif /* TOY_H */
`,
  `static void f(struct foo *p)
{
	/* a comment with { and " in it */
	char c = '"';

	do {
		if (p->a && (p->b || !p->c))
			continue;
		for (int i = 0; i < 3; i++)
			g(p, i, "text {\\n");
	} while (p->next);
}
`.replaceAll('\n', '\r\n'),
];
