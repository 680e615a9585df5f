/** The functions that operators look for, by what they do. */
export const ALLOC = ['vfio_alloc_device'];
export const PUT = ['vfio_put_device'];
export const INIT = ['vfio_init_group_dev', 'vfio_pci_core_init_device'];
export const UNINIT = ['vfio_uninit_group_dev', 'vfio_pci_core_uninit_device'];
export const REGISTER = [
  'vfio_register_group_dev',
  'vfio_register_emulated_iommu_dev',
  'vfio_pci_core_register_device',
];
export const UNREGISTER = ['vfio_unregister_group_dev', 'vfio_pci_core_unregister_device'];
export const FREE = ['kfree', 'kvfree', 'vfree'];
export const SET_DRVDATA = [
  'dev_set_drvdata',
  'pci_set_drvdata',
  'platform_set_drvdata',
  'mdev_set_drvdata',
  'amba_set_drvdata',
];
export const GET_DRVDATA = [
  'dev_get_drvdata',
  'pci_get_drvdata',
  'platform_get_drvdata',
  'mdev_get_drvdata',
  'amba_get_drvdata',
];

export const OPS_TABLE = /^vfio_device_ops$/;
export const DRIVER_TABLE = /_driver$/;

/** The call that ends what a call of REGISTER has begun, for the same argument. */
export function unregisterFor(register: string): string {
  return register.startsWith('vfio_pci_core')
    ? 'vfio_pci_core_unregister_device'
    : 'vfio_unregister_group_dev';
}

/** `(&p->vdev).field` and `vdev->field`, written plainly. */
export function fieldOf(device: string, field: string): string {
  return device.startsWith('&') ? `${device.slice(1)}.${field}` : `${device}->${field}`;
}
