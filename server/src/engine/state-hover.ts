/** The hover on a device: what it is at a place, on each path. */
import { heldAt, owedCalls } from './owed-calls.ts';
import type { KernelVersion } from '../kernel/types.ts';
import type {
  DeviceState,
  HeldResource,
  ModuleFacts,
  Observation,
  OperationObservation,
  Site,
} from '../lifecycle/types.ts';
import type { Span } from '../text/span.ts';

export interface StateHover {
  readonly markdown: string;
  /** The call, the access, the test or the return statement. */
  readonly span: Span;
}

/** Ways through a function that differ are told apart up to this number; more help nobody. */
const MAX_WAYS = 4;

/**
 * What a device is at `offset` (a UTF-16 offset in the document `path`) on the paths that come
 * there, what a call makes of it, and what is still
 * owed in the end; at a return also what else was taken and not given back. Undefined where nothing
 * is known of a device.
 *
 * @param nameOf what a place is called: `line 12`, or `foo.c, line 12` in another document;
 * undefined for one that is not in the module.
 */
export function stateAt(
  facts: ModuleFacts,
  path: string,
  offset: number,
  nameOf: (site: Site) => string | undefined,
): StateHover | undefined {
  const around = facts.observations.filter(
    ({ site }) => site.path === path && site.start <= offset && offset <= site.end,
  );
  const span = smallest(around.map((one) => one.site));
  if (!span) return undefined;
  const here = around.filter(({ site }) => site.start === span.start && site.end === span.end);
  const parts = devicesOf(here)
    .map((observations) => describe(observations, facts.kernel, nameOf))
    .filter((one) => one !== undefined);
  const held = heldAt(facts, { path, ...span });
  if (held.length > 0)
    parts.push(
      `${parts.length === 0 ? '**State**: taken' : 'Taken'} on a path to here and not released: ${held.map((one) => resource(one, nameOf)).join('; ')}`,
    );
  return parts.length === 0 ? undefined : { markdown: parts.join('\n\n'), span };
}

function smallest(spans: readonly Span[]): Span | undefined {
  return spans.reduce<Span | undefined>(
    (best, one) => (best === undefined || one.end - one.start < best.end - best.start ? one : best),
    undefined,
  );
}

function devicesOf(observations: readonly Observation[]): Observation[][] {
  const groups = new Map<string, Observation[]>();
  for (const one of observations)
    groups.set(one.device.id, [...(groups.get(one.device.id) ?? []), one]);
  return [...groups.values()];
}

function describe(
  observations: readonly Observation[],
  kernel: KernelVersion,
  nameOf: (site: Site) => string | undefined,
): string | undefined {
  const { before, after } = ends(observations);
  const now = ways(before, (state) => wayText(state, after.length > 0 ? undefined : kernel));
  const then = ways(after, (state) => wayText(state, kernel));
  if (now.length === 0 && then.length === 0) return undefined;
  const { origin, originKind } = observations[0]!.device;
  const where = originKind === 'allocation' ? nameOf(origin) : undefined;
  const seen = observations.every((one) => one.certain) ? '' : ', as far as can be seen';
  const title = `**State** of ${where === undefined ? 'this device' : `the device allocated in ${where}`}${seen}`;
  return [
    list(title, now),
    list(now.length === 0 ? `${title} after the call` : 'After the call', then),
  ]
    .filter((one) => one !== '')
    .join('\n\n');
}

function list(title: string, texts: readonly string[]): string {
  if (texts.length === 0) return '';
  return texts.length === 1
    ? `${title}: ${texts[0]}`
    : `${title}, on different paths:\n\n${texts.map((one) => `- ${one}`).join('\n')}`;
}

/**
 * The states in which paths come to a place, and those in which they go on behind a call. What a
 * call does in several steps counts as one.
 */
function ends(observations: readonly Observation[]): {
  before: DeviceState[];
  after: DeviceState[];
} {
  const key = (state: DeviceState): string => JSON.stringify(state);
  const operations = observations.filter(
    (one): one is OperationObservation => one.kind === 'operation',
  );
  if (operations.length === 0) return { before: observations.map((one) => one.before), after: [] };
  const steps = operations.filter((one) => key(one.before) !== key(one.after));
  if (steps.length === 0) return { before: operations.map((one) => one.before), after: [] };
  const reached = new Set(steps.map((one) => key(one.after)));
  const left = new Set(steps.map((one) => key(one.before)));
  return {
    before: steps.map((one) => one.before).filter((one) => !reached.has(key(one))),
    after: steps.map((one) => one.after).filter((one) => !left.has(key(one))),
  };
}

/**
 * The different texts; none when one is not known, because the others would then look like all
 * there are.
 */
function ways(
  states: readonly DeviceState[],
  text: (state: DeviceState) => string | undefined,
): string[] {
  const texts = [...new Set(states.map(text))].filter((one) => one !== undefined);
  if (states.some((one) => text(one) === undefined)) return [];
  return [...texts.slice(0, MAX_WAYS), ...(texts.length > MAX_WAYS ? ['or another state'] : [])];
}

/** A state and, with a kernel, what is still owed in it. */
function wayText(state: DeviceState, kernel: KernelVersion | undefined): string | undefined {
  const text = stateText(state);
  const owed = kernel ? owedCalls(state, kernel) : [];
  return text === undefined || owed.length === 0
    ? text
    : `${text}; still owed: ${owed.map((one) => `\`${one}()\``).join(', then ')}`;
}

function stateText(state: DeviceState): string | undefined {
  if (state.memory === 'null') return 'the pointer is NULL: the allocation has failed';
  if (state.memory === 'error-pointer')
    return 'the pointer is an error pointer: the allocation has failed';
  if (state.memory === 'freed')
    return state.reference === 'dropped'
      ? 'its last reference is dropped, and its memory may be freed'
      : 'its memory is freed';
  if (state.model === 'none') return 'memory that is not yet initialised as a vfio_device';
  const parts: string[] = [];
  if (state.model === 'old' && state.initialised === 'yes') parts.push('initialised');
  if (state.model === 'old' && state.initialised === 'undone') parts.push('uninitialised again');
  if (state.model !== 'old' && state.reference === 'held')
    parts.push('the driver holds the reference');
  if (state.model !== 'old' && state.reference === 'dropped')
    parts.push('the reference is dropped');
  if (state.extraReferences > 0)
    parts.push(
      `${state.extraReferences} more reference${state.extraReferences > 1 ? 's' : ''} taken`,
    );
  if (state.registered === 'yes') parts.push('registered');
  else if (state.registered === 'undone') parts.push('unregistered');
  else if (state.registered === 'failed') parts.push('its registration has failed');
  else if (state.registered === 'no' && parts.length > 0) parts.push('not registered');
  return parts.length === 0 ? undefined : parts.join(', ');
}

function resource(
  { api, undo, site }: HeldResource,
  nameOf: (site: Site) => string | undefined,
): string {
  const where = nameOf(site);
  return `\`${api}()\`${where === undefined ? '' : ` in ${where}`}${undo.length > 0 ? `, which \`${undo[0]}()\` undoes` : ''}`;
}
