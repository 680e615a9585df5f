/** Finds the calls that read or set drvdata. */
import type { CallExpr, FunctionIr } from '../ir/types.ts';
import type { KernelVersion } from '../kernel/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import { keptByFunction } from './function-traits.ts';
import { walk } from './locate.ts';

/** The names that a function calls and that may be such: all of them are named so. */
const candidates = keptByFunction((root) =>
  /data\s*\(/.test(root.text) ? scanOf(root).names.called : [],
);

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
  if (file === undefined) return [];
  const isWanted = (name: string): boolean => {
    if (index.functions(file, name).length > 0) return false;
    const behaviour = behaviourOf(name, kernel);
    return (
      behaviour !== undefined &&
      behaviour !== 'neutral' &&
      behaviour.success.some((effect) => effect.op === op)
    );
  };
  const names = candidates(fn).filter(isWanted);
  if (names.length === 0) return [];
  return [...walk(fn.body)].flatMap((node) =>
    node.kind === 'call' && node.name !== null && names.includes(node.name) ? [node] : [],
  );
}
