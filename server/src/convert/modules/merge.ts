/** Joins documents to one text, and splits places and edits of it again. */
import type { Edit, Span } from '../../text/span.ts';
import { shiftSpans } from '../../ir/lower/shift.ts';
import type { FileIr } from '../../ir/types.ts';
import type { Module, Site } from '../../lifecycle/types.ts';

/**
 * One document made of several: their texts one after the other, the IR of each with its offsets
 * moved behind those before it. What is
 * proved of one document is then proved of all of them together, as the linker sees them.
 */
interface Merged {
  readonly file: FileIr;
  readonly parts: readonly Part[];
}

interface Part {
  readonly file: FileIr;
  /** Where its text begins in the merged text. */
  readonly start: number;
}

const merged = new WeakMap<FileIr, Merged>();
const byModule = new WeakMap<Module, Map<string, FileIr>>();

/** The path of a merged document: no document has it, since paths hold no line breaks. */
const PATH = '\n';

/** The documents as one. The same documents of a module give the same object. At least one. */
export function mergeDocuments(module: Module, documents: readonly FileIr[]): FileIr {
  if (documents.length === 1) return documents[0]!;
  const key = documents.map((file) => file.path).join('\n');
  const known = byModule.get(module) ?? new Map<string, FileIr>();
  byModule.set(module, known);
  let file = known.get(key);
  if (!file) known.set(key, (file = merge(documents)));
  return file;
}

function merge(documents: readonly FileIr[]): FileIr {
  const parts: Part[] = [];
  let text = '';
  for (const file of documents) {
    parts.push({ file, start: text.length });
    // An empty line between two keeps the first line of one from the last of the other.
    text += file.text.endsWith('\n') ? `${file.text}\n` : `${file.text}\n\n`;
  }
  const all = <T>(list: (file: FileIr) => readonly T[]): T[] =>
    parts.flatMap(({ file, start }) => list(file).map((item) => shiftSpans(item, start)));
  const file: FileIr = {
    path: PATH,
    text,
    functions: all((one) => one.functions),
    structs: all((one) => one.structs),
    variables: all((one) => one.variables),
    macros: all((one) => one.macros),
    includes: all((one) => one.includes),
    prototypes: all((one) => one.prototypes),
    fileMacros: all((one) => one.fileMacros),
    comments: all((one) => one.comments),
    typedefs: new Map(parts.flatMap((part) => [...part.file.typedefs])),
    lost: all((one) => one.lost),
  };
  merged.set(file, { file, parts });
  return file;
}

/** The documents that a merged one is made of; the document itself when it is none. */
export function partsOf(file: FileIr): readonly Part[] {
  return merged.get(file)?.parts ?? [{ file, start: 0 }];
}

/** The document that an offset lies in, and the offset there. */
export function placeOf(
  file: FileIr,
  offset: number,
): { readonly file: FileIr; readonly offset: number } {
  const parts = partsOf(file);
  const part = parts.filter((one) => one.start <= offset).at(-1) ?? parts[0]!;
  return { file: part.file, offset: Math.min(offset - part.start, part.file.text.length) };
}

/** A span as a place in the document that it lies in. */
export function siteOf(file: FileIr, span: Span): Site {
  const start = placeOf(file, span.start);
  return {
    path: start.file.path,
    start: start.offset,
    end: Math.min(start.offset + span.end - span.start, start.file.text.length),
  };
}

/**
 * The edits of a merged document as edits of those that it is made of, in their order. Documents
 * without edits are left out.
 */
export function splitEdits<T extends Edit>(
  file: FileIr,
  edits: readonly T[],
): { readonly path: string; readonly edits: readonly T[] }[] {
  return partsOf(file).flatMap((part) => {
    const own = edits.filter((edit) => placeOf(file, edit.span.start).file === part.file);
    const moved = own.map((edit) => ({
      ...edit,
      span: {
        start: edit.span.start - part.start,
        end: Math.min(edit.span.end - part.start, part.file.text.length),
      },
    }));
    return moved.length > 0 ? [{ path: part.file.path, edits: moved }] : [];
  });
}
