/**
 * The life of the devices of a module's drivers, from the facts: steps, ways out with what they
 * still owe, and the findings where they happen. It knows nothing that rules and hovers do not.
 */
import type { FunctionIr } from '../../ir/types.ts';
import { formatVersion } from '../../kernel/version.ts';
import { indexModule, type ModuleIndex } from '../../lifecycle/module/module.ts';
import type { ModuleFacts, Site } from '../../lifecycle/types.ts';
import type { Finding } from '../../rules/types.ts';
import { driversOf, type DriverParts } from './drivers.ts';
import { functionAt, uniqueSites } from './positions.ts';
import { stagesOf, type Draft, type Draughts, type Stages } from './steps.ts';
import type {
  DriverLife,
  LifeCycle,
  LifeEdge,
  LifeFinding,
  LifeFunction,
  LifeStep,
  StepKind,
} from './types.ts';
import { lastReturns, waysOut, type WayOut } from './ways-out.ts';

/**
 * The lives in a module, with its findings on them. Total; without a driver in the module there are
 * none. Places are offsets in the module's documents.
 */
export function lifeCycle(facts: ModuleFacts, findings: readonly Finding[]): LifeCycle<Site> {
  const index = indexModule(facts.module, facts.kernel);
  return {
    kernel: formatVersion(facts.kernel),
    drivers: driversOf(facts).map((driver) => lifeOf(facts, index, driver, findings)),
  };
}

function lifeOf(
  facts: ModuleFacts,
  index: ModuleIndex,
  driver: DriverParts,
  findings: readonly Finding[],
): DriverLife<Site> {
  const draughts = stagesOf(facts, index, driver);
  const steps = stepsOf(draughts);
  const functions = functionsOf(index, driver, draughts.stages);
  const own = findings
    .filter(({ site }) => concerns(functions, site))
    .map((one, i): LifeFinding<Site> => findingOf(one, i));
  const ways = [
    ...waysOut(facts, index, driver, draughts),
    ...lastReturns(facts, driver, draughts),
  ];
  const placed = own.map((one) => placeFinding(one, ways, draughts.stages.flat(), functions));
  const outs = ways.flatMap((way, i): LifeEdge<Site>[] => {
    const mine = placed.filter(({ edge }) => edge === wayId(i)).map(({ id }) => id);
    // Unseen code may have done what is owed, and so may what rules know of: without a finding only
    // certain debts of the device are told.
    const { isCertain, held, ...edge } = way;
    if (way.kind === 'ends' && mine.length === 0) return [];
    const told = mine.length > 0 ? [...way.owed, ...held] : way.owed;
    const owed = isCertain || mine.length > 0 ? told : [];
    return [{ ...edge, owed, id: wayId(i), findings: mine }];
  });
  return {
    name: driver.name,
    model: draughts.model,
    container: draughts.container,
    steps,
    edges: [...nextEdges(draughts.stages), ...outs],
    findings: placed,
    functions,
  };
}

const wayId = (i: number): string => `out-${i + 1}`;

const DOES: Readonly<Record<StepKind, string>> = {
  allocate: 'takes the reference of the device',
  init: 'runs inside the allocation',
  initialise: 'initialises the device',
  'set-up': 'takes what the device needs',
  register: 'opens the device to user space',
  open: 'runs when a user opens the device',
  close: 'runs when its last user closes it',
  unregister: 'waits for the users and takes the device from user space',
  'tear-down': 'undoes what was set up',
  uninitialise: 'undoes the initialisation',
  put: 'drops the reference of the driver',
  release: 'runs when the last reference is dropped',
  free: 'frees the memory of the device',
};

/** What undoes a step: steps of these kinds. */
const OPPOSITES: Partial<Record<StepKind, readonly StepKind[]>> = {
  allocate: ['put', 'free'],
  init: ['release'],
  initialise: ['uninitialise'],
  register: ['unregister'],
  open: ['close'],
};

function stepsOf({ stages, model }: Draughts): LifeStep<Site>[] {
  const drafts = stages.flat();
  return drafts.map((step) => {
    const opposites = oppositesOf(step, drafts, model);
    return {
      id: step.id,
      kind: step.kind,
      title: step.title,
      does: step.kind === 'allocate' && model === 'old' ? 'allocates the memory' : DOES[step.kind],
      function: step.function,
      place: step.place,
      calls: step.calls.map((call) => {
        const isOwn = call.undoneAt.length === 0 && OPPOSITES[step.kind] !== undefined;
        const places = opposites.flatMap(({ place }) => (place === null ? [] : [place]));
        return isOwn && step.key !== null ? { ...call, undoneAt: uniqueSites(places) } : call;
      }),
      undoneBy: opposites.map(({ id }) => id),
    };
  });
}

function oppositesOf(
  step: Draft,
  drafts: readonly Draft[],
  model: DriverLife<Site>['model'],
): readonly Draft[] {
  const places = new Set(step.calls.flatMap(({ undoneAt }) => undoneAt.map(({ start }) => start)));
  if (step.kind === 'set-up')
    return drafts.filter(
      (other) =>
        other !== step &&
        (other.kind === 'tear-down' || other.kind === 'release') &&
        other.calls.some(({ place }) => places.has(place.start)),
    );
  const kinds = OPPOSITES[step.kind] ?? [];
  const wanted =
    step.kind === 'allocate'
      ? kinds.filter((kind) => (kind === 'free') === (model === 'old'))
      : kinds;
  return drafts.filter(({ kind }) => wanted.includes(kind));
}

function nextEdges(stages: Stages): LifeEdge<Site>[] {
  const edges: LifeEdge<Site>[] = [];
  for (const [i, stage] of stages.entries()) {
    for (const to of stages[i + 1] ?? []) {
      for (const from of stage) {
        edges.push({
          id: `next-${edges.length + 1}`,
          kind: kindOfEdge(from, to),
          from: from.id,
          to: to.id,
          label: '',
          place: null,
          function: null,
          undone: [],
          owed: [],
          findings: [],
        });
      }
    }
  }
  return edges;
}

function kindOfEdge(from: Draft, { kind }: Draft): LifeEdge<Site>['kind'] {
  if (kind === 'init' || kind === 'release') return 'calls';
  return kind === 'open' || (kind === 'close' && from.kind !== 'open') ? 'opens' : 'next';
}

function functionsOf(
  index: ModuleIndex,
  driver: DriverParts,
  stages: Stages,
): LifeFunction<Site>[] {
  const steps = stages.flat();
  const roles = new Map<FunctionIr, LifeFunction<Site>['role']>();
  const callbacks = (role: 'init' | 'release' | 'open' | 'close'): void => {
    for (const { function: fn } of driver[role]) if (fn !== null) roles.set(fn, role);
  };
  for (const fn of driver.begins) roles.set(fn, 'probe');
  for (const fn of driver.ends) roles.set(fn, 'remove');
  callbacks('init');
  callbacks('open');
  callbacks('close');
  callbacks('release');
  for (const { place, calls } of steps) {
    for (const site of [...(place === null ? [] : [place]), ...calls.map((call) => call.place)]) {
      const fn = functionAt(index, site);
      if (fn !== undefined && !roles.has(fn)) roles.set(fn, 'helper');
    }
  }
  return [...roles].flatMap(([fn, role]): LifeFunction<Site>[] => {
    const path = index.fileOf(fn)?.path;
    if (path === undefined) return [];
    return [
      {
        name: fn.name,
        role,
        place: { path, start: fn.start, end: fn.end },
        namePlace: { path, ...fn.nameSpan },
        steps: steps.filter((step) => step.function === fn.name).map(({ id }) => id),
      },
    ];
  });
}

/** Whether a place is in one of the functions. */
function concerns(functions: readonly LifeFunction<Site>[], site: Site): boolean {
  return functions.some(
    ({ place }) => place.path === site.path && place.start <= site.start && site.end <= place.end,
  );
}

function findingOf(
  { rule, severity, message, site, related }: Finding,
  i: number,
): LifeFinding<Site> {
  return {
    id: `finding-${i + 1}`,
    rule,
    severity,
    message,
    place: site,
    edge: null,
    step: null,
    path: [
      ...related.map((one) => ({ place: one.site, message: one.message })),
      { place: site, message },
    ],
  };
}

/** On the way out that it stands on, else at the last step of its function before it. */
function placeFinding(
  finding: LifeFinding<Site>,
  ways: readonly WayOut[],
  steps: readonly Draft[],
  functions: readonly LifeFunction<Site>[],
): LifeFinding<Site> {
  const { place } = finding;
  const isAt = (site: Site | null): boolean =>
    site !== null && site.path === place.path && site.start < place.end && place.start < site.end;
  const at = ways.findIndex((way) => isAt(way.place) || way.undone.some((one) => isAt(one.place)));
  if (at >= 0) return { ...finding, edge: wayId(at) };
  const exact = steps.find((step) => isAt(step.place) || step.calls.some((one) => isAt(one.place)));
  const around = functions.find((fn) => concerns([fn], place));
  const inside = steps.filter((step) => step.function === around?.name);
  const before = inside.findLast((step) => step.place !== null && step.place.start <= place.start);
  return { ...finding, step: (exact ?? before ?? inside[0])?.id ?? null };
}
