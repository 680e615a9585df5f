/**
 * Saves a member in a local before its object ends: the cure for a plain read of memory that a
 * statement gives away.
 */
import type { Edit, Span } from '../../text/span.ts';
import type { FunctionIr, MemberExpr } from '../../ir/types.ts';
import type { ModuleIndex } from '../../lifecycle/module/module.ts';
import { ancestry, declaredType, statementAt } from '../locate.ts';
import { isNameTaken } from './names.ts';
import { localOfMember } from './local-of-member.ts';
import { indentationAt, insertAfter, insertBefore, newlineOf, startsLine } from './text.ts';

/**
 * Reads `p->field` into a local before a statement and uses the local in the later reads.
 * @param uses the reads to cure, all of one member; each is reached through the statement only.
 * @returns null when a read is no plain one, when no local can have its type, or when the name is
 * not free.
 */
export function hoistRead(
  text: string,
  index: ModuleIndex,
  fn: FunctionIr,
  uses: readonly Span[],
  before: Span,
): Edit[] | null {
  const plain = uses.map((use) => plainReadAt(fn, use)).filter((one) => one !== null);
  const [read] = plain;
  const file = index.fileOf(fn);
  if (
    file === undefined ||
    read === undefined ||
    plain.length !== uses.length ||
    read.base.kind !== 'name'
  )
    return null;
  const target = text.slice(read.start, read.end);
  if (plain.some((one) => text.slice(one.start, one.end) !== target)) return null;
  const base = read.base.name;
  const type = declaredType(fn, base);
  const local =
    type === null || type.pointers !== 1 ? null : localOfMember(index, file, type.name, read.field);
  if (local === null || isNameTaken(fn, read.field)) return null;
  const placed = statementAt(fn.body, before);
  if (
    placed?.siblings === undefined ||
    placed.siblings === null ||
    !startsLine(text, placed.statement.start)
  )
    return null;
  const declaration = declarationEdit(text, fn, local);
  if (declaration === null || declaration.span.start > placed.statement.start) return null;
  return [
    declaration,
    insertBefore(text, placed.statement, [`${read.field} = ${base}->${read.field};`]),
    ...plain.map(({ start, end }) => ({ span: { start, end }, newText: read.field })),
  ];
}

/**
 * The member `p->field` at a place where it is read as a whole: not assigned, not taken the address
 * of, no part of it named.
 */
function plainReadAt(fn: FunctionIr, use: Span): MemberExpr | null {
  const around = ancestry(fn.body, use);
  const at = around.findIndex(
    (node) => node.kind === 'member' && node.arrow && node.base.kind === 'name',
  );
  const read = around[at];
  const parent = around[at - 1];
  if (read?.kind !== 'member' || parent === undefined) return null;
  if ((parent.kind === 'assign' && parent.target === read) || parent.kind === 'update') return null;
  if ((parent.kind === 'unary' && parent.op === '&') || (parent.kind === 'member' && !parent.arrow))
    return null;
  // The size of a local is that of the member, and `typeof` its type; what a macro does with the
  // member itself is not known.
  return around.some((node) => node.kind === 'unknown' || node.kind === 'sizeof') ? null : read;
}

/**
 * A declaration behind the last one at the top of the function; in a function without any, before
 * its first statement.
 */
function declarationEdit(text: string, fn: FunctionIr, declaration: string): Edit | null {
  let last: Span | null = null;
  for (const statement of fn.body.body) {
    if (statement.kind !== 'decl') break;
    last = statement.statement;
  }
  const [first] = fn.body.body;
  if (last !== null)
    return startsLine(text, last.start) ? insertAfter(text, last, [declaration]) : null;
  if (first === undefined || first.kind === 'label' || !startsLine(text, first.start)) return null;
  const at = text.indexOf('\n', fn.body.start) + 1;
  const newline = newlineOf(text);
  return at === 0 || at > first.start
    ? null
    : {
        span: { start: at, end: at },
        newText: `${indentationAt(text, first.start)}${declaration}${newline}${newline}`,
      };
}
