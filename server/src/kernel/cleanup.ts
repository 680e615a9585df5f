/** What `__free(name)` calls at the end of a variable's scope, for the classes of the kernel. */

/**
 * Classes whose name is not that of the function that they call: DEFINE_FREE() in the headers of
 * Linux 6.12 (bitmap.h, device.h, execmem.h, firmware.h, of.h, property.h, sched/task.h) and
 * include/linux/cleanup.h. Functions take NULL, or are not called with it.
 */
const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['bitmap', 'bitmap_free'],
  ['device_node', 'of_node_put'],
  ['execmem', 'execmem_free'],
  ['firmware', 'release_firmware'],
  ['fwnode_handle', 'fwnode_handle_put'],
  ['put_task', 'put_task_struct'],
]);

/** The function that a class of `__free()` calls with the value of the variable. */
export function freeFunction(name: string): string {
  return FUNCTIONS.get(name) ?? name;
}
