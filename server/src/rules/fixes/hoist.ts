import type { Edit, Span } from '../../text/span.ts';
import type { FunctionIr, MemberExpr } from '../../ir/types.ts';
import type { Module } from '../../lifecycle/types.ts';
import { ancestry, declaredType, documentsOf, statementAt } from '../locate.ts';
import { isNameTaken } from './names.ts';
import { indentationAt, insertBefore, newlineOf, startsLine } from './text.ts';

/**
 * Reads `p->field` into a local before a statement and uses the local in the later reads: the cure for a plain read of memory that the
 * statement gives away.
 * @param uses the reads to cure, all of one member; each is reached through the statement only.
 * @returns null when a read is no plain one, its type is not known, or the name is not free.
 */
export function hoistRead(text: string, module: Module, fn: FunctionIr, uses: readonly Span[], before: Span): Edit[] | null {
  const plain = uses.map((use) => plainReadAt(fn, use)).filter((one) => one !== null);
  const [read] = plain;
  if (read === undefined || plain.length !== uses.length || read.base.kind !== 'name') return null;
  const target = text.slice(read.start, read.end);
  if (plain.some((one) => text.slice(one.start, one.end) !== target)) return null;
  const base = read.base.name;
  const type = declaredType(fn, base);
  const field = type === null ? null : fieldOf(module, type.name, read.field);
  if (field === null || isNameTaken(fn, read.field)) return null;
  const placed = statementAt(fn.body, before);
  if (placed?.siblings === undefined || placed.siblings === null || !startsLine(text, placed.statement.start)) return null;
  const declaration = declarationEdit(text, fn, `${field}${read.field};`);
  if (declaration === null || declaration.span.start > placed.statement.start) return null;
  return [
    declaration,
    insertBefore(text, placed.statement, [`${read.field} = ${base}->${read.field};`]),
    ...plain.map(({ start, end }) => ({ span: { start, end }, newText: read.field })),
  ];
}

/** The member `p->field` at a place where it is read as a whole: not assigned, not taken the address of, no part of it named. */
function plainReadAt(fn: FunctionIr, use: Span): MemberExpr | null {
  const around = ancestry(fn.body, use);
  const at = around.findIndex((node) => node.kind === 'member' && node.arrow && node.base.kind === 'name');
  const read = around[at];
  const parent = around[at - 1];
  if (read?.kind !== 'member' || parent === undefined) return null;
  if (parent.kind === 'assign' && parent.target === read || parent.kind === 'update') return null;
  if (parent.kind === 'unary' && parent.op === '&' || parent.kind === 'member' && !parent.arrow) return null;
  return read;
}

/** The type of a plain member as it is written, with its stars: `struct workqueue_struct *`. */
function fieldOf(module: Module, tag: string, field: string): string | null {
  for (const file of documentsOf(module)) {
    const found = file.structs.find((one) => one.name === tag)?.fields.find((one) => one.name === field);
    if (!found) continue;
    const { type } = found;
    const isPlain = type.arrays === 0 && (type.pointers > 0 || type.keyword === null || type.keyword === 'enum');
    const written = file.text.slice(type.start, type.end).replace(/\s+/g, ' ').replace(/[\s*]+$/, '');
    return isPlain && written !== '' && !found.unplaced ? `${written} ${'*'.repeat(type.pointers)}` : null;
  }
  return null;
}

/** A declaration behind the last one at the top of the function. */
function declarationEdit(text: string, fn: FunctionIr, declaration: string): Edit | null {
  let last: Span | null = null;
  for (const statement of fn.body.body) {
    if (statement.kind !== 'decl') break;
    last = statement.statement;
  }
  if (last === null || !startsLine(text, last.start)) return null;
  const newText = newlineOf(text) + indentationAt(text, last.start) + declaration;
  return { span: { start: last.end, end: last.end }, newText };
}
