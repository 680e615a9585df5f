/**
 * What stands beside the code of a driver on request: the state of a device after a call, and what
 * is owed at a return and at a label.
 */
import type { LabelStmt } from '../ir/types.ts';
import { walkStmt } from '../ir/visit.ts';
import type {
  DeviceState,
  ExitObservation,
  ModuleFacts,
  Observation,
  OperationObservation,
} from '../lifecycle/types.ts';
import type { Span } from '../text/span.ts';
import { DEVICE_OPERATIONS } from './life-cycle/drivers.ts';
import { owedCalls } from './owed-calls.ts';

export interface LifeHint {
  /** A UTF-16 offset: the hint comes after what ends there. */
  readonly at: number;
  readonly label: string;
}

/** The hints in a stretch of the document `path`, in the order of the text. Total. */
export function lifeHints(facts: ModuleFacts, path: string, stretch: Span): LifeHint[] {
  const here = facts.observations.filter(
    ({ site }) => site.path === path && site.end >= stretch.start && site.start <= stretch.end,
  );
  const hints = [...afterCalls(here), ...atReturns(facts, here), ...atLabels(facts, path, stretch)];
  return hints.sort((left, right) => left.at - right.at);
}

function afterCalls(here: readonly Observation[]): LifeHint[] {
  const calls = new Map<number, OperationObservation[]>();
  for (const one of here) {
    if (
      one.kind !== 'operation' ||
      !DEVICE_OPERATIONS.has(one.op) ||
      one.before.memory === 'error-pointer'
    )
      continue;
    calls.set(one.site.end, [...(calls.get(one.site.end) ?? []), one]);
  }
  return [...calls].flatMap(([at, operations]) => {
    // What failed before the call is of another path.
    const texts = new Set(operations.map(({ after }) => stateWords(after)));
    texts.delete('');
    return texts.size === 0 ? [] : [{ at, label: `/* ${[...texts].join(' | ')} */` }];
  });
}

/** A state in as few words as an editor's line has room for. */
function stateWords(state: DeviceState): string {
  if (state.memory === 'error-pointer' || state.memory === 'null') return 'failed';
  if (state.memory === 'freed') return state.reference === 'dropped' ? 'dropped' : 'freed';
  if (state.model === 'old' && state.initialised === 'undone') return 'uninitialised';
  if (state.registered === 'yes') return 'registered';
  if (state.registered === 'failed') return 'not registered';
  if (state.registered === 'undone') return 'unregistered';
  if (state.model === 'old') return state.initialised === 'yes' ? 'initialised' : '';
  return state.reference === 'held' ? 'held' : '';
}

function atReturns(facts: ModuleFacts, here: readonly Observation[]): LifeHint[] {
  const exits = new Map<number, ExitObservation[]>();
  for (const one of here)
    if (one.kind === 'exit' && isShown(one))
      exits.set(one.returns.end, [...(exits.get(one.returns.end) ?? []), one]);
  return [...exits].flatMap(([at, list]) =>
    hintOf(
      at,
      list.map(({ before }) => before),
      facts,
    ),
  );
}

/** Where a function ends that begins devices, or one that holds its own. */
function isShown({ role, device, outcome, certain }: ExitObservation): boolean {
  if (!certain || device.isElement) return false;
  return (
    role === 'probe' ||
    role === 'remove' ||
    (role === 'helper' && outcome === 'failure' && device.originKind === 'allocation')
  );
}

/** What the paths owe that come to a label: the device as the first thing after it meets it. */
function atLabels(facts: ModuleFacts, path: string, stretch: Span): LifeHint[] {
  const file = facts.module.sources.find((one) => one.path === path);
  if (file === undefined) return [];
  return file.functions.flatMap((fn) => {
    if (fn.end < stretch.start || fn.start > stretch.end) return [];
    const own = facts.observations.filter(
      (one) => one.function === fn && (one.kind === 'operation' || one.kind === 'exit'),
    );
    if (own.length === 0) return [];
    const labels: LabelStmt[] = [];
    walkStmt(fn.body, (stmt) => {
      if (stmt.kind === 'label') labels.push(stmt);
    });
    return labels.flatMap((label) => {
      const next = own.reduce(
        (best, { site }) => (site.start >= label.end ? Math.min(best, site.start) : best),
        Infinity,
      );
      const states = own.filter(({ site }) => site.start === next).map(({ before }) => before);
      return hintOf(label.nameSpan.end + 1, states, facts);
    });
  });
}

function hintOf(at: number, states: readonly DeviceState[], facts: ModuleFacts): LifeHint[] {
  const owed = [
    ...new Set(
      states
        .filter(({ model }) => model !== 'unknown' && model !== 'none')
        .flatMap((state) => owedCalls(state, facts.kernel)),
    ),
  ];
  if (owed.length === 0) return [];
  return [{ at, label: `/* owed: ${owed.map((name) => `${name}()`).join(', ')} */` }];
}
