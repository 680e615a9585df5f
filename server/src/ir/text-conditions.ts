/**
 * The #if arms around a place in a text, for what the tree does not have: comments, and places
 * between functions.
 */
import { conditionsAt } from '../syntax/conditions.ts';
import type { Condition, MaskNote } from '../syntax/node.ts';
import { isSameList } from '../text/lists.ts';
import type { FileIr } from './types.ts';

const directives = new WeakMap<FileIr, readonly MaskNote[]>();

/**
 * The conditions under which the compiler sees the offset `at` of a document; none outside of every
 * #if.
 */
export function conditionsInText(file: FileIr, at: number): readonly Condition[] {
  let notes = directives.get(file);
  if (!notes) directives.set(file, (notes = directivesIn(file)));
  return conditionsAt(notes, at);
}

/** Whether two lists of conditions are the same. */
export function areSameConditions(
  some: readonly Condition[],
  others: readonly Condition[],
): boolean {
  return isSameList(
    some,
    others,
    (one, other) => one.test === other.test && one.holds === other.holds,
  );
}

const DIRECTIVE = /^[ \t]*(#[ \t]*(?:if|el|endif)\w*(?:[^\\\n]|\\[^])*)/gm;

/** The lines of `#if` chains, in their order, without those in comments. */
function directivesIn({ text, comments }: FileIr): MaskNote[] {
  const found: MaskNote[] = [];
  let next = 0;
  for (const match of text.matchAll(DIRECTIVE)) {
    const start = match.index + match[0].length - match[1]!.length;
    while (next < comments.length && comments[next]!.end <= start) next++;
    if (next < comments.length && comments[next]!.start <= start) continue;
    found.push({ kind: 'directive', start, end: start + match[1]!.length, text: match[1]! });
  }
  return found;
}
