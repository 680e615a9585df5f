// The files of a kernel tree that are measured.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const FOLDERS = ['drivers/vfio', 'samples/vfio-mdev', 'drivers/s390', 'drivers/gpu/drm/i915/gvt'];

/** C files that call the life-cycle interface, the largest first: `{ file, name, text }`. */
export function driversOf(tree) {
  return FOLDERS.map((part) => path.join(tree, part))
    .filter((folder) => statSync(folder, { throwIfNoEntry: false }))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true })
        .filter((name) => name.endsWith('.c'))
        .map((name) => path.join(folder, name)),
    )
    .map((file) => ({ file, name: path.relative(tree, file), text: readFileSync(file, 'utf8') }))
    .filter(({ text }) => /\bvfio_device\b|\bvfio_pci_core_/.test(text))
    .sort((left, right) => right.text.length - left.text.length);
}

/** Offsets of the calls and members that a device's life is made of, at most `count`. */
export function placesIn(text, count) {
  const life =
    /\bvfio_(?:init|uninit|register|unregister)_group_dev\b|\bvfio_(?:alloc|put)_device\b|\bvfio_pci_core_\w+_device\b|\.init\s*=\s*|\bdev_[gs]et_drvdata\b/g;
  return [...text.matchAll(life)].slice(0, count).map((match) => match.index);
}
