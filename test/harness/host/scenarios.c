/* What is done to a driver. Everything that a scenario takes must be given back at its end; the caller checks that. */
#include "../harness.h"
#include "record.h"
#include "scenarios.h"

enum { MANY = 24 };

/* Calls fail only in here: what remove calls is not meant to fail. */
static int probe(int device, int type)
{
	int result, registered = fake_registered();

	record->armed = 1;
	result = fake_probe(device, type);
	record->armed = 0;
	host_returned(result);
	host_event("probe returns %d", result);
	if (result > 0)
		host_bug("probe returns %d", result);
	/* A driver may have more than one for a parent. */
	if ((fake_registered() > registered) != (result == 0))
		host_bug("probe returns %d and %d device(s) are registered", result, fake_registered() - registered);
	return result;
}

static void remove(int device)
{
	host_event("remove");
	fake_remove(device);
	host_event("removed");
}

static void bind_and_unbind(int type)
{
	if (!probe(0, type))
		remove(0);
}

/* A counter that a failure did not bring back, or a stale pointer, shows when the device is bound again. */
static void bind_twice(int type)
{
	bind_and_unbind(type);
	record->failing = 0;
	bind_and_unbind(type);
}

static void open_and_close(int type)
{
	if (probe(0, type))
		return;
	if (!fake_open(0))
		fake_close(0);
	remove(0);
}

/* The core waits in vfio_unregister_group_dev() until the user has closed. */
static void unbind_while_open(int type)
{
	if (probe(0, type))
		return;
	fake_open(0);
	remove(0);
}

static void as_many_as_it_takes(int type)
{
	int count = 0;

	while (count < MANY && !probe(count, type))
		count++;
	while (count-- > 0)
		remove(count);
}

/* A reference that somebody else holds: .release runs after remove, when the parent's driver data is gone. */
static void last_reference_after_unbind(int type)
{
	if (probe(0, type))
		return;
	fake_hold(0);
	remove(0);
	fake_drop_held();
}

const struct scenario scenarios[] = {
	{ "bind and unbind", bind_and_unbind },
	{ "open and close", open_and_close },
	{ "unbind while open", unbind_while_open },
	{ "as many as it takes", as_many_as_it_takes },
	{ "a call fails, then bind again", bind_twice, .fails_each_call = 1 },
	{ "last reference after unbind", last_reference_after_unbind, .only_new_model = 1 },
	{ 0 },
};
