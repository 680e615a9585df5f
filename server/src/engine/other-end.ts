/**
 * The other end of what is at a place of a driver: the puts of an allocation, the unregister of a
 * registration, the `.release` of an `.init`, the call that undoes what another takes, and back.
 */
import type { EffectOp } from '../kernel/types.ts';
import { indexModule } from '../lifecycle/module/module.ts';
import type { ModuleFacts, OperationObservation, Site } from '../lifecycle/types.ts';
import { documentAt } from '../rules/locate.ts';
import { driversOf, type Callback } from './life-cycle/drivers.ts';
import { uniqueSites } from './life-cycle/positions.ts';

const OPPOSITES: Partial<Record<EffectOp, readonly EffectOp[]>> = {
  alloc: ['put'],
  put: ['alloc', 'get'],
  get: ['put'],
  allocate: ['free', 'free-device'],
  free: ['allocate'],
  'free-device': ['alloc'],
  init: ['uninit'],
  uninit: ['init'],
  register: ['unregister'],
  unregister: ['register'],
  'core-init': ['core-release'],
  'core-release': ['core-init'],
};

/**
 * The other ends of the call, callback or entry point at `offset` (a UTF-16 offset in the document
 * `path`), in the order of the documents; none where it has none. Total.
 */
export function otherEnds(facts: ModuleFacts, path: string, offset: number): Site[] {
  const isHere = (site: Site): boolean =>
    site.path === path && site.start <= offset && offset <= site.end && isHead(facts, site, offset);
  const found = [
    ...ofOperations(facts, isHere),
    ...ofResources(facts, isHere),
    ...ofCallbacks(facts, path, offset),
    ...ofEntryPoints(facts, path, offset),
  ];
  return uniqueSites(found);
}

/** Whether an offset is on the name that a call begins with: its arguments are things of their own. */
function isHead(facts: ModuleFacts, site: Site, offset: number): boolean {
  const text = documentAt(facts.module, site.path)?.text.slice(site.start, site.end) ?? '';
  return offset <= site.start + /^\w*/.exec(text)![0].length;
}

function ofOperations(facts: ModuleFacts, isHere: (site: Site) => boolean): Site[] {
  const operations = facts.observations.filter(
    (one): one is OperationObservation => one.kind === 'operation',
  );
  const placeOf = (one: OperationObservation): Site => one.inner ?? one.site;
  return operations
    .filter((one) => isHere(placeOf(one)))
    .flatMap((one) =>
      operations
        .filter(
          (other) => isSameDevice(one, other) && OPPOSITES[one.op]?.includes(other.op) === true,
        )
        .map(placeOf),
    );
}

/** Where remove finds the device by itself, the container is what tells it. */
function isSameDevice(
  { device: one }: OperationObservation,
  { device: other }: OperationObservation,
): boolean {
  return one.id === other.id || (one.container !== null && one.container === other.container);
}

function ofResources({ resources }: ModuleFacts, isHere: (site: Site) => boolean): Site[] {
  const held = resources.leaves.flatMap((leave) => leave.held);
  const taken = new Set(held.filter(({ site }) => isHere(site)).map(({ id }) => id));
  const given = new Set(resources.undone.filter(({ site }) => isHere(site)).map(({ id }) => id));
  return [
    ...resources.undone.filter(({ id }) => taken.has(id)).map(({ site }) => site),
    ...held.filter(({ id }) => given.has(id)).map(({ site }) => site),
  ];
}

/** At the name of a callback, or at its member in the table. */
function ofCallbacks(facts: ModuleFacts, path: string, offset: number): Site[] {
  const isAt = (site: Site): boolean =>
    site.path === path && site.start <= offset && offset <= site.end;
  return driversOf(facts).flatMap(({ tables, init, release, open, close }) => {
    const isNamed = ({ member, function: fn, name }: Callback): boolean =>
      tables.some((table) => {
        const span = table.members.get(member)?.span;
        return (
          span !== undefined &&
          table.members.get(member)?.value === name &&
          isAt({ path: table.path, ...span })
        );
      }) ||
      (fn !== null && isAt({ path: fileOf(facts, fn)!, ...fn.nameSpan }));
    const pairs = [
      [init, release],
      [open, close],
    ] as const;
    return pairs.flatMap(([left, right]) => [
      ...(left.some(isNamed) ? right.map(({ site }) => site) : []),
      ...(right.some(isNamed) ? left.map(({ site }) => site) : []),
    ]);
  });
}

function ofEntryPoints(facts: ModuleFacts, path: string, offset: number): Site[] {
  return driversOf(facts).flatMap(({ begins, ends }) => {
    const places = (functions: typeof begins): Site[] =>
      functions.flatMap((fn) => {
        const file = fileOf(facts, fn);
        return file === undefined ? [] : [{ path: file, ...fn.nameSpan }];
      });
    const isAny = (sites: readonly Site[]): boolean =>
      sites.some((site) => site.path === path && site.start <= offset && offset <= site.end);
    const left = places(begins);
    const right = places(ends);
    return [...(isAny(left) ? right : []), ...(isAny(right) ? left : [])];
  });
}

function fileOf(facts: ModuleFacts, fn: Callback['function'] & object): string | undefined {
  return indexModule(facts.module, facts.kernel).fileOf(fn)?.path;
}
