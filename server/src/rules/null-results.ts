/** Where a pointer that is tested can be NULL because the driver itself makes it so. */
import { originalOf } from '../ir/lower.ts';
import type { Expr, FunctionIr } from '../ir/types.ts';
import { areAlternatives } from '../lifecycle/module/preprocessor.ts';
import { indexModule } from '../lifecycle/module/module.ts';
import type { ModuleFacts, Observation, TestObservation } from '../lifecycle/types.ts';
import { keptByFunction } from './function-traits.ts';
import { contains, documentOf, isNull, loweredSpan, walk } from './locate.ts';

/**
 * What a test of a pointer against NULL may meet: a NULL that a path brings, one that a helper's
 * code says it returns, or none.
 */
export type NullSource = 'path' | 'helper' | null;

/**
 * Who makes the tested pointer NULL. `helper`: it returns NULL somewhere, if only behind a test
 * that is a mistake itself.
 */
export function nullSource(facts: ModuleFacts, test: TestObservation): NullSource {
  if (facts.observations.some((one) => isNullAt(one, test))) return 'path';
  const tested = testedName(test);
  return tested !== null &&
    valuesOf(test.function, tested).some((value) => isNullHelper(facts, test.function, value))
    ? 'helper'
    : null;
}

/**
 * Whether NULL reaches a test on some path: the observation of a pointer that the driver has set to
 * NULL.
 */
export function isNullMeeting(one: Observation): one is TestObservation {
  return one.kind === 'test' && one.before.memory === 'null';
}

/**
 * The function of the module that returns NULL where its allocation fails, for an IS_ERR() of what
 * it has returned that nobody tests against NULL; null for any other test.
 */
export function nullHelperOf(facts: ModuleFacts, test: TestObservation): FunctionIr | null {
  if (test.form !== 'is-err' || !isNullMeeting(test)) return null;
  const isTestedToo = facts.observations.some(
    (one) => isNullMeeting(one) && one.function === test.function && one.form !== 'is-err',
  );
  const tested = isTestedToo ? null : testedName(test);
  const values = tested === null ? [] : valuesOf(test.function, tested);
  const [value] = values;
  if (values.length !== 1 || value?.kind !== 'call' || value.name === null) return null;
  const file = documentOf(facts.module, test.function);
  const defined =
    file === null ? [] : indexModule(facts.module, facts.kernel).functions(file, value.name);
  const [helper] = defined;
  return helper !== undefined &&
    defined.length === 1 &&
    facts.observations.some(
      (one) => one.kind === 'operation' && one.op === 'alloc' && one.function === helper.item,
    )
    ? helper.item
    : null;
}

function isNullAt(one: Observation, { site, conditions }: TestObservation): boolean {
  return (
    isNullMeeting(one) &&
    !areAlternatives(one.conditions, conditions) &&
    one.site.path === site.path &&
    (contains(one.site, site) || contains(site, one.site))
  );
}

function testedName({ function: fn, site }: TestObservation): string | null {
  const lowered = loweredSpan(fn, site);
  for (const node of walk(originalOf(fn).body))
    if (node.kind === 'name' && contains(lowered, node) && isPointerName(fn, node.name))
      return node.name;
  return null;
}

function isPointerName(fn: FunctionIr, name: string): boolean {
  return pointersOf(fn).has(name);
}

/** The parameters and locals of a function that are pointers. */
const pointersOf = keptByFunction(({ params, body }): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const { name, type } of params) if (type.pointers > 0) names.add(name);
  for (const node of walk(body))
    if (node.kind === 'decl' && node.type.pointers > 0) names.add(node.name);
  return names;
});

/** What a function as it was lowered gives a variable. */
function valuesOf(fn: FunctionIr, name: string): readonly Expr[] {
  return valuesByName(fn).get(name) ?? [];
}

const valuesByName = keptByFunction(({ body }): ReadonlyMap<string, readonly Expr[]> => {
  const values = new Map<string, Expr[]>();
  const note = (name: string, value: Expr): void => {
    const known = values.get(name);
    if (known) known.push(value);
    else values.set(name, [value]);
  };
  for (const node of walk(body)) {
    if (node.kind === 'decl' && node.init !== null) note(node.name, node.init);
    if (node.kind === 'assign' && node.op === '=' && node.target.kind === 'name')
      note(node.target.name, node.value);
  }
  return values;
});

/** A helper in a helper in a helper: deeper than this nobody looks. */
const MAX_DEPTH = 6;

/**
 * Whether an expression is, or may be, what a function of the module returns that says NULL
 * somewhere.
 */
function isNullHelper(facts: ModuleFacts, from: FunctionIr, value: Expr, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  if (value.kind === 'cast') return isNullHelper(facts, from, value.operand, depth);
  if (value.kind === 'conditional')
    return [value.then, value.otherwise].some(
      (one) => one !== null && isNullHelper(facts, from, one, depth),
    );
  if (value.kind !== 'call' || value.name === null) return false;
  const file = documentOf(facts.module, from);
  const index = indexModule(facts.module, facts.kernel);
  const defined = file === null ? [] : index.functions(file, value.name);
  return defined.some(
    ({ item }) =>
      item.returnType.pointers > 0 &&
      returnsOf(item).some((one) => saysNull(facts, item, one, depth + 1)),
  );
}

const returnsOf = keptByFunction(({ body }): readonly Expr[] =>
  [...walk(body)].flatMap((node) =>
    node.kind === 'return' && node.value !== null ? [node.value] : [],
  ),
);

function saysNull(facts: ModuleFacts, fn: FunctionIr, value: Expr, depth: number): boolean {
  if (isNull(value)) return true;
  if (value.kind === 'conditional')
    return [value.then, value.otherwise].some(
      (one) => one !== null && saysNull(facts, fn, one, depth),
    );
  // A variable that is NULL until something else is put into it.
  if (value.kind === 'name')
    return valuesOf(fn, value.name).some(
      (one) => isNull(one) || isNullHelper(facts, fn, one, depth),
    );
  return isNullHelper(facts, fn, value, depth);
}
