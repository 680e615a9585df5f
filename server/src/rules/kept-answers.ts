/** Answers that are kept for as long as all that they are made of is the same. */
import { isSameList } from '../text/lists.ts';

/**
 * Makes a question about a thing that is asked again only where a part has changed of which its
 * answer is made, beside the thing itself.
 */
export function keptByParts<K extends object, A>(): (
  about: K,
  parts: readonly unknown[],
  ask: () => A,
) => A {
  const answers = new WeakMap<K, { readonly parts: readonly unknown[]; readonly answer: A }>();
  return (about, parts, ask) => {
    let kept = answers.get(about);
    if (kept === undefined || !isSameList(kept.parts, parts))
      answers.set(about, (kept = { parts, answer: ask() }));
    return kept.answer;
  };
}
