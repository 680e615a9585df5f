/** Makes findings from observations. */
import type { Finding, Fix, Severity } from './types.ts';
import type { Observation, OperationObservation, Site, Step } from '../lifecycle/types.ts';
import { isSameSite } from './locate.ts';
import { relatedOf } from './related.ts';

/** What a rule says about one observation. */
export interface Report {
  readonly rule: string;
  readonly severity: Severity;
  readonly observation: Observation;
  readonly message: string;
  /** The observation's own site by default. */
  readonly site?: Site;
  /** Places that the trace does not name. */
  readonly alsoSee?: Finding['related'];
  readonly fix?: Fix | null;
  readonly convertible?: boolean;
}

/**
 * The finding for an observation. A fact that unseen code could make wrong is a hint at most: a
 * wrong error costs its reader more than a missed one.
 */
export function findingFor(report: Report): Finding {
  const { observation } = report;
  const site = report.site ?? observation.site;
  const jump = observation.trace.findLast((step) => step.kind === 'goto')?.site;
  return {
    rule: report.rule,
    severity: severityOf(report),
    message: report.message,
    site,
    functionName: observation.function.name,
    related: [...relatedOf(observation.trace, site), ...(report.alsoSee ?? [])],
    fix: report.fix && !observation.certain ? doubted(report.fix) : (report.fix ?? null),
    ...(report.convertible ? { convertible: true } : {}),
    ...(jump && { jump }),
  };
}

/**
 * By what could excuse it: an unseen call that nothing suggests makes of an error a warning, any
 * other doubt a hint.
 */
function severityOf({ severity, observation }: Report): Severity {
  if (observation.certain) return severity;
  if (observation.kind !== 'operation' || observation.doubt !== 'possible') return 'hint';
  return severity === 'error' ? 'warning' : severity;
}

/** What may be no defect may not be changed without a person's look. */
function doubted(fix: Fix): Fix {
  return fix.safety === 'unsafe'
    ? fix
    : { ...fix, safety: 'unsafe', title: `${fix.title} (check that it is missing)` };
}

const ORDER: readonly Severity[] = ['error', 'warning', 'information', 'hint'];

/**
 * One finding for each rule and place: many paths may lead to one defect. The gravest is kept, and
 * of equals the one with the
 * shortest explanation.
 */
export function oneForEachSite(findings: readonly Finding[]): Finding[] {
  const best = new Map<string, Finding>();
  for (const finding of findings) {
    const key = `${finding.rule}\0${finding.site.path}\0${finding.site.start}\0${finding.site.end}`;
    const other = best.get(key);
    if (other === undefined || compare(finding, other) < 0) best.set(key, finding);
  }
  return [...best.values()];
}

function compare(left: Finding, right: Finding): number {
  return (
    ORDER.indexOf(left.severity) - ORDER.indexOf(right.severity) ||
    left.related.length - right.related.length
  );
}

/** The last step of a trace that carried out one of the operations. */
export function lastOperation(
  trace: readonly Step[],
  ...ops: readonly NonNullable<Step['op']>[]
): Step | null {
  return (
    trace.findLast(
      (step) => step.kind === 'operation' && step.op !== undefined && ops.includes(step.op),
    ) ?? null
  );
}

/**
 * Whether a path has passed an operation: inside a helper the trace names the place in the helper.
 */
export function passes(trace: readonly Step[], operation: OperationObservation): boolean {
  const { inner, site } = operation;
  return trace.some(
    (step) => isSameSite(step.site, site) || (inner !== null && isSameSite(step.site, inner)),
  );
}
