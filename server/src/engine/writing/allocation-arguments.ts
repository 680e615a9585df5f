/** What can stand between the parentheses of `vfio_alloc_device()`. */
import type { StructIr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { tailOf } from '../word-at.ts';
import type { CodePlace } from './code-place.ts';
import type { Completion } from './types.ts';

/** Structs of the kernel that have a device in them: include/linux/vfio_pci_core.h and others. */
const HOLDERS: ReadonlyMap<string, string> = new Map([
  ['vfio_device', ''],
  ['vfio_pci_core_device', '.vdev'],
  ['vfio_platform_device', '.vdev'],
]);
/** Structs in structs in structs. */
const MAX_DEPTH = 3;

/** The tag, the member path, or the table that the argument at a caret can be. */
export function allocationArguments(
  module: Module,
  offset: number,
  { bracket, word }: CodePlace,
): Completion[] {
  if (bracket?.bracket !== '(' || !/\bvfio_alloc_device\s*$/.test(bracket.before)) return [];
  const structs = [...module.sources, ...module.headers].flatMap((file) => file.structs);
  const containers = structs.flatMap((struct) =>
    pathsIn(structs, struct, MAX_DEPTH).map((path) => ({ tag: struct.name, path })),
  );
  const typed = tailOf(bracket.inside, /[\w.]/);
  const span = { start: offset - typed.length, end: offset };
  switch (bracket.argument) {
    case 0:
      return containers.map(({ tag, path }) => ({
        label: tag,
        kind: 'struct',
        detail: `struct ${tag}, with the device in ${path}`,
        insert: tag,
        span: { start: offset - word.length, end: offset },
      }));
    case 1: {
      const tag = /^\s*(\w+)\s*,/.exec(bracket.inside)?.[1];
      return containers
        .filter((one) => one.tag === tag)
        .map(({ path }) => ({
          label: path,
          kind: 'field',
          detail: `the vfio_device of struct ${tag}`,
          insert: path,
          span,
        }));
    }
    case 3:
      return tablesIn(module).map((name) => ({
        label: `&${name}`,
        kind: 'variable',
        detail: 'struct vfio_device_ops',
        insert: `&${name}`,
        span: { start: span.start - Number(/&\w*$/.test(bracket.inside)), end: offset },
      }));
    default:
      return [];
  }
}

/** The paths from a struct to the devices in it; none for a struct of the kernel itself. */
function pathsIn(structs: readonly StructIr[], struct: StructIr, depth: number): string[] {
  return struct.fields.flatMap(({ name, type }) => {
    if (type.pointers > 0 || type.arrays > 0) return [];
    const rest = HOLDERS.get(type.name);
    if (rest !== undefined) return [`${name}${rest}`];
    const inner = depth > 0 && structs.find((one) => one.name === type.name && one !== struct);
    return inner ? pathsIn(structs, inner, depth - 1).map((path) => `${name}.${path}`) : [];
  });
}

function tablesIn({ sources }: Module): string[] {
  const names = sources.flatMap((file) =>
    file.variables.flatMap(({ type, name }) => (type.name === 'vfio_device_ops' ? [name] : [])),
  );
  return [...new Set(names)];
}
