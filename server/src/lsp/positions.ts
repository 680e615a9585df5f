/** Turns offsets into ranges for the documents of a module. */
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Range } from 'vscode-languageserver';
import type { ModuleInput } from '../engine/types.ts';
import type { Span } from '../text/span.ts';

/**
 * Turns offsets into ranges for the documents of one module; makes a line table only for documents
 * that are asked for.
 */
export interface Positions {
  /** Zero-based lines and UTF-16 characters. Undefined for a document that is not in the module. */
  range(path: string, span: Span): Range | undefined;
}

export function positionsIn(input: ModuleInput): Positions {
  const tables = new Map<string, TextDocument>();
  return {
    range(path, span) {
      let table = tables.get(path);
      if (!table) {
        const document =
          input.sources.find((one) => one.path === path) ??
          input.headers.find((one) => one.path === path);
        if (!document) return undefined;
        table = TextDocument.create(path, 'c', 0, document.text);
        tables.set(path, table);
      }
      return { start: table.positionAt(span.start), end: table.positionAt(span.end) };
    },
  };
}
