/**
 * Reads the parser's own tree where it lies in the memory of its WebAssembly module.
 *
 * The layout is not documented. It is that of subtree.h and parser.h of web-tree-sitter 0.27.1,
 * which package.json pins; test/unit/syntax/walk.test.ts compares what is read so with what the
 * documented cursor says. To ask the module six things about each node takes more than twice as long.
 *
 * A subtree is in a slot of two words: a small leaf as it is, with an odd first word, else the
 * address of a block, in front of which the slots of its children are. Lengths are in bytes, two
 * for each code unit of the text.
 */
import type { Language } from 'web-tree-sitter';
import type { SyntaxNode } from './node.ts';
import { MAX_DEPTH, type Place, type ShallowNode, type Walker } from './walk.ts';

const WORDS_OF_SLOT = 2;

/** What the first word of a leaf in a slot says beside its symbol. */
const LEAF = 1,
  LEAF_VISIBLE = 2,
  LEAF_EXTRA = 8,
  LEAF_MISSING = 32;

/** The words of a block. */
const PADDING = 1,
  SIZE = 4,
  ERROR_COST = 8,
  CHILD_COUNT = 9,
  SYMBOL = 10,
  FLAGS = 11,
  PRODUCTION = 16;
const BLOCK_VISIBLE = 1,
  BLOCK_EXTRA = 4,
  BLOCK_MISSING = 512;

/** The words of a language. */
const PRODUCTION_COUNT = 7,
  FIELD_COUNT = 8,
  LONGEST_PRODUCTION = 9,
  FIELD_SLICES = 16,
  FIELD_ENTRIES = 17,
  PUBLIC_SYMBOLS = 19,
  ALIASES = 21;

/** A Node, a Tree and a Language keep their words in numbered properties. */
interface Handle {
  readonly 0: number;
}

/** What a production says of its children, but for comments and the like, which stand anywhere. */
interface Production {
  readonly fields: readonly (string | undefined)[];
  readonly aliases: readonly number[];
}

/** Where to go on behind what is inside of a hidden subtree. */
interface Level {
  readonly slot: number;
  readonly end: number;
  readonly production: Production;
  readonly structural: number;
  readonly field: string | undefined;
  readonly outside: Level | null;
}

/** What is done with a subtree that the tree shows; an alias of 0 is none, the start is in bytes. */
type Visit = (slot: number, start: number, alias: number, field: string | undefined) => void;

const NO_CHILDREN: SyntaxNode[] = [];

/**
 * The walker on the module's memory. Null where that is not as expected.
 * @param module the object that was given to Parser.init, which Emscripten fills with the exports.
 */
export function memoryWalker(module: object, language: Language): Walker | null {
  const memory = module as { readonly HEAP32?: Int32Array };
  if (!(memory.HEAP32 instanceof Int32Array)) return null;
  // It moves when the memory grows, which it does not during a walk.
  let words = memory.HEAP32;
  const head = (language as unknown as Handle)[0] >> 2;
  if (words[head + FIELD_COUNT] !== language.fieldCount) return null;
  const types: string[] = [];
  const named: boolean[] = [];
  for (let symbol = 0; symbol < language.nodeTypeCount; symbol++) {
    const shown = halfWord(words[head + PUBLIC_SYMBOLS]!, symbol);
    types.push(language.types[shown] ?? 'ERROR');
    named.push(language.nodeTypeIsNamed(shown));
  }
  const productions = Array.from({ length: words[head + PRODUCTION_COUNT]! }, (_, id) =>
    productionOf(id),
  );

  /** Two bytes of a list of such. */
  function halfWord(address: number, index: number): number {
    const at = address + 2 * index;
    return (words[at >> 2]! >>> (8 * (at & 2))) & 0xffff;
  }

  function productionOf(id: number): Production {
    const fields: (string | undefined)[] = [];
    const aliases: number[] = [];
    const slices = words[head + FIELD_SLICES]!;
    const first = halfWord(slices, 2 * id);
    for (let i = first; i < first + halfWord(slices, 2 * id + 1); i++) {
      const entry = words[(words[head + FIELD_ENTRIES]! >> 2) + i]!;
      const isInherited = entry >>> 24 !== 0;
      if (!isInherited)
        fields[(entry >>> 16) & 0xff] ??= language.fields[entry & 0xffff] ?? undefined;
    }
    const longest = words[head + LONGEST_PRODUCTION]! & 0xffff;
    if (id > 0)
      for (let i = 0; i < longest; i++)
        aliases.push(halfWord(words[head + ALIASES]!, id * longest + i));
    return { fields: Array.from(fields), aliases };
  }

  /** Visits the children of a block that the tree shows; of hidden ones it shows the children. */
  function visitChildren(parent: number, start: number, visit: Visit): void {
    let level: Level | null = null,
      end = parent,
      slot = parent - WORDS_OF_SLOT * words[parent + CHILD_COUNT]!,
      production = productions[words[parent + PRODUCTION]! >>> 16]!,
      structural = 0,
      // What a hidden subtree is to the node that shows its children.
      outer: string | undefined,
      at = start,
      isFirst = true;
    for (;;) {
      while (slot === end) {
        if (level === null) return;
        ({ slot, end, production, structural, field: outer, outside: level } = level);
      }
      const word = words[slot]!;
      const isLeaf = (word & LEAF) !== 0;
      const block = word >> 2;
      let padding: number, size: number, isVisible: boolean, isExtra: boolean;
      if (isLeaf) {
        const lengths = words[slot + 1]!;
        padding = (lengths >>> 16) & 0xff;
        size = lengths >>> 24;
        isVisible = (word & LEAF_VISIBLE) !== 0;
        isExtra = (word & LEAF_EXTRA) !== 0;
      } else {
        const flags = words[block + FLAGS]!;
        padding = words[block + PADDING]!;
        size = words[block + SIZE]!;
        isVisible = (flags & BLOCK_VISIBLE) !== 0;
        isExtra = (flags & BLOCK_EXTRA) !== 0;
      }
      // The padding of a first child is that of its parent.
      if (isFirst) isFirst = false;
      else at += padding;
      let alias = 0,
        field: string | undefined;
      if (!isExtra) {
        alias = production.aliases[structural] ?? 0;
        field = production.fields[structural] ?? outer;
        structural++;
      }
      const next = slot + WORDS_OF_SLOT;
      if (isVisible || alias !== 0) visit(slot, at, alias, field);
      else if (!isLeaf && words[block + CHILD_COUNT]! > 0) {
        level = { slot: next, end, production, structural, field: outer, outside: level };
        slot = block - WORDS_OF_SLOT * words[block + CHILD_COUNT]!;
        end = block;
        production = productions[words[block + PRODUCTION]! >>> 16]!;
        structural = 0;
        outer = field;
        isFirst = true;
        continue;
      }
      at += size;
      slot = next;
    }
  }

  function symbolAt(slot: number, alias: number): number {
    if (alias !== 0) return alias;
    const word = words[slot]!;
    return (word & LEAF) !== 0 ? (word >>> 8) & 0xff : words[(word >> 2) + SYMBOL]! & 0xffff;
  }

  function sizeAt(slot: number): number {
    const word = words[slot]!;
    return (word & LEAF) !== 0 ? words[slot + 1]! >>> 24 : words[(word >> 2) + SIZE]!;
  }

  function walk(root: Place): SyntaxNode {
    words = memory.HEAP32!;
    // The nodes that wait for their parent, which takes those from its first child on: lists that
    // grow by themselves would have room for many more.
    const whole: SyntaxNode[] = [];
    let depth = 0;
    const visit: Visit = (slot, start, alias, field) => {
      const word = words[slot]!;
      const isLeaf = (word & LEAF) !== 0;
      const block = word >> 2;
      const isTooDeep = depth >= MAX_DEPTH;
      let children = NO_CHILDREN;
      if (!isLeaf && !isTooDeep && words[block + CHILD_COUNT]! > 0) {
        const first = whole.length;
        depth++;
        visitChildren(block, start, visit);
        depth--;
        if (whole.length > first) children = whole.splice(first);
      }
      const symbol = symbolAt(slot, alias);
      const isMissing = isLeaf
        ? (word & LEAF_MISSING) !== 0
        : (words[block + FLAGS]! & BLOCK_MISSING) !== 0;
      whole.push({
        type: isTooDeep ? 'ERROR' : (types[symbol] ?? 'ERROR'),
        // An ERROR node has no entry and is named.
        named: isTooDeep || (named[symbol] ?? true),
        field,
        missing: isMissing && !isTooDeep,
        start: start >> 1,
        end: (start + sizeAt(slot)) >> 1,
        children,
      });
    };
    visit(root.id >> 2, 2 * root.startIndex, (root as unknown as Handle)[0], undefined);
    return whole[0]!;
  }

  function children({ id, startIndex, tree }: Place): ShallowNode[] {
    words = memory.HEAP32!;
    const found: ShallowNode[] = [];
    const parent = words[id >> 2]!;
    if ((parent & LEAF) !== 0) return found;
    visitChildren(parent >> 2, 2 * startIndex, (slot, start, alias, field) => {
      const word = words[slot]!;
      const isLeaf = (word & LEAF) !== 0;
      const block = word >> 2;
      const symbol = symbolAt(slot, alias);
      const child: ShallowNode & Handle = {
        0: alias,
        id: slot << 2,
        tree,
        startIndex: start >> 1,
        type: types[symbol] ?? 'ERROR',
        named: named[symbol] ?? true,
        field,
        start: start >> 1,
        end: (start + sizeAt(slot)) >> 1,
        hasError: isLeaf
          ? (word & LEAF_MISSING) !== 0
          : words[block + ERROR_COST] !== 0 || (words[block + FLAGS]! & BLOCK_MISSING) !== 0,
        identity: isLeaf ? 0 : word,
      };
      found.push(child);
    });
    return found;
  }

  return { walk, children };
}
