/**
 * Functions that may end the life of the object around what they are given: they drop a reference
 * whose release callback frees the
 * container, or run a callback on it. Given a member of an object, they have the whole object in
 * their hands.
 */
const MAY_END_CONTAINER = new Set([
  'kref_put',
  'kref_put_mutex',
  'kref_put_lock',
  'kobject_put',
  'kobject_del',
  'put_device',
  'device_unregister',
  'call_rcu',
  'call_srcu',
  'refcount_dec_and_test',
  'percpu_ref_put',
  'percpu_ref_kill',
  'percpu_ref_kill_and_confirm',
  'cdev_del',
  'cdev_device_del',
  'kset_unregister',
  'dma_fence_put',
  'amba_device_put',
  'pci_epf_destroy',
  'device_del',
  'mdev_put',
  'auxiliary_device_uninit',
  'auxiliary_device_delete',
]);

/** True when a call of `name` may free the object that embeds its argument. */
export function mayEndContainer(name: string): boolean {
  return MAY_END_CONTAINER.has(name);
}
