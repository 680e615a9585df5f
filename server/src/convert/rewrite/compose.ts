/** Composes edits of several documents, and follows places through them. */
import { composeEdits, sortEdits } from '../../text/edits.ts';
import type { Edit, FileEdits, Span } from '../../text/span.ts';
import type { Site } from '../../lifecycle/types.ts';
import { EDIT_KINDS, type EditKind, type PlannedEdit } from '../types.ts';

/** The edits of one document, by its path. */
export interface DocumentEdits {
  readonly path: string;
  readonly edits: readonly PlannedEdit[];
}

/**
 * One set of edits for two: `first` is made on the documents of a module, `second` on the result of
 * that. An edit that comes of several is
 * of the kind of them that EDIT_KINDS has last.
 * @throws RangeError when the edits of one set overlap.
 */
export function composePlanned(
  first: readonly DocumentEdits[],
  second: readonly DocumentEdits[],
): DocumentEdits[] {
  if (first.length === 0) return [...second];
  const paths = new Set([...first, ...second].map((item) => item.path));
  return [...paths].map((path) => {
    const before = editsFor(first, path);
    const after = editsFor(second, path);
    const parts = [
      ...before,
      ...after.map((edit) => ({ ...edit, span: spanBefore(before, edit.span) })),
    ];
    return {
      path,
      edits: composeEdits(before, after).map((edit) => ({ ...edit, kind: kindOf(edit, parts) })),
    };
  });
}

/**
 * A place in edited documents as one in the documents before the edits. What an edit wrote is where
 * that edit stands.
 */
export function siteBefore(edits: readonly DocumentEdits[], site: Site): Site {
  return { path: site.path, ...spanBefore(editsFor(edits, site.path), site) };
}

function editsFor<One extends Edit>(
  documents: readonly { readonly path: string; readonly edits: readonly One[] }[],
  path: string,
): readonly One[] {
  return documents.filter((item) => item.path === path).flatMap((item) => item.edits);
}

function spanBefore(edits: readonly Edit[], span: Span): Span {
  const start = offsetBefore(edits, span.start);
  return { start, end: Math.max(start, offsetBefore(edits, span.end)) };
}

function offsetBefore(edits: readonly Edit[], offset: number): number {
  // How far the text after the edits is ahead of the text before them.
  let ahead = 0;
  for (const { span, newText } of sortEdits(edits)) {
    const start = span.start + ahead;
    if (offset < start) break;
    if (offset < start + newText.length) return span.start;
    ahead += newText.length - (span.end - span.start);
  }
  return offset - ahead;
}

/** Where the text at an offset is after edits, none of which changes it. */
export function offsetAfter(edits: readonly Edit[], offset: number): number {
  return edits.reduce(
    (sum, { span, newText }) =>
      span.end <= offset ? sum + newText.length - (span.end - span.start) : sum,
    offset,
  );
}

/**
 * A place in documents as one in the edited documents: what an edit took away is where that edit
 * begins to write.
 */
export function siteAfter(edits: readonly FileEdits[], { path, start }: Site): Site {
  // How far the text after the edits is ahead of the text before them.
  let ahead = 0;
  for (const { span, newText } of sortEdits(editsFor(edits, path))) {
    if (span.start > start) break;
    if (start < span.end) {
      const at = span.start + ahead + Math.max(0, newText.search(/\S/));
      return { path, start: at, end: at };
    }
    ahead += newText.length - (span.end - span.start);
  }
  return { path, start: start + ahead, end: start + ahead };
}

function kindOf(edit: Edit, parts: readonly PlannedEdit[]): EditKind {
  const touching = parts.filter(
    (part) => part.span.start <= edit.span.end && edit.span.start <= part.span.end,
  );
  return touching.reduce<EditKind>(
    (kind, part) => (EDIT_KINDS.indexOf(part.kind) > EDIT_KINDS.indexOf(kind) ? part.kind : kind),
    'allocation',
  );
}
