/** The declarations, definitions and directives at file scope. */
import { conditionOfArm, isPreprocChain, negate, splitArm, type ArmParts } from './conditions.ts';
import type { Condition, SyntaxNode, TopLevelItem } from './node.ts';
import type { Span } from '../text/span.ts';
import type { Place, ShallowNode, Walker } from './walk.ts';

/** #if chains nested deeper than this are kept as one item. */
const MAX_NESTING = 100;

interface Pending {
  readonly shallow: ShallowNode;
  readonly conditions: readonly Condition[];
  readonly depth: number;
}

/**
 * What is known of a node at file scope without its text; the very object for the very node of two
 * trees.
 */
export interface KnownItem {
  readonly hasError: boolean;
  /** The functions inside that are items all the same, with offsets from the node's start. */
  readonly inner: readonly (Span & { readonly hasError: boolean; readonly identity: object })[];
}

/** The items of a tree, and what is known of its nodes by their identity. */
export interface Items {
  readonly list: readonly TopLevelItem[];
  readonly known: ReadonlyMap<number, KnownItem>;
}

/**
 * The declarations, definitions and directives at file scope in source order. #if chains and
 * `extern "C"` blocks are
 * replaced by what they contain; an include guard leaves no condition behind. While a brace is
 * missing, the parser puts what follows
 * into the unfinished function or into an ERROR node; the definitions in it that start in the first
 * column are items all the same.
 * @param before what was known of the tree that this one was parsed from.
 */
export function topLevelItems(
  root: Place,
  text: string,
  walker: Walker,
  before: Items['known'] | undefined,
): Items {
  const items: TopLevelItem[] = [];
  const known = new Map<number, KnownItem>();
  const top = walker.children(root, false);
  const guard = findIncludeGuard(top, text, walker);
  // A stack in reverse order: nested #if chains must not be able to overflow the call stack.
  const stack: Pending[] = [];
  const push = (
    nodes: readonly ShallowNode[],
    conditions: readonly Condition[],
    depth: number,
  ): void => {
    for (let i = nodes.length - 1; i >= 0; i--)
      stack.push({ shallow: nodes[i]!, conditions, depth });
  };
  push(top, [], 0);
  for (let pending = stack.pop(); pending !== undefined; pending = stack.pop()) {
    const { shallow, conditions, depth } = pending;
    const { type, place } = shallow;
    if (depth < MAX_NESTING && isPreprocChain(type)) {
      const arms: Pending[] = [];
      const failed: Condition[] = [...conditions];
      for (let arm: ShallowNode | undefined = shallow; arm !== undefined;) {
        const parts: ArmParts<ShallowNode> = splitArm(walker.children(arm.place, true));
        const own = shallow === guard ? null : conditionOfArm(parts, text);
        const armConditions = own === null ? [...failed] : [...failed, own];
        for (const child of parts.body)
          arms.push({ shallow: child, conditions: armConditions, depth: depth + 1 });
        // A chain of thousands of arms would make lists of thousands of conditions for each.
        if (own !== null && failed.length < MAX_NESTING) failed.push(negate(own));
        arm = parts.alternative;
      }
      for (let i = arms.length - 1; i >= 0; i--) stack.push(arms[i]!);
    } else if (depth < MAX_NESTING && type === 'linkage_specification') {
      const body = walker.children(place, true).filter((child) => child.field === 'body');
      push(
        body[0]?.type === 'declaration_list' ? walker.children(body[0].place, false) : body,
        conditions,
        depth + 1,
      );
    } else if (shallow.named) {
      const one = before?.get(shallow.identity) ?? look(shallow, text, walker);
      if (shallow.identity !== 0) known.set(shallow.identity, one);
      for (const item of itemsOf(shallow, conditions, one, walker)) items.push(item);
    }
  }
  // A damaged chain may have nodes of its first arm behind the others.
  items.sort((left, right) => left.start - right.start || right.end - left.end);
  return { list: items, known };
}

function look(
  { type, start, hasError, place }: ShallowNode,
  text: string,
  walker: Walker,
): KnownItem {
  if (!hasError || (type !== 'ERROR' && type !== 'function_definition'))
    return { hasError, inner: [] };
  const root = walker.walk(place);
  return {
    hasError: type === 'ERROR' || isDamaged(root),
    inner: functionsIn(root)
      .filter((node) => node.start > start && text[node.start - 1] === '\n')
      .map((node) => ({
        start: node.start - start,
        end: node.end - start,
        hasError: isDamaged(node),
        identity: {},
      })),
  };
}

/** The item that a node is, and those inside of it. */
function itemsOf(
  { type, start, end, place }: ShallowNode,
  conditions: readonly Condition[],
  known: KnownItem,
  walker: Walker,
): TopLevelItem[] {
  const { hasError, inner } = known;
  const node = (): SyntaxNode => walker.walk(place);
  const item = { type, start, end, conditions, hasError, identity: known, node };
  if (inner.length === 0) return [item];
  let functions: readonly SyntaxNode[] | undefined;
  const innerNode = (span: Span): SyntaxNode => {
    functions ??= functionsIn(node());
    const found = functions.find((one) => one.start === span.start && one.end === span.end);
    return { ...found!, field: undefined };
  };
  return [
    item,
    ...inner.map((one) => {
      const span = { start: start + one.start, end: start + one.end };
      const { hasError: isBroken, identity } = one;
      return {
        type: 'function_definition',
        ...span,
        conditions,
        hasError: isBroken,
        identity,
        node: () => innerNode(span),
      };
    }),
  ];
}

function functionsIn(root: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.type === 'function_definition') found.push(node);
    for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i]!);
  }
  return found;
}

/**
 * Whether a tree has errors. A label in front of `}` or of an #if is none: C23 allows it, but to
 * the grammar a semicolon is missing there.
 */
function isDamaged(root: SyntaxNode): boolean {
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.type === 'ERROR' || node.missing) return true;
    for (const child of node.children) {
      const empty =
        node.type === 'labeled_statement' &&
        child.children.length === 1 &&
        child.children[0]!.missing &&
        child.children[0]!.type === ';';
      if (!empty) stack.push(child);
    }
  }
  return false;
}

/** The #ifndef X / #define X … #endif that is the whole file but for comments. */
function findIncludeGuard(
  top: readonly ShallowNode[],
  text: string,
  walker: Walker,
): ShallowNode | null {
  const code = top.filter((item) => item.type !== 'comment' && item.named);
  const only = code[0];
  if (only === undefined || code.length !== 1 || !isPreprocChain(only.type)) return null;
  const parts = splitArm(walker.children(only.place, true));
  const own = conditionOfArm(parts, text);
  if (own === null || own.holds || parts.alternative !== undefined) return null;
  const first = parts.body.find((item) => item.type !== 'comment');
  if (first?.type !== 'preproc_def') return null;
  return walker
    .children(first.place, true)
    .some((child) => child.field === 'name' && text.slice(child.start, child.end) === own.test)
    ? only
    : null;
}
