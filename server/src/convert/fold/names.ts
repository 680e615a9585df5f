/** Finds free names for callbacks and their parameter. */
import type { FileIr, VariableIr } from '../../ir/types.ts';

/** The word that ends a function's name and says that it creates the device. */
const VERB =
  /_(?:probe|create|bind|add|attach|init|register|setup)(?:_(?:one|dev|device|common))?$/;

/**
 * Names for the callbacks that nothing in the file has yet: after the function that allocates
 * (`foo_probe` gives `foo_init_dev`), else after the table.
 */
export function callbackName(
  file: FileIr,
  table: VariableIr,
  functionName: string,
  what: 'init' | 'release',
): string {
  const verb = functionName.search(VERB);
  const byTable = /^(.+?)(?:_vfio)?(?:_dev|_device)?_ops$/.exec(table.name);
  const prefix = verb > 0 ? functionName.slice(0, verb) : (byTable?.[1] ?? functionName);
  for (const suffix of [`${what}_dev`, `vfio_${what}_dev`, `vfio_device_${what}`]) {
    if (!mentions(file, `${prefix}_${suffix}`)) return `${prefix}_${suffix}`;
  }
  for (let number = 2; ; number++) {
    const name = `${prefix}_${what}_dev${number}`;
    if (!mentions(file, name)) return name;
  }
}

/** The name of the callback's parameter: none of the names that its body uses. */
export function parameterName(used: ReadonlySet<string>): string {
  for (const name of ['vdev', 'core_vdev', 'vfio_dev', 'device']) if (!used.has(name)) return name;
  for (let number = 2; ; number++) if (!used.has(`vdev${number}`)) return `vdev${number}`;
}

function mentions(file: FileIr, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(file.text);
}
