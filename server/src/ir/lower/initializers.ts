/** Lowers initialisers in braces. */
import type { Condition, MaskNote, SyntaxNode } from '../../syntax/node.ts';
import { conditionsAt, isPreprocChain, preprocArms } from '../../syntax/conditions.ts';
import type { Expr, InitializerEntry, InitializerExpr } from '../types.ts';
import { copyConditions, field, notesIn, parts, textOf, type Context } from './context.ts';
import { lowerExpr } from './expressions.ts';

/**
 * An initialiser with more directives than this is no table that a person wrote; its entries keep
 * no conditions.
 */
const MAX_DIRECTIVES = 500;

/**
 * Lowers `{ … }`. Entries inside an #if chain carry its conditions; what may hide entries makes it
 * incomplete.
 */
export function lowerInitializer(node: SyntaxNode, context: Context): InitializerExpr {
  const found = notesIn(node, 'directive', context);
  const directives = found.length > MAX_DIRECTIVES ? [] : found;
  const entries: InitializerEntry[] = [];
  lowerEntries(node.children, [], conditionsBy(directives), entries, context);
  const lost = node.children.some(
    (child) => child.type === 'ERROR' || (child.missing && child.type === '}'),
  );
  // An entry that is being typed was blanked; a blank that became a comma hides nothing.
  const unfinished = notesIn(node, 'unfinished', context).some((note) => note.text.trim() !== '');
  const split =
    notesIn(node, 'split', context).length > 0 || conditionsAt(directives, node.end).length > 0;
  const complete =
    !lost &&
    !unfinished &&
    !split &&
    found === directives &&
    !entries.some((entry) => isCut(entry, directives));
  return { kind: 'initializer', start: node.start, end: node.end, entries, complete };
}

/** The conditions at an offset, computed once for each stretch between two directives. */
function conditionsBy(directives: readonly MaskNote[]): (offset: number) => readonly Condition[] {
  const known = new Map<number, readonly Condition[]>();
  return (offset) => {
    const index = directives.findLastIndex(({ start }) => start < offset);
    let conditions = index < 0 ? [] : known.get(index);
    if (conditions === undefined)
      known.set(index, (conditions = copyConditions(conditionsAt(directives, offset))));
    return conditions;
  };
}

function lowerEntries(
  nodes: readonly SyntaxNode[],
  conditions: readonly Condition[],
  at: (offset: number) => readonly Condition[],
  entries: InitializerEntry[],
  context: Context,
): void {
  for (const node of nodes) {
    if (!node.named || node.type === 'comment' || node.type === 'ERROR') continue;
    if (isPreprocChain(node.type)) {
      for (const arm of preprocArms(node, context.text))
        lowerEntries(
          arm.body,
          [...conditions, ...copyConditions(arm.conditions)],
          at,
          entries,
          context,
        );
    } else if (!node.type.startsWith('preproc_')) {
      const own = at(node.start);
      entries.push(
        lowerEntry(node, own.length === 0 ? conditions : [...conditions, ...own], context),
      );
    }
  }
}

function lowerEntry(
  node: SyntaxNode,
  conditions: readonly Condition[],
  context: Context,
): InitializerEntry {
  if (node.type !== 'initializer_pair')
    return {
      start: node.start,
      end: node.end,
      designators: [],
      value: lowerExpr(node, context),
      conditions,
    };
  const designators: string[] = [];
  for (const child of node.children) {
    if (child.field !== 'designator') continue;
    if (child.type === 'field_designator')
      designators.push(
        parts(child)
          .map((part) => textOf(part, context))
          .join(''),
      );
    else designators.push(child.type === 'field_identifier' ? textOf(child, context) : '[]');
  }
  const value = field(node, 'value');
  const lowered: Expr =
    value === undefined
      ? { kind: 'unknown', start: node.end, end: node.end, names: [], calls: [] }
      : lowerExpr(value, context);
  return { start: node.start, end: node.end, designators, value: lowered, conditions };
}

/**
 * Whether a directive stands inside an entry, so that it belongs to neither arm. Those of an
 * initialiser inside it are its own.
 */
function isCut(entry: InitializerEntry, directives: readonly MaskNote[]): boolean {
  const { value } = entry;
  return directives.some(
    ({ start }) =>
      start >= entry.start &&
      start < entry.end &&
      !(value.kind === 'initializer' && start > value.start && start < value.end),
  );
}
