/** Loads the parser; the only user of web-tree-sitter. */
import { Language, Parser, type Tree } from 'web-tree-sitter';
import { commonPrefix, commonSuffix } from '../text/common.ts';
import { topLevelItems, type Items } from './items.ts';
import { kernelMask, maskAgain, type Masked } from './mask.ts';
import type { SyntaxNode, SyntaxParser, SyntaxTree, TopLevelItem } from './node.ts';
import { printNode } from './print.ts';
import { exportsWalker, publicWalker, type Walker } from './walk.ts';

/**
 * Longer texts are not parsed: four million code units take about a second and 150 MB. The largest
 * VFIO source of Linux 6.12 has 80,000.
 */
const MAX_LENGTH = 4 << 20;

/**
 * The parser reports progress every hundred steps. Valid C needs 6 reports for 1,000 code units and
 * the worst nonsense that was tried 50;
 * beyond this bound the parse is given up.
 */
const MAX_REPORTS_PER_UNIT = 0.5;
const FREE_REPORTS = 1000;

/** What parse() needs of an earlier tree and nobody else may see. */
interface Parsed {
  readonly tree: Tree;
  readonly mask: Masked;
  /** What is known of its nodes, once somebody asked for its items. */
  known: Items['known'] | undefined;
}
const trees = new WeakMap<SyntaxTree, Parsed>();

/**
 * web-tree-sitter keeps one WebAssembly module per process, which fills the options of the first
 * call.
 */
let module: { wasmBinary: Uint8Array } | undefined;

interface Runtime {
  readonly parser: Parser;
  readonly walker: Walker;
}

/**
 * Loads the parser. Later calls in a process share the first call's runtime.
 * @param wasm the bytes of web-tree-sitter.wasm and of tree-sitter-c.wasm; bytes and not paths,
 * because in a bundle and in a
 *   web worker there is no path.
 * @throws when the bytes are not those modules.
 */
export async function createParser(wasm: {
  runtime: Uint8Array;
  grammar: Uint8Array;
}): Promise<SyntaxParser> {
  module ??= { wasmBinary: wasm.runtime };
  await Parser.init(module);
  const language = await Language.load(wasm.grammar);
  const runtime: Runtime = {
    parser: new Parser().setLanguage(language),
    walker: exportsWalker(module, language) ?? publicWalker(),
  };
  return { parse: (text, previous) => parse(runtime, text, previous) };
}

function parse(
  { parser, walker }: Runtime,
  text: string,
  previous: SyntaxTree | undefined,
): SyntaxTree {
  if (text.length > MAX_LENGTH)
    return unparsed(text, `the file is longer than ${MAX_LENGTH} characters`);
  const old = previous === undefined ? undefined : trees.get(previous);
  const mask = old === undefined ? kernelMask(text) : maskedLike(old.mask, text);
  const { masked } = mask;
  const edited = old === undefined ? null : editedCopy(old.tree, old.mask.masked, masked);
  try {
    let reports = FREE_REPORTS + text.length * MAX_REPORTS_PER_UNIT;
    // The callback's type says void, but its result is what stops the parser.
    const tree = parser.parse(masked, edited, { progressCallback: () => --reports < 0 });
    if (tree !== null) return parsed(tree, walker, mask, old?.known);
  } finally {
    edited?.delete();
  }
  // Without this the next parse would go on with this text.
  parser.reset();
  return unparsed(text, 'the parser needs too long to find a structure in this file');
}

function maskedLike(before: Masked, text: string): Masked {
  const start = commonPrefix(before.text, text),
    tail = commonSuffix(before.text, text, start);
  const oldEnd = before.text.length - tail,
    newEnd = text.length - tail;
  return maskAgain(text, before, { start, oldEnd, newEnd });
}

/**
 * A copy of the tree of `before` that knows which one stretch is different in `after`. The caller
 * deletes it.
 */
function editedCopy(tree: Tree, before: string, after: string): Tree {
  const start = commonPrefix(before, after),
    tail = commonSuffix(before, after, start);
  const copy = tree.copy();
  if (start + tail === before.length && start + tail === after.length) return copy;
  const startPosition = positionAfter(after, 0, start, { row: 0, column: 0 });
  copy.edit({
    startIndex: start,
    oldEndIndex: before.length - tail,
    newEndIndex: after.length - tail,
    startPosition,
    oldEndPosition: positionAfter(before, start, before.length - tail, startPosition),
    newEndPosition: positionAfter(after, start, after.length - tail, startPosition),
  } as Parameters<Tree['edit']>[0]);
  return copy;
}

interface Point {
  row: number;
  column: number;
}

/**
 * The position at `to`, given the one at `from`. Rows end with a line feed, as the parser counts
 * them.
 */
function positionAfter(text: string, from: number, to: number, { row, column }: Point): Point {
  let lineStart = from - column;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) {
    row++;
    lineStart = at + 1;
  }
  return { row, column: to - lineStart };
}

function parsed(
  tree: Tree,
  walker: Walker,
  mask: Masked,
  before: Items['known'] | undefined,
): SyntaxTree {
  let items: readonly TopLevelItem[] | undefined;
  let knownBefore = before;
  const checked: Walker = {
    ...walker,
    walk(root) {
      if (!trees.has(result)) throw new Error('the syntax tree is disposed');
      return walker.walk(root);
    },
  };
  const result: SyntaxTree = {
    text: mask.text,
    masked: mask.masked,
    notes: mask.notes,
    items() {
      const own = trees.get(result);
      if (items !== undefined || own === undefined) return items ?? [];
      const { list, known } = topLevelItems(tree.rootNode, mask.text, checked, knownBefore);
      own.known = known;
      knownBefore = undefined;
      return (items = list);
    },
    print: () => (trees.has(result) ? printNode(walker.walk(tree.rootNode)) : ''),
    dispose: () => {
      if (trees.delete(result)) tree.delete();
    },
  };
  trees.set(result, { tree, mask, known: undefined });
  return result;
}

/** The tree of a text that was not parsed: one ERROR item. */
function unparsed(text: string, limit: string): SyntaxTree {
  const root: SyntaxNode = {
    type: 'ERROR',
    named: true,
    field: undefined,
    missing: false,
    start: 0,
    end: text.length,
    children: [],
  };
  const items: readonly TopLevelItem[] = [
    {
      type: 'ERROR',
      start: 0,
      end: text.length,
      hasError: true,
      conditions: [],
      identity: root,
      node: () => root,
    },
  ];
  return {
    text,
    masked: text,
    notes: [],
    limit,
    items: () => items,
    print: () => printNode(root),
    dispose: () => undefined,
  };
}
