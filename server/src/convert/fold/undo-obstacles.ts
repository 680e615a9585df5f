/**
 * Says what keeps the undoing of a statement out of `.release`, and so the statement out of
 * `.init`.
 */
import type { Stmt } from '../../ir/types.ts';
import { textOf } from '../refusal-error.ts';
import type { Names } from './bindings.ts';
import { exitsOf, isNeutral } from './exits.ts';
import { callsUnder } from './probe-shape.ts';
import type { Selection } from './choose-moves.ts';
import type { Item, PutSite } from './put-sites.ts';
import type { Frame } from './types.ts';
import { endsWhatIsSetUp, isUndoOf } from './undo.ts';

/** The obstacle as the end of a sentence; null where it cannot be told. */
export function undoObstacle(
  frame: Frame,
  names: Names,
  stmt: Stmt,
  selection: Selection,
): string | null {
  const { sites } = selection;
  const undoes = (item: Item): boolean =>
    isUndoOf(stmt, names, item.stmt, item.names) ||
    endsWhatIsSetUp(stmt, names, item.stmt, item.names);
  const undoing = sites.filter((site) => site.items.some(undoes));
  const others = sites.filter((site) => !undoing.includes(site));
  if (undoing.length === 0) return null;
  const does = placesOf(frame, undoing);
  // An error path in front of the statement has nothing to undo: only places that never undo it
  // tell something.
  const lacks = placesOf(frame, others).filter((place) => !does.includes(place));
  if (lacks.length > 0)
    return `${does.join(' and ')} undoes it, and ${lacks.join(' and ')} does not`;
  return leftToHelper(frame, selection) ?? behindUndoing(selection, undoing, undoes);
}

function placesOf(frame: Frame, sites: readonly PutSite[]): string[] {
  const places = sites.map(({ inProbe, names: { fn } }) => {
    if (inProbe) return `an error path of ${fn.name}()`;
    return fn === frame.fn ? 'another file' : `${fn.name}()`;
  });
  return [...new Set(places)];
}

/**
 * The probe calls what undoes and puts where the register fails: then nothing of its own tells what
 * belongs together.
 */
function leftToHelper(frame: Frame, { sites, stays }: Selection): string | null {
  if (frame.returnsObject) return null;
  const putters = new Set(sites.filter((site) => !site.inProbe).map((site) => site.names.fn.name));
  const called = frame.list
    .slice(frame.register)
    .flatMap(callsUnder)
    .find(({ name }) => name !== null && putters.has(name));
  // A way out of what stays for a reason of its own is one of the probe's own.
  const own = stays.some(
    ({ stmt, why }) =>
      why !== 'order' && why !== 'test' && why !== 'undo' && exitsOf(frame.fn, stmt).length > 0,
  );
  return called && !own
    ? `${frame.fn.name}() leaves its undoing to ${called.name}() when the registration fails`
    : null;
}

/** What stays between the undoing and the put. */
function behindUndoing(
  { undone }: Selection,
  undoing: readonly PutSite[],
  undoes: (item: Item) => boolean,
): string | null {
  const moving = new Set(undone.map((item) => item.text));
  for (const { items, names } of undoing) {
    const behind = items.slice(items.findIndex(undoes) + 1);
    const blocker = behind.find(
      (item) => !undoes(item) && !moving.has(item.text) && !isNeutral(names, item.stmt),
    );
    if (!blocker) continue;
    const text = textOf(names.file, blocker.stmt).replace(/\s+/g, ' ');
    return `\`${text}\` in ${names.fn.name}() stays after its undoing`;
  }
  return null;
}
