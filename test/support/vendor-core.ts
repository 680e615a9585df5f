/** A driver that knows VFIO only through its vendor's core, whose functions no table knows. */
export const OVER_CORE = `#include <linux/vfio.h>
#include <acme/core.h>

struct acme_nic {
	struct acme_core core;
	int users;
};

static const struct vfio_device_ops acme_ops = {
	.name = "acme",
	.release = acme_core_release,
};

static int acme_probe(struct pci_dev *pdev)
{
	struct acme_nic *nic;
	int ret;

	nic = acme_core_alloc(sizeof(*nic), &pdev->dev, &acme_ops);
	if (IS_ERR(nic))
		return PTR_ERR(nic);
	ret = acme_core_register(&nic->core);
	if (ret)
		goto err_put;
	pci_set_drvdata(pdev, nic);
	return 0;

err_put:
	acme_core_put(&nic->core);
	return ret;
}

static void acme_remove(struct pci_dev *pdev)
{
	struct acme_nic *nic = pci_get_drvdata(pdev);

	acme_core_unregister(&nic->core);
	acme_core_put(&nic->core);
}

static struct pci_driver acme_driver = {
	.probe = acme_probe,
	.remove = acme_remove,
};
`;

/** The same without the put after a failed register. */
export const OVER_CORE_LEAKY = OVER_CORE.replace('goto err_put;', 'return ret;');

/** What the settings say of that core. */
export const CORE_WRAPPERS = [
  { name: 'acme_core_alloc', does: 'alloc' },
  { name: 'acme_core_register', does: 'register' },
  { name: 'acme_core_unregister', does: 'unregister' },
  { name: 'acme_core_put', does: 'put' },
] as const;
