import { words } from './rows.ts';

/**
 * A class of functions and macros that only look: they change nothing that anyone could see, and
 * cannot fail with an effect.
 */
interface QueryFamily {
  /** What its functions look at. */
  readonly about: string;
  /** Beginnings of names. */
  readonly prefixes?: readonly string[];
  readonly names?: readonly string[];
}

/**
 * Asking one of these once more, or somewhat earlier, makes no difference as long as nothing has
 * changed what it looks at.
 */
const QUERY_FAMILIES: readonly QueryFamily[] = [
  { about: 'Where an object lies in another.', prefixes: words('container_of to_') },
  {
    about: 'What a device is.',
    prefixes: words('is_ dev_is_ pci_is_'),
    names: words(
      'dev_name dev_to_node dev_bus_name dev_driver_string pci_name pci_domain_nr pci_dev_id pci_pcie_type pcie_find_root_port',
    ),
  },
  {
    about:
      'Virtual functions, resources and capabilities of a PCI device (<linux/pci.h>); those that search the configuration space only read it.',
    names:
      words(`pci_iov_vf_id pci_physfn pci_num_vf pci_vfs_assigned pci_sriov_get_totalvfs pci_resource_len pci_resource_start pci_resource_end pci_resource_flags
      pci_resource_n pci_find_capability pci_find_next_capability pci_find_ext_capability pci_find_next_ext_capability pci_find_vsec_capability pci_find_dvsec_capability
      pci_msi_vec_count pci_msix_vec_count pci_dev_msi_enabled`),
  },
  {
    about: 'The resources of other buses.',
    names: words(
      'resource_size resource_type platform_get_resource platform_get_resource_byname platform_irq_count',
    ),
  },
  {
    about: 'What firmware says of a device.',
    names:
      words(`device_property_present device_property_read_bool fwnode_property_present fwnode_property_read_bool of_property_present of_property_read_bool
      of_device_is_compatible of_device_get_match_data device_get_match_data of_match_device has_acpi_companion acpi_match_device`),
  },
  {
    about: 'The parent and the type of a mediated device.',
    names: words(
      'mdev_dev mdev_uuid mdev_parent_dev mdev_get_type_group_id mtype_get_type_group_id',
    ),
  },
  {
    about: 'How the kernel is configured.',
    names: words('IS_ENABLED IS_REACHABLE IS_BUILTIN IS_MODULE'),
  },
  { about: 'The value of a pointer.', prefixes: words('IS_ERR'), names: words('PTR_ERR') },
  {
    about: 'Computations.',
    names: words(
      'BIT BIT_ULL test_bit ARRAY_SIZE min max min_t max_t strcmp strncmp strlen likely unlikely __builtin_expect READ_ONCE',
    ),
  },
];

const NAMES: ReadonlySet<string> = new Set(QUERY_FAMILIES.flatMap((family) => family.names ?? []));
const PREFIXES: readonly string[] = QUERY_FAMILIES.flatMap((family) => family.prefixes ?? []);

/** True when a call of the kernel's `name` only looks. */
export function isQuery(name: string): boolean {
  return NAMES.has(name) || PREFIXES.some((prefix) => name.startsWith(prefix));
}
