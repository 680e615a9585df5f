/** Finds every path to a put, and what runs before it. */
import type { Stmt } from '../../ir/types.ts';
import { counterChange } from '../../kernel/counters.ts';
import { mayMoveOver } from '../../lifecycle/footprint/order.ts';
import { statementsOf } from '../../lifecycle/module/statements.ts';
import { callSites, relate } from '../query/call-sites.ts';
import { scopeOf, typeOf, type Scope } from '../../lifecycle/module/types-of.ts';
import { namesOfOther, type DeviceSource, type Names } from './bindings.ts';
import { objectVariable } from './device-alias.ts';
import { exitsOf, isEffectOn, isNeutral, isPut } from './exits.ts';
import { checkAssignments } from './definite.ts';
import { codeOf, useOf, without } from './movability.ts';
import { callsUnder } from './probe-shape.ts';
import type { Frame } from './types.ts';
import { normalStatement } from './undo.ts';

/** A statement that runs before a put. */
export interface Item {
  readonly names: Names;
  readonly stmt: Stmt;
  /** Comparable between functions. */
  readonly text: string;
}

/** A way to a put of a device that `.init` has set up: what runs before it, oldest first. */
export interface PutSite {
  readonly names: Names;
  readonly items: readonly Item[];
  /** The put is in the probe itself. */
  readonly inProbe: boolean;
}

/**
 * A statement that touches only the object and what can be had from it, so that it may stand in a
 * callback.
 */
export function isPrivate(names: Names, stmt: Stmt): boolean {
  if (isNeutral(names, stmt)) return false;
  const print = useOf(names, stmt);
  return print.obstacle === null && print.mentionsObject && !print.leaves && stmt.kind !== 'decl';
}

export function itemOf(names: Names, stmt: Stmt): Item {
  return { names, stmt, text: normalStatement(names, stmt) };
}

/**
 * Every way to a put outside of what moves. A way that cannot be followed counts as one on which
 * nothing is undone, so that nothing is taken
 * for undone that may not be.
 * @param stays the statements of the probe behind the test that do not move, the error ladder left
 * out.
 */
export function putSites(
  frame: Frame,
  names: Names,
  device: DeviceSource,
  stays: readonly Stmt[],
): PutSite[] {
  const { fn, file, list } = frame;
  const sites: PutSite[] = [];
  const elsewhere = outerSites(frame, device);
  const putters = new Set(elsewhere.map((site) => site.names.fn.name));
  const followed = new Set<Stmt>();
  for (const stmt of stays) {
    for (const exit of exitsOf(fn, stmt)) {
      const all = [...exit.body, ...exit.ladder];
      for (const item of all) followed.add(item);
      const at = all.findIndex((item) => isPut(names, item));
      if (at < 0) {
        const value = exit.leave.kind === 'return' ? exit.leave.value : null;
        if (
          exit.leave.kind === 'return' &&
          (list.includes(exit.leave) || (value?.kind === 'number' && value.value === 0))
        )
          continue;
        if (
          all.some((item) =>
            callsUnder(item).some((call) => call.name !== null && putters.has(call.name)),
          )
        )
          continue;
        sites.push({ names, items: [], inProbe: true });
        continue;
      }
      sites.push({
        names,
        items: all.slice(0, at).map((item) => itemOf(names, item)),
        inProbe: true,
      });
    }
  }
  // A put that falls through to the return behind it: `if (ret) { …; put } return ret;`.
  for (const { stmt, siblings, index } of statementsOf(fn)) {
    if (
      !isPut(names, stmt) ||
      followed.has(stmt) ||
      !stays.some((root) => stmt.start >= root.start && stmt.end <= root.end)
    )
      continue;
    const from = siblings === list ? frame.register + 1 : 0;
    sites.push({
      names,
      items: siblings.slice(from, index).map((item) => itemOf(names, item)),
      inProbe: true,
    });
  }
  for (const other of frame.module.sources) {
    if (other === file) continue;
    // The object may be put there by a function that is not read here.
    const container = {
      tag: frame.tag,
      path: frame.member.split('.'),
      tags: [frame.tag, 'vfio_device'],
      unseen: null,
    };
    if (
      callSites(frame.module, other).some(
        (site) => site.op === 'put' && relate(site.scope, container, site.target).level >= 0,
      )
    )
      sites.push({ names, items: [], inProbe: false });
  }
  return [...elsewhere, ...sites];
}

function outerSites(frame: Frame, device: DeviceSource): PutSite[] {
  const sites: PutSite[] = [];
  for (const fn of frame.file.functions) {
    if (fn === frame.fn) continue;
    const puts = statementsOf(fn).filter(
      ({ stmt }) =>
        stmt.kind === 'expr' && callsUnder(stmt).some((call) => call.name === 'vfio_put_device'),
    );
    if (puts.length === 0) continue;
    for (const { stmt, siblings, index } of puts) {
      const names = namesOfOther(
        frame,
        device,
        fn,
        putVariable(frame, scopeOf(frame.module, frame.file, fn), stmt),
      );
      if (!isPut(names, stmt)) {
        if (mayBeObject(frame, names, stmt)) sites.push({ names, items: [], inProbe: false });
        continue;
      }
      let from = index;
      while (from > 0) {
        const before = siblings[from - 1]!;
        if (
          before.kind === 'label' ||
          before.kind === 'decl' ||
          before.kind === 'return' ||
          before.kind === 'goto' ||
          isEffectOn(names, before, 'unregister')
        )
          break;
        from--;
      }
      sites.push({
        names,
        items: siblings.slice(from, index).map((item) => itemOf(names, item)),
        inProbe: false,
      });
    }
  }
  return sites;
}

/** The variable of the object that a put is of; null where it is of another, or cannot be told. */
function putVariable({ tag, member }: Frame, scope: Scope, stmt: Stmt): string | null {
  const wanted = { tag, deviceField: member.split('.')[0]! };
  const given = callsUnder(stmt).find((call) => call.name === 'vfio_put_device')?.args[0];
  return given ? objectVariable(scope, wanted, given) : null;
}

/** A put through a bare `struct vfio_device *` or core device may be of this object. */
function mayBeObject(frame: Frame, names: Names, stmt: Stmt): boolean {
  return callsUnder(stmt).some(
    (call) =>
      call.name === 'vfio_put_device' &&
      call.args.some((arg) => {
        const { scope } = names;
        const inner = arg.kind === 'unary' && arg.op === '&' ? arg.operand : arg;
        const root = inner.kind === 'member' ? inner.base : inner;
        const type = typeOf(scope, root);
        return (
          type === null ||
          type.tag === frame.tag ||
          type.tag === 'vfio_device' ||
          type.tag === 'vfio_pci_core_device'
        );
      }),
  );
}

/**
 * What runs right before a put and may as well run in `.release`, which the put calls; oldest
 * first.
 */
export function privateTail(site: PutSite): Item[] {
  const tail: Item[] = [];
  const passed: Item[] = [];
  for (let at = site.items.length - 1; at >= 0; at--) {
    const item = site.items[at]!;
    if (isPrivate(site.names, item.stmt) && !uses(item, 'derived')) {
      // Those that stay behind it would be run before it.
      if (!passed.every((other) => mayRunBefore(other, item))) break;
      tail.unshift(item);
    } else if (!isPassable(item)) break;
    else passed.push(item);
  }
  return tail;
}

function mayRunBefore(later: Item, earlier: Item): boolean {
  return mayMoveOver(
    later.names.scope,
    useOf(later.names, later.stmt).footprint,
    useOf(earlier.names, earlier.stmt).footprint,
  );
}

function uses(item: Item, kind: 'scratch' | 'derived'): boolean {
  return [...useOf(item.names, item.stmt).locals].some(
    (name) => item.names.of.get(name)?.kind === kind,
  );
}

/**
 * The last of the statements at the end of a site that may stand in `.release` with the variables
 * that they compute with: those are set there before they are read, and are not read any more where
 * the statements were.
 */
export function movableEnd(site: PutSite, items: readonly Item[]): readonly Item[] {
  const computed = items.filter((item) => uses(item, 'scratch'));
  if (computed.length === 0) return items;
  const { names } = site;
  const scratch = new Set(
    computed.flatMap((item) =>
      [...useOf(names, item.stmt).locals].filter((name) => names.of.get(name)?.kind === 'scratch'),
    ),
  );
  const isReadEarly = (stmts: readonly Stmt[]): boolean =>
    checkAssignments(names.fn, stmts, scratch, new Set(), () => null).early.size > 0;
  const left = without(names.fn.body, new Set(items.map(({ stmt }) => stmt)));
  return isReadEarly(items.map(({ stmt }) => codeOf(names, stmt))) ||
    isReadEarly([codeOf(names, left)])
    ? items.slice(items.indexOf(computed.at(-1)!) + 1)
    : items;
}

/**
 * A message, the result that is about to be returned, or a count that has nothing to do with the
 * object.
 */
function isPassable({ names, stmt }: Item): boolean {
  if (isNeutral(names, stmt)) return true;
  return isAccounting(names, stmt) && !useOf(names, stmt).mentionsObject;
}

/** A statement that changes a count outside of the object and does nothing else. */
export function isAccounting(names: Names, stmt: Stmt): boolean {
  if (stmt.kind !== 'expr' || useOf(names, stmt).obstacle !== 'counter') return false;
  return callsUnder(stmt).every(
    (call) => call.name !== null && counterChange(call.name) !== undefined,
  );
}
