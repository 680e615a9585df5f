/**
 * What cannot be seen and matters for the order of the registration: code that sets members of the
 * device, and code that callbacks hand the device to.
 */
import { originalOf } from '../ir/lower.ts';
import type { CallExpr, FunctionIr } from '../ir/types.ts';
import { calls } from '../ir/visit.ts';
import { opposites } from '../kernel/heuristics.ts';
import { scanOf } from '../lifecycle/module/function-scan.ts';
import type { ModuleIndex } from '../lifecycle/module/module.ts';
import type { ModuleFacts, Site, UseObservation } from '../lifecycle/types.ts';
import { usedWhileRegistered } from './entry-points.ts';
import { declaredType, siteOfCall } from './locate.ts';
import { reachedFromRoles } from './call-graph.ts';
import { isChanged, memberAccesses, type MemberAccess } from './members.ts';
import { namedBy, unseenCalls } from './open-and-close.ts';

/** A call that hands a device to code that is not seen. */
export interface Handed {
  /** As the function was lowered. */
  readonly call: CallExpr;
  readonly fn: FunctionIr;
  readonly site: Site;
}

/** An unseen function that is given the device after its registration and may set a member. */
export interface LateCreation {
  readonly use: UseObservation;
  readonly reader: MemberAccess;
  readonly member: string;
}

/** The first call in a callback that gives the container to code that is not seen, or to its table. */
export function handedOn(facts: ModuleFacts, index: ModuleIndex, owner: string): Handed | null {
  for (const fn of usedWhileRegistered(facts, index)) {
    const [found] = handingCalls(facts, index, fn, owner);
    if (found !== undefined) return found;
  }
  return null;
}

function handingCalls(
  facts: ModuleFacts,
  index: ModuleIndex,
  fn: FunctionIr,
  owner: string,
): Handed[] {
  const file = index.fileOf(fn);
  if (file === undefined) return [];
  const unseen = unseenCalls(facts, index, fn);
  return calls(originalOf(fn))
    .filter(
      (call) =>
        (unseen.includes(call) || namesUnseenTable(index, fn, call)) &&
        call.args.some((arg) => namedBy(index, fn, arg) === `struct ${owner}`),
    )
    .map((call) => ({ call, fn, site: siteOfCall(file, { call, fn }) }));
}

/** `&foo_regops` of another file. */
function namesUnseenTable(index: ModuleIndex, fn: FunctionIr, call: CallExpr): boolean {
  const file = index.fileOf(fn);
  return call.args.some(
    (arg) =>
      arg.kind === 'unary' &&
      arg.op === '&' &&
      arg.operand.kind === 'name' &&
      file !== undefined &&
      declaredType(fn, arg.operand.name) === null &&
      (index.variable(file, arg.operand.name)?.item.init ?? null) === null,
  );
}

/**
 * The calls after the registration that may set what callbacks use: a function of another file that
 * `.remove` undoes by its name, where nothing else can have set the member.
 */
export function lateCreations(
  facts: ModuleFacts,
  index: ModuleIndex,
  uses: readonly UseObservation[],
): LateCreation[] {
  return uses.flatMap((use) => {
    const owner = use.device.container;
    if (use.form !== 'pass' || use.api === null || owner === null) return [];
    if (use.field !== null || !isUndoneByEnds(facts, index, use.api)) return [];
    const [creation, ...others] = index.allFunctions.flatMap(({ item }) =>
      handingCalls(facts, index, item, owner),
    );
    const isOnly = creation?.call.name === use.api && others.every((one) => isEnd(one, use.api!));
    const reader = isOnly ? memberOfAnother(facts, index, owner) : null;
    return reader === null ? [] : [{ use, reader, member: nameOf(reader) }];
  });
}

function isUndoneByEnds(facts: ModuleFacts, index: ModuleIndex, api: string): boolean {
  const undoing = opposites(api);
  if (undoing.length === 0) return false;
  return reachedFromRoles(facts, index, 'remove', 'release', 'action').functions.some((fn) =>
    scanOf(fn).names.called.some((name) => undoing.includes(name)),
  );
}

function isEnd({ call }: Handed, api: string): boolean {
  return opposites(api).includes(call.name ?? '');
}

/** A use in a callback of a pointer in the container that nothing of the module sets. */
function memberOfAnother(
  facts: ModuleFacts,
  index: ModuleIndex,
  owner: string,
): MemberAccess | null {
  for (const fn of usedWhileRegistered(facts, index)) {
    const found = memberAccesses(index, fn).find(
      (one) =>
        one.owner === owner &&
        one.form === 'read' &&
        one.embeds === null &&
        !isChanged(index, one.key),
    );
    if (found !== undefined) return found;
  }
  return null;
}

function nameOf({ key }: MemberAccess): string {
  return key.slice(key.indexOf('.') + 1);
}
