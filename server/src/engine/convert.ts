/** Conversions as the hosts see them: where they are offered, whether they can be done, and the proved edits. */
import { editsOf, planConversion } from '../convert/index.ts';
import { compareVersions, formatVersion } from '../kernel/version.ts';
import type { ModuleFacts } from '../lifecycle/types.ts';
import type { Finding } from '../rules/types.ts';
import type { Span } from '../text/span.ts';
import { NO_SETTINGS, type Engine } from './analyse.ts';
import { allFindings, countFindings, keyOf, parsesAsWell, withEdits } from './prove.ts';
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

/**
 * The conversions to offer for a selection in the document `path`: one for each function in it that works on a device of the old
 * model, or one for the whole file in the ops table of such a device.
 */
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

export type Plan =
  /** `probes` are the functions that allocate what is converted: two requests with the same ones are the same conversion. */
  | { readonly status: 'planned'; readonly probes: readonly string[] }
  | { readonly status: 'unchanged' }
  | Extract<Conversion, { status: 'refused' }>;

/** Whether a conversion can be planned: cheap, without the proof. Never throws. */
export function planOf(engine: Engine, input: ModuleInput, target: TargetKernel, functionName: string | undefined): Plan {
  const module = engine.module(input);
  if (!module) return { status: 'unchanged' };
  try {
    const result = planConversion({ module, kernel: target.version }, { path: input.file, functionName });
    switch (result.status) {
      case 'planned': return { status: 'planned', probes: result.plan.devices.flatMap((device) => device.allocations.map((one) => one.fn.name)) };
      case 'refused': return { status: 'refused', reason: result.refusal.reason, site: result.refusal.site };
      case 'unchanged': return { status: 'unchanged' };
    }
  } catch (error) {
    return failed(error);
  }
}

/**
 * Plans, edits and proves a conversion. The result parses as well as before, shows no error and no warning in what was touched and
 * none that is new elsewhere, and has nothing left to convert; what fails that is refused. Never throws.
 */
export function convert(engine: Engine, input: ModuleInput, target: TargetKernel, functionName: string | undefined): Conversion {
  const module = engine.module(input);
  if (!module) return { status: 'unchanged' };
  const scratch = engine.sibling();
  try {
    const request = { path: input.file, functionName };
    const result = planConversion({ module, kernel: target.version }, request);
    if (result.status === 'unchanged') return result;
    if (result.status === 'refused') return { status: 'refused', reason: result.refusal.reason, site: result.refusal.site };
    const { edits, notes, touched } = editsOf(result.plan);
    const after = withEdits(input, edits);
    if (!after) return refused('the edits of the conversion are in each other\'s way');
    if (!parsesAsWell(engine.parser, input, after)) return refused('the converted text would not parse');
    const problem = newProblem(scratch, input, after, target, new Set(touched));
    if (problem) return refused(`the converted text would not be right: ${problem.message} [${problem.rule}]`);
    const again = scratch.module(after);
    const second = again && planConversion({ module: again, kernel: target.version }, request);
    if (second?.status !== 'unchanged') return refused('a second conversion would change the result again');
    return { status: 'converted', edits, notes };
  } catch (error) {
    return failed(error);
  } finally {
    scratch.dispose();
  }
}

/**
 * What a conversion does not have to answer for: interfaces beside the life cycle that the target lacks as well (mdev types in
 * 6.1). They are reported before and after, word for word.
 */
const OF_THE_TARGET = new Set(['removed-api', 'unavailable-api']);

function newProblem(engine: Engine, before: ModuleInput, after: ModuleInput, target: TargetKernel, touched: ReadonlySet<string>): Finding | undefined {
  const wordsOf = (finding: Finding): string => `${keyOf(finding)}\n${finding.message}`;
  const old = allFindings(engine, before, NO_SETTINGS, target);
  const known = new Set(old.filter((one) => OF_THE_TARGET.has(one.rule)).map(wordsOf));
  const counts = countFindings(old);
  const findings = allFindings(engine, after, NO_SETTINGS, target)
    .filter((one) => (one.severity === 'error' || one.severity === 'warning') && !known.has(wordsOf(one)));
  const now = countFindings(findings);
  return findings.find((one) => (one.functionName !== null && touched.has(one.functionName)) || now.get(keyOf(one))! > (counts.get(keyOf(one)) ?? 0));
}

function refused(reason: string): Conversion {
  return { status: 'refused', reason: `Not proved: ${reason}.`, site: null };
}

function failed(error: unknown): Extract<Conversion, { status: 'refused' }> {
  return { status: 'refused', reason: `internal error: ${error instanceof Error ? error.message : String(error)}`, site: null };
}
