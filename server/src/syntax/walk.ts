/** Builds the plain tree from the parser's own. */
import type { Language, Node, Tree } from 'web-tree-sitter';
import type { SyntaxNode } from './node.ts';

/**
 * Deeper nodes become one childless ERROR node, so that no consumer that recurses over a tree can
 * overflow its stack.
 * The deepest node of Linux 6.12's drivers/vfio is at 22.
 */
export const MAX_DEPTH = 500;

/**
 * A place in a parser's tree: a node of the parser, or as much of it as tells where it is. Only the
 * walker that listed it can go on from it.
 */
export type Place = Pick<Node, 'id' | 'startIndex' | 'tree'>;

/** What is read of a node to sort it into the items of a file. */
export interface ShallowNode extends Place {
  readonly type: string;
  readonly named: boolean;
  /** The field of the parent that it fills; only told where it is asked for. */
  readonly field: string | undefined;
  readonly start: number;
  readonly end: number;
  readonly hasError: boolean;
  /**
   * Equal numbers in a tree and in one that was parsed from it: the very same node, with all that is
   * in it. 0 where that is not known.
   */
  readonly identity: number;
}

/** What a node is wherever it stands: the same for nodes with the same identity and alias. */
export interface Shape extends Pick<ShallowNode, 'type' | 'named' | 'hasError'> {
  readonly length: number;
  /** The parent may give the node another type than its own: the number of that. */
  readonly alias: number;
}

/** The shape of a node by its identity, as far as it is known from an earlier tree. */
export type Shapes = (identity: number) => Shape | undefined;

/** Reads a parser's tree, which must not be deleted or edited meanwhile. */
export interface Walker {
  /** Builds the plain tree below a node. Iterative; depth is capped at MAX_DEPTH. */
  walk(root: Place): SyntaxNode;
  /** The children of a node with the fields that they fill. */
  children(parent: Place): ShallowNode[];
  /** The children of a node, the fields left out. What is known of them is not asked again. */
  plainChildren(parent: Place, shapes: Shapes): ShallowNode[];
}

/** The shape of a node that a walker listed. */
export function shapeOf(node: ShallowNode): Shape {
  const { type, named, hasError, start, end } = node;
  return { type, named, hasError, length: end - start, alias: (node as Partial<Handle>)[0] ?? 0 };
}

/** A cursor as a walk needs it: it stands on one node. */
interface Cursor {
  type(): string;
  /** Whether the node that `type` was last asked about is named. */
  named(): boolean;
  field(): string | undefined;
  missing(): boolean;
  start(): number;
  end(): number;
  /** Of the node that `type` was last asked about. */
  firstChild(): boolean;
  nextSibling(): boolean;
  parent(): void;
}

interface MutableNode extends SyntaxNode {
  children: SyntaxNode[];
}

const NO_CHILDREN: SyntaxNode[] = [];

function walk(cursor: Cursor): SyntaxNode {
  const ancestors: MutableNode[] = [];
  // The nodes that are whole and wait for their parent, which takes those from its first child on:
  // lists that grow by themselves would have room for many more.
  const whole: SyntaxNode[] = [];
  const firstChildren: number[] = [];
  let count = 0;
  for (;;) {
    const depth = ancestors.length;
    const tooDeep = depth >= MAX_DEPTH;
    const start = cursor.start();
    const end = cursor.end();
    let node: MutableNode = {
      type: tooDeep ? 'ERROR' : cursor.type(),
      named: tooDeep || cursor.named(),
      // The root of a walk is looked at alone and fills no field.
      field: depth === 0 ? undefined : cursor.field(),
      missing: start === end && !tooDeep && cursor.missing(),
      start,
      end,
      children: NO_CHILDREN,
    };
    if (!tooDeep && cursor.firstChild()) {
      ancestors.push(node);
      firstChildren.push(count);
      continue;
    }
    for (;;) {
      if (ancestors.length === 0) return node;
      whole[count++] = node;
      if (cursor.nextSibling()) break;
      cursor.parent();
      node = ancestors.pop()!;
      const first = firstChildren.pop()!;
      node.children = whole.slice(first, count);
      count = first;
    }
  }
}

/**
 * The walker on the documented TreeCursor, which copies its state in and out of the module at every
 * step.
 */
export function publicWalker(): Walker {
  const walkPublic = (root: Node): SyntaxNode => {
    const cursor = root.walk();
    try {
      return walk({
        type: () => cursor.nodeType,
        named: () => cursor.nodeIsNamed,
        field: () => cursor.currentFieldName ?? undefined,
        missing: () => cursor.nodeIsMissing,
        start: () => cursor.startIndex,
        end: () => cursor.endIndex,
        firstChild: () => cursor.gotoFirstChild(),
        nextSibling: () => cursor.gotoNextSibling(),
        parent: () => {
          cursor.gotoParent();
        },
      });
    } finally {
      cursor.delete();
    }
  };
  const nodes = new WeakMap<Place, Node>();
  const nodeAt = (place: Place): Node => nodes.get(place) ?? (place as Node);
  return {
    walk: (root) => walkPublic(nodeAt(root)),
    children: (parent) => childrenOf(nodeAt(parent), true),
    plainChildren: (parent) => childrenOf(nodeAt(parent), false),
  };

  function childrenOf(node: Node, withFields: boolean): ShallowNode[] {
    return node.children.map((child, index) => {
      const { id, startIndex, tree } = child;
      const shallow: ShallowNode = {
        id,
        startIndex,
        tree,
        type: child.type,
        named: child.isNamed,
        field: withFields ? (node.fieldNameForChild(index) ?? undefined) : undefined,
        start: startIndex,
        end: child.endIndex,
        hasError: child.hasError,
        identity: 0,
      };
      nodes.set(shallow, child);
      return shallow;
    });
  }
}

/**
 * What walks use of web-tree-sitter's WebAssembly module. It is not documented: its names and the
 * layout below are those of
 * web-tree-sitter 0.27.1, in which a call finds its cursor (4 words) or node (5 words) in a
 * transfer buffer at the address that `_ts_init` returns, and leaves the moved cursor there. A list
 * of nodes is at an address that the caller frees; the buffer has the length of it and that address.
 * package.json pins that version.
 */
interface CursorExports {
  readonly HEAP32: Int32Array;
  _free(address: number): void;
  _ts_init(): number;
  _ts_tree_cursor_new_wasm(tree: number): void;
  _ts_tree_cursor_delete_wasm(tree: number): void;
  _ts_node_children_wasm(tree: number): void;
  _ts_node_end_index_wasm(tree: number): number;
  _ts_node_has_error_wasm(tree: number): number;
  _ts_node_symbol_wasm(tree: number): number;
  _ts_tree_cursor_current_node_wasm(tree: number): void;
  _ts_tree_cursor_current_node_type_id_wasm(tree: number): number;
  _ts_tree_cursor_current_node_is_missing_wasm(tree: number): number;
  _ts_tree_cursor_current_field_id_wasm(tree: number): number;
  _ts_tree_cursor_start_index_wasm(tree: number): number;
  _ts_tree_cursor_end_index_wasm(tree: number): number;
  _ts_tree_cursor_goto_first_child_wasm(tree: number): number;
  _ts_tree_cursor_goto_next_sibling_wasm(tree: number): number;
  _ts_tree_cursor_goto_parent_wasm(tree: number): number;
}

const EXPORT_NAMES: readonly (keyof CursorExports)[] = [
  '_free',
  '_ts_init',
  '_ts_tree_cursor_new_wasm',
  '_ts_tree_cursor_delete_wasm',
  '_ts_node_children_wasm',
  '_ts_node_end_index_wasm',
  '_ts_node_has_error_wasm',
  '_ts_node_symbol_wasm',
  '_ts_tree_cursor_current_node_wasm',
  '_ts_tree_cursor_current_node_type_id_wasm',
  '_ts_tree_cursor_current_node_is_missing_wasm',
  '_ts_tree_cursor_current_field_id_wasm',
  '_ts_tree_cursor_start_index_wasm',
  '_ts_tree_cursor_end_index_wasm',
  '_ts_tree_cursor_goto_first_child_wasm',
  '_ts_tree_cursor_goto_next_sibling_wasm',
  '_ts_tree_cursor_goto_parent_wasm',
];

/** Named nodes without children. Only the most frequent: one that is missing here costs a call. */
const TOKENS: ReadonlySet<string> = new Set([
  'identifier',
  'field_identifier',
  'type_identifier',
  'statement_identifier',
  'primitive_type',
  'comment',
  'preproc_arg',
]);

const WORDS_OF_NODE = 5;

/** A Node and a Tree keep their words in numbered properties. */
interface Handle {
  readonly 0: number;
}

/**
 * The walker on the module's own exports, three to four times as fast as publicWalker. Null when
 * the module does not have them.
 * @param module the object that was given to Parser.init, which Emscripten fills with the exports.
 */
export function exportsWalker(module: object, language: Language): Walker | null {
  const exports = module as CursorExports;
  if (
    !EXPORT_NAMES.every((name) => typeof exports[name] === 'function') ||
    !(exports.HEAP32 instanceof Int32Array)
  )
    return null;
  const types: string[] = [];
  const named: boolean[] = [];
  for (let id = 0; id < language.nodeTypeCount; id++) {
    types[id] = language.types[id] ?? 'ERROR';
    named[id] = language.nodeTypeIsNamed(id);
  }
  // Most nodes are tokens: not to ask for their children saves a call for each.
  const isToken = types.map((type, id) => !named[id] || TOKENS.has(type));
  const fields = language.fields.map((field) => field ?? undefined);
  const buffer = exports._ts_init() >> 2;
  let tree = 0;
  let type = 0;
  const cursor: Cursor = {
    type: () => types[(type = exports._ts_tree_cursor_current_node_type_id_wasm(tree))] ?? 'ERROR',
    // An ERROR node has no entry and is named.
    named: () => named[type] ?? true,
    field: () => fields[exports._ts_tree_cursor_current_field_id_wasm(tree)],
    missing: () => exports._ts_tree_cursor_current_node_is_missing_wasm(tree) === 1,
    start: () => exports._ts_tree_cursor_start_index_wasm(tree),
    end: () => exports._ts_tree_cursor_end_index_wasm(tree),
    firstChild: () =>
      isToken[type] !== true && exports._ts_tree_cursor_goto_first_child_wasm(tree) === 1,
    nextSibling: () => exports._ts_tree_cursor_goto_next_sibling_wasm(tree) === 1,
    parent: () => {
      exports._ts_tree_cursor_goto_parent_wasm(tree);
    },
  };
  function handOver(id: number, start: number, alias: number): void {
    const words = exports.HEAP32;
    words[buffer] = id;
    words[buffer + 1] = start;
    // Its row and column: what is found from there has wrong ones, which nobody reads.
    words[buffer + 2] = words[buffer + 3] = 0;
    words[buffer + 4] = alias;
  }

  function handOverPlace(place: Place): void {
    tree = (place.tree as unknown as Handle)[0];
    handOver(place.id, place.startIndex, (place as unknown as Handle)[0]);
  }

  /** Puts the cursor on a node while something is done with it. */
  function at<T>(place: Place, work: () => T): T {
    handOverPlace(place);
    exports._ts_tree_cursor_new_wasm(tree);
    try {
      return work();
    } finally {
      exports._ts_tree_cursor_delete_wasm(tree);
    }
  }

  /**
   * The address of a node's subtree, which trees share. The address of a node itself is that of a
   * word in its parent with either that address, which is even, or a small leaf in its stead.
   */
  function identityOf(id: number): number {
    const word = exports.HEAP32[id >> 2]!;
    return (word & 1) === 0 ? word : 0;
  }

  /** The shape of a node that was handed over. */
  function shapeAt(start: number, alias: number): Shape {
    const id = exports._ts_node_symbol_wasm(tree);
    return {
      type: types[id] ?? 'ERROR',
      named: named[id] ?? true,
      hasError: exports._ts_node_has_error_wasm(tree) === 1,
      length: exports._ts_node_end_index_wasm(tree) - start,
      alias,
    };
  }

  /** All children by one call. */
  function plainChildren(parent: Place, shapes: Shapes): ShallowNode[] {
    handOverPlace(parent);
    exports._ts_node_children_wasm(tree);
    const count = exports.HEAP32[buffer]!;
    const list = exports.HEAP32[buffer + 1]!;
    const found: ShallowNode[] = [];
    for (let i = 0, word = list >> 2; i < count; i++, word += WORDS_OF_NODE) {
      const words = exports.HEAP32;
      const id = words[word]!,
        start = words[word + 1]!,
        alias = words[word + 4]!;
      const identity = identityOf(id);
      let shape = identity === 0 ? undefined : shapes(identity);
      if (shape?.alias !== alias) {
        handOver(id, start, alias);
        shape = shapeAt(start, alias);
      }
      const node: ShallowNode & Handle = {
        0: alias,
        id,
        tree: parent.tree,
        startIndex: start,
        type: shape.type,
        named: shape.named,
        field: undefined,
        start,
        end: start + shape.length,
        hasError: shape.hasError,
        identity,
      };
      found.push(node);
    }
    if (count > 0) exports._free(list);
    return found;
  }

  function shallow(parent: Tree): ShallowNode {
    const nodeType = cursor.type();
    const named = cursor.named();
    const field = cursor.field();
    const start = cursor.start();
    const end = cursor.end();
    // The node takes the place of the cursor in the buffer.
    const words = exports.HEAP32;
    const first = words[buffer]!,
      second = words[buffer + 1]!,
      third = words[buffer + 2]!,
      fourth = words[buffer + 3]!;
    exports._ts_tree_cursor_current_node_wasm(tree);
    const id = words[buffer]!;
    const other = words[buffer + 4]!;
    const hasError = exports._ts_node_has_error_wasm(tree) === 1;
    words[buffer] = first;
    words[buffer + 1] = second;
    words[buffer + 2] = third;
    words[buffer + 3] = fourth;
    const found: ShallowNode & Handle = {
      0: other,
      id,
      tree: parent,
      startIndex: start,
      type: nodeType,
      named,
      field,
      start,
      end,
      hasError,
      identity: identityOf(id),
    };
    return found;
  }

  return {
    walk: (root) => at(root, () => walk(cursor)),
    children: (parent) =>
      at(parent, () => {
        const found: ShallowNode[] = [];
        if (exports._ts_tree_cursor_goto_first_child_wasm(tree) !== 1) return found;
        do found.push(shallow(parent.tree));
        while (cursor.nextSibling());
        return found;
      }),
    plainChildren,
  };
}
