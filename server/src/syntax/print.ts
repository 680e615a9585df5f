/** Prints a syntax tree. */
import type { SyntaxNode } from './node.ts';

/**
 * A tree as an indented S-expression, one node a line: field, type, [start, end); anonymous tokens
 * are quoted. Ends without a line feed.
 */
export function printNode(root: SyntaxNode, indent = 0): string {
  const lines: string[] = [];
  // Closing parentheses are counted as nodes are finished, so that the depth of the tree does not
  // use the call stack.
  const stack: { node: SyntaxNode; depth: number; closes: number }[] = [
    { node: root, depth: indent, closes: 0 },
  ];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { node, depth, closes } = entry;
    const field = node.field === undefined ? '' : `${node.field}: `;
    const type = node.named ? node.type : JSON.stringify(node.type);
    const missing = node.missing ? 'MISSING ' : '';
    const leaf = node.children.length === 0;
    lines.push(
      `${'  '.repeat(depth)}${field}(${missing}${type} [${node.start}, ${node.end})${leaf ? ')'.repeat(closes + 1) : ''}`,
    );
    for (let i = node.children.length - 1; i >= 0; i--) {
      stack.push({
        node: node.children[i]!,
        depth: depth + 1,
        closes: i === node.children.length - 1 ? closes + 1 : 0,
      });
    }
  }
  return lines.join('\n');
}
