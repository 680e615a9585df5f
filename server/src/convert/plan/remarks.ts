/** Sentences on what a person should look at, and the notes that they become. */
import type { Site } from '../../lifecycle/types.ts';
import type { Note } from '../types.ts';

/** A sentence for a note, with its place in the documents that are changed. */
export interface Remark {
  readonly text: string;
  /** See Note. */
  readonly message?: string;
  readonly site: Site | undefined;
}

/** Notes on what is to be looked at in the result. */
export function reviewNotes(remarks: Iterable<Remark>): Note[] {
  return [...remarks].map((remark) => ({ kind: 'review', ...remark }));
}
