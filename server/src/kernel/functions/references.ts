/** References to the parent, to modules, files and other objects. */
import { IN_KERNEL, type FunctionRows, type Resource } from './row.ts';
import { GETS_REFERENCE, PUTS_REFERENCE } from './behaviours.ts';
import { words } from '../behaviour-builders.ts';

const MODULE_REFERENCE: Resource = {
  undo: words('module_put'),
  taken: 0,
  given: 0,
};

const DEVICE_REFERENCE: Resource = {
  undo: words('put_device'),
  taken: 0,
  given: 0,
};

/** pci_get_device() and its like return a device with a reference, and NULL for none. */
const FOUND_PCI_DEVICE: Resource = {
  undo: words('pci_dev_put'),
  taken: 'return',
  given: 0,
};

const FIRMWARE: Resource = {
  undo: words('release_firmware'),
  taken: 0,
  given: 0,
  isOut: true,
};

export const REFERENCES: FunctionRows = {
  // References to the parent and to other objects: what they count is not the container.
  module_put: { ...IN_KERNEL, isOfModule: true, sleeps: 'never' },
  __module_get: { ...IN_KERNEL, isOfModule: true, sleeps: 'never' },
  try_module_get: {
    ...IN_KERNEL,
    takes: MODULE_REFERENCE,
    succeeds: 'true',
    isOfModule: true,
    sleeps: 'never',
  },
  symbol_get: IN_KERNEL,
  symbol_put: IN_KERNEL,
  request_module: IN_KERNEL,
  get_file: { ...IN_KERNEL, sleeps: 'never' },
  fget: IN_KERNEL,
  fput: IN_KERNEL,
  fdget: IN_KERNEL,
  fdput: IN_KERNEL,
  get_task_struct: { ...IN_KERNEL, sleeps: 'never' },
  put_task_struct: IN_KERNEL,
  get_task_mm: IN_KERNEL,
  mmget: IN_KERNEL,
  mmget_not_zero: IN_KERNEL,
  mmput: IN_KERNEL,
  mmgrab: { ...IN_KERNEL, sleeps: 'never' },
  mmdrop: IN_KERNEL,
  get_page: { ...IN_KERNEL, sleeps: 'never' },
  put_page: { ...IN_KERNEL, sleeps: 'never' },
  of_node_put: IN_KERNEL,
  fwnode_handle_put: IN_KERNEL,
  acpi_dev_put: IN_KERNEL,
  dma_buf_get: IN_KERNEL,
  dma_buf_put: IN_KERNEL,
  dma_buf_fd: IN_KERNEL,
  dget: { ...IN_KERNEL, sleeps: 'never' },
  dput: IN_KERNEL,
  igrab: { ...IN_KERNEL, sleeps: 'never' },
  iput: IN_KERNEL,
  free_percpu: { ...IN_KERNEL, ignoresNull: true, sleeps: 'never' },
  __free_page: { ...IN_KERNEL, sleeps: 'never' },
  __free_pages: { ...IN_KERNEL, sleeps: 'never' },
  kmem_cache_destroy: IN_KERNEL,
  mempool_destroy: IN_KERNEL,
  dma_pool_destroy: IN_KERNEL,

  get_device: {
    behaviours: GETS_REFERENCE,
    takes: DEVICE_REFERENCE,
    succeeds: 'always',
    sleeps: 'never',
  },
  put_device: { behaviours: PUTS_REFERENCE, mayEndContainer: true },
  pci_get_device: { takes: FOUND_PCI_DEVICE },
  pci_get_subsys: { takes: FOUND_PCI_DEVICE },
  pci_get_class: { takes: FOUND_PCI_DEVICE },
  pci_get_slot: { takes: FOUND_PCI_DEVICE },
  pci_get_domain_bus_and_slot: { takes: FOUND_PCI_DEVICE },
  request_firmware: { ...IN_KERNEL, takes: FIRMWARE },
  request_firmware_direct: { ...IN_KERNEL, takes: FIRMWARE },
  firmware_request_nowarn: { ...IN_KERNEL, takes: FIRMWARE },
  release_firmware: IN_KERNEL,
};
