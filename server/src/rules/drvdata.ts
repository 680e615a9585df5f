/** Finds the calls that read or set drvdata. */
import type { CallExpr, FunctionIr } from '../ir/types.ts';
import type { KernelVersion } from '../kernel/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import { walk } from './locate.ts';

/**
 * The calls in a function that read, or set, the drvdata of some device: those of the kernel, by
 * whatever bus.
 */
export function drvdataCalls(
  index: ModuleIndex,
  fn: FunctionIr,
  op: 'get-drvdata' | 'set-drvdata',
  kernel: KernelVersion,
): CallExpr[] {
  const file = index.fileOf(fn);
  // All of them are named so, and the text tells that faster than the tree.
  if (file === undefined || !/data\s*\(/.test(fn.text)) return [];
  return [...walk(fn.body)].flatMap((node) => {
    if (node.kind !== 'call' || node.name === null || index.functions(file, node.name).length > 0)
      return [];
    const behaviour = behaviourOf(node.name, kernel);
    return behaviour !== undefined &&
      behaviour !== 'neutral' &&
      behaviour.success.some((effect) => effect.op === op)
      ? [node]
      : [];
  });
}
