/*
 * What the two sides of the harness know of each other. fake/ is compiled against kernel headers and takes the place of the kernel, host/ is
 * compiled against libc and runs the scenarios. No type of either side crosses, so that this file needs no header.
 */
#ifndef HARNESS_H
#define HARNESS_H

/* ---- host/record.c: what a scenario leaves behind, in memory that outlives the child that runs it ---- */

/*
 * Records an effect, in the order of its happening. An event that begins with '~' belongs to the life cycle itself, which a conversion changes;
 * all others must be the same before and after it.
 */
void host_event(const char *format, ...);
/* Records something that must never happen. */
void host_bug(const char *format, ...);
/* Records what probe returned. */
void host_returned(int value);
/* Counts a call that can fail, and tells whether this time it does. */
int host_fails(const char *call);

/* ---- host/memory.c: every allocation, with a number that is the same in every run ---- */

/* Zeroed memory, or a null pointer when this call is the one to fail. The family is that of the allocator: kmalloc, vmalloc, page … */
void *host_allocate(unsigned long size, const char *family);
/* Frees memory with a function; wrong function, second free and foreign pointers are bugs. */
void host_free(const void *memory, const char *function);
/* Overwrites the whole allocation that begins here with zeroes. */
void host_wipe(const void *memory);
/* The allocation that holds this address is a driver's container of a vfio_device. */
void host_is_container(const void *inside);
/* Writes " #3" for a pointer into the third allocation, nothing for others; a pointer into freed memory is a bug of the function that gets it. */
void host_name(const void *pointer, const char *function, char *into);
/* The rest of what is taken and given back: interrupts, pages, work queues. A key is an address or a number. */
void host_acquire(const char *kind, unsigned long key);
void host_release(const char *kind, unsigned long key);
int host_holds(const char *kind, unsigned long key);

/* ---- fake/: the kernel, as the scenarios see it ---- */

/* Runs the module's init function. */
int fake_load(void);
const char *fake_bus(void);
/* How many kinds of device the driver offers; 1 but for mediated devices. */
int fake_types(void);
/* What the driver says is left of a type, or -1 when it does not say. */
int fake_available(int type);
/* Binds the driver to a device of a type; the result is probe's. Devices are numbered from 0. */
int fake_probe(int device, int type);
void fake_remove(int device);

/* How many vfio_devices are registered, and how many are not finished: initialised and not uninitialised, or still referenced. */
int fake_registered(void);
int fake_unfinished(void);
/* Whether the driver allocates its devices with vfio_alloc_device(). */
int fake_is_new_model(void);
/* A user opens the device, uses it a little, and closes it. */
int fake_open(int device);
void fake_close(int device);
/* Somebody else holds a reference to the vfio_device, and drops it. */
void fake_hold(int device);
void fake_drop_held(void);

/* ---- the table that build.ts makes of the driver's own small variables ---- */

struct variable {
	const char *name;
	void *address;
	unsigned long size;
};
extern const struct variable driver_variables[];

#endif
