/** Sets drvdata before the registration where vfio-pci core asks for it. */
import type { FileIr } from '../../ir/types.ts';
import { isNull } from '../query/expressions.ts';
import { lineOf, refuse, textOf } from '../refusal-error.ts';
import { relate, type CallSite } from '../query/call-sites.ts';
import type { AllocationPlan, Container, MovePlan } from '../types.ts';

/**
 * Since 5.19 (91be0bd6c6cf) vfio_pci_core_register_device() fails unless the core device is the
 * parent's drvdata already. A
 * driver written for older kernels sets it afterwards: that statement moves up. Refuses what cannot
 * be moved or is another object.
 */
export function drvdataMoves(
  file: FileIr,
  container: Container,
  allocation: AllocationPlan,
  sites: readonly CallSite[],
): MovePlan[] {
  const inProbe = sites.filter((site) => site.fn === allocation.fn);
  const register = inProbe.find(
    (site) => site.op === 'register' && relate(site.scope, container, site.target).level >= 0,
  );
  // Clearing it on the way out keeps nothing.
  const sets = inProbe.filter(
    (site) => site.op === 'set-drvdata' && !(site.call.args[1] && isNull(site.call.args[1])),
  );
  if (!register || sets.length === 0) return [];
  const isCore = (site: CallSite): boolean => {
    const value = site.call.args[1];
    return value !== undefined && relate(site.scope, container, value).level >= 0;
  };
  if (sets.some((site) => site.call.start < register.call.start && isCore(site))) return [];
  const set = sets.find(isCore);
  const name = register.call.name ?? 'the register';
  if (!set) {
    const value = sets[0]!.call.args[1];
    refuse(
      'drvdata',
      `${name}() fails since 5.19 unless drvdata is the core device, but ${allocation.fn.name}() sets it to \`${value ? textOf(file, value) : ''}\`. Keep the core device there, and find the other object through it.`,
      file,
      sets[0]!.call,
    );
  }
  if (!set.whole || set.at.siblings !== register.at.siblings || set.at.conditional) {
    refuse(
      'drvdata',
      `${name}() fails since 5.19 unless drvdata is the core device already; line ${lineOf(file, set.call.start)} sets it too late, under a condition. Set it before the register.`,
      file,
      set.call,
    );
  }
  return [{ file, at: set.at, before: register.at }];
}
