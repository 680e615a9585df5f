/** Which init calls of a module a conversion is about. */
import { rootOf } from '../plan/allocation.ts';
import { assignedTo, callSites, isLeftOut, type CallSite } from '../query/call-sites.ts';
import type { StepInput } from '../steps/types.ts';
import { typeOf } from '../../lifecycle/module/types-of.ts';
import type { Module } from '../../lifecycle/types.ts';
import { measured, spendAgain } from '../../budget/work.ts';

const OF_LIFE: ReadonlySet<string> = new Set([
  'free',
  'uninit',
  'register',
  'unregister',
  'allocate',
]);

/** What was asked of a module, as nearly every step does, and what it has cost. */
const known = new WeakMap<
  Module,
  (Pick<StepInput, 'file' | 'functionName'> & {
    readonly kernel: StepInput['input']['kernel'];
    readonly value: readonly CallSite[];
    readonly spent: number;
  })[]
>();

/**
 * The init calls of the module for devices that the asked function, or without one the asked
 * document, has to do with: it initialises,
 * allocates, registers or takes down an object of that struct. What the target's preprocessor
 * leaves out is not among them.
 */
export function initsConcerning(step: StepInput): readonly CallSite[] {
  const { input, file, functionName } = step;
  const asked = known.get(input.module) ?? [];
  known.set(input.module, asked);
  const before = asked.find(
    (one) => one.file === file && one.functionName === functionName && one.kernel === input.kernel,
  );
  if (before) {
    spendAgain(before.spent);
    return before.value;
  }
  const found = measured(() => findInits(step));
  asked.push({ file, functionName, kernel: input.kernel, ...found });
  return found.value;
}

function findInits({ input: { module, kernel }, file, functionName }: StepInput): CallSite[] {
  const own = callSites(module, file).filter(
    (site) => functionName === undefined || site.fn.name === functionName,
  );
  const tags = new Set(own.filter((site) => OF_LIFE.has(site.op)).flatMap((site) => tagsOf(site)));
  const initialised = new Set(own.filter((site) => site.op === 'init'));
  return [file, ...module.sources.filter((other) => other !== file)]
    .flatMap((source) => callSites(module, source))
    .filter((site) => {
      if (site.op !== 'init' || isLeftOut(module, site, kernel)) return false;
      return (
        [...initialised].some((one) => one.call === site.call) ||
        tagsOf(site).some((tag) => tags.has(tag))
      );
    });
}

/**
 * The structs of the object that a call is about: its own, and that of the variable it is a member
 * of.
 */
function tagsOf(site: CallSite): string[] {
  const target = site.op === 'allocate' ? assignedTo(site) : site.target;
  if (!target) return [];
  const root = rootOf(site.scope, target);
  return [typeOf(site.scope, target)?.tag, root ? typeOf(site.scope, root)?.tag : undefined].filter(
    (tag): tag is string => tag !== undefined && tag !== 'vfio_device',
  );
}
