/** A half-open range of UTF-16 code-unit offsets, zero-based, into one document. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Replaces the text of `span` by `newText`. An insertion has an empty span. */
export interface Edit {
  readonly span: Span;
  readonly newText: string;
}

/**
 * Edits of one document of a change over several. `path` is the key the project uses for the
 * document.
 */
export interface FileEdits {
  readonly path: string;
  readonly edits: readonly Edit[];
}
