import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createParser } from '../../server/src/syntax/parser.ts';
import type { SyntaxParser } from '../../server/src/syntax/node.ts';

let parser: Promise<SyntaxParser> | undefined;

/**
 * The parser with the two wasm files of the installed packages; one per process, because loading
 * costs more than most tests.
 */
export function loadParser(): Promise<SyntaxParser> {
  const require = createRequire(import.meta.url);
  return (parser ??= createParser({
    runtime: readFileSync(require.resolve('web-tree-sitter/web-tree-sitter.wasm')),
    grammar: readFileSync(require.resolve('tree-sitter-c/tree-sitter-c.wasm')),
  }));
}
