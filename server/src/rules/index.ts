import type { Finding, Rule, RuleContext } from './types.ts';
import { inRange } from '../kernel/version.ts';
import { deprecatedInitGroupDev } from './deprecated-init-group-dev.ts';
import { doublePut } from './double-put.ts';
import { freeOfCoreOwnedMemory } from './free-of-core-owned-memory.ts';
import { missingPut } from './missing-put.ts';
import { missingReleaseOp } from './missing-release-op.ts';
import { missingUninit } from './missing-uninit.ts';
import { mixedModels } from './mixed-models.ts';
import { nullCheckOnAlloc } from './null-check-on-alloc.ts';
import { putWhileRegistered } from './put-while-registered.ts';
import { releaseWithoutFree } from './release-without-free.ts';
import { removeWithoutUnregister } from './remove-without-unregister.ts';
import { removedApi } from './removed-api.ts';
import { unavailableApi } from './unavailable-api.ts';
import { uncheckedAlloc } from './unchecked-alloc.ts';
import { useAfterPut } from './use-after-put.ts';
import { isExcluded } from '../lifecycle/conditions.ts';
import { conditionsOfSite } from './locate.ts';
import { oneForEachSite } from './report.ts';

/** All rules, in alphabetic order. A new rule is one file and one line here. */
export const rules: readonly Rule[] = [
  deprecatedInitGroupDev,
  doublePut,
  freeOfCoreOwnedMemory,
  missingPut,
  missingReleaseOp,
  missingUninit,
  mixedModels,
  nullCheckOnAlloc,
  putWhileRegistered,
  releaseWithoutFree,
  removeWithoutUnregister,
  removedApi,
  unavailableApi,
  uncheckedAlloc,
  useAfterPut,
];

const byId: ReadonlyMap<string, Rule> = new Map(rules.map((rule) => [rule.id, rule]));

/** The rule of an id, or null. */
export function ruleById(id: string): Rule | null {
  return byId.get(id) ?? null;
}

/**
 * What the rules say of a module for its target kernel, ordered by document and place. Nothing is reported in code that a test of
 * the kernel's version leaves out of the target kernel.
 */
export function runRules(context: RuleContext, list: readonly Rule[] = rules): Finding[] {
  const { facts, kernel } = context;
  const compiled = facts.observations.filter((one) => !isExcluded(one.conditions, kernel));
  const inTarget: RuleContext = compiled.length === facts.observations.length ? context : { facts: { ...facts, observations: compiled }, kernel };
  const findings: Finding[] = [];
  for (const rule of list) {
    if (!inRange(kernel, rule.kernels)) continue;
    for (const finding of oneForEachSite(rule.check(inTarget))) {
      if (!isExcluded(conditionsOfSite(facts.module, finding.site), kernel)) findings.push(finding);
    }
  }
  return findings.sort((a, b) => compareText(a.site.path, b.site.path) || a.site.start - b.site.start || a.site.end - b.site.end || compareText(a.rule, b.rule));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
