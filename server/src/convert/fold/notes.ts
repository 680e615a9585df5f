/** The notes of a fold: what runs at another time, and what a person has to decide. */
import type { Expr, Stmt } from '../../ir/types.ts';
import { allExpressions, statementsOf, uncast } from '../../lifecycle/module/statements.ts';
import { textOf } from '../refusal-error.ts';
import type { Names } from './bindings.ts';
import { callNamesIn, useOf } from './movability.ts';
import { under } from './probe-shape.ts';
import { WHY, type Selection } from './choose-moves.ts';
import { isAccounting } from './put-sites.ts';
import type { FoldNote, Frame, Moved } from './types.ts';
import { undoObstacle } from './undo-obstacles.ts';
import { append } from '../../text/lists.ts';

/**
 * Short forms of what a moved statement builds: the functions that it calls, or else the members
 * that it sets.
 */
function builtBy(frame: Frame, root: Stmt): string[] {
  const failing = failingBranches(root);
  return under(root)
    .filter((stmt) => !failing.has(stmt))
    .flatMap((stmt) => {
      const exprs = allExpressions(stmt);
      const names = callNamesIn(exprs).filter((name) => name !== 'vfio_put_device');
      if (names.length > 0) return names.map((name) => `${name}()`);
      return exprs.flatMap((expr) =>
        expr.kind === 'assign' ? memberForm(frame, expr.target) : [],
      );
    });
}

/** The statements of branches that leave: all that a moved statement does there is to give up. */
function failingBranches(root: Stmt): ReadonlySet<Stmt> {
  const branches = under(root).flatMap((stmt) =>
    stmt.kind === 'if' ? [stmt.then, ...(stmt.otherwise ? [stmt.otherwise] : [])] : [],
  );
  return new Set(branches.filter(leaves).flatMap(under));
}

function leaves(branch: Stmt): boolean {
  const last = branch.kind === 'block' ? branch.body[branch.body.length - 1] : branch;
  return last?.kind === 'goto' || last?.kind === 'return';
}

/**
 * `state->memory`, `state->port[0].size`: the target of an assignment where it lies in the object.
 */
function memberForm(frame: Frame, target: Expr): string[] {
  let root = uncast(target);
  while (root.kind === 'member' || root.kind === 'index') root = uncast(root.base);
  if (root === uncast(target) || root.kind !== 'name' || root.name !== frame.variable) return [];
  return [oneLine(textOf(frame.file, uncast(target)))];
}

export function movedOf(
  frame: Frame,
  selection: Selection,
  init: string,
  release: string | null,
): Moved {
  return {
    probe: frame.fn.name,
    tag: frame.tag,
    init,
    release,
    built: [...new Set(selection.moved.flatMap((stmt) => builtBy(frame, stmt)))],
    undone: [
      ...new Set(
        selection.undone.flatMap((item) =>
          callNamesIn(under(item.stmt).flatMap(allExpressions)).map((name) => `${name}()`),
        ),
      ),
    ],
    fromErrorPath: selection.sites.some((site) => site.inProbe),
    from: [
      ...new Set(selection.sites.filter((site) => !site.inProbe).map((site) => site.names.fn.name)),
    ],
  };
}

/**
 * What a person should know of a fold: what runs at another time, and what waits for a decision.
 * Places are in the text before it.
 */
export function notesOf(
  frame: Frame,
  names: Names,
  selection: Selection,
  moved: Moved,
  labels: readonly string[],
): FoldNote[] {
  const { file, fn } = frame;
  const notes: FoldNote[] = [];
  const add = (kind: FoldNote['kind'], text: string, about: string): void =>
    void notes.push({ kind, places: [], about, say: () => text });
  add(
    'moved',
    `${moved.init}() now does the set-up that ${fn.name}() did before the registration; vfio_alloc_device() calls it.`,
    moved.init,
  );
  if (moved.release) {
    add(
      'review',
      `${moved.release}() now does ${moved.undone.join(', ')}: at the last put, which may be after ${moved.from.join('() and ')}() ${moved.from.length > 1 ? 'have' : 'has'} returned.`,
      moved.release,
    );
  }
  // What stays only because something else does is one note.
  const reasons = selection.stays.filter(
    ({ why }) => why !== 'counter' && why !== 'drvdata' && why !== 'order' && why !== 'test',
  );
  for (const { stmt, why } of reasons) {
    const text = oneLine(textOf(file, stmt));
    const because =
      (why === 'undo' ? undoObstacle(frame, names, stmt, selection) : null) ?? WHY[why];
    notes.push({
      kind: 'review',
      places: [stmt.start],
      say: ([line]) =>
        `${line === undefined ? `\`${text}\`` : `Line ${line} of the result, \`${text}\`,`} stays in ${fn.name}(): ${because}.`,
    });
  }
  append(notes, inOrder(frame, selection));
  append(notes, accounting(frame, names, selection));
  for (const label of labels)
    add(
      'label',
      `Label ${label} in ${fn.name}() was removed: nothing is left between it and the next.`,
      fn.name,
    );
  return notes;
}

/**
 * What could move by itself and stays behind what stays. The test of its result goes without
 * saying.
 */
function inOrder(frame: Frame, { stays }: Selection): FoldNote[] {
  const texts = stays.flatMap(({ stmt, why }) =>
    why === 'order' && stmt.kind === 'expr' && builtBy(frame, stmt).length > 0
      ? [`\`${oneLine(textOf(frame.file, stmt))}\``]
      : [],
  );
  if (texts.length === 0) return [];
  const verb = texts.length > 1 ? 'stay' : 'stays';
  const text = `${texts.join(', ')} ${verb} in ${frame.fn.name}() too: it must come after something that stays.`;
  return [{ kind: 'moved', places: [], about: frame.fn.name, say: () => text }];
}

/**
 * Counts that the probe and others change stay where they are; whether they should follow the
 * device's life is for a person to say.
 */
function accounting(frame: Frame, names: Names, selection: Selection): FoldNote[] {
  const counts = statementsOf(frame.fn).flatMap(({ stmt }) =>
    (stmt.kind === 'loop' ? useOf(names, stmt).obstacle === 'counter' : isAccounting(names, stmt))
      ? [stmt.start]
      : [],
  );
  if (counts.length === 0) return [];
  const others = [
    ...new Set(
      selection.sites
        .filter(
          (site) =>
            !site.inProbe &&
            statementsOf(site.names.fn).some(({ stmt }) => isAccounting(site.names, stmt)),
        )
        .map((site) => `${site.names.fn.name}()`),
    ),
  ];
  const linesIn = (lines: readonly number[]): string =>
    lines.length === 0
      ? ''
      : ` (${new Set(lines).size > 1 ? 'lines' : 'line'} ${[...new Set(lines)].join(', ')} of the result)`;
  return [
    {
      kind: 'review',
      places: counts,
      say: (lines) =>
        `Accounting stays in ${[`${frame.fn.name}()${linesIn(lines)}`, ...others].join(' and ')}: decide whether the count should follow the life of the device instead.`,
    },
  ];
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
