/** What goes from the functions that are there once their state has moved. */
import type { Edit } from '../../text/span.ts';
import type { FunctionIr, LabelStmt, Stmt } from '../../ir/types.ts';
import { hiddenJumps } from '../query/hidden-jumps.ts';
import { removalOf, type Removal } from '../rewrite/layout.ts';
import { statementsOf } from '../../lifecycle/module/statements.ts';
import { under } from './probe-shape.ts';
import { bracesOf, removalsOf } from './lines.ts';
import { ladderStart, type Selection } from './choose-moves.ts';
import { NothingToFold, type Frame } from './types.ts';
import { append } from '../../text/lists.ts';

/**
 * What goes from the functions that exist: the statements that move, what is undone elsewhere now,
 * and labels that nothing jumps to.
 */
export interface Leftovers {
  readonly edits: readonly Edit[];
  readonly removals: readonly Removal[];
  readonly functions: ReadonlySet<FunctionIr>;
  /** For the notes. */
  readonly labels: readonly string[];
}

export function leftovers(frame: Frame, selection: Selection): Leftovers {
  const { file, fn, list } = frame;
  const gone = new Set<Stmt>(selection.moved);
  const functions = new Set<FunctionIr>([fn]);
  const texts = selection.undone.map((item) => item.text);
  for (const site of selection.sites) {
    // From the end, one for one: the same statement may stand there a second time for another
    // reason.
    let next = texts.length - 1;
    for (let at = site.items.length - 1; at >= 0 && next >= 0; at--) {
      if (site.items[at]!.text !== texts[next]) continue;
      gone.add(site.items[at]!.stmt);
      functions.add(site.names.fn);
      next--;
    }
  }
  const edits: Edit[] = [];
  const removals: Removal[] = [];
  const kept = (stmt: Stmt): boolean => !gone.has(stmt);

  const jumps = new Set(
    list
      .filter(kept)
      .flatMap((stmt) => under(stmt))
      .flatMap((stmt) => (stmt.kind === 'goto' ? [stmt.label] : [])),
  );
  // What only the statements that moved could reach goes with them.
  let reachable = false;
  for (let at = ladderStart(list, frame.register); at < list.length; at++) {
    const stmt = list[at]!;
    if (stmt.kind === 'label' && jumps.has(stmt.name)) reachable = true;
    if (!reachable) gone.add(stmt);
    if (stmt.kind === 'return' || stmt.kind === 'goto') reachable = false;
  }
  const { pinned } = hiddenJumps(frame.module, file, fn);
  const dropped: string[] = [];
  let group: LabelStmt[] = [];
  const close = (): void => {
    const used = group.filter((label) => jumps.has(label.name));
    const target = group[group.length - 1];
    if (target && used.length > 0) {
      for (const label of group) if (label !== target) gone.add(label);
      for (const label of used) {
        if (label === target) continue;
        dropped.push(label.name);
        for (const { stmt } of statementsOf(fn)) {
          if (stmt.kind === 'goto' && stmt.label === label.name && !isUnder(stmt, gone))
            edits.push({ span: stmt.labelSpan, newText: target.name });
        }
      }
    } else for (const label of group) gone.add(label);
    group = [];
  };
  for (const stmt of list) {
    if (stmt.kind === 'label' && !gone.has(stmt)) group.push(stmt);
    else if (!gone.has(stmt)) close();
  }
  close();
  for (const stmt of gone) {
    if (stmt.kind !== 'label' || !pinned.has(stmt.name)) continue;
    throw new NothingToFold(
      `The label ${stmt.name} of ${fn.name}() would be removed, and an unknown macro may lead to it.`,
      { path: file.path, start: stmt.start, end: stmt.end },
    );
  }
  for (const stmt of gone)
    append(
      removals,
      stmt.kind === 'label' ? [removalOf(file.text, file.comments, stmt)] : removalsOf(file, stmt),
    );
  for (const owner of functions) {
    const braces = bracesOf(file, owner.body, gone, removals);
    append(edits, braces.edits);
    append(removals, braces.removals);
  }
  return { edits, removals, functions, labels: dropped };
}

function isUnder(stmt: Stmt, gone: ReadonlySet<Stmt>): boolean {
  return [...gone].some((other) => stmt.start >= other.start && stmt.end <= other.end);
}
