/** Character devices, classes, and files in sysfs, procfs and debugfs. */
import {
  ANYTHING,
  KEEPS_ANYTHING,
  reads,
  writes,
  type FunctionRows,
  type Resource,
} from './row.ts';
import { words } from '../behaviour-builders.ts';

const DEBUGFS_ENTRY: Resource = {
  undo: words('debugfs_remove debugfs_remove_recursive'),
  taken: 'return',
  given: 0,
};

const SYSFS_GROUP: Resource = {
  undo: words('sysfs_remove_group'),
  taken: 1,
  given: 1,
};

const CHARACTER_DEVICE: Resource = {
  undo: words('cdev_del cdev_device_del'),
  taken: 0,
  given: 0,
};

/**
 * It stores the number where argument 0 points to, and unregister_chrdev_region() is given that
 * number (v6.12 fs/char_dev.c).
 */
const DEVICE_NUMBERS: Resource = {
  undo: words('unregister_chrdev_region'),
  taken: 0,
  given: 0,
  isOut: true,
};

const OWN_DEVICE_NUMBERS: Resource = {
  undo: words('unregister_chrdev_region'),
  taken: 0,
  given: 0,
};

const CLASS: Resource = {
  undo: words('class_destroy'),
  taken: 'return',
  given: 0,
};

const MISC_DEVICE: Resource = {
  undo: words('misc_deregister'),
  taken: 0,
  given: 0,
};

const SYSFS_FILE: Resource = {
  undo: words('sysfs_remove_file'),
  taken: 1,
  given: 1,
};

const PROC_ENTRY: Resource = {
  undo: words('proc_remove remove_proc_entry'),
  taken: 'return',
  given: 0,
  byName: ['remove_proc_entry'],
};

export const FILES: FunctionRows = {
  // Files in sysfs, procfs and debugfs. They point to the object until they are removed.
  proc_create: { ...ANYTHING, takes: PROC_ENTRY },
  proc_mkdir: { ...ANYTHING, takes: PROC_ENTRY },
  proc_remove: ANYTHING,
  remove_proc_entry: ANYTHING,
  simple_open: ANYTHING,
  simple_read_from_buffer: { ...ANYTHING, bytes: [reads(3, 4)] },
  simple_write_to_buffer: { ...ANYTHING, bytes: [writes(0, 1)] },
  noop_llseek: ANYTHING,
  debugfs_create_file: { ...KEEPS_ANYTHING, takes: DEBUGFS_ENTRY, takesCookie: true },
  debugfs_create_file_unsafe: { ...KEEPS_ANYTHING, takesCookie: true },
  debugfs_create_u8: KEEPS_ANYTHING,
  debugfs_create_u16: KEEPS_ANYTHING,
  debugfs_create_u32: KEEPS_ANYTHING,
  debugfs_create_u64: KEEPS_ANYTHING,
  debugfs_create_x32: KEEPS_ANYTHING,
  debugfs_create_bool: KEEPS_ANYTHING,
  debugfs_create_atomic_t: KEEPS_ANYTHING,
  debugfs_create_blob: KEEPS_ANYTHING,
  proc_create_data: { ...KEEPS_ANYTHING, takes: PROC_ENTRY, takesCookie: true },
  // Character devices, classes and files refer to the object; they do not own it.
  cdev_init: ANYTHING,
  cdev_del: { ...ANYTHING, mayEndContainer: true },
  cdev_device_del: { ...ANYTHING, mayEndContainer: true },
  class_create: { ...ANYTHING, takes: CLASS },
  class_destroy: ANYTHING,
  class_register: ANYTHING,
  class_unregister: ANYTHING,
  misc_deregister: ANYTHING,
  alloc_chrdev_region: { ...ANYTHING, takes: DEVICE_NUMBERS },
  register_chrdev_region: { ...ANYTHING, takes: OWN_DEVICE_NUMBERS },
  unregister_chrdev_region: ANYTHING,
  register_chrdev: ANYTHING,
  unregister_chrdev: ANYTHING,
  get_unused_fd_flags: ANYTHING,
  put_unused_fd: ANYTHING,
  fd_install: ANYTHING,
  stream_open: ANYTHING,
  nonseekable_open: ANYTHING,
  generic_file_llseek: ANYTHING,
  file_inode: ANYTHING,
  file_count: ANYTHING,
  iminor: ANYTHING,
  imajor: ANYTHING,
  task_pid_nr: ANYTHING,
  bus_for_each_dev: { ...ANYTHING, takesCookie: true },
  driver_for_each_device: { ...ANYTHING, takesCookie: true },
  anon_inode_getfile: { ...KEEPS_ANYTHING, takesCookie: true },
  anon_inode_getfd: { ...KEEPS_ANYTHING, takesCookie: true },
  cdev_add: { ...KEEPS_ANYTHING, takes: CHARACTER_DEVICE },
  cdev_device_add: { ...KEEPS_ANYTHING, takes: CHARACTER_DEVICE },
  misc_register: { ...KEEPS_ANYTHING, takes: MISC_DEVICE },

  seq_open: { touches: 'kernel', takesCookie: true },
  vb2_queue_init: { takesCookie: true },
  debugfs_create_dir: { touches: 'everything', takes: DEBUGFS_ENTRY },
  debugfs_remove: { touches: 'everything' },
  debugfs_remove_recursive: { touches: 'everything' },
  sysfs_create_group: { touches: 'everything', takes: SYSFS_GROUP },
  sysfs_remove_group: { touches: 'everything' },
  sysfs_create_file: { touches: 'everything', takes: SYSFS_FILE },
  sysfs_remove_file: { touches: 'everything' },
};
