import type { Behaviour, EffectOp } from '../kernel/types.ts';
import { apiEntry } from '../kernel/lifecycle-api.ts';
import type { Module } from '../lifecycle/types.ts';
import { documentsOf } from './locate.ts';
import type { Fix } from './types.ts';

/**
 * Whether a fix writes a call of the kernel for which this driver goes through its vendor's core:
 * the core may count on the call of
 * its own, and the kernel's would go past it.
 */
export function goesPastWrappers(module: Module, fix: Fix): boolean {
  if (module.wrappers === undefined) return false;
  const wrapped = new Set<EffectOp>();
  for (const [name, behaviours] of module.wrappers) {
    if (documentsOf(module).some((file) => file.text.includes(name)))
      for (const op of operationsOf(behaviours)) wrapped.add(op);
  }
  const written = fix.edits.flatMap(({ edits }) =>
    edits.flatMap(({ newText }) => newText.match(/\b[A-Za-z_]\w*(?=\s*\()/g) ?? []),
  );
  return written.some((name) =>
    operationsOf(apiEntry(name)?.behaviours ?? []).some((op) => wrapped.has(op)),
  );
}

function operationsOf(behaviours: readonly Behaviour[]): EffectOp[] {
  return behaviours.flatMap((one) => one.success.map((effect) => effect.op));
}
