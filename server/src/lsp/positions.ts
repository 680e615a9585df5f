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

/** Where the lines of texts begin. */
export interface LineTables {
  of(path: string, text: string): Pick<TextDocument, 'positionAt'>;
}

/** More documents than the findings of a few modules speak of. */
const MAX_TABLES = 64;

/**
 * Line tables that are kept for texts that stay as they are.
 * @param opened the open document of a path, which keeps its own table up to date with each key.
 */
export function createLineTables(
  opened: (path: string) => TextDocument | undefined = () => undefined,
): LineTables {
  const tables = new Map<string, TextDocument>();
  return {
    of(path, text) {
      const open = opened(path);
      if (open?.getText() === text) return open;
      let table = tables.get(path);
      if (table?.getText() !== text) {
        table = TextDocument.create(path, 'c', 0, text);
        tables.delete(path);
        tables.set(path, table);
        if (tables.size > MAX_TABLES) tables.delete(tables.keys().next().value!);
      }
      return table;
    },
  };
}

export function positionsIn(input: ModuleInput, tables: LineTables): Positions {
  return {
    range(path, span) {
      const isAsked = (one: { readonly path: string }): boolean => one.path === path;
      const document = input.sources.find(isAsked) ?? input.headers.find(isAsked);
      if (!document) return undefined;
      const table = tables.of(path, document.text);
      return { start: table.positionAt(span.start), end: table.positionAt(span.end) };
    },
  };
}
