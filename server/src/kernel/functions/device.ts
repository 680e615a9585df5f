/** Functions for a struct device, its properties and its kobject. */
import {
  LOOKS,
  LOGS,
  IN_KERNEL,
  ANYTHING,
  OBJECT,
  takes,
  tries,
  releases,
  type FunctionRows,
  type Resource,
} from './row.ts';
import { words } from '../behaviour-builders.ts';

const REGISTERED_DEVICE: Resource = {
  undo: words('device_unregister device_del put_device'),
  taken: 0,
  given: 0,
  // drivers/base/core.c, device_register(): "NOTE: _Never_ directly free @dev".
  whenFailed: words('put_device'),
};

const ADDED_DEVICE: Resource = {
  undo: words('device_del device_unregister'),
  taken: 0,
  given: 0,
};

const CREATED_DEVICE: Resource = {
  undo: words('device_destroy device_unregister'),
  taken: 'return',
  given: 0,
  givenAs: new Map([['device_destroy', 1]]),
  alias: 2,
};

const DEVICE_FILE: Resource = {
  undo: words('device_remove_file'),
  taken: 1,
  given: 1,
};

export const DEVICE: FunctionRows = {
  // They name, describe, lock or announce a struct device. device_unregister() and its like may drop its last reference and stay unknown.
  device_register: { ...ANYTHING, takes: REGISTERED_DEVICE },
  dev_name: { ...LOOKS, isFixed: true, isQuery: true },
  dev_set_name: IN_KERNEL,
  dev_driver_string: { ...LOOKS, isQuery: true },
  dev_to_node: { ...LOOKS, isFixed: true, isQuery: true },
  set_dev_node: IN_KERNEL,
  dev_num_vf: IN_KERNEL,
  dev_bus_name: { ...LOOKS, isQuery: true },
  device_initialize: IN_KERNEL,
  device_add: { ...ANYTHING, takes: ADDED_DEVICE },
  device_del: { ...IN_KERNEL, mayEndContainer: true },
  device_create: { ...ANYTHING, takes: CREATED_DEVICE },
  device_create_file: { ...ANYTHING, takes: DEVICE_FILE },
  device_remove_file: IN_KERNEL,
  device_lock: { ...IN_KERNEL, lock: takes('device') },
  device_unlock: { ...IN_KERNEL, lock: releases('device') },
  device_trylock: { ...IN_KERNEL, lock: tries('device'), sleeps: 'never' },
  device_lock_assert: IN_KERNEL,
  device_rename: IN_KERNEL,
  device_match_name: IN_KERNEL,
  device_may_wakeup: IN_KERNEL,
  device_init_wakeup: IN_KERNEL,
  device_wakeup_enable: IN_KERNEL,
  device_for_each_child: { ...ANYTHING, takesCookie: true },
  device_find_child: { ...ANYTHING, takesCookie: true },
  device_reset: IN_KERNEL,
  root_device_register: IN_KERNEL,
  driver_set_override: IN_KERNEL,
  device_get_ownership: { given: 'unknown' },

  dev_err_probe: { ...LOGS, valueIs: 1 },
  dev_warn_probe: { ...LOGS, valueIs: 1 },
  dev_WARN_ONCE: { ...LOOKS, valueIs: 1 },
  dev_WARN: { ...LOOKS, isTest: true },
  kobject_put: { mayEndContainer: true },
  kobject_del: { mayEndContainer: true },
  device_unregister: { mayEndContainer: true },
  request_firmware_nowait: { takesCookie: true },
  device_create_with_groups: { touches: 'kernel', takes: CREATED_DEVICE },
  device_destroy: {},
  device_property_present: { touches: 'looks', isQuery: true },
  device_property_read_bool: { touches: 'looks', isQuery: true },
  fwnode_property_present: { touches: 'looks', isQuery: true },
  fwnode_property_read_bool: { touches: 'looks', isQuery: true },
  of_property_present: { touches: 'looks', isQuery: true },
  of_property_read_bool: { touches: 'looks', isQuery: true },
  of_device_is_compatible: { touches: 'looks', isQuery: true },
  of_device_get_match_data: { touches: 'looks', isQuery: true },
  device_get_match_data: { touches: 'looks', isQuery: true },
  of_match_device: { touches: 'looks', isQuery: true },
  has_acpi_companion: { touches: 'looks', isQuery: true },
  acpi_match_device: { touches: 'looks', isQuery: true },
  device_create_files: { touches: 'everything' },
  device_attach: { touches: 'everything' },
  kobj_to_dev: { ...LOOKS, viewOf: OBJECT },
  device_to_hv_device: { ...LOOKS, viewOf: OBJECT },
  dev_get_platdata: { readsMember: 'platform_data' },
  dev_of_node: { readsMember: 'of_node' },
};
