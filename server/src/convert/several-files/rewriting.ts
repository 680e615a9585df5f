import type { Edit, Span } from '../../text/span.ts';
import type { FileIr } from '../../ir/types.ts';
import type { DocumentEdits } from '../compose.ts';
import { joinRemovals, removalOf, type Removal } from '../layout.ts';
import type { EditKind, PlannedEdit } from '../types.ts';

/** Collects the edits of a step, document by document. */
export interface Rewriting {
  edit(file: FileIr, kind: EditKind, ...edits: readonly Edit[]): void;
  /** Takes a statement or declaration out, its line and the comments on it included. */
  remove(file: FileIr, span: Span): void;
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
    edit: (file, kind, ...made) => void listIn(edits, file).push(...made.map((edit) => ({ ...edit, kind }))),
    remove: (file, span) => void listIn(removals, file).push(removalOf(file.text, file.comments, span)),
    removals: (file) => listIn(removals, file),
    edits: (file) => listIn(edits, file),
    done: () => [...new Set([...edits.keys(), ...removals.keys()])].map((file) => ({
      path: file.path,
      edits: [...listIn(edits, file), ...joinRemovals(file.text, listIn(removals, file)).map((span): PlannedEdit => ({ span, newText: '', kind: 'tidy' }))]
        .sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end),
    })).filter((item) => item.edits.length > 0),
  };
}
