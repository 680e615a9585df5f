import type { ApiEntry, KernelVersion } from '../kernel/types.ts';
import type { Module, ModuleFacts, OpsTable, Site } from '../lifecycle/types.ts';
import type { Condition } from '../syntax/node.ts';
import type { Severity } from './types.ts';
import { API_FUNCTIONS, apiEntry, apiMemberHistory } from '../kernel/lifecycle-api.ts';
import { nearest, sideOf } from '../kernel/version.ts';
import { callsIn, documentsOf, type PlacedCall } from './locate.ts';
import { areAlternatives, isExcluded, macrosOf, undecided } from '../lifecycle/conditions.ts';

/**
 * A name of the life-cycle interface at a place where the module uses it, and whether the target
 * kernel has it.
 */
export interface ApiUse {
  readonly entry: ApiEntry;
  /** `removed`: older kernels have it. `unavailable`: newer ones do. */
  readonly verdict: 'available' | 'removed' | 'unavailable';
  readonly site: Site;
  readonly functionName: string | null;
  readonly call: PlacedCall | null;
  readonly conditions: readonly Condition[];
}

/**
 * Every call of a life-cycle function and every life-cycle member of an ops table, in source order,
 * with what the target kernel knows of it.
 */
export function apiUses(facts: ModuleFacts): readonly ApiUse[] {
  let uses = known.get(facts.module);
  if (uses?.kernel !== facts.kernel) {
    uses = { kernel: facts.kernel, list: [...callUses(facts), ...memberUses(facts)] };
    known.set(facts.module, uses);
  }
  return uses.list;
}

/** Four rules ask the same of one module. */
const known = new WeakMap<
  Module,
  { readonly kernel: KernelVersion; readonly list: readonly ApiUse[] }
>();

/**
 * The names that a kernel may lack; a private header is found only inside the kernel, or copied
 * beside the driver: it is not the target's to say.
 */
const NAMES: readonly string[] = API_FUNCTIONS.filter((entry) => !entry.isPrivate).map(
  (entry) => entry.name,
);

function callUses(facts: ModuleFacts): ApiUse[] {
  const own = ownNames(facts);
  const uses: ApiUse[] = [];
  for (const call of callsIn(
    facts.module,
    NAMES.filter((name) => !own.has(name)),
  )) {
    const entry = apiEntry(call.name);
    if (entry === undefined) continue;
    // The bus (mdev) changed in the same releases, but it is not the device's life cycle: the
    // compiler says it, and so does the conversion's note.
    if (entry.model === 'general') continue;
    uses.push({
      entry,
      verdict: verdictOn(entry, facts.kernel),
      site: call.site,
      functionName: call.function.name,
      call,
      conditions: call.conditions,
    });
  }
  return uses;
}

/**
 * Names of the interface that the module defines or declares itself: then a call means the module's
 * own.
 */
function ownNames(facts: ModuleFacts): Set<string> {
  const own = new Set<string>();
  for (const file of documentsOf(facts.module)) {
    for (const list of [file.functions, file.macros, file.prototypes])
      for (const { name } of list) if (apiEntry(name) !== undefined) own.add(name);
  }
  return own;
}

function memberUses(facts: ModuleFacts): ApiUse[] {
  const uses: ApiUse[] = [];
  for (const table of facts.opsTables) {
    for (const [member, { span, conditions }] of table.members) {
      const entry = meantBy(table, member, facts.kernel);
      if (entry === undefined) continue;
      const site = memberSite(
        facts,
        { path: table.path, start: span.start, end: span.end },
        member,
      );
      uses.push({
        entry,
        verdict: verdictOn(entry, facts.kernel),
        site,
        functionName: null,
        call: null,
        conditions: [...table.variable.conditions, ...conditions],
      });
    }
  }
  return uses;
}

/**
 * `.release` had two lives: beside `.open` it is the file descriptor's, beside `.open_device` or
 * `.init` the object's.
 */
function meantBy(table: OpsTable, member: string, kernel: KernelVersion): ApiEntry | undefined {
  const lives = apiMemberHistory('vfio_device_ops', member);
  if (lives.length > 1) {
    const isObject = ['open_device', 'close_device', 'init'].some((name) =>
      table.members.has(name),
    );
    if (isObject) return lives.at(-1);
    if (table.members.has('open')) return lives[0];
  }
  return nearest(kernel, lives);
}

/** `.release` of `.release = foo_release_dev`: the name is what is wrong, not the value. */
export function memberSite(facts: ModuleFacts, site: Site, member: string): Site {
  const file = documentsOf(facts.module).find((one) => one.path === site.path);
  const written = file?.text.slice(site.start, site.end) ?? '';
  const name = new RegExp(`^\\.\\s*${member}\\b`).exec(written);
  return name ? { ...site, end: site.start + name[0].length } : site;
}

function verdictOn(entry: ApiEntry, kernel: KernelVersion): ApiUse['verdict'] {
  const side = sideOf(kernel, entry.kernels);
  return side === 0 ? 'available' : side < 0 ? 'removed' : 'unavailable';
}

/**
 * How grave it is that the target kernel lacks the function: the rule's severity for code that is
 * always compiled; null (silent) for
 * code that the kernel's version leaves out and for one side of a compatibility driver, whose other
 * side uses what the
 * target has; a hint when the code depends on a test that nobody here can decide.
 */
export function gravity(
  use: ApiUse,
  all: readonly ApiUse[],
  facts: ModuleFacts,
  severity: Severity,
): Severity | null {
  const macros = macrosOf(facts.module, facts.kernel);
  if (isExcluded(use.conditions, facts.kernel, macros)) return null;
  const open = undecided(use.conditions, facts.kernel, macros);
  if (open.length === 0) return severity;
  const other = all.some(
    (one) =>
      one.verdict === 'available' &&
      one.entry.model !== 'general' &&
      areAlternatives(open, one.conditions),
  );
  if (other) return null;
  return open.every((condition) => isConfiguration(condition.test)) ? severity : 'hint';
}

/**
 * A switch of the kernel's configuration: code under it is compiled by somebody. Any other macro
 * may stand for a kernel version.
 */
export function isConfiguration(test: string): boolean {
  return /^(CONFIG_\w+|IS_(ENABLED|BUILTIN|MODULE|REACHABLE)\s*\(\s*CONFIG_\w+\s*\))$/.test(test);
}
