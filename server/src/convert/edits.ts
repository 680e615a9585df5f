import type { Edit, Span } from '../text/span.ts';
import { indentUnit, lineEnding } from '../text/style.ts';
import type { CommentIr, Stmt } from '../ir/types.ts';
import { errorBranchEdits } from './branch.ts';
import { includeRemovals } from './includes.ts';
import { columnOf, indentAt, joinRemovals, lineStart, removalOf, wrapCall, type Removal } from './layout.ts';
import { statementsOf } from './place.ts';
import { tableEdits } from './tabletext.ts';
import type { AllocationPlan, ConversionPlan, DevicePlan, PlannedEdits } from './types.ts';
import { unusedLocals } from './unused.ts';

/**
 * The text edits of a plan, in the document's own style: indentation, line endings, alignment and comments stay what they
 * are. Edits are sorted and do not overlap; offsets are UTF-16 code units of the document that was planned.
 */
export function editsOf(plan: ConversionPlan): PlannedEdits {
  const { file } = plan;
  const { text } = file;
  const eol = lineEnding(text);
  const edits: Edit[] = [];
  const removals: Removal[] = [];
  for (const device of plan.devices) {
    for (const allocation of device.allocations) {
      const removal = removalOf(text, file.comments, allocation.init.stmt);
      removals.push(removal);
      edits.push(...allocationEdits(plan, device, allocation, [...removal.above, ...removal.inside], eol));
      removals.push(...removal.above.map((comment) => removalOf(text, [], comment)));
      edits.push(...errorBranchEdits(file, allocation, eol));
    }
    removals.push(...uninitRemovals(plan, device, edits, eol));
    for (const brace of lonelyBraces(plan, device)) {
      edits.push({ span: brace.open, newText: '' });
      removals.push(brace.close);
    }
    for (const free of device.frees) edits.push({ span: free.call, newText: `vfio_put_device(${free.put})` });
    for (const label of device.labels) {
      for (const { stmt } of statementsOf(label.fn)) {
        if (stmt.kind === 'label' && stmt.name === label.from) {
          if (label.merged) removals.push(removalOf(text, file.comments, stmt));
          else edits.push({ span: stmt.nameSpan, newText: label.to });
        }
        if (stmt.kind === 'goto' && stmt.label === label.from) edits.push({ span: stmt.labelSpan, newText: label.to });
      }
    }
    for (const move of device.moves) {
      const removal = removalOf(text, file.comments, move.at.stmt);
      const from = removal.above[0] ? lineStart(text, removal.above[0].start) : removal.span.start;
      const place = lineStart(text, move.before.stmt.start);
      edits.push({ span: { start: place, end: place }, newText: `${text.slice(from, removal.span.end).trimEnd()}${eol}` });
      removals.push(removal, ...removal.above.map((comment) => removalOf(text, [], comment)));
    }
    for (const rename of device.renames) edits.push({ span: rename.call.callee, newText: rename.to });
  }
  for (const table of plan.tables) edits.push(...tableEdits(file, table, indentUnit(text), eol));
  const unused = unusedLocals(plan, edits, removals);
  removals.push(...unused.removals, ...includeRemovals(file, edits, removals));
  for (const span of joinRemovals(text, removals)) edits.push({ span, newText: '' });

  const sorted = tidy(edits);
  return {
    edits: [{ path: file.path, edits: sorted }],
    notes: [...plan.notes, ...unused.notes],
    touched: touchedBy(plan),
  };
}

/** The functions and tables that the plan changes or adds. */
function touchedBy(plan: ConversionPlan): string[] {
  const names = new Set<string>();
  for (const device of plan.devices) {
    for (const item of [...device.allocations, ...device.frees, ...device.uninits]) names.add(item.fn.name);
  }
  for (const table of plan.tables) {
    names.add(table.variable.name);
    if (table.releaseStub) names.add(table.releaseStub);
  }
  return [...names];
}

/** `p = vfio_alloc_device(…);` in place of the allocation, with the comments of the init above it, and IS_ERR in its test. */
function allocationEdits(plan: ConversionPlan, device: DevicePlan, allocation: AllocationPlan, comments: readonly CommentIr[], eol: string): Edit[] {
  const { text } = plan.file;
  const { stmt } = allocation.at;
  const args = [device.container.tag, device.container.path.join('.'), allocation.dev, allocation.ops];
  const indent = indentAt(text, stmt.start);
  const span: Span = stmt.kind === 'decl' && stmt.init ? stmt.init : stmt;
  const head = stmt.kind === 'decl' ? 'vfio_alloc_device' : `${allocation.variable} = vfio_alloc_device`;
  const edits: Edit[] = [{ span, newText: wrapCall(head, args, stmt.kind === 'decl' ? '' : ';', columnOf(text, span.start), indent, eol) }];
  const own = removalOf(text, plan.file.comments, stmt).inside.filter((comment) => comment.start < stmt.end);
  const moved = [...own, ...comments];
  if (moved.length > 0) edits.push(commentInsertion(text, stmt, moved, eol));
  return edits;
}

/** Comments on lines of their own above a statement. */
function commentInsertion(text: string, stmt: Stmt, comments: readonly CommentIr[], eol: string): Edit {
  const indent = indentAt(text, stmt.start);
  const at = lineStart(text, stmt.start);
  const lines = comments.map((comment) => `${indent}${text.slice(comment.start, comment.end)}${eol}`);
  return { span: { start: at, end: at }, newText: lines.join('') };
}

/** The uninits that go. Their comments go to the put that takes over, which is the next in the same block. */
function uninitRemovals(plan: ConversionPlan, device: DevicePlan, edits: Edit[], eol: string): Removal[] {
  const { text, comments } = plan.file;
  const removals: Removal[] = [];
  for (const uninit of device.uninits) {
    const removal = removalOf(text, comments, uninit.at.stmt);
    removals.push(removal);
    const put = device.frees.find((free) => free.at.siblings === uninit.at.siblings && free.at.index > uninit.at.index);
    const adjacent = put?.at.index === uninit.at.index + 1;
    if (adjacent ? removal.inside.length === 0 : removal.above.length + removal.inside.length === 0) continue;
    const target = put?.at.stmt ?? uninit.at.siblings[uninit.at.index + 1];
    if (!target) continue;
    // Right before its put the comment above an uninit already stands where it belongs.
    const moved = adjacent || !put ? removal.inside : [...removal.above, ...removal.inside];
    if (moved.length > 0) edits.push(commentInsertion(text, target, moved, eol));
    if (put && !adjacent) removals.push(...removal.above.map((comment) => removalOf(text, [], comment)));
  }
  return removals;
}

/** The braces of an `if` whose block is left with one plain statement, which kernel style writes without. */
function lonelyBraces(plan: ConversionPlan, device: DevicePlan): { readonly open: Span; readonly close: Removal }[] {
  const { text, comments } = plan.file;
  const gone = new Set<Stmt>(device.uninits.map((item) => item.at.stmt));
  const found: { readonly open: Span; readonly close: Removal }[] = [];
  for (const { at } of device.uninits) {
    const outer = at.parent;
    if (outer?.stmt.kind !== 'if' || outer.sole || outer.stmt.otherwise || outer.stmt.then.kind !== 'block' || outer.stmt.then.body !== at.siblings) continue;
    const block = outer.stmt.then;
    const left = block.body.filter((stmt) => !gone.has(stmt));
    const only = left[0];
    if (left.length !== 1 || only?.kind !== 'expr' || text.slice(only.start, only.end).includes('\n')) continue;
    if (comments.some((comment) => comment.start >= block.start && comment.end <= block.end)) continue;
    const open = { start: outer.stmt.conditionSpan.end, end: block.start + 1 };
    const close = removalOf(text, [], { start: block.end - 1, end: block.end });
    if (text.slice(open.start, open.end).trim() === '{' && close.wholeLines && !found.some((item) => item.open.start === open.start)) found.push({ open, close });
  }
  return found;
}

/** Sorted edits, those at the same place joined in the order they were made. */
function tidy(edits: readonly Edit[]): Edit[] {
  const sorted = edits.map((edit, order) => ({ edit, order })).sort((a, b) => a.edit.span.start - b.edit.span.start || a.edit.span.end - b.edit.span.end || a.order - b.order);
  const joined: Edit[] = [];
  for (const { edit } of sorted) {
    const last = joined[joined.length - 1];
    if (last && last.span.end === edit.span.start && last.span.start === last.span.end) {
      joined[joined.length - 1] = { span: { start: last.span.start, end: edit.span.end }, newText: last.newText + edit.newText };
    } else joined.push(edit);
  }
  return joined;
}
