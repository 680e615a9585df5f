/** Writes error handling in the style that a function has. */
import type { Edit } from '../../text/span.ts';
import type { FunctionIr, Stmt } from '../../ir/types.ts';
import { statementAt, walk, type PlacedStatement } from '../locate.ts';
import {
  endWithComment,
  indentationAt,
  insertAfter,
  insertBefore,
  layOut,
  lineEnd,
  newlineOf,
  startsLine,
} from './text.ts';

/** A fix's edits, and whether a person must look at them. */
export interface Proposal {
  readonly edits: readonly Edit[];
  readonly safety: 'safe' | 'unsafe';
}

/**
 * The test of an allocation's result that is missing, put after the allocation: `return
 * PTR_ERR(p)`, or `ret = PTR_ERR(p); goto label`
 * in a function that has begun to unwind with goto by then. In the second case the label is a
 * guess, hence unsafe.
 */
export function isErrTest(
  text: string,
  fn: FunctionIr,
  variable: string,
  allocation: PlacedStatement,
): Proposal | null {
  const { statement, siblings } = allocation;
  if (siblings === null || (statement.kind !== 'expr' && statement.kind !== 'decl')) return null;
  // In the declarations at the top the test must wait for the last of them.
  const after = statement.kind === 'decl' ? lastDeclaration(siblings, allocation.index) : statement;
  const labels = gotosBefore(fn.body, statement.start);
  const label = labels.at(-1);
  const condition = `if (IS_ERR(${variable}))`;
  // Code is set off from the declarations by an empty line.
  const blank = after.kind === 'decl' ? [''] : [];
  if (label === undefined) {
    return {
      edits: [
        insertAfter(text, spanOf(after), [...blank, condition, `\t${returnOf(fn, variable)}`]),
      ],
      safety: 'safe',
    };
  }
  const result = returnedName(fn);
  if (result === null || fn.returnType.pointers > 0) return null;
  const lines = [
    ...blank,
    `${condition} {`,
    `\t${result} = PTR_ERR(${variable});`,
    `\tgoto ${label};`,
    '}',
  ];
  return { edits: [insertAfter(text, spanOf(after), lines)], safety: 'unsafe' };
}

function spanOf(statement: Stmt): { start: number; end: number } {
  return statement.kind === 'decl' ? statement.statement : statement;
}

function lastDeclaration(siblings: readonly Stmt[], index: number): Stmt {
  let last = index;
  while (siblings[last + 1]?.kind === 'decl') last++;
  return siblings[last]!;
}

function returnOf(fn: FunctionIr, variable: string): string {
  if (fn.returnType.pointers > 0) return `return ERR_CAST(${variable});`;
  return fn.returnType.name === 'void' ? 'return;' : `return PTR_ERR(${variable});`;
}

function gotosBefore(body: Stmt, offset: number): string[] {
  const labels: string[] = [];
  for (const node of walk(body))
    if (node.kind === 'goto' && node.end <= offset) labels.push(node.label);
  return labels;
}

/** The variable that the function's last return gives back. */
export function returnedName(fn: FunctionIr): string | null {
  let name: string | null = null;
  for (const node of walk(fn.body))
    if (node.kind === 'return' && node.value?.kind === 'name') name = node.value.name;
  return name;
}

/** The names of the function's labels with the statement that follows each, in source order. */
export function labelsOf(body: Stmt): { readonly name: string; readonly first: Stmt | null }[] {
  const labels: { name: string; first: Stmt | null }[] = [];
  for (const node of walk(body)) {
    if (node.kind !== 'block') continue;
    node.body.forEach((statement, index) => {
      if (statement.kind !== 'label') return;
      labels.push({
        name: statement.name,
        first: node.body.slice(index + 1).find((next) => next.kind !== 'label') ?? null,
      });
    });
  }
  return labels;
}

/**
 * Puts statements before another, wherever it stands: the lone body of an if or a loop gets braces.
 * @param lines statements without indentation.
 * @returns null when the place has a form that cannot take another statement without rewriting it.
 */
export function insertGuarded(
  text: string,
  fn: FunctionIr,
  statement: Stmt,
  lines: readonly string[],
): Edit[] | null {
  const placed = statementAt(fn.body, statement);
  if (placed === null) return null;
  if (placed.siblings !== null) {
    // A case label or a goto label in the same line stays in front.
    return startsLine(text, statement.start) ? [insertBefore(text, statement, lines)] : null;
  }
  const owner = ownerOf(fn.body, statement);
  if (owner?.kind !== 'if' || owner.then !== statement || owner.otherwise !== null) return null;
  const end = endWithComment(text, statement.end);
  if (text.slice(end, lineEnd(text, end)).trim() !== '') return null;
  const header = owner.conditionSpan.end;
  const between = text.slice(header, statement.start);
  if (!BETWEEN.test(between)) return null;
  const open = header + (between.startsWith(')') ? 1 : 0);
  const indentation = indentationAt(text, owner.start);
  const newline = newlineOf(text);
  const close = { span: { start: end, end }, newText: `${newline}${indentation}}` };
  // A comment behind the condition stays in its line.
  if (startsLine(text, statement.start))
    return [
      { span: { start: open, end: open }, newText: ' {' },
      insertBefore(text, statement, lines),
      close,
    ];
  if (text.slice(open, statement.start).trim() !== '') return null;
  const inside = layOut(
    text,
    indentation,
    [...lines, ''].map((line) => `\t${line}`),
  );
  return [{ span: { start: open, end: statement.start }, newText: ` {${newline}${inside}` }, close];
}

/** What may stand between a condition and the statement under it. */
const BETWEEN = /^\)?(?:\s|\/\*(?:(?!\*\/)[^])*\*\/|\/\/[^\n\\]*\n)*$/;

function ownerOf(body: Stmt, statement: Stmt): Stmt | null {
  for (const node of walk(body)) {
    if (node.kind === 'if' && (node.then === statement || node.otherwise === statement))
      return node;
    if ((node.kind === 'loop' || node.kind === 'switch') && node.body === statement) return node;
  }
  return null;
}
