/**
 * Where a text may be cut into arms of #if: between whole statements, declarations, members and
 * entries of a table, and never in the middle of one.
 */
import { lineIndex } from '../../text/position.ts';
import type { SyntaxNode, SyntaxTree } from '../../syntax/node.ts';

/** Lines, from the first to the one after the last. */
export interface Lines {
  readonly start: number;
  readonly end: number;
}

/** What is whole only with all of its lines, and the blocks in it that can be cut. */
interface Unit extends Lines {
  readonly blocks: readonly Block[];
}

/** A list of units: a body, the members of a struct, the entries of a table, the file. */
interface Block extends Lines {
  readonly units: readonly Unit[];
}

/** The units of a text. */
export interface Units {
  /** The least range with these lines that cuts no unit. */
  whole(lines: Lines): Lines;
}

const LISTS: ReadonlySet<string> = new Set([
  'compound_statement',
  'field_declaration_list',
  'initializer_list',
  'enumerator_list',
]);

/** @throws where the tree is disposed. */
export function unitsOf(tree: SyntaxTree): Units {
  const index = lineIndex(tree.text);
  const lineAt = (offset: number): number => index.position(offset).line;
  const last = lineAt(tree.text.length) + 1;
  const file: Block = {
    start: 0,
    end: last,
    units: joined(tree.items().map((item) => unitOf(item.node(), lineAt))),
  };
  return { whole: (lines) => wholeIn(file, lines) };
}

function wholeIn(block: Block, lines: Lines): Lines {
  const { start, end } = lines;
  const cut = block.units.filter((unit) =>
    start === end ? unit.start < start && start < unit.end : unit.start < end && start < unit.end,
  );
  const [first] = cut;
  if (first === undefined) return lines;
  const inner =
    cut.length === 1 && first.blocks.find((one) => one.start <= start && end <= one.end);
  if (inner) return wholeIn(inner, lines);
  return { start: Math.min(start, first.start), end: Math.max(end, cut.at(-1)!.end) };
}

function unitOf(node: SyntaxNode, lineAt: (offset: number) => number): Unit {
  return { ...linesOf(node, lineAt), blocks: blocksIn(node, lineAt) };
}

function linesOf({ start, end }: SyntaxNode, lineAt: (offset: number) => number): Lines {
  const first = lineAt(start);
  // A directive ends with the line's end.
  return { start: first, end: Math.max(first, lineAt(Math.max(start, end - 1))) + 1 };
}

/** The outermost lists in a node. */
function blocksIn(node: SyntaxNode, lineAt: (offset: number) => number): Block[] {
  if (LISTS.has(node.type)) return listBlock(node, lineAt);
  if (/^preproc_(?:if|ifdef|elif|elifdef|else)$/.test(node.type)) return armBlocks(node, lineAt);
  return node.children.flatMap((child) => blocksIn(child, lineAt));
}

function listBlock(node: SyntaxNode, lineAt: (offset: number) => number): Block[] {
  const start = lineAt(node.start) + 1;
  const end = lineAt(Math.max(node.start, node.end - 1));
  const units = joined(unitsIn(node.children, lineAt));
  const isOpen = units.every((unit) => start <= unit.start && unit.end <= end);
  return isOpen && start <= end ? [{ start, end, units }] : [];
}

/** The content of each arm, without the lines of the directives. */
function armBlocks(node: SyntaxNode, lineAt: (offset: number) => number): Block[] {
  const blocks: Block[] = [];
  const next = node.children.findIndex((child) => /^preproc_el/.test(child.type));
  const own = next < 0 ? node.children : node.children.slice(0, next);
  const head = own.find((child) => child.field === 'condition' || child.field === 'name');
  const start = lineAt((head ?? node).end > node.start && head ? head.end : node.start) + 1;
  const stop =
    next < 0 ? node.children.find((child) => /^#\s*endif/.test(child.type)) : node.children[next];
  const end = stop ? lineAt(stop.start) : linesOf(node, lineAt).end;
  const content = own.filter((child) => child.named && child !== head);
  const units = joined(unitsIn(content, lineAt));
  if (start <= end && units.every((unit) => start <= unit.start && unit.end <= end))
    blocks.push({ start, end, units });
  if (next >= 0) return [...blocks, ...armBlocks(node.children[next]!, lineAt)];
  return blocks;
}

/** A label, a case and what follows them are units of their own. */
function unitsIn(nodes: readonly SyntaxNode[], lineAt: (offset: number) => number): Unit[] {
  return nodes
    .filter((node) => node.named)
    .flatMap((node): Unit[] => {
      if (node.type !== 'labeled_statement' && node.type !== 'case_statement')
        return [unitOf(node, lineAt)];
      const colon = node.children.findIndex((child) => child.type === ':');
      const head = node.children[Math.max(colon, 0)];
      if (head === undefined) return [unitOf(node, lineAt)];
      const label = { ...linesOf({ ...node, end: head.end }, lineAt), blocks: [] };
      return [label, ...unitsIn(node.children.slice(colon + 1), lineAt)];
    });
}

/** Units in order; those that share a line are one. */
function joined(units: readonly Unit[]): Unit[] {
  const result: Unit[] = [];
  for (const unit of [...units].sort((left, right) => left.start - right.start)) {
    const before = result.at(-1);
    if (before === undefined || before.end <= unit.start) {
      result.push(unit);
      continue;
    }
    result[result.length - 1] = {
      start: before.start,
      end: Math.max(before.end, unit.end),
      blocks: [],
    };
  }
  return result;
}
