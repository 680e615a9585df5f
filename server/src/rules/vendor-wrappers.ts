/**
 * A driver that goes through its vendor's core: what is said of it names the core's functions, and no
 * fix goes past them.
 */
import type { Behaviour, EffectOp } from '../kernel/types.ts';
import { API_FUNCTIONS, apiEntry } from '../kernel/lifecycle-api.ts';
import type { Module } from '../lifecycle/types.ts';
import { documentsOf } from './locate.ts';
import type { Finding, Fix } from './types.ts';

/**
 * Whether a fix writes a call of the kernel for which this driver goes through its vendor's core:
 * the core may count on the call of
 * its own, and the kernel's would go past it.
 */
export function goesPastWrappers(module: Module, fix: Fix): boolean {
  const wrapped = new Set(namedWrappers(module).flatMap(({ ops }) => ops));
  if (wrapped.size === 0) return false;
  const written = fix.edits.flatMap(({ edits }) =>
    edits.flatMap(({ newText }) => newText.match(/\b[A-Za-z_]\w*(?=\s*\()/g) ?? []),
  );
  return written.some((name) =>
    operationsOf(apiEntry(name)?.behaviours ?? []).some((op) => wrapped.has(op)),
  );
}

/**
 * The finding in the words of the driver: where a function of the core does what a function of the
 * kernel does, and the driver does not call that one itself, messages name the core's.
 */
export function inWordsOfCore(module: Module, finding: Finding): Finding {
  const names = coreNames(module);
  if (names.size === 0) return finding;
  const said = (message: string): string =>
    message.replace(/\b\w+(?=\(\))/g, (name) => names.get(name) ?? name);
  return {
    ...finding,
    message: said(finding.message),
    related: finding.related.map((one) => ({ ...one, message: said(one.message) })),
  };
}

/** Functions of the kernel, each with the one of the core that stands for it. */
function coreNames(module: Module): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const wrappers = namedWrappers(module);
  if (wrappers.length === 0) return names;
  for (const { name, behaviours } of API_FUNCTIONS) {
    const [op, ...more] = new Set(operationsOf(behaviours));
    const wrapper = wrappers.find(({ ops }) => ops.length === 1 && ops[0] === op);
    if (
      wrapper &&
      more.length === 0 &&
      !documentsOf(module).some(({ text }) => text.includes(name))
    )
      names.set(name, wrapper.name);
  }
  return names;
}

interface NamedWrapper {
  readonly name: string;
  readonly ops: readonly EffectOp[];
}

const named = new WeakMap<Module, readonly NamedWrapper[]>();

/** The functions of the settings that the module mentions, with what each does. */
function namedWrappers(module: Module): readonly NamedWrapper[] {
  let list = named.get(module);
  if (!list) {
    list = [...(module.wrappers ?? [])]
      .filter(([name]) => documentsOf(module).some((file) => file.text.includes(name)))
      .map(([name, behaviours]) => ({ name, ops: operationsOf(behaviours) }));
    named.set(module, list);
  }
  return list;
}

function operationsOf(behaviours: readonly Behaviour[]): EffectOp[] {
  return behaviours.flatMap((one) => one.success.map((effect) => effect.op));
}
