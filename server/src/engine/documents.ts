/**
 * The lowered documents, and the syntax trees that make the next parse incremental. This is the one
 * owner of trees: whatever
 * it parses it also disposes.
 */
import type { FileIr } from '../ir/types.ts';
import type { SyntaxParser, SyntaxTree } from '../syntax/node.ts';
import { note } from '../budget/work.ts';

/**
 * What turns a tree into IR; `cache` carries unchanged functions over from the previous version of
 * the same document.
 */
export interface Lowering<C> {
  createCache(): C;
  /** A cache that begins with what another has, and leaves that as it is. */
  copyCache(cache: C): C;
  lower(path: string, tree: SyntaxTree, cache: C, parser: SyntaxParser): FileIr;
}

export interface Documents {
  /**
   * The IR of a document. The same object as before when the text is the same, so that later stages
   * can cache by identity.
   * With `edited` the tree is kept for an incremental parse of the next version; other documents
   * are parsed whole when they
   * change, and their trees are freed at once.
   */
  lowered(path: string, text: string, edited: boolean): FileIr;
  /** Whether a document, as `lowered` has it, was parsed without an error. */
  isClean(path: string, text: string, edited: boolean): boolean;
  /**
   * Parses an incrementally parsed document once more from scratch and lets that tree win. An
   * incremental parse may recover
   * from errors in another way than a fresh one does. Returns true when the fresh tree differs, or
   * when the other is gone.
   */
  settle(path: string): boolean;
  /**
   * Another store, which begins with what this one has: of a text that is new to both, it parses
   * and lowers what is different from the one here. This one stays as it is.
   */
  fork(): Documents;
  /** Nobody edits a document any more: its tree is freed, and what has not been settled. */
  close(path: string): void;
  /** Frees all that is kept for a document. */
  forget(path: string): void;
  dispose(): void;
}

interface Entry<C> {
  text: string;
  ir: FileIr;
  cache: C;
  tree: SyntaxTree | null;
  /** The tree has no error. */
  isClean: boolean;
  /** The tree came from an incremental parse and has not been compared with a fresh one. */
  unsettled: boolean;
}

/** UTF-16 code units over all remembered documents. */
const MAX_TEXT = 8_000_000;
/** Somebody types in few documents at a time. To parse another one whole takes a few milliseconds. */
const MAX_TREES = 4;

/** What the next version of a document is made from. */
type Version<C> = Omit<Entry<C>, 'unsettled'>;

/** An empty store. */
export function createDocuments<C>(parser: SyntaxParser, lowering: Lowering<C>): Documents {
  return storeAfter(parser, lowering, () => undefined);
}

/** @param original what another store has of a document, which this one has to leave as it is. */
function storeAfter<C>(
  parser: SyntaxParser,
  lowering: Lowering<C>,
  original: (path: string) => Version<C> | undefined,
): Documents {
  // In order of last use, oldest first.
  const entries = new Map<string, Entry<C>>();
  let total = 0;

  function remove(path: string): void {
    const entry = entries.get(path);
    if (!entry) return;
    entry.tree?.dispose();
    total -= entry.text.length;
    entries.delete(path);
  }

  function freeTree(entry: Entry<C>): void {
    entry.tree?.dispose();
    entry.tree = null;
  }

  function store(path: string, entry: Entry<C>): void {
    entries.delete(path);
    entries.set(path, entry);
    let trees = 0;
    for (const one of entries.values()) if (one.tree) trees++;
    for (const [other, one] of entries) {
      if (other === path) continue;
      if (total > MAX_TEXT) remove(other);
      else if (trees > MAX_TREES && one.tree) {
        freeTree(one);
        trees--;
      }
    }
  }

  /** What a fork may begin with: for the same two texts the same, whoever asks and when. */
  function versionOf(path: string): Version<C> | undefined {
    const entry = entries.get(path);
    if (entry === undefined) return original(path);
    if (entry.unsettled) return undefined;
    const { text, ir, cache, isClean } = entry;
    return isClean ? entry : { text, ir, cache, isClean, tree: null };
  }

  /** A document as `lowered` has it. */
  function current(path: string, text: string, edited: boolean): Version<C> {
    const own = entries.get(path);
    if (own && own.text === text) {
      store(path, own);
      return own;
    }
    const known = own ?? original(path);
    if (known?.text === text) return known;
    if (!known?.tree) note(text.length);
    const tree = parser.parse(text, known?.tree ?? undefined);
    let ir: FileIr;
    const cache = own?.cache ?? (known ? lowering.copyCache(known.cache) : lowering.createCache());
    try {
      ir = lowering.lower(path, tree, cache, parser);
    } catch (error) {
      tree.dispose();
      throw error;
    }
    const incremental = known?.tree != null;
    remove(path);
    total += text.length;
    const isClean = errorsIn(tree) === 0;
    if (!edited) tree.dispose();
    const entry = { text, ir, cache, tree: edited ? tree : null, isClean, unsettled: incremental };
    store(path, entry);
    return entry;
  }

  return {
    lowered: (path, text, edited) => current(path, text, edited).ir,
    isClean: (path, text, edited) => current(path, text, edited).isClean,

    settle(path) {
      const entry = entries.get(path);
      if (!entry?.unsettled) return false;
      const fresh = parser.parse(entry.text);
      entry.unsettled = false;
      const differs = fresh.print() !== entry.tree?.print();
      entry.tree?.dispose();
      entry.tree = fresh;
      if (differs) {
        entry.cache = lowering.createCache();
        entry.ir = lowering.lower(path, fresh, entry.cache, parser);
        entry.isClean = errorsIn(fresh) === 0;
      }
      return differs;
    },

    fork: () => storeAfter(parser, lowering, versionOf),

    close(path) {
      const entry = entries.get(path);
      // Nobody would settle it any more.
      if (entry?.unsettled) remove(path);
      else if (entry) freeTree(entry);
    },

    forget: remove,

    dispose() {
      for (const path of [...entries.keys()]) remove(path);
    },
  };
}

/** How many items of a document have a syntax error, with what was hidden from the parser. */
export function errorsIn(tree: SyntaxTree): number {
  // The mask ends an unfinished line, blanks what an unclosed comment takes, and takes the first
  // arm of a cut #if chain, so that the parser sees no error there: its notes do.
  const hidden = tree.notes.filter(
    ({ kind }) =>
      kind === 'unfinished' || kind === 'open-block' || kind === 'split' || kind === 'comment',
  ).length;
  return tree.items().filter((item) => item.hasError).length + hidden;
}
