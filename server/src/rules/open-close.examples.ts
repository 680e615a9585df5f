/** Parts of the examples of rules about `.open_device` and `.close_device`. */
import { PROBE, REMOVE, DRIVER } from './examples.ts';

/** A mediated device whose ops table has these members, in front of its probe and remove. */
export function withCallbacks(members: string, code: string, ...table: string[]): string {
  return `struct foo {
	struct vfio_device vdev;
${members
  .split(';')
  .filter((one) => one.trim() !== '')
  .map((one) => `\t${one.trim()};\n`)
  .join('')}};
${code}
static const struct vfio_device_ops foo_ops = {
	.name = "foo",
${table.map((one) => `\t${one},\n`).join('')}};
${PROBE}${REMOVE}${DRIVER}`;
}

/** A device of vfio-pci's core with an open of its own. */
export function onCore(code: string, close = 'vfio_pci_core_close_device'): string {
  return `struct foo {
	struct vfio_pci_core_device core;
	void *state;
};
${code}
static const struct vfio_device_ops foo_ops = {
	.name = "foo",
	.init = vfio_pci_core_init_dev,
	.release = vfio_pci_core_release_dev,
	.open_device = foo_open,
	.close_device = ${close},
};
`;
}

export const OPEN_AND_CLOSE = ['.open_device = foo_open', '.close_device = foo_close'] as const;
