/* The driver model: one driver, its devices, and what the buses do around probe and remove. */
#include <linux/device.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/vfio.h>
#include "../harness.h"
#include "fake.h"

enum { DEVICES = 32 };

static struct mdev_driver *mdev_driver;
static struct pci_driver *pci_driver;
static struct platform_driver *platform_driver;
static struct mdev_device mdevs[DEVICES];
static struct pci_dev pci_devices[DEVICES];
static struct platform_device platform_devices[DEVICES];
static struct mdev_type **types;
static unsigned int type_count = 1;

/* ---- registration of the driver ---- */

int mdev_register_driver(struct mdev_driver *driver)
{
	mdev_driver = driver;
	return 0;
}

int mdev_register_parent(struct mdev_parent *parent, struct device *device, struct mdev_driver *driver, struct mdev_type **list, unsigned int count)
{
	parent->dev = device;
	types = list;
	type_count = count;
	for (unsigned int i = 0; i < count; i++)
		types[i]->parent = parent;
	return 0;
}

int __pci_register_driver(struct pci_driver *driver, struct module *owner, const char *name)
{
	pci_driver = driver;
	return 0;
}

int __platform_driver_register(struct platform_driver *driver, struct module *owner)
{
	platform_driver = driver;
	return 0;
}

int init_module(void);

int fake_load(void)
{
	return init_module();
}

const char *fake_bus(void)
{
	return mdev_driver ? "mdev" : pci_driver ? "pci" : platform_driver ? "platform" : "none";
}

int fake_types(void)
{
	return type_count;
}

int fake_available(int type)
{
	return mdev_driver && mdev_driver->get_available && types ? mdev_driver->get_available(types[type]) : -1;
}

int fake_is_new_model(void)
{
	return driver_is_new_model;
}

/* ---- what a driver asks of its parent ---- */

int fake_number_of(const struct device *parent)
{
	for (int i = 0; i < DEVICES; i++)
		if (fake_parent(i) == parent)
			return i;
	return -1;
}

/* Answers the error that it is given. */
int dev_err_probe(const struct device *device, int error, const char *format, ...)
{
	host_event("dev_err_probe %d", error);
	return error;
}

/* As many as the driver can use; a positive number is no failure. */
int pci_alloc_irq_vectors_affinity(struct pci_dev *pdev, unsigned int least, unsigned int most, unsigned int flags, struct irq_affinity *affinity)
{
	if (host_fails("pci_alloc_irq_vectors"))
		return -ENOSPC;
	host_event("pci_alloc_irq_vectors %u", most);
	host_acquire("the interrupt vectors of a device", (unsigned long)pdev);
	return most;
}

void pci_free_irq_vectors(struct pci_dev *pdev)
{
	host_event("pci_free_irq_vectors");
	host_release("the interrupt vectors of a device", (unsigned long)pdev);
}

/* ---- binding ---- */

struct device *fake_parent(int device)
{
	if (mdev_driver)
		return &mdevs[device].dev;
	if (pci_driver)
		return &pci_devices[device].dev;
	return &platform_devices[device].dev;
}

static int call_probe(int device, int type)
{
	static struct pci_bus bus;

	if (mdev_driver) {
		mdevs[device].type = types ? types[type] : NULL;
		return mdev_driver->probe(&mdevs[device]);
	}
	if (pci_driver) {
		pci_devices[device].bus = &bus;
		/* Every other device is of another revision, so that a driver that tells them apart is seen on both ways. */
		pci_devices[device].revision = device % 2;
		pci_devices[device].dev.bus = &pci_bus_type;
		pci_devices[device].dev.driver = &pci_driver->driver;
		return pci_driver->probe(&pci_devices[device], pci_driver->id_table);
	}
	if (platform_driver) {
		platform_devices[device].name = "fake";
		platform_devices[device].id = device;
		return platform_driver->probe(&platform_devices[device]);
	}
	host_bug("the module registers no driver");
	return -ENODEV;
}

/* The driver core forgets the driver data of a device that is not bound. */
static void unbound(int device)
{
	fake_release_managed(fake_parent(device));
	dev_set_drvdata(fake_parent(device), NULL);
}

int fake_probe(int device, int type)
{
	int result;

	fake_parent(device)->init_name = "fake";
	result = call_probe(device, type);
	if (result)
		unbound(device);
	return result;
}

void fake_remove(int device)
{
	if (mdev_driver && mdev_driver->remove)
		mdev_driver->remove(&mdevs[device]);
	if (pci_driver && pci_driver->remove)
		pci_driver->remove(&pci_devices[device]);
	if (platform_driver && platform_driver->remove)
		platform_driver->remove(&platform_devices[device]);
	unbound(device);
}

