import type { Node } from 'web-tree-sitter';
import { conditionOfArm, isPreprocChain, negate, splitArm, type ArmParts } from './conditions.ts';
import type { Condition, TopLevelItem } from './node.ts';
import { materialise } from './walk.ts';

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
 * The declarations, definitions and directives at file scope in source order. #if chains and `extern "C"` blocks are
 * replaced by what they contain; an include guard leaves no condition behind.
 */
export function topLevelItems(root: Node, text: string): TopLevelItem[] {
  const items: TopLevelItem[] = [];
  const top = shallowChildren(root);
  const guard = findIncludeGuard(top, text);
  // A stack in reverse order: nested #if chains must not be able to overflow the call stack.
  const stack: Pending[] = [];
  const pushAll = (nodes: readonly Shallow[], conditions: readonly Condition[], depth: number): void => {
    for (let i = nodes.length - 1; i >= 0; i--) stack.push({ shallow: nodes[i]!, conditions, depth });
  };
  pushAll(top, [], 0);
  for (let pending = stack.pop(); pending !== undefined; pending = stack.pop()) {
    const { shallow, conditions, depth } = pending;
    if (depth < MAX_NESTING && isPreprocChain(shallow.type)) {
      const arms: Pending[] = [];
      const failed: Condition[] = [...conditions];
      for (let arm: Shallow | undefined = shallow; arm !== undefined;) {
        const parts: ArmParts<Shallow> = splitArm(shallowChildren(arm.node));
        const own = shallow === guard ? null : conditionOfArm(parts, text);
        const armConditions = own === null ? [...failed] : [...failed, own];
        for (const child of parts.body) arms.push({ shallow: child, conditions: armConditions, depth: depth + 1 });
        if (own !== null) failed.push(negate(own));
        arm = parts.alternative;
      }
      for (let i = arms.length - 1; i >= 0; i--) stack.push(arms[i]!);
    } else if (depth < MAX_NESTING && shallow.type === 'linkage_specification') {
      const body = shallowChildren(shallow.node).filter((child) => child.field === 'body');
      const inner = body[0]?.type === 'declaration_list' ? shallowChildren(body[0].node).filter((child) => child.node.isNamed) : body;
      pushAll(inner, conditions, depth + 1);
    } else {
      if (!shallow.node.isNamed) continue;
      items.push(toItem(shallow, conditions));
      if (shallow.type === 'ERROR') {
        pushAll(shallowChildren(shallow.node).filter((child) => child.type === 'function_definition' || isPreprocChain(child.type)), conditions, depth + 1);
      }
    }
  }
  return items;
}

function toItem(shallow: Shallow, conditions: readonly Condition[]): TopLevelItem {
  const { type, start, end, node } = shallow;
  return { type, start, end, conditions, hasError: node.hasError, node: () => materialise(node) };
}

function shallowChildren(node: Node): Shallow[] {
  const isArm = node.type.startsWith('preproc_') || node.type === 'linkage_specification';
  return node.children.map((child, index) => ({
    type: child.type,
    start: child.startIndex,
    end: child.endIndex,
    // The name of a field costs a call into the parser; only #if arms and linkage blocks are read by field.
    field: isArm ? node.fieldNameForChild(index) ?? undefined : undefined,
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
  return shallowChildren(first.node).some((child) => child.field === 'name' && text.slice(child.start, child.end) === own.test) ? only : null;
}
