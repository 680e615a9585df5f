/* The checks of CONFIG_DEBUG_LIST: each change of a list goes through them, and a broken list is a bug. */
#include <linux/list.h>
#include <linux/version.h>
#include "../harness.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define CHECK(name) name##_or_report
#else
#define CHECK(name) name
#endif

bool CHECK(__list_add_valid)(struct list_head *new, struct list_head *prev, struct list_head *next)
{
	char text[32];

	if (next->prev != prev || prev->next != next || new == prev || new == next) {
		host_bug("list_add to a list that is broken, or of what is in it already");
		return false;
	}
	host_name(new, "list_add", text);
	host_event("list_add%s", text);
	return true;
}

bool CHECK(__list_del_entry_valid)(struct list_head *entry)
{
	char text[32];

	if (!entry->next || !entry->prev || entry->next == LIST_POISON1 || entry->prev->next != entry || entry->next->prev != entry) {
		host_bug("list_del of what is in no list");
		return false;
	}
	host_name(entry, "list_del", text);
	host_event("list_del%s", text);
	return true;
}
