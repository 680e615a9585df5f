/** The mask for statements that are not typed to their end. */
import { isFirstOnLine, lineIndentation } from './indentation.ts';
import { blanks, isPunctuation, tokenText, type MaskState } from './mask-state.ts';
import { Word } from './mask-tables.ts';
import { CHAR, Kind } from './tokens.ts';

/** A statement that is being typed is short; the bound keeps the mask linear. */
const MAX_TOKENS = 256;

/**
 * A statement whose end is not typed yet would take the next one with it: the parser reads
 * `foo(bar)`, line end, `return 0;` as a declaration
 * of `return`. Kernel code indents continuation lines deeper than the statement, so that a line
 * that is not, and that starts with
 * a word or closes the block, ends the statement. The unfinished one gets a semicolon in the blanks
 * behind it when it looks whole, and becomes
 * an empty statement when it does not.
 * @param start the first token of the statement in progress.
 * @param last its last token.
 * @param index the next token that is no directive, in the same block: a word or the closing brace.
 * Returns whether the statement ends there.
 */
export function maskUnfinishedStatement(
  state: MaskState,
  start: number,
  last: number,
  index: number,
): boolean {
  const {
    text,
    tokens: { kinds, starts, ends, values },
  } = state;
  if (start < 0 || index - start > MAX_TOKENS || !isFirstOnLine(text, starts[index]!)) return false;
  if (lineIndentation(text, starts[index]!) > lineIndentation(text, starts[start]!)) return false;
  const closed = isClosed(state, start, last);
  const operand = isOperandEnd(state, last);
  if (
    closed &&
    kinds[index] === Kind.word &&
    mayGoOn(state, index) &&
    !wantsMember(state, last) &&
    !hasBlankLine(text, ends[last]!, starts[index]!)
  ) {
    // `a = b +` may go on in a line that is not indented, and so may a declaration that has no name
    // yet.
    if (!operand || (last > start && isTypeOnly(state, start, last))) return false;
  }
  const whole =
    closed && operand && !(kinds[start] === Kind.word && values[start] === Word.caseLabel);
  if (whole && last === index - 1 && addInBlanks(state, ends[last]!, starts[index]!, ';'))
    return true;
  // The parser itself adds a missing semicolon before a brace.
  if (whole && kinds[index] !== Kind.word) return true;
  const [from, to] = [starts[start]!, ends[last]!];
  state.changes.push({
    start: from,
    end: to,
    replacement: `;${blanks(text, from + 1, to)}`,
    kind: 'unfinished',
  });
  return true;
}

/**
 * The same for an entry of an initialiser in front of one that starts with a dot: `.a = b`, line
 * end, `.c = d` would be read as a member of b.
 * @param start the first token of the entry in progress.
 * @param index a dot later in the same initialiser.
 * Returns whether the dot starts a new entry.
 */
export function maskUnfinishedEntry(state: MaskState, start: number, index: number): boolean {
  const {
    text,
    tokens: { starts, ends },
  } = state;
  const last = index - 1;
  if (
    start < 0 ||
    last < start ||
    index - start > MAX_TOKENS ||
    !isPunctuation(state, start, CHAR.dot) ||
    !isFirstOnLine(text, starts[index]!)
  )
    return false;
  if (lineIndentation(text, starts[index]!) > lineIndentation(text, starts[start]!)) return false;
  if (
    isClosed(state, start, last) &&
    isOperandEnd(state, last) &&
    last > start + 2 &&
    addInBlanks(state, ends[last]!, starts[index]!, ',')
  )
    return true;
  const [from, to] = [starts[start]!, ends[last]!];
  state.changes.push({
    start: from,
    end: to,
    replacement: blanks(text, from, to),
    kind: 'unfinished',
  });
  return true;
}

/** Puts a character in the place of the last blank before `to`, if there is one in front of it. */
function addInBlanks(state: MaskState, from: number, to: number, char: string): boolean {
  const at = to - 1;
  if (at < from || (state.text[at] !== ' ' && state.text[at] !== '\t')) return false;
  state.changes.push({ start: at, end: to, replacement: char, kind: 'unfinished' });
  return true;
}

/** Whether every bracket that opens in [first, last] is closed. */
function isClosed(
  { tokens: { kinds, values, partners } }: MaskState,
  first: number,
  last: number,
): boolean {
  for (let at = first; at <= last; at++) {
    if (
      kinds[at] === Kind.punctuation &&
      (values[at] === CHAR.openParenthesis || values[at] === CHAR.openBracket) &&
      partners[at]! < 0
    )
      return false;
  }
  return true;
}

/**
 * Whether a word could continue an expression or be the name of a declaration: two operands in a
 * row and a label could not.
 */
function mayGoOn(state: MaskState, index: number): boolean {
  const {
    tokens: { kinds, values, partners },
  } = state;
  if (
    values[index] !== Word.none &&
    values[index] !== Word.typeOperator &&
    values[index] !== Word.offsetOf
  )
    return false;
  const close = isPunctuation(state, index + 1, CHAR.openParenthesis)
    ? partners[index + 1]!
    : index;
  return (
    close >= 0 &&
    kinds[close + 1] !== Kind.word &&
    !isPunctuation(state, close + 1, CHAR.openBrace) &&
    !isPunctuation(state, close + 1, CHAR.colon)
  );
}

/** Whether what is missing is a name that stands in the same line: of a member or of a label. */
function wantsMember(state: MaskState, last: number): boolean {
  const end = state.text.slice(state.tokens.starts[Math.max(0, last - 1)], state.tokens.ends[last]);
  return /(?:->|\.|\bgoto)$/.test(end);
}

/** Whether an expression or a declaration may end with this token. */
function isOperandEnd(state: MaskState, index: number): boolean {
  const {
    text,
    tokens: { kinds, starts, ends, values },
  } = state;
  switch (kinds[index]) {
    case Kind.word:
      return (
        values[index] === Word.none ||
        values[index] === Word.basicType ||
        (values[index] === Word.jump && tokenText(state, index) !== 'goto')
      );
    case Kind.literal: {
      const quote = text[starts[index]!];
      return (
        (quote !== '"' && quote !== "'") ||
        (ends[index]! - starts[index]! > 1 && text[ends[index]! - 1] === quote)
      );
    }
    case Kind.punctuation:
      return (
        values[index] === CHAR.closeParenthesis ||
        values[index] === CHAR.closeBracket ||
        values[index] === CHAR.closeBrace
      );
    default:
      return false;
  }
}

/**
 * Whether [first, last] is a type without a declared name: `struct foo *`, `unsigned long`, but not
 * `int a`.
 */
function isTypeOnly(state: MaskState, first: number, last: number): boolean {
  const {
    tokens: { kinds, values },
  } = state;
  let typed = false;
  for (let at = first; at <= last; at++) {
    if (isPunctuation(state, at, CHAR.star)) continue;
    if (kinds[at] !== Kind.word || values[at] === Word.jump) return false;
    if (values[at] === Word.aggregate) {
      at++;
      typed = true;
    } else if (values[at] === Word.basicType) typed = true;
    else if (values[at] === Word.none) {
      if (typed) return false;
      typed = true;
    }
  }
  return typed;
}

function hasBlankLine(text: string, from: number, to: number): boolean {
  return /\n[ \t\r]*\n/.test(text.slice(from, to));
}
