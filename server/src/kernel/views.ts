/**
 * Functions that give another view of the same object: the address of what embeds it, or of a
 * member of it. They cannot fail and change
 * nothing. Argument 0 is the object.
 */
const VIEWS = new Set([
  'to_pci_dev',
  'to_mdev_device',
  'to_platform_device',
  'to_fsl_mc_device',
  'to_amba_device',
  'to_auxiliary_dev',
  'to_cdx_device',
  'to_ap_dev',
  'to_ap_queue',
  'to_ap_card',
  'to_ccwdev',
  'to_subchannel',
  'to_spi_device',
  'to_i2c_client',
  'to_usb_interface',
  'to_usb_device',
  'dev_to_virtio',
  'mdev_dev',
  'kobj_to_dev',
  'device_to_hv_device',
]);

/** True when `name(x)` is another view of the object that `x` is or points to. */
export function isView(name: string): boolean {
  return VIEWS.has(name);
}

/** Functions that read one member of a struct device, which nothing but its owner changes. */
const MEMBER_READ_BY = new Map<string, string>([
  ['dev_get_platdata', 'platform_data'],
  ['dev_of_node', 'of_node'],
]);

/** The member of the object that argument 0 points to which `name(x)` is the value of. */
export function memberReadBy(name: string): string | undefined {
  return MEMBER_READ_BY.get(name);
}
