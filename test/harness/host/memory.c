/*
 * The table of allocations. Leaks are counted here and not by the address sanitizer's leak detector, which does not see what a driver can still
 * reach from a static variable. Freed entries stay in the table: the sanitizer keeps their addresses from being used again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../harness.h"
#include "memory.h"
#include "record.h"

enum { MAX_ALLOCATIONS = 4096, MAX_RESOURCES = 256 };

static struct allocation {
	char *memory;
	unsigned long size;
	const char *family;
	int number, is_container, is_freed;
	/* Where the event and the call are that speak of it: an old driver's container is known as such only when it is initialised. */
	int event, call;
} allocations[MAX_ALLOCATIONS];
static int allocation_count, first_number;

static struct resource {
	const char *kind;
	unsigned long key;
} resources[MAX_RESOURCES];
static int resource_count;

static void describe(const struct allocation *one, char *into)
{
	if (one->is_container)
		snprintf(into, LINE, "#%d container", one->number);
	else
		snprintf(into, LINE, "#%d %s %lu", one->number, one->family, one->size);
}

static struct allocation *find(const void *pointer)
{
	for (int i = allocation_count - 1; i >= 0; i--) {
		struct allocation *one = &allocations[i];

		if ((char *)pointer >= one->memory && (char *)pointer < one->memory + one->size)
			return one;
	}
	return NULL;
}

/* Whether this call has given a container in the run in which none failed: when a call fails before the init, nothing else tells. */
static int is_known_container(void)
{
	int call = record->calls.count;

	return record->armed && call > 0 && call < record->failing && call <= known_calls.count && !strcmp(known_calls.text[call - 1], "container");
}

void *host_allocate(unsigned long size, const char *family)
{
	struct allocation *one;
	char text[LINE];

	if (host_fails(family))
		return NULL;
	if (allocation_count == MAX_ALLOCATIONS) {
		host_bug("more than %d allocations", MAX_ALLOCATIONS);
		exit(1);
	}
	one = &allocations[allocation_count++];
	*one = (struct allocation){
		.memory = calloc(1, size ? size : 1), .size = size, .family = family, .number = allocation_count - first_number,
		.event = record->events.count, .call = record->armed ? record->calls.count - 1 : -1,
	};
	one->is_container = !strcmp(family, "container") || is_known_container();
	describe(one, text);
	host_event("allocate %s", text);
	if (one->is_container && one->call >= 0)
		snprintf(record->calls.text[one->call], LINE, "container");
	return one->memory;
}

void host_is_container(const void *inside)
{
	struct allocation *one = find(inside);

	if (!one || one->is_freed) {
		host_bug("a vfio_device is initialised outside of any allocation");
		return;
	}
	one->is_container = 1;
	if (one->event < record->events.count)
		snprintf(record->events.text[one->event], LINE, "allocate #%d container", one->number);
	if (one->call >= 0)
		snprintf(record->calls.text[one->call], LINE, "container");
}

/* Whether a function may free what an allocator of this family gave. */
static int suits(const char *family, const char *function)
{
	static const struct { const char *family, *function; } pairs[] = {
		{ "kmalloc", "kfree" }, { "kmalloc", "kvfree" }, { "kmalloc", "devres" },
		{ "vmalloc", "vfree" }, { "vmalloc", "kvfree" }, { "kvmalloc", "kvfree" },
		{ "page", "free_pages" }, { "workqueue", "destroy_workqueue" },
		{ "container", "vfio_free_device" }, { "container", "core" },
	};

	for (unsigned int i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (!strcmp(pairs[i].family, family) && !strcmp(pairs[i].function, function))
			return 1;
	return 0;
}

void host_wipe(const void *memory)
{
	struct allocation *one = find(memory);

	if (one && !one->is_freed)
		memset(one->memory, 0, one->size);
}

/* Whether memory still holds what a driver marks as a secret: a row of this many bytes of this value. */
static int holds_secret(const struct allocation *one)
{
	enum { SECRET = 0x5a, LENGTH = 16 };
	int row = 0;

	for (unsigned long i = 0; i < one->size && row < LENGTH; i++)
		row = one->memory[i] == SECRET ? row + 1 : 0;
	return row == LENGTH;
}

void host_free(const void *memory, const char *function)
{
	struct allocation *one = find(memory);
	char text[LINE];

	if (!memory)
		return;
	if (!one || one->memory != memory) {
		host_bug("%s of something that is no allocation", function);
		return;
	}
	describe(one, text);
	if (one->is_freed) {
		host_bug("%s frees %s a second time", function, text);
		return;
	}
	if (!suits(one->family, function))
		host_bug("%s frees %s, which comes from the allocator of %s", function, text, one->family);
	host_event("free %s%s", text, holds_secret(one) ? " with a secret in it" : "");
	one->is_freed = 1;
	free(one->memory);
}

void host_name(const void *pointer, const char *function, char *into)
{
	const struct allocation *one = find(pointer);

	*into = '\0';
	if (!one)
		return;
	if (one->is_freed)
		host_bug("%s is given memory of #%d, which is freed", function, one->number);
	sprintf(into, " #%d", one->number);
}

void host_acquire(const char *kind, unsigned long key)
{
	if (resource_count == MAX_RESOURCES) {
		host_bug("more than %d resources", MAX_RESOURCES);
		exit(1);
	}
	resources[resource_count++] = (struct resource){ .kind = kind, .key = key };
}

static struct resource *resource_of(const char *kind, unsigned long key)
{
	for (int i = resource_count - 1; i >= 0; i--)
		if (resources[i].key == key && !strcmp(resources[i].kind, kind))
			return &resources[i];
	return NULL;
}

int host_holds(const char *kind, unsigned long key)
{
	return resource_of(kind, key) != NULL;
}

void host_release(const char *kind, unsigned long key)
{
	struct resource *one = resource_of(kind, key);

	if (one)
		*one = resources[--resource_count];
	else
		host_bug("%s is given back and was not taken", kind);
}

void memory_start(void)
{
	first_number = allocation_count;
}

void memory_report_leaks(void)
{
	char text[LINE];

	for (int i = first_number; i < allocation_count; i++) {
		if (allocations[i].is_freed)
			continue;
		describe(&allocations[i], text);
		host_bug("leak of %s", text);
	}
	for (int i = 0; i < resource_count; i++)
		host_bug("%s is never given back", resources[i].kind);
}
