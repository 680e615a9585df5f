/** The declarations, definitions and directives at file scope. */
import type { Node } from 'web-tree-sitter';
import { conditionOfArm, isPreprocChain, negate, splitArm, type ArmParts } from './conditions.ts';
import type { Condition, SyntaxNode, TopLevelItem } from './node.ts';
import type { Walker } from './walk.ts';

/** #if chains nested deeper than this are kept as one item. */
const MAX_NESTING = 100;

/** A node's facts that are needed to sort it into the list, read once. */
interface Shallow {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly field: string | undefined;
  readonly node: Node;
}

interface Pending {
  readonly shallow: Shallow;
  readonly conditions: readonly Condition[];
  readonly depth: number;
}

/**
 * The declarations, definitions and directives at file scope in source order. #if chains and
 * `extern "C"` blocks are
 * replaced by what they contain; an include guard leaves no condition behind. While a brace is
 * missing, the parser puts what follows
 * into the unfinished function or into an ERROR node; the definitions in it that start in the first
 * column are items all the same.
 */
export function topLevelItems(root: Node, text: string, walk: Walker): TopLevelItem[] {
  const items: TopLevelItem[] = [];
  const top = shallowChildren(root);
  const guard = findIncludeGuard(top, text);
  // A stack in reverse order: nested #if chains must not be able to overflow the call stack.
  const stack: Pending[] = [];
  const push = (
    nodes: readonly Shallow[],
    conditions: readonly Condition[],
    depth: number,
  ): void => {
    for (let i = nodes.length - 1; i >= 0; i--)
      stack.push({ shallow: nodes[i]!, conditions, depth });
  };
  push(top, [], 0);
  for (let pending = stack.pop(); pending !== undefined; pending = stack.pop()) {
    const { shallow, conditions, depth } = pending;
    const { type, node } = shallow;
    if (depth < MAX_NESTING && isPreprocChain(type)) {
      const arms: Pending[] = [];
      const failed: Condition[] = [...conditions];
      for (let arm: Shallow | undefined = shallow; arm !== undefined;) {
        const parts: ArmParts<Shallow> = splitArm(shallowChildren(arm.node));
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
      const body = shallowChildren(node).filter((child) => child.field === 'body');
      push(
        body[0]?.type === 'declaration_list' ? shallowChildren(body[0].node) : body,
        conditions,
        depth + 1,
      );
    } else if (node.isNamed) {
      const hasError = node.hasError;
      items.push(toItem(shallow, conditions, hasError, walk));
      if (hasError && (type === 'ERROR' || type === 'function_definition')) {
        for (const inner of node.descendantsOfType('function_definition')) {
          if (inner.startIndex > shallow.start && inner.startPosition.column === 0) {
            items.push(
              toItem(
                {
                  type: inner.type,
                  start: inner.startIndex,
                  end: inner.endIndex,
                  field: undefined,
                  node: inner,
                },
                conditions,
                inner.hasError,
                walk,
              ),
            );
          }
        }
      }
    }
  }
  // A damaged chain may have nodes of its first arm behind the others.
  return items.sort((left, right) => left.start - right.start || right.end - left.end);
}

function toItem(
  { type, start, end, node }: Shallow,
  conditions: readonly Condition[],
  hasError: boolean,
  walk: Walker,
): TopLevelItem {
  return {
    type,
    start,
    end,
    conditions,
    hasError: hasError && (type !== 'function_definition' || isDamaged(walk(node))),
    node: () => walk(node),
  };
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

function shallowChildren(node: Node): Shallow[] {
  const isArm = node.type.startsWith('preproc_') || node.type === 'linkage_specification';
  return node.children.map((child, index) => ({
    type: child.type,
    start: child.startIndex,
    end: child.endIndex,
    // The name of a field costs a call into the parser; only #if arms and linkage blocks are read
    // by field.
    field: isArm ? (node.fieldNameForChild(index) ?? undefined) : undefined,
    node: child,
  }));
}

/** The #ifndef X / #define X … #endif that is the whole file but for comments. */
function findIncludeGuard(top: readonly Shallow[], text: string): Shallow | null {
  const code = top.filter((item) => item.type !== 'comment' && item.node.isNamed);
  const only = code[0];
  if (only === undefined || code.length !== 1 || !isPreprocChain(only.type)) return null;
  const parts = splitArm(shallowChildren(only.node));
  const own = conditionOfArm(parts, text);
  if (own === null || own.holds || parts.alternative !== undefined) return null;
  const first = parts.body.find((item) => item.type !== 'comment');
  if (first?.type !== 'preproc_def') return null;
  return shallowChildren(first.node).some(
    (child) => child.field === 'name' && text.slice(child.start, child.end) === own.test,
  )
    ? only
    : null;
}
