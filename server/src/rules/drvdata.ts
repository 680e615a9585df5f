/** Finds the calls that read or set drvdata. */
import { originalOf } from '../ir/lower.ts';
import type { CallExpr, FunctionIr } from '../ir/types.ts';
import type { KernelVersion } from '../kernel/types.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import { behaviourOf } from '../kernel/lookup.ts';
import { keptByParts } from './kept-answers.ts';
import { walk } from './locate.ts';

/** What reads the drvdata of a device, and what sets it. */
type DrvdataOp = 'get-drvdata' | 'set-drvdata';

const askNames = keptByParts<FunctionIr, Record<DrvdataOp, readonly string[]>>();

/** The names that a function calls and that the kernel has for it. */
function namesFor(fn: FunctionIr, op: DrvdataOp, kernel: KernelVersion): readonly string[] {
  const root = originalOf(fn);
  return askNames(root, [kernel], () => {
    // All of them are named so.
    const called = /data\s*\(/.test(root.text) ? scanOf(root).names.called : [];
    const doing = (wanted: DrvdataOp): string[] =>
      called.filter((name) => {
        const behaviour = behaviourOf(name, kernel);
        return (
          behaviour !== undefined &&
          behaviour !== 'neutral' &&
          behaviour.success.some((effect) => effect.op === wanted)
        );
      });
    return { 'get-drvdata': doing('get-drvdata'), 'set-drvdata': doing('set-drvdata') };
  })[op];
}

/**
 * The calls in a function that read, or set, the drvdata of some device: those of the kernel, by
 * whatever bus.
 */
export function drvdataCalls(
  index: ModuleIndex,
  fn: FunctionIr,
  op: DrvdataOp,
  kernel: KernelVersion,
): CallExpr[] {
  const known = namesFor(fn, op, kernel);
  const file = known.length === 0 ? undefined : index.fileOf(fn);
  if (file === undefined) return [];
  const names = known.filter((name) => index.functions(file, name).length === 0);
  if (names.length === 0) return [];
  return [...walk(fn.body)].flatMap((node) =>
    node.kind === 'call' && node.name !== null && names.includes(node.name) ? [node] : [],
  );
}
