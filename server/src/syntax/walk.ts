import type { Node } from 'web-tree-sitter';
import type { SyntaxNode } from './node.ts';

/** Deeper nodes become one childless ERROR node, so that no consumer that recurses over a tree can overflow its stack. */
export const MAX_DEPTH = 500;

interface MutableNode extends SyntaxNode {
  readonly children: MutableNode[];
}

/** Builds the plain tree below a parser's node. Iterative; depth is capped at MAX_DEPTH. */
export function materialise(root: Node): SyntaxNode {
  const cursor = root.walk();
  try {
    const stack: MutableNode[] = [];
    for (;;) {
      const tooDeep = stack.length >= MAX_DEPTH;
      const node: MutableNode = {
        type: tooDeep ? 'ERROR' : cursor.nodeType,
        named: tooDeep || cursor.nodeIsNamed,
        field: cursor.currentFieldName ?? undefined,
        missing: cursor.nodeIsMissing,
        start: cursor.startIndex,
        end: cursor.endIndex,
        children: [],
      };
      stack.at(-1)?.children.push(node);
      if (!tooDeep && cursor.gotoFirstChild()) { stack.push(node); continue; }
      let last = node;
      while (!cursor.gotoNextSibling()) {
        const parent = stack.pop();
        if (parent === undefined) return last;
        last = parent;
        if (stack.length === 0) return parent;
        cursor.gotoParent();
      }
    }
  } finally {
    cursor.delete();
  }
}
