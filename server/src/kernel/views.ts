/**
 * Functions that give another view of the same object: the address of what embeds it, or of a member of it. They cannot fail and change
 * nothing. Argument 0 is the object.
 */
const VIEWS = new Set([
  'to_pci_dev', 'to_mdev_device', 'to_platform_device', 'to_fsl_mc_device', 'to_amba_device', 'to_amba_dev', 'amba_dev', 'to_auxiliary_dev',
  'to_cdx_device', 'to_ap_dev', 'to_ap_queue', 'to_ap_card', 'to_ccwdev', 'to_subchannel', 'to_acpi_device', 'to_spi_device', 'to_i2c_client', 'to_usb_interface',
  'to_usb_device', 'to_virtio_dev', 'dev_to_virtio', 'to_drm_minor', 'mdev_dev', 'kobj_to_dev', 'device_to_hv_device',
]);

/** Functions and macros whose value is their first argument. */
const SAME_VALUE = new Set(['READ_ONCE', 'no_free_ptr', 'rcu_dereference', 'rcu_dereference_protected', 'rcu_dereference_check', 'rcu_dereference_raw', 'rcu_access_pointer', 'smp_load_acquire', 'ERR_CAST', 'ACCESS_PRIVATE']);

/** True when `name(x)` is another view of the object that `x` is or points to. */
export function isView(name: string): boolean {
  return VIEWS.has(name);
}

/** True when the value of `name(x)` is that of `x`. */
export function hasSameValue(name: string): boolean {
  return SAME_VALUE.has(name);
}
