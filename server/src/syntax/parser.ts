/** Loads the parser; the only user of web-tree-sitter. */
import { Language, Parser, type Tree } from 'web-tree-sitter';
import { differenceBetween, type Difference } from '../text/common.ts';
import { topLevelItems, type Items } from './items.ts';
import { kernelMask, maskAgain, type Masked } from './mask.ts';
import { showSample } from './mask-sample.ts';
import type { SyntaxNode, SyntaxParser, SyntaxTree, TopLevelItem } from './node.ts';
import { printNode } from './print.ts';
import { memoryWalker } from './subtrees.ts';
import { publicWalker, type Walker } from './walk.ts';

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
  readonly version: object;
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
  showSample();
  module ??= { wasmBinary: wasm.runtime };
  await Parser.init(module);
  const language = await Language.load(wasm.grammar);
  const runtime: Runtime = {
    parser: new Parser().setLanguage(language),
    walker: memoryWalker(module, language) ?? publicWalker(),
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
  const change = old && changeSince(old, text);
  const mask = change?.mask ?? kernelMask(text),
    { masked } = mask;
  const edited = change?.edited ?? null;
  // The parser copies what it is given, and an edit lets it read little.
  const input = edited === null ? masked : (at: number) => masked.slice(at, at + READ_AT_ONCE);
  try {
    let reports = FREE_REPORTS + text.length * MAX_REPORTS_PER_UNIT;
    // The callback's type says void, but its result is what stops the parser.
    const tree = parser.parse(input, edited, { progressCallback: () => --reports < 0 });
    if (tree !== null) return parsed(tree, walker, mask, old?.known, change?.since);
  } finally {
    edited?.delete();
  }
  // Without this the next parse would go on with this text.
  parser.reset();
  return unparsed(text, 'the parser needs too long to find a structure in this file');
}

/** In UTF-16 code units. */
const READ_AT_ONCE = 256;

/** A text masked after an earlier version of it, and what of that changes for the parser. */
interface Change {
  readonly mask: Masked;
  /** A copy of the earlier tree that knows what is different. The caller deletes it. */
  readonly edited: Tree;
  readonly since: NonNullable<SyntaxTree['since']>;
}

function changeSince({ tree, mask: before, version }: Parsed, text: string): Change {
  const ofText = differenceBetween(before.text, text),
    mask = maskAgain(text, before, ofText),
    ofMasked = differenceIn(before.masked, mask);
  const tail = Math.min(text.length - ofText.newEnd, text.length - ofMasked.newEnd);
  const difference = {
    start: Math.min(ofText.start, ofMasked.start),
    oldEnd: before.text.length - tail,
    newEnd: text.length - tail,
  };
  return {
    mask,
    edited: editedCopy(tree, before.masked, mask.masked, ofMasked),
    since: { version, difference },
  };
}

/** What is masked in another way than before. */
function differenceIn(before: string, { masked, remade }: Masked): Difference {
  if (!remade) return differenceBetween(before, masked);
  const from = remade.start;
  const { start, oldEnd, newEnd } = differenceBetween(
    before.slice(from, remade.oldEnd),
    masked.slice(from, remade.newEnd),
  );
  return { start: start + from, oldEnd: oldEnd + from, newEnd: newEnd + from };
}

function editedCopy(tree: Tree, before: string, after: string, difference: Difference): Tree {
  const { start, oldEnd, newEnd } = difference;
  const copy = tree.copy();
  if (oldEnd === start && newEnd === start) return copy;
  const startPosition = positionAfter(after, 0, start, { row: 0, column: 0 });
  copy.edit({
    startIndex: start,
    oldEndIndex: oldEnd,
    newEndIndex: newEnd,
    startPosition,
    oldEndPosition: positionAfter(before, start, oldEnd, startPosition),
    newEndPosition: positionAfter(after, start, newEnd, startPosition),
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
  since: SyntaxTree['since'],
): SyntaxTree {
  const version = {};
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
    version,
    ...(since && { since }),
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
  trees.set(result, { tree, mask, version, known: undefined });
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
