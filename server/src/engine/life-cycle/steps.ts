/** The steps of a driver's life, in the order in which its functions do them. */
import { apiEntry } from '../../kernel/lifecycle-api.ts';
import { LIFE_CYCLE_PAIRS, takenBy } from '../../kernel/resource-pairs.ts';
import type { EffectOp } from '../../kernel/types.ts';
import { inRange } from '../../kernel/version.ts';
import type { ModuleIndex } from '../../lifecycle/module/module.ts';
import type {
  HeldResource,
  ModuleFacts,
  OperationObservation,
  Site,
  Undone,
} from '../../lifecycle/types.ts';
import { heldOnSuccess, isNamed } from '../owed-calls.ts';
import { DEVICE_OPERATIONS, type Callback, type DriverParts } from './drivers.ts';
import { functionAt, ordering, siteKey, uniqueSites } from './positions.ts';
import type { DriverLife, LifeCall, StepKind } from './types.ts';

/** A step before it is known what undoes it. */
export interface Draft {
  readonly id: string;
  readonly kind: StepKind;
  readonly title: string;
  readonly function: string | null;
  readonly place: Site | null;
  readonly calls: LifeCall<Site>[];
  /** See Order; of a callback and of what the kernel does there is none. */
  readonly key: number | null;
}

/** The steps that follow each other; those of one stage are alternatives. */
export type Stages = readonly (readonly Draft[])[];

/** All that is known of a driver's life before it is written down. */
export interface Draughts {
  readonly stages: Stages;
  readonly model: DriverLife<Site>['model'];
  readonly container: string | null;
  /** The devices that live in this driver. */
  readonly devices: ReadonlySet<string>;
}

const KINDS: Partial<Record<EffectOp, StepKind>> = {
  alloc: 'allocate',
  allocate: 'allocate',
  init: 'initialise',
  'init-device': 'initialise',
  register: 'register',
  unregister: 'unregister',
  uninit: 'uninitialise',
  put: 'put',
  free: 'free',
  'free-device': 'free',
};
/** What belongs to setting a device up, and is no step of its own. */
const BESIDE: ReadonlySet<EffectOp> = new Set(['assign-set', 'set-drvdata', 'core-init', 'get']);
/** What a beginning does with a device only where it has failed, or for a path that goes on. */
const UNDOING: ReadonlySet<StepKind> = new Set(['unregister', 'uninitialise', 'put', 'free']);
/** The stages of one driver, with places in the documents of the module. */
export function stagesOf(facts: ModuleFacts, index: ModuleIndex, driver: DriverParts): Draughts {
  const functions = new Set([...driver.begins, ...driver.ends]);
  const own = facts.observations.filter(
    (one): one is OperationObservation => one.kind === 'operation' && functions.has(one.function),
  );
  const devices = new Set(
    own.filter(({ op }) => DEVICE_OPERATIONS.has(op)).map(({ device }) => device.id),
  );
  const operations = own.filter(({ device }) => devices.has(device.id));
  const maker: Maker = { facts, index, driver, count: 0 };
  const begin = beginning(maker, operations);
  const end = ending(maker, operations);
  const init = driver.init.map((one) => callbackStep(maker, 'init', one, takenIn(maker, one)));
  const model = modelOf(operations);
  const last = model === 'old' ? [] : [releaseStage(maker), freeStage(maker)];
  const stages = [
    ...insertAfter(begin, 'allocate', [init]),
    ...(['open', 'close'] as const).map((kind) =>
      driver[kind].map((one) => callbackStep(maker, kind, one, takenIn(maker, one))),
    ),
    ...insertAfter(end, 'put', last),
  ];
  return {
    stages: stages.filter((stage) => stage.length > 0),
    model,
    container: operations.find(({ device }) => device.container !== null)?.device.container ?? null,
    devices,
  };
}

interface Maker {
  readonly facts: ModuleFacts;
  readonly index: ModuleIndex;
  readonly driver: DriverParts;
  count: number;
}

function draft(maker: Maker, kind: StepKind, parts: Omit<Draft, 'id' | 'kind'>): Draft {
  maker.count++;
  return { id: `${kind}-${maker.count}`, kind, ...parts };
}

function modelOf(operations: readonly OperationObservation[]): DriverLife<Site>['model'] {
  const has = (op: EffectOp): boolean => operations.some((one) => one.op === op);
  if (has('alloc')) return 'new';
  if (has('init')) return 'old';
  if (has('init-device')) return 'embedded';
  return has('put') ? 'new' : 'unknown';
}

/** A step or a part of one, in the order of the functions. */
interface Entry {
  readonly key: number;
  /** Null for a part of what stands around it. */
  readonly kind: StepKind | null;
  readonly call: LifeCall<Site>;
}

function beginning(maker: Maker, operations: readonly OperationObservation[]): Draft[][] {
  const { facts, index, driver } = maker;
  const order = ordering(index, driver.begins);
  const mine = operations.filter((one) => driver.begins.includes(one.function));
  const succeeding = placesOnSuccess(facts, driver);
  const majors = entriesOf(mine, order, ({ op, site }) => {
    const kind = KINDS[op];
    if (kind === undefined) return undefined;
    return UNDOING.has(kind) && !succeeding.has(siteKey(site)) ? undefined : kind;
  });
  const taken = new Set(majors.map(({ call }) => siteKey(call.place)));
  const beside = entriesOf(mine, order, ({ op }) => (BESIDE.has(op) ? null : undefined));
  const held = heldOnSuccess(facts, driver.begins).flatMap((one): Entry[] => {
    const at = order(one.site);
    return at === undefined ? [] : [{ key: at.key, kind: null, call: callOf(facts, one) }];
  });
  const minors = uniqueEntries([...held, ...beside]).filter(
    ({ call }) => !taken.has(siteKey(call.place)),
  );
  return grouped(maker, 'set-up', [...majors, ...minors]);
}

function ending(maker: Maker, operations: readonly OperationObservation[]): Draft[][] {
  const { facts, index, driver } = maker;
  const order = ordering(index, driver.ends);
  const mine = operations.filter((one) => driver.ends.includes(one.function));
  const majors = entriesOf(mine, order, ({ op }) => KINDS[op]);
  const taken = new Set(majors.map(({ call }) => siteKey(call.place)));
  const undone = facts.resources.undone.flatMap((one): Entry[] => {
    const at = isNamed(one) && one.via === 'call' && order(one.site);
    return at ? [{ key: at.key, kind: null, call: callThatUndoes(one) }] : [];
  });
  const minors = uniqueEntries(undone).filter(({ call }) => !taken.has(siteKey(call.place)));
  return grouped(maker, 'tear-down', [...majors, ...minors]);
}

/** @param kindOf the kind of an operation's step, null for a part, undefined for neither. */
function entriesOf(
  operations: readonly OperationObservation[],
  order: ReturnType<typeof ordering>,
  kindOf: (one: OperationObservation) => StepKind | null | undefined,
): Entry[] {
  return uniqueEntries(
    operations.flatMap((one): Entry[] => {
      const kind = kindOf(one);
      const at = order(one.site);
      if (kind === undefined || at === undefined) return [];
      const call = {
        call: `${one.api}()`,
        place: one.inner ?? one.site,
        undo: undoOf(one.api),
        undoneAt: [],
      };
      return [{ key: at.key, kind, call }];
    }),
  );
}

function undoOf(api: string): string | null {
  const undo =
    LIFE_CYCLE_PAIRS.find(({ take }) => take === api)?.undo ?? takenBy(api)?.undo[0] ?? null;
  return undo === null ? null : `${undo}()`;
}

function uniqueEntries(entries: readonly Entry[]): Entry[] {
  const known = new Map<string, Entry>();
  for (const one of entries) {
    const key = `${one.kind} ${siteKey(one.call.place)}`;
    if (!known.has(key)) known.set(key, one);
  }
  return [...known.values()];
}

/** Steps in their order, with the parts between two of them as one step of a kind of their own. */
function grouped(maker: Maker, between: StepKind, entries: readonly Entry[]): Draft[][] {
  const stages: Draft[][] = [];
  for (const { key, kind, call } of [...entries].sort((left, right) => left.key - right.key)) {
    const before = stages.at(-1);
    const part = before?.[0]?.kind === between ? before[0] : undefined;
    if (kind === null && part !== undefined) {
      part.calls.push(call);
      continue;
    }
    const step = draft(maker, kind ?? between, {
      title: kind === null ? between : call.call,
      function: functionAt(maker.index, call.place)?.name ?? null,
      place: call.place,
      calls: [call],
      key,
    });
    // Two of a kind with nothing between them are two ways, or two devices.
    if (kind !== null && before?.[0]?.kind === kind) before.push(step);
    else stages.push([step]);
  }
  return stages;
}

function insertAfter(
  stages: readonly Draft[][],
  kind: StepKind,
  more: readonly Draft[][],
): Draft[][] {
  const at = stages.findIndex((stage) => stage[0]?.kind === kind) + 1;
  return at === 0 ? [...stages, ...more] : [...stages.slice(0, at), ...more, ...stages.slice(at)];
}

function callbackStep(
  maker: Maker,
  kind: StepKind,
  { member, name, site }: Callback,
  calls: LifeCall<Site>[],
): Draft {
  return draft(maker, kind, {
    title: `.${member}: ${name}()`,
    function: name,
    place: site,
    calls,
    key: null,
  });
}

/** What a callback holds when it succeeds. */
function takenIn(maker: Maker, callback: Callback): LifeCall<Site>[] {
  const { facts, index } = maker;
  const fn = callback.function;
  if (fn === null) return [];
  const order = ordering(index, [fn]);
  return heldOnSuccess(facts, [fn])
    .filter(({ site }) => order(site) !== undefined)
    .map((one) => callOf(facts, one));
}

function callOf({ resources }: ModuleFacts, { id, api, undo, site }: HeldResource): LifeCall<Site> {
  const all = resources.undone.filter((one) => one.id === id);
  const regular = all.filter(({ role, via }) => via === 'release' || role !== 'probe');
  const undoneAt = uniqueSites((regular.length > 0 ? regular : all).map((one) => one.site));
  return {
    call: `${api}()`,
    place: site,
    undo: undo.length > 0 ? `${undo[0]}()` : null,
    undoneAt,
  };
}

function callThatUndoes({ api, site }: Undone): LifeCall<Site> {
  return { call: `${api}()`, place: site, undo: null, undoneAt: [] };
}

function releaseStage(maker: Maker): Draft[] {
  const { facts, index, driver } = maker;
  return driver.release.map((callback) => {
    const order = ordering(index, callback.function === null ? [] : [callback.function]);
    const undone = facts.resources.undone.filter(
      (one) => isNamed(one) && one.via === 'release' && order(one.site) !== undefined,
    );
    const calls = new Map(undone.map((one) => [siteKey(one.site), callThatUndoes(one)]));
    return callbackStep(maker, 'release', callback, [...calls.values()]);
  });
}

/** Who frees the memory of a device of the new model: `.release` in 6.1, the core since. */
function freeStage(maker: Maker): Draft[] {
  const { facts, index, driver } = maker;
  const functions = driver.release.flatMap((one) => one.function ?? []);
  const found = facts.observations.filter(
    (one): one is OperationObservation =>
      one.kind === 'operation' &&
      functions.includes(one.function) &&
      (one.op === 'free-device' || one.op === 'core-release' || one.op === 'free') &&
      one.after.memory === 'freed',
  );
  const frees = entriesOf(found, ordering(index, functions), () => 'free');
  if (frees.length > 0)
    return grouped(maker, 'free', frees)
      .flat()
      .map((step) => ({ ...step, key: null }));
  const isOwed = inRange(facts.kernel, apiEntry('vfio_free_device')!.kernels);
  const isCore = driver.release.some(({ name }) => apiEntry(name) !== undefined);
  return isOwed && !isCore
    ? []
    : [
        draft(maker, 'free', {
          title: 'the VFIO core',
          function: null,
          place: null,
          calls: [],
          key: null,
        }),
      ];
}

/** The places of operations on the paths on which a beginning succeeds. */
function placesOnSuccess(facts: ModuleFacts, { begins }: DriverParts): ReadonlySet<string> {
  return new Set(
    facts.observations.flatMap((one) =>
      one.kind === 'exit' && one.outcome !== 'failure' && begins.includes(one.function)
        ? one.trace.map(({ site }) => siteKey(site))
        : [],
    ),
  );
}
