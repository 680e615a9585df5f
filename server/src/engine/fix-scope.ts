/** Whether the names that a fix writes mean at their new place what they mean where it found them. */
import type { FileIr, FunctionIr } from '../ir/types.ts';
import { contains, walkWithParents, type IrNode } from '../rules/locate.ts';
import type { Span } from '../text/span.ts';
import { editAt, type EditPlace } from './edit-places.ts';

/** Where a local is declared, and the piece of the function in which it is known. */
interface Declaration {
  readonly name: string;
  readonly start: number;
  readonly scope: Span;
}

/**
 * The first name in the text of a fix that its function declares, and not where the fix writes it;
 * null where there is none.
 * @param now the document with the fix made.
 * @param places the edits of the fix in that document.
 */
export function outOfScope(now: FileIr, places: readonly EditPlace[]): string | null {
  for (const fn of now.functions) {
    if (!places.some(({ after }) => contains(fn, after))) continue;
    const name = outOfScopeIn(fn, places);
    if (name !== null) return name;
  }
  return null;
}

function outOfScopeIn(fn: FunctionIr, places: readonly EditPlace[]): string | null {
  const declarations: Declaration[] = [];
  const written: { readonly name: string; readonly start: number; readonly end: number }[] = [];
  for (const { node, parents } of walkWithParents(fn.body)) {
    if (node.kind === 'decl')
      declarations.push({ name: node.name, start: node.start, scope: scopeAmong(parents) ?? fn });
    if (node.kind === 'name' && editAt(places, node, 'after') >= 0) written.push(node);
  }
  const isUnknown = ({ name, ...span }: (typeof written)[number]): boolean => {
    const own = declarations.filter((one) => one.name === name);
    return (
      own.length > 0 &&
      !fn.params.some((one) => one.name === name) &&
      !own.some((one) => one.start < span.start && contains(one.scope, span))
    );
  };
  return written.find(isUnknown)?.name ?? null;
}

/** The block or the loop that a declaration is in: an #if is no scope. */
function scopeAmong(parents: readonly IrNode[]): Span | undefined {
  return parents.findLast(
    ({ kind }) => kind === 'block' || kind === 'loop' || kind === 'statement-expression',
  );
}
