/** Collects the edits of a step, document by document. */
import type { Edit, Span } from '../../text/span.ts';
import type { FileIr } from '../../ir/types.ts';
import type { DocumentEdits } from '../rewrite/compose.ts';
import { joinRemovals, lineStart, removalOf, type Removal } from '../rewrite/layout.ts';
import type { EditKind, PlannedEdit } from '../types.ts';
import { append } from '../../text/lists.ts';

/** Collects the edits of a step, document by document. */
export interface Rewriting {
  edit(file: FileIr, kind: EditKind, ...edits: readonly Edit[]): void;
  /** Takes a statement or declaration out, its line and the comments on it included. */
  remove(file: FileIr, span: Span): void;
  /**
   * Takes a definition or declaration at file scope out, with the comment above it and one blank
   * line. Statements taken out inside it no longer count.
   */
  removeWhole(file: FileIr, span: Span): void;
  /** More that goes, as it is. */
  drop(file: FileIr, removals: readonly Removal[]): void;
  removals(file: FileIr): readonly Removal[];
  edits(file: FileIr): readonly PlannedEdit[];
  done(): DocumentEdits[];
}

export function rewriting(): Rewriting {
  const edits = new Map<FileIr, PlannedEdit[]>();
  const removals = new Map<FileIr, Removal[]>();
  const listIn = <T>(map: Map<FileIr, T[]>, file: FileIr): T[] => {
    const list = map.get(file) ?? [];
    map.set(file, list);
    return list;
  };
  return {
    edit: (file, kind, ...made) =>
      void append(
        listIn(edits, file),
        made.map((edit) => ({ ...edit, kind })),
      ),
    remove: (file, span) =>
      void listIn(removals, file).push(removalOf(file.text, file.comments, span)),
    removeWhole(file, span) {
      const list = listIn(removals, file);
      removals.set(
        file,
        list.filter((one) => one.span.start < span.start || one.span.end > span.end + 2),
      );
      const removal = removalOf(file.text, file.comments, span);
      const start = removal.above[0]
        ? lineStart(file.text, removal.above[0].start)
        : removal.span.start;
      listIn(removals, file).push({ ...removal, span: { start, end: removal.span.end } });
    },
    drop: (file, more) => void append(listIn(removals, file), more),
    removals: (file) => listIn(removals, file),
    edits: (file) => listIn(edits, file),
    done: () =>
      [...new Set([...edits.keys(), ...removals.keys()])]
        .map((file) => ({
          path: file.path,
          edits: [
            ...listIn(edits, file),
            ...joinRemovals(file.text, listIn(removals, file)).map((span): PlannedEdit => ({
              span,
              newText: '',
              kind: 'tidy',
            })),
          ].sort(
            (left, right) => left.span.start - right.span.start || left.span.end - right.span.end,
          ),
        }))
        .filter((item) => item.edits.length > 0),
  };
}
