/** Replaces `length` UTF-16 units at `offset` by `text`. */
export interface RandomEdit {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

export function randomNumbers(seed: number): () => number;
export function nextEdit(
  text: string,
  random: () => number,
  last?: { readonly offset: number; readonly text: string; readonly removed: string },
): RandomEdit;
