/** The text edits of a plan. */
import type { Edit, Span } from '../../text/span.ts';
import { indentUnit, lineEnding, lineWidth } from '../../text/style.ts';
import type { CommentIr, FileIr, Stmt } from '../../ir/types.ts';
import { argumentComments } from '../plan/argument-comments.ts';
import { widest, type Piece } from './arrange.ts';
import { errorBranchEdits } from './branch.ts';
import {
  columnOf,
  commentsAbove,
  indentAt,
  joinRemovals,
  lineStart,
  removalOf,
  wrapCall,
  type Removal,
} from './layout.ts';
import { reviewNotes } from '../plan/remarks.ts';
import { statementsOf } from '../../lifecycle/module/statements.ts';
import { placeOf, siteOf, splitEdits } from '../modules/merge.ts';
import { tableEdits } from './table-text.ts';
import {
  EDIT_KINDS,
  type AllocationPlan,
  type ConversionPlan,
  type DevicePlan,
  type EditKind,
  type InFile,
  type PlannedEdit,
  type PlannedEdits,
  type UninitPlan,
} from '../types.ts';
import { unusedLocals, type Unused } from './unused.ts';
import { append } from '../../text/lists.ts';

/**
 * The text edits of a plan, document by document, each in its own style: indentation, line endings,
 * alignment and comments stay
 * what they are. Edits are sorted and do not overlap; offsets are UTF-16 code units of the
 * documents that were planned.
 */
export function editsOf(plan: ConversionPlan): PlannedEdits {
  const perFile = filesOf(plan).map((file) => ({ file, ...fileEdits(plan, file) }));
  return {
    edits: byDocument(perFile.flatMap((item) => splitEdits(item.file, item.edits))),
    notes: [
      ...plan.notes,
      ...reviewNotes(
        perFile.flatMap((item) =>
          item.notes.map(({ text, at }) => ({ text, site: siteOf(item.file, at) })),
        ),
      ),
    ],
    touched: touchedBy(plan),
  };
}

/**
 * One entry for each document: two merged documents may have one in common, and then say the same
 * of it.
 */
function byDocument(files: PlannedEdits['edits']): PlannedEdits['edits'] {
  return [...new Set(files.map((file) => file.path))].map((path) => {
    const own = files.filter((file) => file.path === path);
    const edits = own.flatMap((file) => file.edits);
    const unique = new Map(
      edits.map((edit) => [`${edit.span.start} ${edit.span.end} ${edit.newText}`, edit]),
    );
    return own.length === 1 ? own[0]! : { path, edits: tidy([...unique.values()]) };
  });
}

/**
 * The documents that a plan speaks of: the one that was asked for, then the others in the order of
 * the plan.
 */
export function filesOf(plan: ConversionPlan): FileIr[] {
  const parts = plan.devices.flatMap((device): InFile[] => [
    ...device.allocations,
    ...device.uninits,
    ...device.frees,
    ...device.labels,
    ...device.moves,
  ]);
  return [
    ...new Set([
      plan.file,
      ...parts.map((part) => part.file),
      ...plan.tables.map((table) => table.file),
    ]),
  ];
}

/** The edits of one document. */
function fileEdits(
  plan: ConversionPlan,
  file: FileIr,
): { readonly edits: PlannedEdit[]; readonly notes: Unused['notes'] } {
  const { text } = file;
  const styleAt = (
    offset: number,
  ): { readonly eol: string; readonly unit: string; readonly width: number } => {
    const own = placeOf(file, offset).file.text;
    return { eol: lineEnding(own), unit: indentUnit(own), width: lineWidth(own) };
  };
  const edits: PlannedEdit[] = [];
  const removals: Removal[] = [];
  const isHere = (part: InFile): boolean => part.file === file;
  const add = (kind: EditKind, made: readonly Edit[]): void =>
    void append(
      edits,
      made.map((edit) => ({ ...edit, kind })),
    );
  for (const device of plan.devices) {
    for (const allocation of device.allocations.filter(isHere)) {
      const removal = removalOf(text, file.comments, allocation.init.stmt);
      removals.push(removal);
      const { eol, width } = styleAt(allocation.at.stmt.start);
      add('allocation', allocationEdits(device, allocation, removal, eol, width));
      append(
        removals,
        removal.above.map((comment) => removalOf(text, [], comment)),
      );
      add('allocation', errorBranchEdits(file, allocation, styleAt(allocation.check.start).eol));
    }
    const uninits = device.uninits.filter(isHere);
    const moved: Edit[] = [];
    append(
      removals,
      uninitRemovals(file, device, uninits, moved, (at) => styleAt(at).eol),
    );
    add('teardown', moved);
    for (const brace of lonelyBraces(file, uninits)) {
      add('teardown', [{ span: brace.open, newText: '' }]);
      removals.push(brace.close);
    }
    for (const free of device.frees.filter(isHere))
      add('teardown', [{ span: free.call, newText: `vfio_put_device(${free.put})` }]);
    for (const label of device.labels.filter(isHere)) {
      for (const { stmt } of statementsOf(label.fn)) {
        if (stmt.kind === 'label' && stmt.name === label.from) {
          if (label.merged) removals.push(removalOf(text, file.comments, stmt));
          else add('tidy', [{ span: stmt.nameSpan, newText: label.to }]);
        }
        if (stmt.kind === 'goto' && stmt.label === label.from)
          add('tidy', [{ span: stmt.labelSpan, newText: label.to }]);
      }
    }
    for (const move of device.moves.filter(isHere)) {
      const removal = removalOf(text, file.comments, move.at.stmt);
      const from = removal.above[0] ? lineStart(text, removal.above[0].start) : removal.span.start;
      const line = lineStart(text, move.before.stmt.start);
      const place = lineStart(text, commentsAbove(text, file.comments, line)[0]?.start ?? line);
      add('allocation', [
        {
          span: { start: place, end: place },
          newText: `${text.slice(from, removal.span.end).trimEnd()}${styleAt(place).eol}`,
        },
      ]);
      append(removals, [removal, ...removal.above.map((comment) => removalOf(text, [], comment))]);
    }
  }
  for (const table of plan.tables.filter(isHere)) {
    const { eol, unit } = styleAt(table.variable.start);
    add('ops-table', tableEdits(file, table, unit, eol));
  }
  const unused = unusedLocals(plan, file, edits, removals);
  append(removals, unused.removals);
  for (const span of joinRemovals(text, removals)) add('tidy', [{ span, newText: '' }]);
  return { edits: tidy(edits), notes: unused.notes };
}

/** The functions and tables that the plan changes or adds. */
function touchedBy(plan: ConversionPlan): string[] {
  const names = new Set<string>();
  for (const device of plan.devices) {
    for (const item of [...device.allocations, ...device.frees, ...device.uninits])
      names.add(item.fn.name);
  }
  for (const table of plan.tables) {
    names.add(table.variable.name);
    if (table.releaseStub) names.add(table.releaseStub);
  }
  return [...names];
}

/**
 * `p = vfio_alloc_device(…);` in place of the allocation, and IS_ERR in its test. The comments on
 * arguments of the init stay with them, those of
 * the init itself go above.
 */
function allocationEdits(
  device: DevicePlan,
  allocation: AllocationPlan,
  init: Removal,
  eol: string,
  width: number,
): Edit[] {
  const { text, comments } = allocation.file;
  const { stmt } = allocation.at;
  const { before, behind, inColumn, others } = argumentComments(
    allocation.file,
    allocation,
    init.inside,
  );
  const args = [device.container.path.join('.'), allocation.dev, allocation.ops];
  const pieces = args.map((arg, index): Piece => ({
    text: before.has(index) ? `${before.get(index)!} ${arg}` : arg,
    comment: behind.get(index),
  }));
  const indent = indentAt(text, stmt.start);
  const span: Span = stmt.kind === 'decl' && stmt.init ? stmt.init : stmt;
  const head =
    stmt.kind === 'decl' ? 'vfio_alloc_device' : `${allocation.variable} = vfio_alloc_device`;
  const tail = stmt.kind === 'decl' ? '' : ';';
  const column = columnOf(text, span.start);
  const write = (all: readonly (string | Piece)[], stops: boolean): string =>
    wrapCall(head, [device.container.tag, ...all], tail, column, indent, eol, {
      width,
      inColumn: stops,
    });
  const own = removalOf(text, comments, stmt).inside;
  const commented = [inColumn, false]
    .map((stops) => write(pieces, stops))
    .find((way) => widest(way, column) <= width);
  // Where there is no room beside the arguments, the comments go above with the others.
  const fits = commented !== undefined && stmt.kind === 'expr';
  const call = fits ? commented : write(args, false);
  const trailing = own.filter((comment) => comment.start >= stmt.end);
  const crowded =
    stmt.kind === 'expr' &&
    trailing.length > 0 &&
    (call.includes('\n') ||
      widest(call + text.slice(stmt.end, trailing.at(-1)!.end), column) > width);
  const edits: Edit[] = [{ span, newText: call }];
  if (crowded) edits.push({ span: { start: stmt.end, end: trailing.at(-1)!.end }, newText: '' });
  const moved = [
    ...own.filter((comment) => comment.start < stmt.end),
    ...(crowded ? trailing : []),
    ...init.above,
    ...(fits ? others : init.inside),
  ];
  if (moved.length > 0) edits.push(commentInsertion(text, stmt, moved, eol));
  return edits;
}

/** Comments on lines of their own above a statement. */
function commentInsertion(
  text: string,
  stmt: Stmt,
  comments: readonly CommentIr[],
  eol: string,
): Edit {
  const indent = indentAt(text, stmt.start);
  const at = lineStart(text, stmt.start);
  const lines = comments.map(
    (comment) => `${indent}${text.slice(comment.start, comment.end)}${eol}`,
  );
  return { span: { start: at, end: at }, newText: lines.join('') };
}

/**
 * The uninits that go. Their comments go to the put that takes over, which is the next in the same
 * block.
 */
function uninitRemovals(
  file: FileIr,
  device: DevicePlan,
  uninits: readonly UninitPlan[],
  edits: Edit[],
  eolAt: (offset: number) => string,
): Removal[] {
  const { text, comments } = file;
  const removals: Removal[] = [];
  for (const uninit of uninits) {
    const removal = removalOf(text, comments, uninit.at.stmt);
    removals.push(removal);
    const put = device.frees.find(
      (free) => free.at.siblings === uninit.at.siblings && free.at.index > uninit.at.index,
    );
    const adjacent = put?.at.index === uninit.at.index + 1;
    if (adjacent ? removal.inside.length === 0 : removal.above.length + removal.inside.length === 0)
      continue;
    const target = put?.at.stmt ?? uninit.at.siblings[uninit.at.index + 1];
    if (!target) continue;
    // Right before its put the comment above an uninit already stands where it belongs.
    const moved = adjacent || !put ? removal.inside : [...removal.above, ...removal.inside];
    if (moved.length > 0) edits.push(commentInsertion(text, target, moved, eolAt(target.start)));
    if (put && !adjacent)
      append(
        removals,
        removal.above.map((comment) => removalOf(text, [], comment)),
      );
  }
  return removals;
}

/**
 * The braces of an `if` whose block is left with one plain statement, which kernel style writes
 * without.
 */
export function lonelyBraces(
  file: FileIr,
  uninits: readonly Pick<UninitPlan, 'at'>[],
): { readonly open: Span; readonly close: Removal }[] {
  const { text } = file;
  const gone = new Set<Stmt>(uninits.map((item) => item.at.stmt));
  const found: { readonly open: Span; readonly close: Removal }[] = [];
  for (const { at } of uninits) {
    const outer = at.parent;
    if (
      outer?.stmt.kind !== 'if' ||
      outer.sole ||
      outer.stmt.otherwise ||
      outer.stmt.then.kind !== 'block' ||
      outer.stmt.then.body !== at.siblings
    )
      continue;
    const block = outer.stmt.then;
    if (!isLeftWithOneLine(file, block, gone)) continue;
    const open = { start: outer.stmt.conditionSpan.end, end: block.start + 1 };
    const close = removalOf(text, [], { start: block.end - 1, end: block.end });
    if (
      text.slice(open.start, open.end).trim() === '{' &&
      close.wholeLines &&
      !found.some((item) => item.open.start === open.start)
    )
      found.push({ open, close });
  }
  return found;
}

/**
 * Whether a block holds one plain statement of one line, and no comment but those in `taken`, when
 * some of its statements are `gone`.
 */
export function isLeftWithOneLine(
  { text, comments }: FileIr,
  block: Stmt,
  gone: ReadonlySet<Stmt>,
  taken: readonly Removal[] = [],
): boolean {
  const left = block.kind === 'block' ? block.body.filter((stmt) => !gone.has(stmt)) : [];
  const only = left[0];
  if (
    left.length !== 1 ||
    (only?.kind !== 'expr' && only?.kind !== 'return' && only?.kind !== 'goto') ||
    text.slice(only.start, only.end).includes('\n')
  )
    return false;
  return !comments.some(
    (comment) =>
      comment.start >= block.start &&
      comment.end <= block.end &&
      !taken.some(({ span }) => comment.start >= span.start && comment.end <= span.end),
  );
}

/** Sorted edits, those at the same place joined in the order they were made. */
function tidy(edits: readonly PlannedEdit[]): PlannedEdit[] {
  const sorted = edits
    .map((edit, order) => ({ edit, order }))
    .sort(
      (left, right) =>
        left.edit.span.start - right.edit.span.start ||
        left.edit.span.end - right.edit.span.end ||
        left.order - right.order,
    );
  const joined: PlannedEdit[] = [];
  for (const { edit } of sorted) {
    const last = joined[joined.length - 1];
    if (last && last.span.end === edit.span.start && last.span.start === last.span.end) {
      const kind =
        EDIT_KINDS.indexOf(last.kind) > EDIT_KINDS.indexOf(edit.kind) ? last.kind : edit.kind;
      joined[joined.length - 1] = {
        span: { start: last.span.start, end: edit.span.end },
        newText: last.newText + edit.newText,
        kind,
      };
    } else joined.push(edit);
  }
  return joined;
}
