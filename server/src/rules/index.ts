/** All rules, and how they run over a module. */
import type { Condition } from '../syntax/node.ts';
import type { KernelVersion } from '../kernel/types.ts';
import type { Module, ModuleFacts } from '../lifecycle/types.ts';
import type { Finding, Fix, Rule, RuleContext } from './types.ts';
import { formatVersion, inRange } from '../kernel/version.ts';
import { asyncWorkOutlivesObject } from './async-work-outlives-object.ts';
import { closeLeaks } from './close-leaks.ts';
import { deprecatedInitGroupDev } from './deprecated-init-group-dev.ts';
import { deviceNotFirst } from './device-not-first.ts';
import { doublePut } from './double-put.ts';
import { doubleUnregister } from './double-unregister.ts';
import { drvdataAfterRegister } from './drvdata-after-register.ts';
import { freeDeviceOutsideRelease } from './free-device-outside-release.ts';
import { freeOfCoreOwnedMemory } from './free-of-core-owned-memory.ts';
import { initAfterRegister } from './init-after-register.ts';
import { initCallbackContract } from './init-callback-contract.ts';
import { initDeviceOutsideCcw } from './init-device-outside-ccw.ts';
import { initLeaksOnError } from './init-leaks-on-error.ts';
import { invalidSuppression } from './invalid-suppression.ts';
import { leakOnErrorPath } from './leak-on-error-path.ts';
import { lockOutsideLifetime } from './lock-outside-lifetime.ts';
import { managedDma } from './managed-dma.ts';
import { missingPut } from './missing-put.ts';
import { missingReleaseOp } from './missing-release-op.ts';
import { missingUninit } from './missing-uninit.ts';
import { mixedModels } from './mixed-models.ts';
import { nullCheckOnAlloc } from './null-check-on-alloc.ts';
import { openLeaksOnError } from './open-leaks-on-error.ts';
import { opsTableIncomplete } from './ops-table-incomplete.ts';
import { putNameConfusion } from './put-name-confusion.ts';
import { putWhileRegistered } from './put-while-registered.ts';
import { registerBeforeInit } from './register-before-init.ts';
import { registerResultIgnored } from './register-result-ignored.ts';
import { releaseDoesNotChain } from './release-does-not-chain.ts';
import { releaseUsesParentState } from './release-uses-parent-state.ts';
import { releaseWithoutFree } from './release-without-free.ts';
import { removeWithoutUnregister } from './remove-without-unregister.ts';
import { removedApi } from './removed-api.ts';
import { suppressionWithoutReason } from './suppression-without-reason.ts';
import { teardownBeforeUnregister } from './teardown-before-unregister.ts';
import { unavailableApi } from './unavailable-api.ts';
import { unbalancedAccounting } from './unbalanced-accounting.ts';
import { uncheckedAlloc } from './unchecked-alloc.ts';
import { unknownMember } from './unknown-member.ts';
import { unusedSuppression } from './unused-suppression.ts';
import { useAfterPut } from './use-after-put.ts';
import { wrongArguments } from './wrong-arguments.ts';
import { wrongRegister } from './wrong-register.ts';
import { isExcluded, macrosOf } from '../lifecycle/module/preprocessor.ts';
import { keptByFunction } from './function-traits.ts';
import { fitMessage } from './fit-message.ts';
import { conditionsOfSite, contains, documentAt, walk } from './locate.ts';
import { oneForEachSite } from './report.ts';
import { withoutSuppressed } from './suppressions.ts';
import { goesPastWrappers, inWordsOfCore } from './vendor-wrappers.ts';
import { spend } from '../budget/work.ts';
import { compareText } from '../text/words.ts';

/** All rules, in alphabetic order. A new rule is one file and one line here. */
export const rules: readonly Rule[] = [
  asyncWorkOutlivesObject,
  closeLeaks,
  deprecatedInitGroupDev,
  deviceNotFirst,
  doublePut,
  doubleUnregister,
  drvdataAfterRegister,
  freeDeviceOutsideRelease,
  freeOfCoreOwnedMemory,
  initAfterRegister,
  initCallbackContract,
  initDeviceOutsideCcw,
  initLeaksOnError,
  invalidSuppression,
  leakOnErrorPath,
  lockOutsideLifetime,
  managedDma,
  missingPut,
  missingReleaseOp,
  missingUninit,
  mixedModels,
  nullCheckOnAlloc,
  openLeaksOnError,
  opsTableIncomplete,
  putNameConfusion,
  putWhileRegistered,
  registerBeforeInit,
  registerResultIgnored,
  releaseDoesNotChain,
  releaseUsesParentState,
  releaseWithoutFree,
  removeWithoutUnregister,
  removedApi,
  suppressionWithoutReason,
  teardownBeforeUnregister,
  unavailableApi,
  unbalancedAccounting,
  uncheckedAlloc,
  unknownMember,
  unusedSuppression,
  useAfterPut,
  wrongArguments,
  wrongRegister,
].map(inTargetOnly);

const byId: ReadonlyMap<string, Rule> = new Map(rules.map((rule) => [rule.id, rule]));

/** The rule of an id, or null. */
export function ruleById(id: string): Rule | null {
  return byId.get(id) ?? null;
}

/**
 * What the rules say of a module for its target kernel and no comment allows, ordered by document
 * and place.
 */
export function runRules(context: RuleContext, list: readonly Rule[] = rules): Finding[] {
  const looking = list.filter((rule) => inRange(context.kernel, rule.kernels));
  const run = {
    facts: context.facts,
    known: new Set(byId.keys()),
    looked: new Set(looking.map((rule) => rule.id)),
    kernel: formatVersion(context.kernel),
  };
  return withoutSuppressed(
    looking.flatMap((rule) => rule.check(context)),
    run,
  ).sort(
    (left, right) =>
      compareText(left.site.path, right.site.path) ||
      left.site.start - right.site.start ||
      left.site.end - right.site.end ||
      compareText(left.rule, right.rule),
  );
}

/**
 * What every rule has in common: it sees no path through an #if arm that the target kernel's
 * version leaves out, reports nothing in
 * such code, reports each place once, fixes no function that could not be read, writes no call past
 * a vendor's core, names the functions of that, and keeps its messages short.
 */
function inTargetOnly(rule: Rule): Rule {
  const check = ({ facts, kernel }: RuleContext): Finding[] => {
    const found = rule.check({ facts: compiledFacts(facts), kernel });
    return found.length === 0 ? found : fitted(found, facts, kernel);
  };
  const fitted = (found: readonly Finding[], facts: ModuleFacts, kernel: KernelVersion) =>
    oneForEachSite(found)
      .filter(
        (finding) =>
          !isExcluded(
            conditionsOfSite(facts.module, finding.site),
            kernel,
            macrosOf(facts.module, kernel),
          ),
      )
      .map((finding) =>
        finding.fix === null ||
        (isUnderstood(facts.module, finding.fix) && !goesPastWrappers(facts.module, finding.fix))
          ? finding
          : { ...finding, fix: null },
      )
      .map((finding) => fitMessage(inWordsOfCore(facts.module, finding)));
  return { ...rule, check };
}

/**
 * Whether the functions that a fix edits were read without an error: in a half-typed function a
 * statement may not be where it seems.
 */
function isUnderstood(module: Module, fix: Fix): boolean {
  return fix.edits.every(({ path, edits }) => {
    const functions =
      documentAt(module, path)?.functions.filter((fn) =>
        edits.some(({ span }) => contains(fn, span)),
      ) ?? [];
    return functions.every((fn) => !fn.opaque && isWhole(fn));
  });
}

/**
 * No statement that was not understood or is missing, a label for every goto, a switch for every
 * case.
 */
const isWhole = keptByFunction((fn): boolean => {
  const labels = new Set<string>();
  const gotos = new Set<string>();
  let switches = 0;
  let cases = 0;
  for (const node of walk(fn.body)) {
    if ((node.kind === 'unknown' && 'opaque' in node) || node.start === node.end) return false;
    if (node.kind === 'label') labels.add(node.name);
    if (node.kind === 'goto') gotos.add(node.label);
    if (node.kind === 'switch') switches++;
    if (node.kind === 'case') cases++;
  }
  return (cases === 0 || switches > 0) && [...gotos].every((label) => labels.has(label));
});

const compiled = new WeakMap<ModuleFacts, ModuleFacts>();

function compiledFacts(facts: ModuleFacts): ModuleFacts {
  let known = compiled.get(facts);
  if (known === undefined) {
    const macros = macrosOf(facts.module, facts.kernel);
    const isCompiled = ({ conditions }: { readonly conditions: readonly Condition[] }): boolean =>
      conditions.length === 0 || !isExcluded(conditions, facts.kernel, macros);
    const { leaves, teardowns } = facts.resources;
    const observations = facts.observations.filter(isCompiled);
    known = {
      ...facts,
      // Rules look through them again and again: each look counts.
      get observations() {
        spend(observations.length);
        return observations;
      },
      resources: {
        ...facts.resources,
        leaves: leaves.filter(isCompiled),
        teardowns: teardowns.filter(isCompiled),
      },
    };
    compiled.set(facts, known);
  }
  return known;
}
