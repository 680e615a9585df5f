/** What functions owe where they end, for the rules about leaks. */
import type { Finding } from './types.ts';
import type { CallExpr, FunctionIr } from '../ir/types.ts';
import type {
  HeldResource,
  Leave,
  ModuleFacts,
  OperationObservation,
  Site,
  Undone,
} from '../lifecycle/types.ts';
import { takenBy } from '../kernel/resource-pairs.ts';
import {
  ancestry,
  callAt,
  contains,
  documentAt,
  documentOf,
  functionsIn,
  isSameSite,
  loweredCallAt,
  walk,
} from './locate.ts';
import { siteOfExit } from './exit-place.ts';
import { indexOf } from './members.ts';
import { keeperOf } from './open-and-close.ts';
import { asksState, guardsOf } from './own-state.ts';
import { quoted, written } from './wording.ts';
import { largest } from '../text/lists.ts';

/**
 * What functions take and give back, as rules speak of it: where a path leaves with something, what
 * a person calls it, and who gives
 * it back elsewhere.
 */

/** A place where paths leave a function with something that they owe. */
export interface Leaving {
  readonly leave: Leave;
  /** The function that the site is in: that of the leave, or a helper that failed and left it. */
  readonly function: FunctionIr;
  /** The return; where paths share it that owe nothing, the goto that leads there. */
  readonly site: Site;
  readonly owed: readonly HeldResource[];
  /**
   * Whether every path that leaves here owes it, or every one that fails: others succeed by the
   * same return.
   */
  readonly isAlways: boolean | 'when failing';
}

/** The places where paths leave with what `isOwed` says that they owe, each once. */
export function leavings(
  facts: ModuleFacts,
  isOwed: (leave: Leave, resource: HeldResource) => boolean,
): Leaving[] {
  const found = new Map<string, Leaving>();
  const { leaves } = facts.resources;
  // Rules ask of all leaves again and again, and nearly none of them owes anything.
  for (let i = 0; i < leaves.length; i++) {
    const leave = leaves[i]!;
    if (!leave.certain) continue;
    const all = owedBy(facts, leave, isOwed);
    if (all.length === 0) continue;
    for (const owed of byLeaver(all)) {
      const leftBy = owed[0]?.leftBy ?? null;
      const { site, isAlways } =
        leftBy === null
          ? placeOf(facts, leave, owed)
          : { site: leftBy.site, isAlways: isBeforeLabels(leftBy.function, leftBy.site) };
      const key = `${site.path}:${site.start}:${site.end}`;
      const known = found.get(key);
      if (known === undefined)
        found.set(key, {
          leave,
          function: leftBy?.function ?? leave.function,
          site,
          owed,
          isAlways,
        });
      else
        found.set(key, {
          ...known,
          owed: [
            ...known.owed,
            ...owed.filter((one) => known.owed.every((other) => other.id !== one.id)),
          ],
        });
    }
  }
  return [...found.values()];
}

function owedBy(
  facts: ModuleFacts,
  leave: Leave,
  isOwed: (leave: Leave, resource: HeldResource) => boolean,
): readonly HeldResource[] {
  let owed: HeldResource[] | undefined;
  for (let i = 0; i < leave.held.length; i++) {
    const one = leave.held[i]!;
    if (!isOwed(leave, one) || (leave.ownState && isExcusedByState(facts, leave, one))) continue;
    if (owed) owed.push(one);
    else owed = [one];
  }
  return owed ?? NOTHING_OWED;
}

const NOTHING_OWED: readonly HeldResource[] = [];

/** No goto leads to the place from elsewhere. */
function isBeforeLabels(fn: FunctionIr, site: Site): boolean {
  return [...walk(fn.body)].every((node) => node.kind !== 'label' || node.start > site.start);
}

/** What the function itself leaves, and what each of its helpers has left. */
function byLeaver(all: readonly HeldResource[]): HeldResource[][] {
  const lists = new Map<string, HeldResource[]>();
  for (const one of all) {
    const key = one.leftBy === null ? '' : `${one.leftBy.site.path}:${one.leftBy.site.start}`;
    lists.set(key, [...(lists.get(key) ?? []), one]);
  }
  return [...lists.values()];
}

/**
 * Whether a state of the driver's own decides somewhere if a resource is given back: `if
 * (p->has_wq)`, `if (!p->hot) return;` in a helper. Where the same state has decided that it was
 * taken, it decides nothing more, but where the failing function itself asks once more.
 */
function isExcusedByState(facts: ModuleFacts, leave: Leave, resource: HeldResource): boolean {
  return undoneOf(facts, resource).some(
    (undone) =>
      isUndoneByState(facts, undone) &&
      (undone.function === leave.function || !hasSameGuard(facts, resource, undone)),
  );
}

function isUndoneByState(facts: ModuleFacts, { site, function: fn }: Undone): boolean {
  const owner = functionOf(facts, site);
  if (owner === undefined) return true;
  const isAround = ancestry(owner.body, site).some(
    (node) =>
      (node.kind === 'if' && !contains(node.condition, site) && asksState(node.condition)) ||
      node.kind === 'loop' ||
      node.kind === 'switch',
  );
  return (
    isAround ||
    (owner !== fn &&
      [...walk(owner.body)].some((node) => node.kind === 'return' && node.start < site.start))
  );
}

function functionOf(facts: ModuleFacts, site: Site): FunctionIr | undefined {
  return documentAt(facts.module, site.path)?.functions.find((one) => contains(one, site));
}

/**
 * Whether all that decides if a resource is given back held where it was taken too, or asks whether
 * it is there.
 */
function hasSameGuard(facts: ModuleFacts, resource: HeldResource, { site }: Undone): boolean {
  const index = indexOf(facts.module, facts.kernel);
  const taker = functionOf(facts, resource.site);
  const giver = functionOf(facts, site);
  const taking = taker === undefined ? null : guardsOf(index, taker, resource.site);
  const giving = giver === undefined ? null : guardsOf(index, giver, site);
  if (taker === undefined || taking === null || giving === null) return false;
  const call = loweredCallAt(taker, resource.site);
  const keeper = call === null ? null : keeperOf(index, taker, call);
  return giving.every((one) => taking.includes(one) || one === keeper);
}

function placeOf(
  facts: ModuleFacts,
  leave: Leave,
  owed: readonly HeldResource[],
): Pick<Leaving, 'site' | 'isAlways'> {
  const fn = leave.function;
  const leaves = facts.resources.leaves.filter(
    (one) => one.function === fn && isSameSite(one.returns, leave.returns),
  );
  const isShared = leaves.some(
    (one) =>
      one.outcome === leave.outcome &&
      !owed.every(({ id }) => one.held.some((other) => other.id === id)),
  );
  const jump = isShared ? lastGoto(leave, owed) : null;
  if (jump !== null) return { site: jump, isAlways: true };
  const site = siteOfExit(facts, fn, leave.returns);
  if (isShared) return { site, isAlways: false };
  const succeedsToo = leaves.some((one) => one.outcome !== leave.outcome);
  return { site, isAlways: succeedsToo ? 'when failing' : true };
}

/** The last goto of the path behind the last taking. */
function lastGoto(
  { function: fn, returns, trace }: Leave,
  owed: readonly HeldResource[],
): Site | null {
  const since = largest([
    fn.start,
    ...owed
      .filter(({ site }) => site.path === returns.path && contains(fn, site))
      .map(({ site }) => site.start),
  ]);
  return (
    trace.findLast(
      ({ kind, site }) =>
        kind === 'goto' && site.path === returns.path && contains(fn, site) && site.start > since,
    )?.site ?? null
  );
}

/**
 * Where a resource is given back, by whichever function that begins or ends a device's life; what
 * `.init` took has a name of its own in those that allocate.
 */
export function undoneOf(facts: ModuleFacts, resource: HeldResource): Undone[] {
  return undoneAnywhere(facts, resource).filter(({ role }) => role !== 'callback');
}

/** As undoneOf(), and by the callbacks that open a device. */
export function undoneAnywhere(facts: ModuleFacts, resource: HeldResource): Undone[] {
  const taking = takingOf(resource.id);
  return facts.resources.undone.filter(({ id }) => takingOf(id) === taking);
}

/**
 * What an id says of the taking: the rest of it is the name that one function has for what was
 * taken.
 */
function takingOf(id: string): string {
  return /^.*?:\d+(?=[>@])/.exec(id)?.[0] ?? id;
}

/**
 * Who forgets what remove still holds although a failing `.init` gives it back: the `.release` that
 * the last put has run. Null when nobody
 * put the device on that path, when probe has a share in giving it back, and when several tables
 * have a `.release` of their own.
 */
export function forgetfulRelease(
  facts: ModuleFacts,
  leave: Leave,
  resource: HeldResource,
): FunctionIr | null {
  if (!isLeftByInit(facts, leave, resource)) return null;
  const releases = functionsIn(facts, 'release');
  return releases.length === 1 ? (releases[0] ?? null) : null;
}

/** What only a failing `.init` gives back is held in remove after the last put. */
function isLeftByInit(facts: ModuleFacts, leave: Leave, resource: HeldResource): boolean {
  if (leave.role !== 'remove' || !leave.trace.some(({ op }) => op === 'put')) return false;
  const undone = undoneOf(facts, resource);
  return undone.length > 0 && undone.every(({ role, via }) => via === 'call' && role === 'init');
}

/**
 * The `.init` whose taking nothing undoes after the last put in remove, although its own failing
 * path does: no table has a `.release`. Null where one may have.
 */
export function initWithoutRelease(
  facts: ModuleFacts,
  leave: Leave,
  resource: HeldResource,
): FunctionIr | null {
  if (!isLeftByInit(facts, leave, resource)) return null;
  const isClosed = facts.opsTables.every(
    ({ complete, readable, members }) => complete && readable && !members.has('release'),
  );
  const inits = functionsIn(facts, 'init');
  return isClosed && inits.length === 1 ? (inits[0] ?? null) : null;
}

/**
 * Whether a function brings a device to life, itself or by what it calls: only then is what it
 * takes taken for the device.
 */
export function bringsUpDevice(facts: ModuleFacts, fn: FunctionIr): boolean {
  return beginningsOf(facts).some((one) => one.function === fn);
}

/** The operations that make an object a device. */
export function beginningsOf(facts: ModuleFacts): OperationObservation[] {
  return facts.observations.filter(
    (one): one is OperationObservation => one.kind === 'operation' && BEGINNINGS.has(one.op),
  );
}

const BEGINNINGS: ReadonlySet<string> = new Set<OperationObservation['op']>([
  'alloc',
  'init',
  'init-device',
  'register',
]);

/** The call that takes a resource, with the function it stands in; null for an operator. */
function takingCall(
  facts: ModuleFacts,
  resource: HeldResource,
): { readonly call: CallExpr; readonly fn: FunctionIr; readonly text: string } | null {
  const file = documentAt(facts.module, resource.site.path);
  const fn = file?.functions.find((one) => contains(one, resource.site));
  const call = fn === undefined ? null : callAt(fn.body, resource.site);
  return file === null || fn === undefined || call === null || call.name !== resource.api
    ? null
    : { call, fn, text: file.text };
}

/**
 * The expression that names a resource where it is taken: the left side of the assignment, or the
 * argument; null when there is none.
 */
export function nameOfTaken(facts: ModuleFacts, resource: HeldResource): string | null {
  const taking = takingCall(facts, resource);
  if (taking === null) {
    const file = documentAt(facts.module, resource.site.path);
    const counted = file?.text.slice(resource.site.start, resource.site.end) ?? '';
    return resource.kind === 'counter'
      ? (/^(?:\+\+|--)?\s*([\w.>-]*\w(?:\[\w+\])?)/.exec(counted)?.[1] ?? null)
      : null;
  }
  const { call, fn, text } = taking;
  const taken = takenBy(resource.api)?.taken ?? 0;
  const argument =
    resource.kind === 'counter'
      ? call.args.find((one) => one.kind === 'unary' && one.op === '&')
      : call.args[taken === 'return' ? -1 : taken];
  if (argument !== undefined) return written(text, argument);
  for (const node of walk(fn.body)) {
    if (node.kind === 'assign' && node.op === '=' && node.value === call)
      return written(text, node.target);
    if (node.kind === 'decl' && node.init === call) return node.name;
  }
  return null;
}

/**
 * A resource as a sentence begins with it: `` `foo->config` from kzalloc() ``,
 * `pci_enable_device()`.
 */
export function taken(facts: ModuleFacts, resource: HeldResource): string {
  const name = nameOfTaken(facts, resource);
  const isResult = takenBy(resource.api)?.taken === 'return';
  return isResult && name !== null ? `${quoted(name)} from ${resource.api}()` : `${resource.api}()`;
}

/** What is not done to them: what a call returned is released, what it did is undone. */
export function undoneWord(owed: readonly HeldResource[]): string {
  return areReturned(owed) ? 'released' : 'undone';
}

function areReturned(owed: readonly HeldResource[]): boolean {
  return owed.every(({ api }) => takenBy(api)?.taken === 'return');
}

/** What becomes of them on an error path, as a sentence goes on after their names. */
export function lostWords(owed: readonly HeldResource[]): string {
  const verb = owed.length > 1 ? 'are' : 'is';
  return areReturned(owed) ? `${verb} leaked` : `${verb} not undone`;
}

/** Where the things come from and who gives them back: related information beside the path. */
export function endsOf(
  facts: ModuleFacts,
  owed: readonly HeldResource[],
  trace: Leave['trace'],
  undone: (resource: HeldResource) => Undone | undefined,
): Finding['related'] {
  const all = owed.flatMap((one) => {
    const other = undone(one);
    const isShown = trace.some((step) => isSameSite(step.site, one.site));
    return [
      ...(isShown ? [] : [{ site: one.site, message: `${described(one)} here` }]),
      ...(other === undefined
        ? []
        : [
            {
              site: other.site,
              message: `${functionAt(facts, other.site) ?? other.function.name}() ${/^[-+]/.test(other.api) ? 'changes it back' : `calls ${other.api}()`} here`,
            },
          ]),
    ];
  });
  return all
    .filter((one, i) => all.findIndex((other) => isSameSite(one.site, other.site)) === i)
    .slice(0, MOST);
}

/** With the steps of a path they are no more than a reader follows. */
const MOST = 3;

function described({ kind, api }: HeldResource): string {
  if (kind === 'counter') return 'the count is changed';
  return takenBy(api)?.taken === 'return' ? `${api}() returns it` : `${api}() is called`;
}

/**
 * Who releases what is owed where `fn` ends, as a sentence goes on after `as`:
 * `foo_remove() does`.
 */
export function whoUndoes(facts: ModuleFacts, fn: FunctionIr, undone: readonly Undone[]): string {
  const names = new Set(undone.map((one) => functionAt(facts, one.site) ?? one.function.name));
  const [name] = names;
  if (name === undefined || names.size > 1) return 'other paths do';
  return name === fn.name ? 'its other failing paths do' : `${name}() does`;
}

/** The name of the function that a place is in. */
function functionAt(facts: ModuleFacts, site: Site): string | null {
  return (
    documentAt(facts.module, site.path)?.functions.find((one) => contains(one, site))?.name ?? null
  );
}

/**
 * The statement that gives a resource back, for a function that took it itself: as the function
 * writes it on another path, else the
 * usual function with the name that the resource has there. Null when it needs arguments that are
 * not known.
 */
export function undoStatement(
  facts: ModuleFacts,
  fn: FunctionIr,
  resource: HeldResource,
): string | null {
  const text = documentOf(facts.module, fn)?.text;
  const undone = undoneOf(facts, resource);
  const calls = undone.flatMap((one) => {
    const file = documentAt(facts.module, one.site.path);
    const owner = file?.functions.find((other) => contains(other, one.site));
    const call = owner === undefined ? null : callAt(owner.body, one.site);
    return owner === undefined || call === null || call.name !== one.api ? [] : [{ owner, call }];
  });
  const own = calls.find(({ owner }) => owner === fn);
  if (own !== undefined && text !== undefined) return `${written(text, own.call)};`;
  const taking = takingCall(facts, resource);
  const name = nameOfTaken(facts, resource);
  const [first] = calls;
  if (
    taking?.fn !== fn ||
    name === null ||
    first?.call.args.length !== 1 ||
    first.call.name === null
  )
    return null;
  // A name of its own is the device's or a variable's; what is returned has no other.
  return `${first.call.name}(${name});`;
}
