/** Moves the statement that ends an object behind the statements that still use it. */
import { asksState, claimsState, touchOf } from '../../kernel/touches.ts';
import type { Edit, Span } from '../../text/span.ts';
import type { CallExpr, FunctionIr, Stmt } from '../../ir/types.ts';
import { isLog } from '../../kernel/heuristics.ts';
import { callAt, contains, statementAt, walk, type IrNode } from '../locate.ts';
import type { Proposal } from './error-style.ts';
import { takeLines } from './move.ts';
import { startsLine, wholeLines } from './text.ts';

/**
 * The end of an object (`vfio_put_device(&p->vdev);`) moved behind the last of its uses in the same
 * block. Safe where it passes messages
 * only; what else it passes a person must look at, since `.release` runs behind that then.
 * @param end a place in the statement that ends the object.
 * @param uses the uses behind it.
 * @returns null when a use stands elsewhere, when a path may leave or come in between, or when the
 * statement would mean something else there.
 */
export function moveEndBehind(
  text: string,
  fn: FunctionIr,
  end: Span,
  uses: readonly Span[],
): Proposal | null {
  const moved = statementAt(fn.body, end);
  const call = callAt(fn.body, end);
  if (
    moved === null ||
    moved.siblings === null ||
    moved.statement.kind !== 'expr' ||
    moved.statement.expr !== call ||
    call === null
  )
    return null;
  const behind = moved.siblings.slice(moved.index + 1);
  const last = behind.findLastIndex((one) => uses.some((use) => contains(one, use)));
  const passed = behind.slice(0, last + 1);
  if (last < 0 || uses.some((use) => !passed.some((one) => contains(one, use)))) return null;
  if (passed.some((one) => isJump(one) || givesUp(text, one, call))) return null;
  const taken = takeLines(text, moved.statement);
  const before = wholeLines(text, passed.at(-1)!);
  if (taken === null || before === null || !startsLine(text, passed[0]!.start)) return null;
  const edits: Edit[] = [
    ...taken.removed,
    { span: { start: before.end, end: before.end }, newText: taken.lines },
  ];
  return { edits, safety: passed.every(onlySays) ? 'safe' : 'unsafe' };
}

/** Whether a path may leave the statement for another place, or come into it. */
function isJump(statement: Stmt): boolean {
  return statement.kind === 'decl' || [...walk(statement)].some((node) => JUMPS.has(node.kind));
}

const JUMPS: ReadonlySet<IrNode['kind']> = new Set<IrNode['kind']>([
  'return',
  'goto',
  'label',
  'case',
  'switch',
  'break',
  'continue',
  'preproc',
  'loop',
  'guard',
  'asm',
  'unknown',
  'statement-expression',
]);

/**
 * Whether a statement gives the moved call's variables another value, or frees what one of them
 * points to.
 */
function givesUp(text: string, statement: Stmt, moved: CallExpr): boolean {
  const names = new Set(
    [...walk(moved)].flatMap((node) => (node.kind === 'name' ? [node.name] : [])),
  );
  const isOwn = (node: IrNode | undefined): boolean =>
    node?.kind === 'name' && names.has(node.name);
  const written = text.slice(moved.argsSpan.start, moved.argsSpan.end);
  return [...walk(statement)].some((node) => {
    if (node.kind === 'assign')
      return (
        isOwn(node.target) ||
        (node.target.kind === 'member' &&
          written.includes(text.slice(node.target.start, node.target.end)))
      );
    if (node.kind === 'update') return isOwn(node.operand);
    return node.kind === 'call' && node.name !== null && !isLog(node.name) && node.args.some(isOwn);
  });
}

/** A message, or a test in front of one: it reads, and does nothing else. */
function onlySays(statement: Stmt): boolean {
  return [...walk(statement)].every((node) => {
    if (node.kind === 'assign' || node.kind === 'update') return false;
    return node.kind !== 'call' || (node.name !== null && onlyReads(node.name));
  });
}

function onlyReads(name: string): boolean {
  return isLog(name) || touchOf(name) === 'looks' || (asksState(name) && !claimsState(name));
}
