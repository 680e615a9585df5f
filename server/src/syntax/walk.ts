/** Builds the plain tree from the parser's own. */
import type { Node } from 'web-tree-sitter';
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
  /** The field of the parent that it fills. */
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

/** Reads a parser's tree, which must not be deleted or edited meanwhile. */
export interface Walker {
  /** Builds the plain tree below a node; depth is capped at MAX_DEPTH. */
  walk(root: Place): SyntaxNode;
  /** The children of a node. */
  children(parent: Place): ShallowNode[];
}

interface MutableNode extends SyntaxNode {
  children: SyntaxNode[];
}

/** The walker on the documented TreeCursor, many times slower than that of subtrees.ts. */
export function publicWalker(): Walker {
  const nodes = new WeakMap<Place, Node>();
  const nodeAt = (place: Place): Node => nodes.get(place) ?? (place as Node);
  return {
    walk: (root) => walk(nodeAt(root)),
    children: (parent) => childrenOf(nodeAt(parent)),
  };

  function childrenOf(node: Node): ShallowNode[] {
    const found: ShallowNode[] = [];
    const cursor = node.walk();
    try {
      if (!cursor.gotoFirstChild()) return found;
      do {
        const child = cursor.currentNode;
        const { id, startIndex, tree } = child;
        const shallow: ShallowNode = {
          id,
          startIndex,
          tree,
          type: child.type,
          named: child.isNamed,
          field: cursor.currentFieldName ?? undefined,
          start: startIndex,
          end: child.endIndex,
          hasError: child.hasError,
          identity: 0,
        };
        nodes.set(shallow, child);
        found.push(shallow);
      } while (cursor.gotoNextSibling());
      return found;
    } finally {
      cursor.delete();
    }
  }
}

function walk(root: Node): SyntaxNode {
  const cursor = root.walk();
  const ancestors: MutableNode[] = [];
  try {
    for (;;) {
      const tooDeep = ancestors.length >= MAX_DEPTH;
      let node: MutableNode = {
        type: tooDeep ? 'ERROR' : cursor.nodeType,
        named: tooDeep || cursor.nodeIsNamed,
        // The root of a walk is looked at alone and fills no field.
        field: ancestors.length === 0 ? undefined : (cursor.currentFieldName ?? undefined),
        missing: !tooDeep && cursor.nodeIsMissing,
        start: cursor.startIndex,
        end: cursor.endIndex,
        children: [],
      };
      if (!tooDeep && cursor.gotoFirstChild()) {
        ancestors.push(node);
        continue;
      }
      for (;;) {
        const parent = ancestors.at(-1);
        if (parent === undefined) return node;
        parent.children.push(node);
        if (cursor.gotoNextSibling()) break;
        cursor.gotoParent();
        node = ancestors.pop()!;
      }
    }
  } finally {
    cursor.delete();
  }
}
