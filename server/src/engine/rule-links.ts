/** The names of rules in the suppression comments of a document, as places of links. */
import type { FileIr } from '../ir/types.ts';
import { suppressionForms } from '../rules/suppression-form.ts';
import type { Span } from '../text/span.ts';
import { ruleIds } from './explain.ts';

/** Each name of a rule that there is, with its place. */
export function ruleLinks({
  comments,
}: FileIr): readonly { readonly id: string; readonly span: Span }[] {
  const known = new Set(ruleIds());
  return comments.flatMap(({ text, start }) =>
    suppressionForms(text, (name) => known.has(name)).flatMap(({ rules }) =>
      rules
        .filter(({ id }) => known.has(id))
        .map(({ id, span }) => ({
          id,
          span: { start: start + span.start, end: start + span.end },
        })),
    ),
  );
}
