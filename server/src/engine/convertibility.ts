/**
 * What stands in the way of the conversion that would take a finding away, told beside the finding.
 * A plan costs as much as an analysis: hosts
 * ask for it when nobody waits.
 */
import type { RefusalCode } from '../convert/index.ts';
import type { Site } from '../lifecycle/types.ts';
import type { Finding } from '../rules/types.ts';
import type { Engine } from './analyse.ts';
import { conversionTarget, planOf } from './convert.ts';
import { lineIn } from './lines.ts';
import type { Conversion, ModuleInput, TargetKernel } from './types.ts';

/**
 * A reason against a conversion: a row of docs/refusals.md, or null where the result was not
 * proved.
 */
export interface Obstacle {
  readonly code: RefusalCode | null;
  /** Whole sentences. */
  readonly reason: string;
  readonly site: Site | null;
}

/** All that a refusal tells, the first first. */
export function obstaclesOf(
  refusal: Extract<Conversion, { status: 'refused' }>,
): readonly Obstacle[] {
  const { code, reason, site, others = [] } = refusal;
  return [{ code, reason, site }, ...others];
}

/**
 * What a plan of the conversion that takes a finding away meets; empty where there is a plan, and
 * for a finding that no conversion takes
 * away. A library is passed over: whether it is converted depends on what is converted along with
 * it. Never throws.
 */
export function obstaclesTo(
  engine: Engine,
  input: ModuleInput,
  kernel: TargetKernel,
  finding: Finding,
): readonly Obstacle[] {
  if (finding.convertible !== true) return [];
  const plan = planOf(engine, input, conversionTarget(kernel), finding.functionName ?? undefined);
  return plan.status === 'refused' && plan.code !== 'library' ? obstaclesOf(plan) : [];
}

/**
 * The findings with what stands in the way of the conversions that would take them away. Each
 * conversion is planned once. Never throws.
 */
export function withAllObstacles(
  engine: Engine,
  input: ModuleInput,
  kernel: TargetKernel,
  findings: readonly Finding[],
): readonly Finding[] {
  const known = new Map<string | null, readonly Obstacle[]>();
  return findings.map((finding) => {
    if (finding.convertible !== true) return finding;
    const found = known.get(finding.functionName) ?? obstaclesTo(engine, input, kernel, finding);
    known.set(finding.functionName, found);
    return withObstacles(input, finding, found);
  });
}

/** The finding with what stands in the way of its conversion as related places. */
export function withObstacles(
  input: ModuleInput,
  finding: Finding,
  obstacles: readonly Obstacle[],
): Finding {
  if (obstacles.length === 0) return finding;
  const related = obstacles.map(({ reason, site }, i) => {
    const head = i === 0 ? 'cannot be converted automatically' : 'nor for this reason';
    return {
      site: site ?? finding.site,
      message: `${head}: ${clause(reason)}${placeOf(input, finding, site)}`,
    };
  });
  return { ...finding, related: [...finding.related, ...related] };
}

/** A sentence to go on behind a colon. */
function clause(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

function placeOf(input: ModuleInput, finding: Finding, site: Site | null): string {
  if (site === null) return '';
  const file =
    site.path === finding.site.path ? '' : ` of ${site.path.slice(site.path.lastIndexOf('/') + 1)}`;
  return ` (line ${lineIn(input, site.path, site.start)}${file})`;
}
