/**
 * The structs that embed a `struct device` of a bus, by tag, and the function that leads back from
 * the device to each. A callback that
 * has only `vdev->dev` finds by them what probe was given.
 */
const BUS_DEVICES: ReadonlyMap<string, string> = new Map([
  ['pci_dev', 'to_pci_dev'],
  ['mdev_device', 'to_mdev_device'],
  ['fsl_mc_device', 'to_fsl_mc_device'],
  ['platform_device', 'to_platform_device'],
  ['amba_device', 'to_amba_device'],
  ['auxiliary_device', 'to_auxiliary_dev'],
  ['cdx_device', 'to_cdx_device'],
  ['ap_device', 'to_ap_dev'],
  ['ccw_device', 'to_ccwdev'],
  ['subchannel', 'to_subchannel'],
]);

/**
 * The function that leads from a `struct device *` to the `struct tag` around it; undefined for a
 * struct that is of no known bus.
 */
export function busView(tag: string): string | undefined {
  return BUS_DEVICES.get(tag);
}

/**
 * Functions that only read what identifies a device: the same value however often they are called
 * while the device exists.
 */
const GETTERS = new Set([
  'mdev_get_type_group_id',
  'mdev_get_type_dev',
  'mtype_get_type_group_id',
  'mdev_parent_dev',
  'mdev_uuid',
  'dev_name',
  'dev_to_node',
  'pci_name',
  'pci_domain_nr',
  'pci_iov_vf_id',
  'pci_physfn',
  'pci_resource_len',
  'pci_resource_start',
  'pci_resource_end',
  'pci_resource_flags',
  'resource_size',
  'is_fsl_mc_bus_dprc',
]);

/** True when a call of `name` reads what is fixed while the device exists, and changes nothing. */
export function isFixedGetter(name: string): boolean {
  return GETTERS.has(name);
}

/** Macros and functions that only compute from their arguments. */
const COMPUTES =
  /^(?:sizeof|offsetof|ARRAY_SIZE|struct_size\w*|array_size|array3_size|size_(?:add|mul|sub)|round_?up\w*|round_?down\w*|ALIGN\w*|PAGE_ALIGN\w*|PFN_\w+|min\w*|max\w*|clamp\w*|abs|DIV_ROUND\w*|do_div|BIT\w*|GENMASK\w*|FIELD_\w+|ilog2|order_base_2|is_power_of_2|get_order|hweight\d*|BITS_TO_LONGS|strlen|le\d+_to_cpu|be\d+_to_cpu|cpu_to_[lb]e\d+|lower_32_bits|upper_32_bits|u32_\w+|container_of\w*|to_\w+|READ_ONCE|likely|unlikely)$/;

/** True when a call of `name` computes a value from its arguments and does nothing else. */
export function isComputation(name: string): boolean {
  return COMPUTES.test(name);
}
