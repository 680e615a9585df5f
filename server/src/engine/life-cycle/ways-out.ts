/** The ways out of a driver's life: where its functions return an error, and what is owed there. */
import type { FunctionIr, IfStmt } from '../../ir/types.ts';
import { walkStmt } from '../../ir/visit.ts';
import type { ModuleIndex } from '../../lifecycle/module/module.ts';
import type { ExitObservation, ModuleFacts, Site, Step } from '../../lifecycle/types.ts';
import { ancestry } from '../../rules/locate.ts';
import type { Span } from '../../text/span.ts';
import { heldAt, owedCalls } from '../owed-calls.ts';
import type { DriverParts } from './drivers.ts';
import { ordering } from './positions.ts';
import type { Draft, Draughts } from './steps.ts';
import type { LifeEdge } from './types.ts';

/** A way out before it has findings. */
export type WayOut = Omit<LifeEdge<Site>, 'id' | 'findings'> & {
  /** What is owed is certain: no code that nobody sees may have done it. */
  readonly isCertain: boolean;
  /** What undoes the resources that some path to here holds: rules know what may be excused. */
  readonly held: readonly string[];
};

/** Longer conditions are cut. */
const MAX_LABEL = 40;

/** The ways on which the functions of a driver return an error. */
export function waysOut(
  facts: ModuleFacts,
  index: ModuleIndex,
  driver: DriverParts,
  { stages, devices }: Draughts,
): WayOut[] {
  const steps = stages.flat();
  const callbacks = [...driver.init, ...driver.open].flatMap((one) => one.function ?? []);
  const exits = facts.observations.filter(
    (one): one is ExitObservation =>
      one.kind === 'exit' &&
      one.outcome === 'failure' &&
      ((driver.begins.includes(one.function) && devices.has(one.device.id)) ||
        callbacks.includes(one.function)),
  );
  const order = ordering(index, driver.begins);
  const ways = new Map<string, WayOut>();
  for (const exit of exits) {
    const from = stepBefore(steps, driver, exit, order);
    if (from === undefined) continue;
    const way = wayOf(facts, index, exit, from);
    const key = `${from.id} ${way.label} ${exit.returns.path}:${exit.returns.start}`;
    const known = ways.get(key);
    ways.set(key, known === undefined ? way : joined(known, way));
  }
  return [...ways.values()];
}

/** The ways on which the last function returns. */
export function lastReturns(
  facts: ModuleFacts,
  driver: DriverParts,
  { stages, devices }: Draughts,
): WayOut[] {
  const names = new Set(driver.ends.map(({ name }) => name));
  const last = stages.flat().findLast((step) => names.has(step.function ?? ''));
  if (last === undefined) return [];
  const ways = facts.observations.flatMap((one): WayOut[] => {
    if (one.kind !== 'exit' || !driver.ends.includes(one.function)) return [];
    const held = heldAt(facts, one.returns).flatMap(({ undo }) => undo.slice(0, 1));
    const owed = devices.has(one.device.id) ? owedIn(facts, one) : [];
    if (owed.length + held.length === 0) return [];
    return [
      {
        kind: 'ends',
        from: last.id,
        to: null,
        label: 'returns',
        place: one.returns,
        function: one.function.name,
        undone: [],
        owed: asCalls(owed),
        held: asCalls(held),
        isCertain: one.certain,
      },
    ];
  });
  return [...new Map(ways.map((way) => [way.place!.start, way])).values()];
}

function joined(left: WayOut, right: WayOut): WayOut {
  return {
    ...left,
    undone: left.undone.length >= right.undone.length ? left.undone : right.undone,
    owed: [...new Set([...left.owed, ...right.owed])],
    held: [...new Set([...left.held, ...right.held])],
    isCertain: left.isCertain && right.isCertain,
  };
}

function stepBefore(
  steps: readonly Draft[],
  driver: DriverParts,
  exit: ExitObservation,
  order: ReturnType<typeof ordering>,
): Draft | undefined {
  const { name } = exit.function;
  if (!driver.begins.includes(exit.function))
    return steps.find((step) => step.key === null && step.function === name);
  const allocation = exit.before.memory === 'error-pointer' || exit.before.memory === 'null';
  if (allocation) return steps.find(({ kind }) => kind === 'allocate');
  const failed = exit.before.registered === 'failed';
  const trace = new Set(exit.trace.map(({ site }) => site.start));
  if (failed)
    return (
      steps.find(({ kind, place }) => kind === 'register' && trace.has(place?.start ?? -1)) ??
      steps.find(({ kind }) => kind === 'register')
    );
  const cause = order(causeOf(exit))?.key ?? 0;
  const before = steps.filter(({ key }) => key !== null && key < cause);
  return before.findLast(({ kind }) => kind !== 'register' || exit.before.registered === 'yes');
}

/** Where the way out begins: the last jump, or the return itself. */
function causeOf({ trace, returns }: ExitObservation): Site {
  return trace.findLast(({ kind }) => kind === 'goto')?.site ?? returns;
}

function wayOf(facts: ModuleFacts, index: ModuleIndex, exit: ExitObservation, from: Draft): WayOut {
  const held = heldAt(facts, exit.returns, 'failure').flatMap(({ undo }) => undo.slice(0, 1));
  const isReturned = exit.reachable === 'returned';
  return {
    kind: 'fails',
    from: from.id,
    to: null,
    label: labelOf(index, exit, from),
    place: exit.returns,
    function: exit.function.name,
    undone: undoneOn(facts, exit),
    owed: isReturned ? [] : asCalls(owedIn(facts, exit)),
    held: isReturned ? [] : asCalls(held),
    isCertain: exit.certain,
  };
}

function owedIn({ kernel }: ModuleFacts, { before, deferred, device }: ExitObservation): string[] {
  if (device.isElement) return [];
  const isDeferred = (name: string): boolean =>
    (name === 'vfio_put_device' && deferred.includes('put')) ||
    (/unregister/.test(name) && deferred.includes('unregister')) ||
    (/uninit/.test(name) && deferred.includes('uninit')) ||
    (/free$/.test(name) && deferred.includes('free'));
  return owedCalls(before, kernel).filter((name) => !isDeferred(name));
}

function asCalls(names: readonly string[]): string[] {
  return [...new Set(names)].map((name) => `${name}()`);
}

function labelOf(index: ModuleIndex, exit: ExitObservation, from: Draft): string {
  const { before, function: fn } = exit;
  if (before.memory === 'error-pointer' || before.memory === 'null') return `${from.title} fails`;
  if (before.registered === 'failed' && from.kind === 'register') return `${from.title} fails`;
  const around = ancestry(fn.body, causeOf(exit)).findLast(
    (node): node is IfStmt => node.kind === 'if',
  );
  const text =
    around && index.fileOf(fn)?.text.slice(around.conditionSpan.start, around.conditionSpan.end);
  if (text === undefined) return 'fails';
  const line = `if ${text.replace(/\s+/g, ' ')}`;
  return line.length > MAX_LABEL ? `${line.slice(0, MAX_LABEL - 1)}…` : line;
}

/** What is undone between the cause and the return. */
function undoneOn(facts: ModuleFacts, exit: ExitObservation): WayOut['undone'] {
  const { trace, function: fn, returns } = exit;
  const stretch = stretchOf(exit);
  const inside = ({ path, start, end }: Site): boolean =>
    path === returns.path && stretch.start <= start && end <= stretch.end;
  const operations = trace
    .filter((step) => isUndoing(step) && inside(step.site))
    .map(({ site, text }) => ({ call: text.split(' ', 1)[0]!, place: site }));
  const resources = facts.resources.undone
    .filter((one) => one.function === fn && one.via === 'call' && inside(one.site))
    .map(({ api, site }) => ({ call: `${api}()`, place: site }));
  const all = [...operations, ...resources].sort(
    (left, right) => left.place.start - right.place.start,
  );
  return [...new Map(all.map((one) => [one.place.start, one])).values()];
}

function isUndoing({ kind, op }: Step): boolean {
  return (
    kind === 'operation' &&
    (op === 'put' || op === 'uninit' || op === 'unregister' || op === 'free')
  );
}

/** The code that only the way out runs: from the label to the return, or the block of the return. */
function stretchOf({ trace, function: fn, returns }: ExitObservation): Span {
  const jump = trace.findLast(({ kind }) => kind === 'goto');
  const label = jump && labelNamed(fn, jump.text.replace(/^goto /, ''));
  if (label !== undefined && label < returns.start) return { start: label, end: returns.end };
  const block = ancestry(fn.body, returns).findLast(({ kind }) => kind === 'block');
  return block === undefined || block === fn.body ? { start: 0, end: 0 } : block;
}

function labelNamed(fn: FunctionIr, name: string): number | undefined {
  let found: number | undefined;
  walkStmt(fn.body, (stmt) => {
    if (stmt.kind === 'label' && stmt.name === name) found = stmt.start;
  });
  return found;
}
