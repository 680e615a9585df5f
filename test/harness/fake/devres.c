/* Managed resources: given back newest first, after a failed probe and after remove. */
#include <linux/device.h>
#include <linux/version.h>
#include "../harness.h"
#include "fake.h"

static struct entry {
	struct device *device;
	void (*action)(void *data);
	void *data;
} entries[256];
static int count;

static void add(struct device *device, void (*action)(void *), void *data)
{
	if (count == ARRAY_SIZE(entries)) {
		host_bug("more than %d managed resources", count);
		return;
	}
	entries[count++] = (struct entry){ device, action, data };
}

static void free_managed(void *memory)
{
	host_free(memory, "devres");
}

void *devm_kmalloc(struct device *device, size_t size, gfp_t flags)
{
	void *memory = host_allocate(size, "kmalloc");

	if (memory)
		add(device, free_managed, memory);
	return memory;
}

/* Without its arguments, like kasprintf(). */
char *devm_kasprintf(struct device *device, gfp_t flags, const char *format, ...)
{
	return devm_kmalloc(device, strlen(format) + 64, flags);
}

char *devm_kstrdup(struct device *device, const char *text, gfp_t flags)
{
	char *copy = devm_kmalloc(device, strlen(text) + 1, flags);

	return copy ? strcpy(copy, text) : NULL;
}

static void drop(int index)
{
	for (count--; index < count; index++)
		entries[index] = entries[index + 1];
}

void devm_kfree(struct device *device, const void *memory)
{
	for (int i = count - 1; i >= 0; i--) {
		if (entries[i].device != device || entries[i].data != memory)
			continue;
		drop(i);
		host_free(memory, "devres");
		return;
	}
	host_bug("devm_kfree of something that is not managed");
}

/* The name changed in 6.4; devm_add_action_or_reset() is an inline of it, which runs the action when it fails. */
#undef devm_add_action
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
int __devm_add_action(struct device *device, void (*action)(void *), void *data, const char *name)
#else
int devm_add_action(struct device *device, void (*action)(void *), void *data)
#endif
{
	if (host_fails("devm_add_action"))
		return -ENOMEM;
	add(device, action, data);
	return 0;
}

void fake_release_managed(struct device *device)
{
	for (int i = count - 1; i >= 0; i--) {
		struct entry one = entries[i];

		if (one.device != device)
			continue;
		drop(i);
		one.action(one.data);
	}
}
