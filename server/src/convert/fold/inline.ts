/** Writes helpers that undo and put out in their callers. */
import type { Edit } from '../../text/span.ts';
import { overlaps, sortEdits } from '../../text/edits.ts';
import { lineEnding } from '../../text/style.ts';
import type { FileIr, FunctionIr, Stmt } from '../../ir/types.ts';
import { codeOf, indentAt, lineStart } from '../rewrite/layout.ts';
import {
  allExpressions,
  statementsOf,
  uncast,
  type Placed,
} from '../../lifecycle/module/statements.ts';
import { callsUnder, frameOf, under } from './probe-shape.ts';
import { functionRemoval, linesOf, removalEdits, removalsOf } from './lines.ts';
import { NothingToFold, type FoldRequest, type Frame } from './types.ts';
import { normalStatement } from './undo.ts';
import { append } from '../../text/lists.ts';

/** Helpers that end in the put of their argument, written out where they are called. */
export interface Inlined {
  readonly edits: readonly Edit[];
  /** The names of the helpers, which go. */
  readonly helpers: readonly string[];
  /** What the helpers undo, as `normalStatement` has it. */
  readonly undo: ReadonlySet<string>;
}

/**
 * Writes out each helper that undoes what an object of the probe's kind has and then puts it, as
 * statements in each of its callers. What is left
 * of it there when a fold has moved the undoing is the put alone. Null when there is none, or one
 * that cannot be written out everywhere.
 */
export function inlinePuttingHelpers(request: FoldRequest): Inlined | null {
  const frame = attemptFrame(request);
  if (!frame) return null;
  const { file } = frame;
  const edits: Edit[] = [];
  const helpers: string[] = [];
  const undo = new Set<string>();
  for (const fn of file.functions) {
    const calls =
      fn !== frame.fn && fn.params[0]?.type.name === frame.tag && isPuttingHelper(fn)
        ? wholeCalls(file, fn)
        : null;
    if (!calls || calls.length === 0) continue;
    helpers.push(fn.name);
    const names = { file, of: new Map([[fn.params[0]!.name, { kind: 'object' } as const]]) };
    for (const stmt of fn.body.body.slice(0, -1)) undo.add(normalStatement(names, stmt));
    const removals = [functionRemoval(file, fn), ...removalsOf(file, fn).slice(1)];
    append(edits, [
      ...removalEdits(file, removals),
      ...calls.map((call) => writtenOut(file, fn, call)),
    ]);
  }
  // A helper that calls another of them would be changed twice.
  return helpers.length > 0 && !overlaps(edits) ? { edits: sortEdits(edits), helpers, undo } : null;
}

function attemptFrame(request: FoldRequest): Frame | null {
  try {
    return frameOf(request);
  } catch (error) {
    if (error instanceof NothingToFold) return null;
    throw error;
  }
}

/**
 * `static void foo_destroy(struct foo *foo) { …; vfio_put_device(&foo->vdev); }`: undoes more than
 * nothing, in one piece and by its argument alone.
 */
function isPuttingHelper(fn: FunctionIr): boolean {
  const [param, ...others] = fn.params;
  const list = fn.body.body;
  const last = list[list.length - 1];
  if (
    !fn.isStatic ||
    fn.opaque ||
    fn.returnType.name !== 'void' ||
    fn.returnType.pointers > 0 ||
    !param ||
    others.length > 0 ||
    param.type.pointers !== 1 ||
    param.type.keyword !== 'struct' ||
    list.length < 2
  )
    return false;
  if (last?.kind !== 'expr' || last.expr.kind !== 'call' || last.expr.name !== 'vfio_put_device')
    return false;
  const calls = callsUnder(fn.body).filter((call) => call.name === 'vfio_put_device');
  const plain = under(fn.body).every(
    (stmt) =>
      stmt.kind === 'block' ||
      stmt.kind === 'expr' ||
      stmt.kind === 'if' ||
      (stmt.kind === 'loop' && stmt.init.length === 0),
  );
  const fixed = under(fn.body)
    .flatMap(allExpressions)
    .every(
      (expr) =>
        expr.kind !== 'unknown' &&
        expr.kind !== 'statement-expression' &&
        !(expr.kind === 'assign' && expr.target.kind === 'name') &&
        !(expr.kind === 'update' && expr.operand.kind === 'name'),
    );
  return (
    calls.length === 1 &&
    plain &&
    fixed &&
    list.every(
      (stmt) => !/\n[ \t]*#/.test(fn.text.slice(stmt.start - fn.start, stmt.end - fn.start)),
    )
  );
}

/**
 * The calls of a helper, when each is a statement of a block or all that an `if` does, passes a
 * variable, and nothing else mentions it.
 */
function wholeCalls(file: FileIr, fn: FunctionIr): Placed[] | null {
  const code = codeOf(file.text);
  const mentions = code.match(new RegExp(`\\b${fn.name}\\b`, 'g'))?.length ?? 0;
  const calls = file.functions
    .flatMap((other) => (other === fn ? [] : statementsOf(other)))
    .filter(
      ({ stmt }) => stmt.kind === 'expr' && stmt.expr.kind === 'call' && stmt.expr.name === fn.name,
    );
  const fit = calls.every(
    ({ stmt, sole, conditional, parent }) =>
      (!sole || isAllOfIf(file, parent?.stmt, stmt)) &&
      !conditional &&
      stmt.kind === 'expr' &&
      stmt.expr.kind === 'call' &&
      stmt.expr.args.length === 1 &&
      uncast(stmt.expr.args[0]!).kind === 'name' &&
      file.text.slice(lineStart(file.text, stmt.start), stmt.start).trim() === '',
  );
  return fit && mentions === calls.length + 1 ? calls : null;
}

/** `if (ret)` with the statement on the next line, which takes braces around more than that. */
function isAllOfIf(file: FileIr, parent: Stmt | undefined, stmt: Stmt): boolean {
  return (
    parent?.kind === 'if' &&
    !parent.otherwise &&
    /^\)?[ \t]*\r?\n[ \t]*$/.test(file.text.slice(parent.conditionSpan.end, stmt.start))
  );
}

function writtenOut(file: FileIr, fn: FunctionIr, { stmt, sole, parent }: Placed): Edit {
  const call = stmt.kind === 'expr' && stmt.expr.kind === 'call' ? stmt.expr : null;
  const given = call && uncast(call.args[0]!);
  const name = given?.kind === 'name' ? given.name : '';
  const list = fn.body.body;
  const first = linesOf(file, list[0]!);
  const last = list[list.length - 1]!;
  const renames = under(fn.body)
    .flatMap(allExpressions)
    .flatMap((expr): Edit[] =>
      expr.kind === 'name' && expr.name === fn.params[0]!.name
        ? [{ span: expr, newText: name }]
        : [],
    );
  let text = '';
  let at = first.start;
  for (const { span, newText } of renames.sort(
    (left, right) => left.span.start - right.span.start,
  )) {
    text += file.text.slice(at, span.start) + newText;
    at = span.end;
  }
  text += file.text.slice(at, last.end);
  const from = indentAt(file.text, list[0]!.start);
  const to = indentAt(file.text, stmt.start);
  const indented = text.replace(/^[ \t]*/gm, (indent) =>
    indent.startsWith(from) ? to + indent.slice(from.length) : indent,
  );
  if (!sole || parent?.stmt.kind !== 'if')
    return { span: { start: lineStart(file.text, stmt.start), end: stmt.end }, newText: indented };
  const { conditionSpan } = parent.stmt;
  const eol = lineEnding(file.text);
  return {
    span: { start: conditionSpan.end, end: stmt.end },
    newText: ` {${eol}${indented}${eol}${indentAt(file.text, parent.stmt.start)}}`,
  };
}
