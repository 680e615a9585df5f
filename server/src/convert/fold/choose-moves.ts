/** Chooses the statements that may move into `.init` and `.release`. */
import type { CallExpr, Expr, Stmt } from '../../ir/types.ts';
import { addressedBy, changedBy } from '../../ir/assigned.ts';
import { soundsLikeComputation } from '../../kernel/heuristics.ts';
import { isFixedGetter } from '../../kernel/casts.ts';
import { isValueOrTest } from '../../kernel/macros.ts';
import { isView } from '../../kernel/casts.ts';
import { isLog } from '../../kernel/heuristics.ts';
import { removalOf } from '../rewrite/layout.ts';
import { allExpressions, expressionsIn, namesIn } from '../../lifecycle/module/statements.ts';
import { textOf } from '../refusal-error.ts';
import { isConstant, isMutable, type DeviceSource, type Names } from './bindings.ts';
import { checkAssignments, type Assigned } from './definite.ts';
import {
  errnoOf,
  exitsOf,
  handsOnError,
  isNeutral,
  isPut,
  ladderFrom,
  type Exit,
} from './exits.ts';
import {
  codeOf,
  codeUnder,
  commutes,
  isMessage,
  namesInMacros,
  useOf,
  without,
  type ObjectUse,
  type Obstacle,
} from './movability.ts';
import { mayBePositive } from './positive-results.ts';
import { under } from './probe-shape.ts';
import {
  isPrivate,
  movableEnd,
  privateTail,
  putSites,
  type Item,
  type PutSite,
} from './put-sites.ts';
import { NothingToFold, type Frame } from './types.ts';
import { isUndoOf, normalStatement, endsWhatIsSetUp, normalText, owesNothing } from './undo.ts';

/**
 * What moves: statements of the probe into `.init`, and statements before each put into `.release`.
 */
export interface Selection {
  readonly moved: readonly Stmt[];
  /**
   * What `.release` undoes, as one function that puts has it; the texts of the same statements
   * elsewhere are equal.
   */
  readonly undone: readonly Item[];
  readonly sites: readonly PutSite[];
  /** Statements between the allocation and the register that stay, and why. */
  readonly stays: readonly { readonly stmt: Stmt; readonly why: Obstacle | Stay }[];
}

/** Why a statement stays that could be in a callback by itself. */
type Stay = 'order' | 'undo' | 'exit' | 'result' | 'test';

interface Unit {
  readonly stmt: Stmt;
  readonly print: ObjectUse;
  readonly exits: readonly Exit[];
}

/**
 * Chooses the largest set of statements that may run inside vfio_alloc_device() without a
 * difference that anyone can see but the time of
 * the undoing. Throws NothingToFold when there is none.
 */
export function select(frame: Frame, names: Names, device: DeviceSource): Selection {
  const { fn, list } = frame;
  const units = list
    .slice(frame.check + 1, frame.register)
    .map((stmt): Unit => ({ stmt, print: useOf(names, stmt), exits: exitsOf(fn, stmt) }));
  const failing = failingExit(frame, names);
  const end = ladderStart(list, frame.register);
  const barred = new Map<Stmt, Stay>();
  let sites: PutSite[] = [];
  for (;;) {
    const { moved, stays } = scan(frame, names, units, failing, barred);
    const kept = list.filter((stmt, index) => index > frame.check && !moved.includes(stmt));
    const leaking = lostValues(names, moved, kept);
    if (leaking) {
      barred.set(leaking, 'result');
      continue;
    }
    const untested = withoutTest(units, names, moved);
    if (untested) {
      barred.set(untested, 'test');
      continue;
    }
    if (!moved.some((stmt) => useOf(names, stmt).mentionsObject)) {
      // What stays only because something else does is not the reason.
      const first = stays.find(({ why }) => why !== 'order' && why !== 'test') ?? stays[0];
      throw new NothingToFold(
        first
          ? `Nothing between the allocation and the registration of ${fn.name}() can move: \`${firstLine(textOf(frame.file, first.stmt))}\` stays because ${WHY[first.why]}.`
          : `${fn.name}() builds nothing in \`${frame.variable}\` between the allocation and the registration.`,
        first ? { path: frame.file.path, start: first.stmt.start, end: first.stmt.end } : null,
      );
    }
    sites = putSites(
      frame,
      names,
      device,
      list.slice(frame.check + 1, end).filter((stmt) => !moved.includes(stmt)),
    );
    const undone = commonTail(frame, sites, units, names, moved);
    const stuck = stuckUndo(frame, units, names, moved, sites, undone);
    if (!stuck) return { moved, undone, sites, stays };
    barred.set(stuck, 'undo');
  }
}

/** The head of a statement, for a sentence. */
function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? '').trim();
}

/** Why something stays, as the end of a sentence. */
export const WHY: Readonly<Record<Obstacle | Stay, string>> = {
  counter: 'it counts something outside the device',
  global: 'it touches something outside the device',
  elsewhere: 'it makes the device visible to other code, or belongs to the binding of the driver',
  apart: 'it does not concern the device',
  managed: 'devres releases the resource at unbind, not with the device',
  drvdata: 'drvdata belongs to the parent',
  lock: 'a lock is held',
  local: 'it uses something that only probe has',
  'life-cycle': 'it is part of the life cycle itself',
  shape: 'it cannot be followed',
  order: 'it must come after something that stays',
  undo: 'its undoing cannot move to .release completely',
  exit: 'its error path differs from that of the allocation',
  result: 'its result is still used by something that stays',
  test: 'the test of its result stays',
};

interface Failing {
  readonly publics: readonly string[];
  readonly texts: ReadonlySet<string>;
  /** What is said when the allocation fails. */
  readonly messages: readonly string[];
  readonly handsOn: boolean;
}

/**
 * What the probe does when the allocation fails, which after the fold is also when `.init` fails.
 */
function failingExit(frame: Frame, names: Names): Failing | null {
  const exits = exitsOf(frame.fn, frame.test);
  const exit = exits[0];
  if (exits.length !== 1 || !exit?.end) return null;
  const all = [...exit.body, ...exit.ladder];
  return {
    publics: publicsOf(names, all),
    texts: new Set(all.map((stmt) => normalStatement(names, stmt))),
    messages: messagesIn(names, exit),
    handsOn:
      handsOnError(exit, frame.test) &&
      !all.some((stmt) => isPut(names, stmt) || isPrivate(names, stmt)),
  };
}

/** The messages on a way out, also those that a return or an assignment holds. */
function messagesIn(names: Names, exit: Exit): string[] {
  const all = [
    ...exit.body,
    ...exit.ladder,
    exit.leave,
    ...(exit.end && exit.end !== exit.leave ? [exit.end] : []),
  ];
  return all
    .flatMap(under)
    .flatMap(allExpressions)
    .flatMap((expr) =>
      expr.kind === 'call' && expr.name !== null && isLog(expr.name)
        ? [normalText(names, expr, expressionsIn(expr))]
        : [],
    );
}

function publicsOf(names: Names, items: readonly Stmt[]): string[] {
  return items
    .filter((stmt) => !isPut(names, stmt) && !isNeutral(names, stmt) && !isPrivate(names, stmt))
    .map((stmt) => normalStatement(names, stmt));
}

function scan(
  frame: Frame,
  names: Names,
  units: readonly Unit[],
  failing: Failing | null,
  barred: ReadonlyMap<Stmt, Stay>,
): { moved: Stmt[]; stays: Selection['stays'][number][] } {
  const moved: Stmt[] = [];
  const stays: Selection['stays'][number][] = [];
  const staying: Unit[] = [];
  const scratch = new Set(
    [...names.of].flatMap(([name, binding]) => (binding.kind === 'scratch' ? [name] : [])),
  );
  let assigned: Assigned = new Set(
    [...names.of].flatMap(([name, binding]) =>
      binding.kind === 'scratch' && binding.initial ? [name] : [],
    ),
  );
  for (const unit of units) {
    const { stmt } = unit;
    const barrier =
      barred.get(stmt) ??
      obstacleOf(frame, names, unit, failing) ??
      (staying.every((other) => mayPass(frame, names, other, unit)) ? null : 'order');
    const check = checkAssignments(names.fn, [codeOf(names, stmt)], scratch, assigned, (label) =>
      readBehind(frame, names, label),
    );
    if (barrier === null && check.early.size === 0) {
      moved.push(stmt);
      assigned = check.out ?? assigned;
      continue;
    }
    staying.push(unit);
    stays.push({ stmt, why: barrier ?? 'local' });
    // What the staying statement computes is not there in the callback.
    const written = writtenIn(names, stmt);
    assigned = new Set([...(assigned ?? [])].filter((name) => !written.has(name)));
  }
  return { moved, stays };
}

/** Behind a label a jump may lead back to it, and do again what would only be done once. */
function mayPass(frame: Frame, names: Names, staying: Unit, moved: Unit): boolean {
  return (
    !under(staying.stmt).some((inner) => inner.kind === 'label') &&
    commutes(names, frame.tag, staying.print, moved.print)
  );
}

/**
 * The names that are read behind a label by what a callback keeps of it; null when it cannot be
 * followed.
 */
function readBehind(frame: Frame, names: Names, label: string): string[] | null {
  const { ladder, end } = ladderFrom(frame.fn, label);
  if (!end) return null;
  return [
    ...ladder
      .filter((stmt) => isPrivate(names, stmt))
      .flatMap((stmt) => under(stmt).flatMap(allExpressions).flatMap(namesIn)),
    ...(end.value ? namesIn(end.value) : []),
  ];
}

function obstacleOf(
  frame: Frame,
  names: Names,
  { stmt, print, exits }: Unit,
  failing: Failing | null,
): Obstacle | 'exit' | null {
  if (stmt.kind === 'decl' || stmt.kind === 'return' || stmt.kind === 'goto') return 'shape';
  const obstacle = print.leaves ? obstacleWithoutExits(frame, names, stmt) : print.obstacle;
  if (obstacle) return obstacle;
  if (!print.mentionsObject && !isMessage(names, stmt)) {
    const computes = print.calls.every(
      (call) =>
        call.name !== null &&
        (soundsLikeComputation(call.name) ||
          isFixedGetter(call.name) ||
          isView(call.name) ||
          isValueOrTest(call.name) ||
          isLog(call.name) ||
          /^[A-Z][A-Z0-9_]*$/.test(call.name)),
    );
    const usesScratch = [...print.locals].some((name) => names.of.get(name)?.kind === 'scratch');
    const readsGlobal = under(stmt)
      .flatMap(allExpressions)
      .some(
        (expr) =>
          expr.kind === 'name' && !names.of.has(expr.name) && isMutable(frame.file, expr.name),
      );
    if (!computes || !usesScratch || readsGlobal) return 'apart';
  }
  if (!removalOf(frame.file.text, frame.file.comments, stmt).wholeLines) return 'shape';
  const isOwn = (exit: Exit): boolean => {
    const value = errnoOf(frame, exit.end);
    return (
      isOwnExit(frame, names, exit, failing) &&
      (value === null || !mayBePositive(names, stmt, exit, value))
    );
  };
  return exits.every(isOwn) ? null : 'exit';
}

/**
 * The obstacle in a statement, but for the puts and counts on its ways out, which the probe does
 * itself when `.init` fails.
 */
function obstacleWithoutExits(frame: Frame, names: Names, stmt: Stmt): Obstacle | null {
  const leaving = new Set(
    exitsOf(frame.fn, stmt)
      .flatMap((exit) => exit.body)
      .filter(
        (item) =>
          isPut(names, item) ||
          (!isPrivate(names, item) && !isNeutral(names, item) && item.kind === 'expr'),
      ),
  );
  if (leaving.size === 0) return useOf(names, stmt).obstacle;
  return useOf(names, without(stmt, leaving)).obstacle;
}

/** A way out on which the object is put and nothing else is done than when the allocation fails. */
function isOwnExit(frame: Frame, names: Names, exit: Exit, failing: Failing | null): boolean {
  if (!failing?.handsOn || !exit.end) return false;
  const all = [...exit.body, ...exit.ladder];
  const puts = all.filter((stmt) => isPut(names, stmt));
  if (puts.length !== 1) return false;
  const at = all.indexOf(puts[0]!);
  if (all.slice(at + 1).some((stmt) => isPrivate(names, stmt))) return false;
  const publics = publicsOf(names, all);
  if (
    publics.length !== failing.publics.length ||
    publics.some((text, index) => text !== failing.publics[index])
  )
    return false;
  // What the allocation says when it fails would be said of this step too.
  const said = messagesIn(names, exit);
  if (!failing.messages.every((message) => said.includes(message))) return false;
  // A message or a result on the ladder would be lost, unless the probe comes by it when the
  // allocation fails.
  if (
    exit.ladder.some(
      (stmt) => isNeutral(names, stmt) && !failing.texts.has(normalStatement(names, stmt)),
    )
  )
    return false;
  const value = errnoOf(frame, exit.end);
  if (!value || (value.kind === 'number' && value.value === 0)) return false;
  return (
    namesIn(value).every((name) => {
      const kind = names.of.get(name)?.kind;
      return kind === undefined || kind === 'scratch' || kind === 'object';
    }) && !isTangled(frame, exit)
  );
}

/** The ladder of a way out has to lie in one piece, so that it can be written once for all. */
function isTangled(frame: Frame, exit: Exit): boolean {
  const places = exit.ladder.map((stmt) => frame.list.indexOf(stmt));
  return places.some(
    (place, index) =>
      index > 0 &&
      frame.list.slice(places[index - 1]! + 1, place).some((stmt) => stmt.kind !== 'label'),
  );
}

/** A moved statement whose result is still read by what stays. */
function lostValues(names: Names, moved: readonly Stmt[], kept: readonly Stmt[]): Stmt | null {
  const written = new Set(
    moved
      .flatMap((stmt) => [...writtenIn(names, stmt)])
      .filter((name) => names.of.get(name)?.kind === 'scratch'),
  );
  const { early } = checkAssignments(
    names.fn,
    kept.flatMap((stmt) => withHiddenReads(names, stmt, written)),
    written,
    new Set(),
    () => null,
  );
  if (early.size === 0) return null;
  for (let at = moved.length - 1; at >= 0; at--)
    if ([...writtenIn(names, moved[at]!)].some((name) => early.has(name))) return moved[at]!;
  return null;
}

/**
 * A macro may read locals that its text names, and every local where it is not understood: as a
 * statement in front that names them.
 */
function withHiddenReads(names: Names, stmt: Stmt, all: ReadonlySet<string>): Stmt[] {
  const isOpaque = useOf(names, stmt).footprint.reads.some(({ place }) => place.kind === 'locals');
  const read = isOpaque ? all : namesInMacros(names, stmt);
  if (read.size === 0) return [codeOf(names, stmt)];
  return [
    {
      kind: 'unknown',
      names: [...read],
      calls: [],
      opaque: false,
      start: stmt.start,
      end: stmt.start,
    },
    codeOf(names, stmt),
  ];
}

/**
 * A moved statement whose outcome is tested, in a member of the object, by one that stays: the two
 * belong together.
 */
function withoutTest(units: readonly Unit[], names: Names, moved: readonly Stmt[]): Stmt | null {
  for (const [index, test] of units.entries()) {
    if (!test.print.leaves || moved.includes(test.stmt)) continue;
    const tested = testedMembers(names, test);
    const taking = units
      .slice(0, index)
      .reverse()
      .find(
        ({ stmt, print }) =>
          moved.includes(stmt) &&
          print.calls.length > 0 &&
          [...print.writes].some((field) => tested.has(field)),
      );
    if (taking) return taking.stmt;
  }
  return null;
}

/** The members that the condition of a test asks for, or a macro that may hold one. */
function testedMembers(names: Names, { stmt, print }: Unit): ReadonlySet<string> {
  if (stmt.kind !== 'if') return codeOf(names, stmt) === stmt ? new Set() : print.reads;
  const { condition: expr } = stmt;
  return useOf(names, { kind: 'expr', expr, start: expr.start, end: expr.end }).reads;
}

function writtenIn(names: Names, stmt: Stmt): Set<string> {
  const written = new Set<string>();
  for (const inner of codeUnder(names, stmt)) {
    if (inner.kind === 'decl') written.add(inner.name);
    for (const expr of allExpressions(inner)) {
      const target = changedBy(expr) ?? addressedBy(expr);
      if (target?.kind === 'name') written.add(target.name);
    }
  }
  return written;
}

/** Index of the first label behind the success of the probe. */
export function ladderStart(list: readonly Stmt[], register: number): number {
  const at = list.findIndex((stmt, index) => index >= register && stmt.kind === 'return');
  return at < 0 ? list.length : at + 1;
}

/**
 * What every put has right in front of it, in the same order, and what belongs to statements that
 * move.
 */
function commonTail(
  frame: Frame,
  sites: readonly PutSite[],
  units: readonly Unit[],
  names: Names,
  moved: readonly Stmt[],
): Item[] {
  const own = sites.find((site) => !site.inProbe);
  if (!own || (!frame.returnsObject && !sites.some((site) => site.inProbe))) return [];
  const tails = sites.map(privateTail);
  let tail = privateTail(own);
  for (const other of tails) {
    let length = 0;
    while (
      length < tail.length &&
      length < other.length &&
      tail[tail.length - 1 - length]!.text === other[other.length - 1 - length]!.text
    )
      length++;
    tail = tail.slice(tail.length - length);
  }
  for (let at = tail.length - 1; at >= 0; at--) {
    const owners = ownersOf(tail[at]!, units, names, sites);
    if (owners.length > 0 && owners.every((stmt) => moved.includes(stmt))) continue;
    tail = tail.slice(at + 1);
    break;
  }
  let kept = tail.length;
  // Each has the same texts at its end.
  sites.forEach((site, index) => {
    const items = tails[index]!;
    kept = Math.min(kept, movableEnd(site, items.slice(items.length - tail.length)).length);
  });
  return tail.slice(tail.length - kept);
}

/** The statements between the allocation and the register that an item undoes. */
function ownersOf(
  item: Item,
  units: readonly Unit[],
  names: Names,
  sites: readonly PutSite[],
): Stmt[] {
  const known = units
    .filter(({ stmt }) => isUndoOf(stmt, names, item.stmt, item.names))
    .map(({ stmt }) => stmt);
  if (known.length > 0) return known;
  // By the ladder: what is undone from some failure on, and not at the failures before, was done in
  // between.
  const has = (exit: Exit): boolean =>
    [...exit.body, ...exit.ladder].some((stmt) => normalStatement(names, stmt) === item.text);
  let from = 0;
  let to = units.length;
  units.forEach((unit, index) => {
    if (unit.exits.length === 0 || to < units.length) return;
    if (unit.exits.some(has)) to = index;
    // Where the test only looks, what it tests was taken in front of it.
    else from = unit.print.calls.some(takes) ? index : Math.max(index - 1, 0);
  });
  const between = units
    .slice(from, to)
    .filter(
      ({ stmt, print }) =>
        print.mentionsObject &&
        print.calls.some(takes) &&
        print.obstacle !== 'drvdata' &&
        !isMessage(names, stmt),
    );
  const inProbe = sites.some(
    (site) => site.inProbe && site.items.some((other) => other.text === item.text),
  );
  const last = between.filter(({ stmt }) => !owesNothing(names, stmt));
  if (!inProbe) return [];
  if (last.length > 0) return last.map(({ stmt }) => stmt);
  // What a failure undoes by itself it has taken in part.
  const failing = units[to];
  return failing && failing.print.calls.length > 0 ? [failing.stmt] : [];
}

/** A call that may take something: more than a view of a device or a computation. */
function takes({ name }: CallExpr): boolean {
  return name === null || !(isView(name) || isFixedGetter(name) || soundsLikeComputation(name));
}

/** A moved statement that something undoes which cannot go to `.release`. */
function stuckUndo(
  frame: Frame,
  units: readonly Unit[],
  names: Names,
  moved: readonly Stmt[],
  sites: readonly PutSite[],
  undone: readonly Item[],
): Stmt | null {
  const texts = new Set(undone.map((item) => item.text));
  const left = sites
    .flatMap((site) => site.items)
    .filter((item) => !texts.has(item.text) && !isNeutral(item.names, item.stmt));
  for (const stmt of moved) {
    if (
      owesNothing(names, stmt) &&
      !left.some((item) => endsWhatIsSetUp(stmt, names, item.stmt, item.names))
    )
      continue;
    if (owesNothing(names, stmt)) return stmt;
    if (left.some((item) => isUndoOf(stmt, names, item.stmt, item.names))) return stmt;
  }
  // By the ladder, for what no name tells.
  const early = undoneEarly(frame, names);
  for (const item of left) {
    if (!isPrivate(item.names, item.stmt) && !early.has(item.text)) continue;
    if (isPut(item.names, item.stmt) || !useOf(item.names, item.stmt).mentionsObject) continue;
    if (units.some(({ stmt }) => isUndoOf(stmt, names, item.stmt, item.names))) continue;
    const owner = ownersOf(item, units, names, sites).find((stmt) => moved.includes(stmt));
    if (owner) return owner;
  }
  return null;
}

/** What the ways out up to a failed register undo: nothing that is done behind the register. */
function undoneEarly({ fn, list, check, register }: Frame, names: Names): ReadonlySet<string> {
  const tests = list.slice(register, register + 2).flatMap(under);
  const exits = list.slice(check + 1, register + 2).flatMap((stmt) => exitsOf(fn, stmt));
  return new Set(
    [...tests, ...exits.flatMap((exit) => [...exit.body, ...exit.ladder])].map((stmt) =>
      normalStatement(names, stmt),
    ),
  );
}

/** A constant or a name: what a callback can return in place of a goto. */
export function isPlainResult(value: Expr | null): value is Expr {
  return value !== null && (value.kind === 'name' || isConstant(value));
}
