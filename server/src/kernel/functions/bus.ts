/** PCI, platform and the other buses: what drivers do with the parent of their device. */
import {
  LOOKS,
  IN_KERNEL,
  ANYTHING,
  KEEPS_IN_KERNEL,
  OBJECT,
  arms,
  stops,
  type FunctionRows,
  type Resource,
} from './row.ts';
import { ALWAYS, before, words } from '../behaviour-builders.ts';

const ENABLED_DEVICE: Resource = {
  undo: words('pci_disable_device'),
  taken: 0,
  given: 0,
};

const PCI_REGIONS: Resource = {
  undo: words('pci_release_regions pci_release_selected_regions'),
  taken: 0,
  given: 0,
};

const IRQ_VECTORS: Resource = {
  undo: words('pci_free_irq_vectors'),
  taken: 0,
  given: 0,
};

const PCI_DEVICE_REFERENCE: Resource = {
  undo: words('pci_dev_put'),
  taken: 'return',
  given: 0,
};

const PLATFORM_DEVICE: Resource = {
  undo: words('platform_device_unregister'),
  taken: 'return',
  given: 0,
};

const VIRTUAL_FUNCTIONS: Resource = {
  undo: words('pci_disable_sriov'),
  taken: 0,
  given: 0,
};

const MESSAGE_INTERRUPTS: Resource = {
  undo: words('pci_disable_msi pci_disable_msix'),
  taken: 0,
  given: 0,
};

/** v6.17 drivers/pci/msi/msi.c, pcim_setup_msi_release(). */
const MANAGED_VECTORS = { name: 'pcim_enable_device', kernels: ALWAYS };

/**
 * v6.14 drivers/pci/pci.c, __pci_request_region() asks pci_is_managed(); v6.17 does not. The
 * releases between were not found: nothing is said to leak there.
 */
const MANAGED_REGIONS = { name: 'pcim_enable_device', kernels: before('6.17') };

export const BUS: FunctionRows = {
  // Buses act on the parent device.
  request_mem_region: IN_KERNEL,
  release_mem_region: IN_KERNEL,
  request_region: IN_KERNEL,
  release_region: IN_KERNEL,
  request_resource: IN_KERNEL,
  insert_resource: IN_KERNEL,
  release_resource: IN_KERNEL,
  resource_size: { ...LOOKS, isFixed: true, isQuery: true },
  resource_type: { ...LOOKS, isQuery: true },
  device_driver_attach: ANYTHING,
  bus_register: IN_KERNEL,
  bus_unregister: IN_KERNEL,
  driver_register: IN_KERNEL,
  driver_unregister: IN_KERNEL,
  root_device_unregister: IN_KERNEL,
  is_fsl_mc_bus_dprc: { ...LOOKS, isFixed: true },
  ap_get_qdev: IN_KERNEL,
  ap_aqic: IN_KERNEL,
  ap_tapq: IN_KERNEL,
  ap_zapq: IN_KERNEL,
  ap_test_queue: IN_KERNEL,
  AP_MKQID: IN_KERNEL,
  AP_QID_CARD: IN_KERNEL,
  AP_QID_QUEUE: IN_KERNEL,
  pci_request_irq: {
    ...KEEPS_IN_KERNEL,
    async: arms('interrupt', 4),
    runsAtomic: 2,
    takesCookie: true,
  },
  platform_device_unregister: { given: 'unknown' },
  platform_device_put: { given: 'unknown' },
  platform_device_del: { given: 'unknown' },
  pci_stop_and_remove_bus_device: { given: 'unknown' },
  fsl_mc_device_remove: { given: 'unknown' },
  amba_device_unregister: { given: 'unknown' },

  to_pci_dev: { ...LOOKS, viewOf: 'pci_dev' },
  to_fsl_mc_device: { ...LOOKS, viewOf: 'fsl_mc_device' },
  to_platform_device: { ...LOOKS, viewOf: 'platform_device' },
  to_amba_device: { ...LOOKS, viewOf: 'amba_device' },
  to_auxiliary_dev: { ...LOOKS, viewOf: 'auxiliary_device' },
  to_cdx_device: { ...LOOKS, viewOf: 'cdx_device' },
  to_ap_dev: { ...LOOKS, viewOf: 'ap_device' },
  to_ccwdev: { ...LOOKS, viewOf: 'ccw_device' },
  to_subchannel: { ...LOOKS, viewOf: 'subchannel' },
  pci_name: { touches: 'looks', isFixed: true, isQuery: true },
  pci_domain_nr: { touches: 'looks', isFixed: true, isQuery: true },
  pci_iov_vf_id: { touches: 'looks', isFixed: true, isQuery: true },
  pci_physfn: { touches: 'looks', isFixed: true, isQuery: true },
  pci_resource_len: { touches: 'looks', isFixed: true, isQuery: true },
  pci_resource_start: { touches: 'looks', isFixed: true, isQuery: true },
  pci_resource_end: { touches: 'looks', isFixed: true, isQuery: true },
  pci_resource_flags: { touches: 'looks', isFixed: true, isQuery: true },
  amba_device_put: { touches: 'kernel', mayEndContainer: true },
  pci_epf_destroy: { touches: 'kernel', mayEndContainer: true },
  auxiliary_device_uninit: { mayEndContainer: true },
  auxiliary_device_delete: { mayEndContainer: true },
  pci_map_single: { touches: 'kernel', needs: { contiguous: 1 } },
  pci_free_irq: { touches: 'kernel', async: stops('interrupt', 2), takesCookie: true },
  bus_find_device: { takesCookie: true },
  pci_walk_bus: { touches: 'everything', takesCookie: true },
  pci_iounmap: { touches: 'kernel' },
  pci_enable_device: { touches: 'kernel', takes: ENABLED_DEVICE },
  pci_enable_device_mem: { touches: 'kernel', takes: ENABLED_DEVICE },
  pci_disable_device: { touches: 'kernel' },
  pci_request_regions: { touches: 'kernel', takes: PCI_REGIONS, managedBy: MANAGED_REGIONS },
  pci_request_regions_exclusive: {
    touches: 'kernel',
    takes: PCI_REGIONS,
    managedBy: MANAGED_REGIONS,
  },
  pci_request_selected_regions: {
    touches: 'kernel',
    takes: PCI_REGIONS,
    managedBy: MANAGED_REGIONS,
  },
  pci_release_regions: { touches: 'kernel' },
  pci_release_selected_regions: { touches: 'kernel' },
  pci_alloc_irq_vectors: {
    touches: 'kernel',
    takes: IRQ_VECTORS,
    succeeds: 'non-negative',
    managedBy: MANAGED_VECTORS,
  },
  pci_free_irq_vectors: { touches: 'kernel' },
  pci_dev_get: { touches: 'kernel', takes: PCI_DEVICE_REFERENCE, succeeds: 'always' },
  pci_dev_put: { touches: 'kernel' },
  platform_device_register_simple: { touches: 'kernel', takes: PLATFORM_DEVICE },
  platform_device_register_full: { touches: 'kernel', takes: PLATFORM_DEVICE },
  pci_enable_sriov: { touches: 'everything', takes: VIRTUAL_FUNCTIONS },
  pci_disable_sriov: { touches: 'everything' },
  pci_enable_msi: { touches: 'kernel', takes: MESSAGE_INTERRUPTS, managedBy: MANAGED_VECTORS },
  pci_enable_msix_range: {
    touches: 'kernel',
    takes: MESSAGE_INTERRUPTS,
    succeeds: 'non-negative',
    managedBy: MANAGED_VECTORS,
  },
  pci_disable_msi: { touches: 'kernel' },
  pci_disable_msix: { touches: 'kernel' },
  irq_domain_remove: { touches: 'everything' },
  pci_request_region: { touches: 'kernel', managedBy: MANAGED_REGIONS },
  pci_dev_id: { touches: 'looks', isQuery: true },
  pci_pcie_type: { touches: 'looks', isQuery: true },
  pcie_find_root_port: { touches: 'looks', isQuery: true },
  pci_num_vf: { touches: 'looks', isQuery: true },
  pci_vfs_assigned: { touches: 'looks', isQuery: true },
  pci_sriov_get_totalvfs: { touches: 'looks', isQuery: true },
  pci_resource_n: { touches: 'looks', isQuery: true },
  pci_find_capability: { touches: 'looks', isQuery: true },
  pci_find_next_capability: { touches: 'looks', isQuery: true },
  pci_find_ext_capability: { touches: 'looks', isQuery: true },
  pci_find_next_ext_capability: { touches: 'looks', isQuery: true },
  pci_find_vsec_capability: { touches: 'looks', isQuery: true },
  pci_find_dvsec_capability: { touches: 'looks', isQuery: true },
  pci_msi_vec_count: { touches: 'looks', isQuery: true },
  pci_msix_vec_count: { touches: 'looks', isQuery: true },
  pci_dev_msi_enabled: { touches: 'looks', isQuery: true },
  platform_get_resource: { touches: 'looks', isQuery: true },
  platform_get_resource_byname: { touches: 'looks', isQuery: true },
  platform_irq_count: { touches: 'looks', isQuery: true },
  pci_reset_function: { touches: 'everything' },
  pci_try_reset_function: { touches: 'everything' },
  pci_reset_bus: { touches: 'everything' },
  to_ap_queue: { ...LOOKS, viewOf: OBJECT },
  to_ap_card: { ...LOOKS, viewOf: OBJECT },
  to_spi_device: { ...LOOKS, viewOf: OBJECT },
  to_i2c_client: { ...LOOKS, viewOf: OBJECT },
  to_usb_interface: { ...LOOKS, viewOf: OBJECT },
  to_usb_device: { ...LOOKS, viewOf: OBJECT },
  dev_to_virtio: { ...LOOKS, viewOf: OBJECT },
};
