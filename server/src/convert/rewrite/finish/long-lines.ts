/**
 * Lines that were written and have become too long for their document are broken as its other lines
 * are.
 */
import type { Edit, Span } from '../../../text/span.ts';
import type {
  CallExpr,
  Expr,
  FileIr,
  FunctionIr,
  InitializerExpr,
  PrototypeIr,
  Stmt,
} from '../../../ir/types.ts';
import { columnsOf } from '../../../text/style.ts';
import { arrange, widest, type Piece } from '../arrange.ts';
import { columnOf, indentAt, lineStart } from '../layout.ts';
import { statementsOf } from '../../../lifecycle/module/statements.ts';
import { isAsBefore, isTouched, type Change, type Pass } from './change.ts';
import { parametersOf } from './parentheses.ts';
import { onOneLine } from '../../../text/lexical.ts';

export const longLines: Pass = (change) => {
  const edits: Edit[] = [];
  for (const line of longLinesOf(change)) {
    const edit = memberEdit(change, line) ?? statementEdit(change, line) ?? headEdit(change, line);
    if (
      edit &&
      !edits.some((one) => one.span.start < edit.span.end && edit.span.start < one.span.end)
    )
      edits.push(edit);
  }
  return edits;
};

/** The lines, without their ends, that are too long and were not before. */
function longLinesOf(change: Change): Span[] {
  const {
    before,
    after: { text },
    width,
    toBefore,
  } = change;
  const found: Span[] = [];
  // What has moved as it was is no new line.
  const known = new Map<string, number>();
  for (const line of before.text.split(/\r?\n/))
    known.set(line.trim(), Math.max(columnsOf(line.trimEnd()), known.get(line.trim()) ?? 0));
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = { start, end };
    start = end + 1;
    const columns = columnsOf(text.slice(line.start, line.end).trimEnd());
    if (columns <= width || !isTouched(change, line) || isAsBefore(change, line)) continue;
    const old = toBefore(line.start);
    const wasLong = old !== null && columnsOf(lineAt(before.text, old)) >= columns;
    const hasMoved = (known.get(text.slice(line.start, line.end).trim()) ?? 0) >= columns;
    if (!wasLong && !hasMoved) found.push(line);
  }
  return found;
}

function lineAt(text: string, offset: number): string {
  const end = text.indexOf('\n', offset);
  return text.slice(lineStart(text, offset), end < 0 ? text.length : end).trimEnd();
}

function overlaps(one: Span, other: Span): boolean {
  return one.start < other.end && other.start < one.end;
}

/**
 * The best of several ways to write a span: the first that fits, else the one that is least wide,
 * if it is narrower than it was.
 */
function best(change: Change, span: Span, ways: readonly string[]): Edit | null {
  const { text } = change.after;
  const from = columnOf(text, span.start);
  const now = widest(text.slice(span.start, span.end), from);
  const fitting = ways.find((way) => widest(way, from) <= change.width);
  const chosen =
    fitting ?? [...ways].sort((left, right) => widest(left, from) - widest(right, from))[0];
  return chosen !== undefined && widest(chosen, from) < now ? { span, newText: chosen } : null;
}

/** A statement of a function that the line belongs to: the innermost. */
function statementEdit(change: Change, line: Span): Edit | null {
  const { after: file } = change;
  const fn = file.functions.find((item) => overlaps(item.body, line));
  if (!fn) return null;
  const inner = statementsOf(fn)
    .map(({ stmt }) => stmt)
    .filter((stmt) => overlaps(spanOf(stmt), line))
    .at(-1);
  if (!inner || hasComment(file, spanOf(inner))) return null;
  switch (inner.kind) {
    case 'if':
      return conditionEdit(change, inner.conditionSpan, inner.condition);
    case 'expr':
      return valueEdit(change, inner, inner.expr.kind === 'assign' ? inner.expr.value : inner.expr);
    case 'return':
      return inner.value ? valueEdit(change, inner, inner.value) : null;
    case 'decl':
      return inner.init ? valueEdit(change, inner.statement, inner.init) : null;
    default:
      return null;
  }
}

function spanOf(stmt: Stmt): Span {
  if (stmt.kind === 'decl') return stmt.statement;
  return stmt.kind === 'if' ? { start: stmt.start, end: stmt.conditionSpan.end } : stmt;
}

function hasComment({ comments }: FileIr, span: Span): boolean {
  return comments.some((comment) => comment.start < span.end && span.start < comment.end);
}

/**
 * `head = value;`: the arguments of the value one below the other, or the value on a line of its
 * own, or both.
 */
function valueEdit(change: Change, span: Span, value: Expr): Edit | null {
  const {
    after: { text },
    eol,
    unit,
    width,
  } = change;
  const head = text.slice(span.start, value.start);
  const tail = text.slice(value.end, span.end);
  if (/[\n,]/.test(tail)) return null;
  const indent = indentAt(text, span.start);
  const from = columnOf(text, span.start);
  const deeper = `${indent}${indent.startsWith('\t') ? '\t' : unit}`;
  const oneLine = head.replace(/\s+/g, ' ');
  const calls = value.kind === 'call' && value.args.length > 0 ? piecesOf(change, value) : null;
  const written = onOneLine(text.slice(value.start, value.end));
  const split = /=\s*$/.test(head) ? `${oneLine.trimEnd()}${eol}${deeper}` : null;
  const ways: string[] = [];
  const filled = (before: string, column: number): string =>
    before +
    arrange(calls!.head, calls!.pieces, tail, {
      column,
      indent: deeper,
      eol,
      width,
      broken: false,
    });
  if (calls) ways.push(filled(oneLine, from + oneLine.length));
  if (split !== null) ways.push(`${split}${written}${tail}`);
  if (calls && split !== null) ways.push(filled(split, columnsOf(deeper)));
  if (calls)
    ways.push(
      oneLine +
        arrange(calls.head, calls.pieces, tail, {
          column: from + oneLine.length,
          indent: deeper,
          eol,
          width,
          broken: true,
        }),
    );
  return best(change, span, ways);
}

/** A call as its name and its arguments, each on one line. */
function piecesOf(
  { after: { text } }: Change,
  call: CallExpr,
): { readonly head: string; readonly pieces: readonly Piece[] } {
  const head = text.slice(call.start, call.argsSpan.start);
  return {
    head,
    pieces: call.args.map((arg) => ({ text: onOneLine(text.slice(arg.start, arg.end)) })),
  };
}

/** `if (a && b)`, broken behind the operators. */
function conditionEdit(change: Change, span: Span, condition: Expr): Edit | null {
  const {
    after: { text },
    eol,
  } = change;
  const parts: string[] = [];
  let rest = condition;
  while (rest.kind === 'binary' && (rest.op === '&&' || rest.op === '||')) {
    const right = rest.right;
    parts.unshift(text.slice(right.start, right.end));
    parts.unshift(rest.op);
    rest = rest.left;
  }
  if (parts.length === 0 || /\n/.test(text.slice(span.start, span.end))) return null;
  const column = columnOf(text, span.start) + 1;
  const blanks = blanksLike(indentAt(text, span.start), column);
  let way = `(${text.slice(rest.start, rest.end)}`;
  for (let index = 0; index < parts.length; index += 2)
    way += ` ${parts[index]!}${eol}${blanks}${parts[index + 1]!}`;
  return best(change, span, [`${way})`]);
}

function blanksLike(indent: string, column: number): string {
  return indent.startsWith(' ')
    ? ' '.repeat(column)
    : '\t'.repeat(Math.floor(column / 8)) + ' '.repeat(column % 8);
}

/**
 * The head of a function or a prototype: its parameters below each other, or its type on a line of
 * its own.
 */
function headEdit(change: Change, line: Span): Edit | null {
  const { after: file, eol, unit, width } = change;
  const items: readonly (FunctionIr | PrototypeIr)[] = [...file.functions, ...file.prototypes];
  for (const item of items) {
    const list = parametersOf(file, item);
    if (!list) continue;
    const span = { start: item.start, end: list.end };
    if (!overlaps(span, line) || hasComment(file, span) || item.params.length === 0) continue;
    const head = file.text.slice(span.start, list.start);
    const pieces = item.params.map((param) => ({
      text: onOneLine(file.text.slice(param.start, param.end)),
    }));
    const name = file.text.slice(item.nameSpan.start, list.start);
    const type = file.text.slice(span.start, item.nameSpan.start).trimEnd();
    const ways = [
      arrange(head, pieces, '', { column: 0, indent: unit, eol, width, broken: false }),
      type +
        eol +
        arrange(name, pieces, '', { column: 0, indent: unit, eol, width, broken: false }),
    ];
    return best(change, span, ways);
  }
  return null;
}

/** `.member = value,` of a table, the value on a line of its own. */
function memberEdit(change: Change, line: Span): Edit | null {
  const {
    after: { text, variables },
    eol,
    unit,
  } = change;
  const table = variables.find(
    (item) => item.init?.kind === 'initializer' && overlaps(item.init, line),
  );
  const entry = (table?.init as InitializerExpr | undefined)?.entries.find(
    (one) => overlaps(one, line) && one.designators.length > 0,
  );
  if (!entry) return null;
  const head = text.slice(entry.start, entry.value.start).trimEnd();
  const indent = indentAt(text, entry.start);
  if (text.slice(lineStart(text, entry.start), entry.start).trim() !== '' || head.includes('\n'))
    return null;
  return best(change, entry, [
    `${head}${eol}${indent}${indent.startsWith('\t') ? '\t' : unit}${text.slice(entry.value.start, entry.value.end)}`,
  ]);
}
