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
  const top = walker.children(root);
  const guard = findIncludeGuard(top, text, walker);
  const add = (shallow: ShallowNode, conditions: readonly Condition[]): void => {
    let one = before?.get(shallow.identity);
    let seen: Seen | undefined;
    if (one === undefined) {
      seen = look(shallow, text, walker);
      one = seen.known;
    }
    if (shallow.identity !== 0) known.set(shallow.identity, one);
    const item = new Item(shallow, conditions, one, walker, seen?.root);
    items.push(item);
    if (one.inner.length > 0)
      one.inner.forEach((inner, i) => items.push(new InnerItem(item, inner, seen?.functions[i])));
  };
  // A stack, so that nested #if chains cannot overflow the call stack. Plain items, which are nearly
  // all of a file, need none: they are sorted in the end.
  const stack: Pending[] = [];
  const take = (
    nodes: readonly ShallowNode[],
    conditions: readonly Condition[],
    depth: number,
  ): void => {
    for (let i = 0; i < nodes.length; i++) {
      const shallow = nodes[i]!;
      if (depth < MAX_NESTING && (isPreprocChain(shallow.type) || isLinkage(shallow)))
        stack.push({ shallow, conditions, depth });
      else if (shallow.named) add(shallow, conditions);
    }
  };
  take(top, NO_CONDITIONS, 0);
  for (let pending = stack.pop(); pending !== undefined; pending = stack.pop()) {
    const { shallow, conditions, depth } = pending;
    if (isLinkage(shallow)) {
      const body = walker.children(shallow).filter((child) => child.field === 'body');
      take(
        body[0]?.type === 'declaration_list' ? walker.children(body[0]) : body,
        conditions,
        depth + 1,
      );
      continue;
    }
    const failed: Condition[] = [...conditions];
    for (let arm: ShallowNode | undefined = shallow; arm !== undefined;) {
      const parts: ArmParts<ShallowNode> = splitArm(walker.children(arm));
      const own = shallow === guard ? null : conditionOfArm(parts, text);
      take(parts.body, own === null ? [...failed] : [...failed, own], depth + 1);
      // A chain of thousands of arms would make lists of thousands of conditions for each.
      if (own !== null && failed.length < MAX_NESTING) failed.push(negate(own));
      arm = parts.alternative;
    }
  }
  // A damaged chain may have nodes of its first arm behind the others.
  items.sort((left, right) => left.start - right.start || right.end - left.end);
  return { list: items, known };
}

const NO_CONDITIONS: readonly Condition[] = [];

function isLinkage({ type }: ShallowNode): boolean {
  return type === 'linkage_specification';
}

/** What is known of a node that was looked at, with the plain trees that were made for that. */
interface Seen {
  readonly known: KnownItem;
  readonly root?: SyntaxNode;
  /** Of `known.inner`. */
  readonly functions: readonly SyntaxNode[];
}

function look(shallow: ShallowNode, text: string, walker: Walker): Seen {
  const { type, start, hasError } = shallow;
  if (!hasError || (type !== 'ERROR' && type !== 'function_definition'))
    return { known: { hasError, inner: [] }, functions: [] };
  const root = walker.walk(shallow);
  const functions = functionsIn(root).filter(
    (node) => node.start > start && text[node.start - 1] === '\n',
  );
  const inner = functions.map((node) => ({
    start: node.start - start,
    end: node.end - start,
    hasError: isDamaged(node),
    identity: {},
  }));
  const isBroken = type === 'ERROR' || isDamaged(root);
  return { known: { hasError: isBroken, inner }, root, functions };
}

/** The item that a node is. */
class Item implements TopLevelItem {
  readonly conditions: readonly Condition[];
  readonly identity: KnownItem;
  private readonly shallow: ShallowNode;
  readonly #walker: Walker;
  /** Given to the first who asks: nobody asks twice, and a tree of objects takes room. */
  #root: SyntaxNode | undefined;
  #functions: ReadonlyMap<number, SyntaxNode> | undefined;

  constructor(
    shallow: ShallowNode,
    conditions: readonly Condition[],
    known: KnownItem,
    walker: Walker,
    root: SyntaxNode | undefined,
  ) {
    this.conditions = conditions;
    this.identity = known;
    this.shallow = shallow;
    this.#walker = walker;
    this.#root = root;
  }

  get type(): string {
    return this.shallow.type;
  }
  get start(): number {
    return this.shallow.start;
  }
  get end(): number {
    return this.shallow.end;
  }
  get hasError(): boolean {
    return this.identity.hasError;
  }

  node(): SyntaxNode {
    const root = this.#root ?? this.#walker.walk(this.shallow);
    this.#root = undefined;
    return root;
  }

  /** A function inside of it. */
  inner(start: number): SyntaxNode {
    this.#functions ??= new Map(functionsIn(this.node()).map((node) => [node.start, node]));
    return this.#functions.get(start)!;
  }
}

/** A function inside of an item. */
class InnerItem implements TopLevelItem {
  readonly type = 'function_definition';
  readonly start: number;
  readonly end: number;
  readonly hasError: boolean;
  readonly conditions: readonly Condition[];
  readonly identity: object;
  readonly #outer: Item;
  #root: SyntaxNode | undefined;

  constructor(outer: Item, known: KnownItem['inner'][number], root: SyntaxNode | undefined) {
    this.start = outer.start + known.start;
    this.end = outer.start + known.end;
    this.hasError = known.hasError;
    this.conditions = outer.conditions;
    this.identity = known.identity;
    this.#outer = outer;
    this.#root = root;
  }

  node(): SyntaxNode {
    const root = this.#root ?? this.#outer.inner(this.start);
    this.#root = undefined;
    return { ...root, field: undefined };
  }
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
  const parts = splitArm(walker.children(only));
  const own = conditionOfArm(parts, text);
  if (own === null || own.holds || parts.alternative !== undefined) return null;
  const first = parts.body.find((item) => item.type !== 'comment');
  if (first?.type !== 'preproc_def') return null;
  return walker
    .children(first)
    .some((child) => child.field === 'name' && text.slice(child.start, child.end) === own.test)
    ? only
    : null;
}
