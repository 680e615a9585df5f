import type { Behaviour, GeneralFunction, KernelVersion } from './types.ts';
import { DEFERRING_FUNCTIONS, DRVDATA_FUNCTIONS, REFERENCE_FUNCTIONS } from './general-drvdata.ts';
import { MEMORY_FUNCTIONS } from './general-memory.ts';
import { apiEntry } from './lifecycle-api.ts';
import { lockReleasedBy, lockTakenBy } from './locks.ts';
import { isValueOrTest } from './macros.ts';
import { NEUTRAL_FAMILIES } from './neutral-families.ts';
import { givenBackBy, takenBy } from './pairs.ts';
import { nearest } from './version.ts';
import { isView } from './views.ts';

export { isNoReturn, isNullTestMacro, isSilent, isValueOrTest, testedArgument } from './macros.ts';
export { isView, memberReadBy } from './views.ts';

/** Functions of the wider kernel that have an effect or an error convention. */
export const GENERAL_FUNCTIONS: readonly GeneralFunction[] = [
  ...MEMORY_FUNCTIONS,
  ...DRVDATA_FUNCTIONS,
  ...DEFERRING_FUNCTIONS,
  ...REFERENCE_FUNCTIONS,
];

/**
 * Rows beside the tables, by name: functions of a vendor's core library, which its users know and
 * these tables cannot.
 */
export type ExtraFunctions = ReadonlyMap<string, readonly Behaviour[]>;

const general = new Map(GENERAL_FUNCTIONS.map((row) => [row.name, row]));
const retaining = new Set(NEUTRAL_FAMILIES.flatMap((family) => family.retains ?? []));
const neutralNames = new Set([
  ...retaining,
  ...NEUTRAL_FAMILIES.flatMap((family) => family.names ?? []),
]);
const neutralPrefixes = new Set(NEUTRAL_FAMILIES.flatMap((family) => family.prefixes ?? []));
const neutralSuffixes = NEUTRAL_FAMILIES.flatMap((family) => family.suffixes ?? []);
const exceptions = new Set(NEUTRAL_FAMILIES.flatMap((family) => family.except ?? []));

/**
 * What a call of the kernel's `name` does in `kernel`: a behaviour; 'neutral' when it neither
 * frees, puts nor registers what it is given; or
 * undefined when it is unknown. A life-cycle function that `kernel` does not have behaves as in the
 * nearest kernel that has it.
 * A function of the same name that the module defines comes first, and is not for this table to
 * say.
 * @param extra more functions; the life-cycle functions themselves cannot be given another meaning.
 */
export function behaviourOf(
  name: string,
  kernel: KernelVersion,
  extra?: ExtraFunctions,
): Behaviour | 'neutral' | undefined {
  const row = apiEntry(name)?.behaviours ?? extra?.get(name) ?? general.get(name)?.behaviours;
  if (row) return nearest(kernel, row) ?? 'neutral';
  return isNeutral(name) ? 'neutral' : undefined;
}

/** Macros that the analysis reads as operators of the language. */
const OPERATORS: ReadonlySet<string> = new Set([
  'container_of',
  'container_of_const',
  'offsetof',
  'sizeof',
  'typeof',
  'typeof_member',
]);

/**
 * True for a function or macro that the tables know by its name, and not by how the name begins or
 * ends: nobody else can say what it does.
 */
export function isKernelName(name: string): boolean {
  return (
    OPERATORS.has(name) ||
    apiEntry(name) !== undefined ||
    general.has(name) ||
    neutralNames.has(name) ||
    isView(name) ||
    isValueOrTest(name) ||
    takenBy(name) !== undefined ||
    givenBackBy(name).length > 0 ||
    lockTakenBy(name) !== undefined ||
    lockReleasedBy(name) !== undefined
  );
}

/**
 * True when a neutral function keeps the pointer that it is given: `list_add(&p->node, …)`,
 * `request_irq(…, p)`.
 */
export function retainsArgument(name: string): boolean {
  return retaining.has(name);
}

/** Functions that return a negative error code and have kept nothing then. */
const FAILING_KEEPERS =
  /^(?:(?:__)?xa_(?:alloc|insert)|idr_alloc|(?:pci_|devm_)?request_(?:threaded_|any_context_|percpu_)?irq$|radix_tree_insert$|mtree_(?:insert|alloc)|mas_insert$)/;

/**
 * Whether a function that keeps a pointer may fail, and has not kept it where it returns a negative
 * error code.
 */
export function mayFailToRetain(name: string): boolean {
  return retaining.has(name) && FAILING_KEEPERS.test(name);
}

/** The family of a neutral function: by its name, else by how its name begins or ends. */
const byName = new Map(
  NEUTRAL_FAMILIES.flatMap((family) =>
    [...(family.names ?? []), ...(family.retains ?? [])].map((name) => [name, family] as const),
  ),
);
const byPrefix = new Map(
  NEUTRAL_FAMILIES.flatMap((family) =>
    (family.prefixes ?? []).map((prefix) => [prefix, family] as const),
  ),
);
const bySuffix = NEUTRAL_FAMILIES.flatMap((family) =>
  (family.suffixes ?? []).map((suffix) => [suffix, family] as const),
);

/**
 * The column `touches` of the family that a neutral function is in. Drivers are probed while one is
 * registered.
 */
export function familyTouch(name: string): 'arguments' | 'everything' | undefined {
  const named = byName.get(name);
  if (named) return named.touches;
  for (let end = name.indexOf('_', 1); end >= 0; end = name.indexOf('_', end + 1)) {
    const family = byPrefix.get(name.slice(0, end + 1));
    if (family) return family.touches;
  }
  return bySuffix.some(([suffix]) => name.endsWith(suffix)) ? 'everything' : undefined;
}

/** True when a function neither frees, puts nor registers what it is given. */
export function isNeutral(name: string): boolean {
  if (neutralNames.has(name) || isView(name) || isValueOrTest(name)) return true;
  if (exceptions.has(name)) return false;
  // A prefix ends at an underscore, so that few need to be looked up.
  for (let end = name.indexOf('_', 1); end >= 0; end = name.indexOf('_', end + 1)) {
    if (neutralPrefixes.has(name.slice(0, end + 1))) return true;
  }
  return neutralSuffixes.some((suffix) => name.endsWith(suffix));
}
