/** The mask for types and ranges where the grammar wants an expression. */
import {
  blank,
  blanks,
  isPunctuation,
  replaceWord,
  tokenText,
  type MaskState,
} from './mask-state.ts';
import { Word } from './mask-tables.ts';
import { CHAR, Kind } from './tokens.ts';

/** A type has few words; the bound keeps the mask linear. */
const MAX_TYPE_TOKENS = 16;

/**
 * A type as an argument of a macro: container_of(x, struct T, m), min_t(unsigned int, a, b),
 * va_arg(ap, struct T *). The parser is left
 * with one identifier: the tag, or the last word of a basic type with its first letter changed,
 * because that is a keyword to it.
 * A jump as an argument, which scoped_cond_guard and user_access_begin take, is left with its
 * operand.
 * @param index the first token of the argument.
 */
export function maskTypeArgument(state: MaskState, index: number): void {
  const {
    text,
    tokens: { kinds, starts, ends, values },
  } = state;
  if (kinds[index] !== Kind.word) return;
  if (values[index] === Word.jump) return maskJumpArgument(state, index);
  let name = -1;
  let basic = false;
  let stars = false;
  let at = index;
  for (; at < index + MAX_TYPE_TOKENS; at++) {
    if (isPunctuation(state, at, CHAR.star)) {
      if (name < 0) return;
      stars = true;
    } else if (kinds[at] !== Kind.word) {
      break;
    } else if (values[at] === Word.aggregate) {
      if (name >= 0 || kinds[at + 1] !== Kind.word || values[at + 1] !== Word.none) return;
      name = ++at;
    } else if (values[at] === Word.basicType) {
      if (stars || (name >= 0 && !basic)) return;
      name = at;
      basic = true;
    } else if (values[at] === Word.none) {
      if (name >= 0) return;
      name = at;
    } else if (values[at] !== Word.qualifier) {
      return;
    }
  }
  if (
    name < 0 ||
    (at === index + 1 && !basic) ||
    !(isPunctuation(state, at, CHAR.comma) || isPunctuation(state, at, CHAR.closeParenthesis))
  )
    return;
  const start = starts[index]!;
  const end = ends[at - 1]!;
  const kept = basic ? `_${text.slice(starts[name]! + 1, ends[name])}` : tokenText(state, name);
  const replacement = blanks(text, start, starts[name]!) + kept + blanks(text, ends[name]!, end);
  state.changes.push({ start, end, replacement, kind: 'type-keyword' });
}

function maskJumpArgument(state: MaskState, index: number): void {
  const {
    tokens: { starts, ends },
  } = state;
  if (
    isPunctuation(state, index + 1, CHAR.comma) ||
    isPunctuation(state, index + 1, CHAR.closeParenthesis)
  ) {
    replaceWord(
      state,
      starts[index]!,
      ends[index]!,
      `_${tokenText(state, index).slice(1)}`,
      'block-macro',
    );
  } else {
    blank(state, starts[index]!, ends[index]!, 'block-macro');
  }
}

/** `case A ... B:`, whose end is blanked. @param index the token `case`. */
export function maskCaseRange(state: MaskState, index: number): void {
  const {
    tokens: { kinds, starts, ends },
  } = state;
  let ellipsis = -1;
  for (let at = index + 1; at < index + 32; at++) {
    if (kinds[at] === Kind.ellipsis) ellipsis = at;
    else if (isPunctuation(state, at, CHAR.colon)) {
      if (ellipsis >= 0) blank(state, starts[ellipsis]!, ends[at - 1]!, 'case-range');
      return;
    } else if (
      kinds[at] === Kind.end ||
      kinds[at] === Kind.directive ||
      isPunctuation(state, at, CHAR.semicolon) ||
      isPunctuation(state, at, CHAR.openBrace) ||
      isPunctuation(state, at, CHAR.closeBrace)
    )
      return;
  }
}

/**
 * `typeof(x)` becomes a type by itself. @param index the token `typeof`. Returns the last token of
 * the stretch.
 */
export function maskTypeof(state: MaskState, index: number): number {
  const {
    tokens: { starts, ends, partners },
  } = state;
  const close = isPunctuation(state, index + 1, CHAR.openParenthesis) ? partners[index + 1]! : -1;
  if (close < 0) return index;
  blank(state, starts[index + 1]!, ends[close]!, 'annotation');
  return close;
}

/**
 * offsetof(struct T, m): the grammar takes a plain member only, so that offsetof(struct T, a.b) has
 * to become a call.
 * Returns whether it did. @param index the token `offsetof`.
 */
export function maskOffsetof(state: MaskState, index: number): boolean {
  const {
    tokens: { kinds, starts, ends, partners },
  } = state;
  const close = isPunctuation(state, index + 1, CHAR.openParenthesis) ? partners[index + 1]! : -1;
  if (close < 0 || (kinds[close - 1] === Kind.word && isPunctuation(state, close - 2, CHAR.comma)))
    return false;
  replaceWord(
    state,
    starts[index]!,
    ends[index]!,
    `_${tokenText(state, index).slice(1)}`,
    'annotation',
  );
  return true;
}
