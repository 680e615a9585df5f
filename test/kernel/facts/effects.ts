/**
 * Holds what the tables of effects say of arguments against the prototypes of a tree: the position
 * exists, and is a pointer, a value or a function as the table needs it.
 */
import { formatVersion } from '../../../server/src/kernel/version.ts';
import { argumentFacts, keepers, namedTwice, type ArgumentFact } from './effect-rows.ts';
import type { Declaration } from './headers.ts';
import type { Check } from './interface.ts';
import type { KernelTree } from './tree.ts';

/** Whether what the tables say of arguments holds in the tree. */
export function effectChecks(tree: KernelTree): Check[] {
  const facts = argumentFacts();
  const pairs = namedTwice();
  const kept = keepers();
  const wanted = new Set([
    ...facts.map((one) => one.function),
    ...pairs.flatMap(({ take, undo }) => [take, undo]),
    ...kept,
  ]);
  const declared = prototypesOf(tree, wanted);
  const release = formatVersion(tree.version);
  const check = (what: string, wrong: string | null): Check => ({
    what: `${what} in ${release}`,
    wrong,
  });
  const ofArguments = facts.flatMap((fact) => {
    const found = declared.get(fact.function);
    return found === undefined
      ? []
      : [check(`${fact.table}: ${fact.function}()`, argumentProblem(fact, found))];
  });
  const ofPairs = pairs.flatMap((pair) => {
    const take = declared.get(pair.take);
    const undo = declared.get(pair.undo);
    if (take === undefined || undo === undefined) return [];
    const wrong = pairProblem(take[pair.taken], undo[pair.given], pair.isStored);
    return [check(`pairs: ${pair.take}() and ${pair.undo}()`, wrong)];
  });
  const ofKeepers = kept.flatMap((name) => {
    const found = declared.get(name);
    if (found === undefined) return [];
    const hasPointer = found.some((one) => one === null || isPointer(one));
    return [check(`keeps: ${name}()`, hasPointer ? null : 'it is given no pointer')];
  });
  return [...ofArguments, ...ofPairs, ...ofKeepers];
}

/** The parameters of a function; null for one of a macro, whose type nobody says. */
type Parameters = readonly (string | null)[] & { readonly returnsVoid?: boolean };

function argumentProblem({ argument, is }: ArgumentFact, found: Parameters): string | null {
  if (argument === 'return')
    return found.returnsVoid === true ? 'it returns nothing, and the table wants its result' : null;
  if (argument >= found.length) return `it has no argument ${argument}`;
  const type = found[argument]!;
  if (type === null || is === 'anything') return null;
  const isFunction = /\( \*|_func_t|_fn_t|_handler_t|_fn\b/.test(type);
  if (is === 'function') return isFunction ? null : `argument ${argument} is no function: ${type}`;
  return isPointer(type) ? null : `argument ${argument} is no pointer: ${type}`;
}

function pairProblem(
  taken: string | null | undefined,
  given: string | null | undefined,
  isStored: boolean,
): string | null {
  if (taken == null || given == null) return null;
  if (isStored)
    return pointerLevels(taken) === pointerLevels(given) + 1
      ? null
      : `it does not store there what the other is given: ${taken}, ${given}`;
  return isPointer(taken) === isPointer(given)
    ? null
    : `the one is given a pointer, the other a value: ${taken}, ${given}`;
}

/** How many times what a type is of can be followed. */
function pointerLevels(type: string): number {
  return type.match(/[*[]/g)?.length ?? 0;
}

/** Types of pointers that hide it. */
const POINTER_TYPES = /\b(?:va_list|irq_hw_number_t|acpi_handle)\b/;

function isPointer(type: string): boolean {
  return /[*[]/.test(type) || POINTER_TYPES.test(type) || /_func_t|_handler_t|_fn\b/.test(type);
}

/** The parameters of each wanted function that a public header of the tree declares. */
function prototypesOf(tree: KernelTree, wanted: ReadonlySet<string>): Map<string, Parameters> {
  const found = new Map<string, Parameters>();
  for (const path of tree.files('include/linux', '.h')) {
    const text = tree.text(path) ?? '';
    const called = text.match(/\b\w+(?=\s*\()/g) ?? [];
    if (!called.some((name) => wanted.has(name))) continue;
    for (const one of tree.declarations(path) ?? []) {
      if (!wanted.has(one.name)) continue;
      const parameters = parametersOf(one);
      // A macro around a function of the same arguments says less than the function.
      if (parameters && (one.kind === 'function' || !found.has(one.name)))
        found.set(one.name, parameters);
    }
  }
  return found;
}

function parametersOf(one: Declaration): Parameters | undefined {
  if (one.kind === 'function') {
    const returnsVoid = one.signature.startsWith(`void ${one.name} `);
    return Object.assign([...one.parameters!], { returnsVoid });
  }
  if (one.kind !== 'macro') return undefined;
  const names = /\((.*)\)/.exec(one.signature)?.[1] ?? '';
  return names.includes('...') ? undefined : names.split(',').map(() => null);
}
