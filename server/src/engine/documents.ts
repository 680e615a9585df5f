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
  /**
   * Parses an incrementally parsed document once more from scratch and lets that tree win. An
   * incremental parse may recover
   * from errors in another way than a fresh one does. Returns true when the fresh tree differs, or
   * when the other is gone.
   */
  settle(path: string): boolean;
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
  /** The tree came from an incremental parse and has not been compared with a fresh one. */
  unsettled: boolean;
}

/** UTF-16 code units over all remembered documents. */
const MAX_TEXT = 8_000_000;
/** Somebody types in few documents at a time. To parse another one whole takes a few milliseconds. */
const MAX_TREES = 4;

/** An empty store. */
export function createDocuments<C>(parser: SyntaxParser, lowering: Lowering<C>): Documents {
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

  return {
    lowered(path, text, edited) {
      const known = entries.get(path);
      if (known && known.text === text) {
        store(path, known);
        return known.ir;
      }
      if (!known?.tree) note(text.length);
      const tree = parser.parse(text, known?.tree ?? undefined);
      let ir: FileIr;
      const cache = known?.cache ?? lowering.createCache();
      try {
        ir = lowering.lower(path, tree, cache, parser);
      } catch (error) {
        tree.dispose();
        throw error;
      }
      const incremental = known?.tree != null;
      remove(path);
      total += text.length;
      if (!edited) tree.dispose();
      store(path, { text, ir, cache, tree: edited ? tree : null, unsettled: incremental });
      return ir;
    },

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
      }
      return differs;
    },

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
