import { Language, Parser, type Tree } from 'web-tree-sitter';
import { topLevelItems } from './items.ts';
import { kernelMask } from './mask.ts';
import type { MaskNote, SyntaxParser, SyntaxTree, TopLevelItem } from './node.ts';
import { printNode } from './print.ts';
import { materialise } from './walk.ts';

/**
 * Loads the parser. Any number of calls in one process share the runtime.
 * @param wasm the bytes of web-tree-sitter.wasm and of tree-sitter-c.wasm; bytes and not paths, because in a bundle and in a
 *   web worker there is no path.
 * @throws when the bytes are not those modules.
 */
export async function createParser(wasm: { runtime: Uint8Array; grammar: Uint8Array }): Promise<SyntaxParser> {
  await Parser.init({ wasmBinary: wasm.runtime });
  const language = await Language.load(wasm.grammar);
  const parser = new Parser().setLanguage(language);
  return { parse: (text) => parse(parser, text) };
}

function parse(parser: Parser, text: string): SyntaxTree {
  const { masked, notes } = kernelMask(text);
  const tree = parser.parse(masked)!;
  return wrap(tree, text, masked, notes);
}

function wrap(tree: Tree, text: string, masked: string, notes: readonly MaskNote[]): SyntaxTree {
  let alive = true;
  let items: readonly TopLevelItem[] | undefined;
  return {
    text,
    masked,
    notes,
    items: () => (items ??= topLevelItems(tree.rootNode, text)),
    print: () => printNode(materialise(tree.rootNode)),
    dispose: () => {
      if (alive) tree.delete();
      alive = false;
    },
  };
}
