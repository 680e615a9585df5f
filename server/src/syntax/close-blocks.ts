/**
 * Closes the blocks of a function that is being typed by their indentation: the parser would take
 * the rest of the function for a part of a block whose brace is not there yet.
 */
import { lineIndentation, isFirstOnLine } from './indentation.ts';
import { Word } from './mask-tables.ts';
import { CHAR, Directive, Kind, type Tokens } from './tokens.ts';

/** A statement that jumps is short; the bound keeps the mask linear. */
const MAX_TOKENS = 256;

/** A block without a closing brace. */
interface OpenBlock {
  /** The token of its opening brace. */
  readonly opening: number;
  /** The token that it ends in front of. */
  readonly before: number;
}

/**
 * Pairs the braces in [first, last] anew, where `first` opens a function and `last`, in the first
 * column, closes it, and more are opened than closed in between. A block ends where a line is
 * indented no deeper than the one that its statement starts in.
 * @param text the text of the tokens.
 * @param missing how many braces have no partner.
 * Returns the offsets of what can give way to the missing braces, with `tokens.partners` of all
 * braces between set; null, with nothing changed, where the indentation does not tell as many or
 * there is no room.
 */
export function closeBlocks(
  text: string,
  tokens: Tokens,
  first: number,
  last: number,
  missing: number,
): readonly number[] | null {
  const { kinds, values, starts, partners } = tokens;
  const pairs: (readonly [number, number])[] = [];
  const open: Block[] = [];
  const found: OpenBlock[] = [];
  /**
   * Ends the blocks that a line of this width is not in. A brace and a case label are indented as
   * the statement that their block belongs to.
   */
  const closeDownTo = (width: number, before: number, isBeside: boolean): boolean => {
    for (let block = open.at(-1); block !== undefined; block = open.at(-1)) {
      if (isBeside ? block.width <= width : isInside(block, width)) break;
      open.pop();
      found.push({ opening: block.opening, before });
      if (found.length > missing) return false;
    }
    return true;
  };
  for (let at = first + 1; at < last; at++) {
    // Each arm of a chain has braces of its own.
    if (kinds[at] === Kind.directive && values[at] !== Directive.none) return null;
    if (kinds[at] === Kind.directive) continue;
    const isClosing = isPunctuation(tokens, at, CHAR.closeBrace);
    if (isFirstOnLine(text, starts[at]!) && !isLabel(tokens, at)) {
      const width = lineIndentation(text, starts[at]!);
      const isBeside = isClosing || isCase(tokens, at);
      if (!closeDownTo(width, at, isBeside)) return null;
      const block = open.at(-1);
      if (!isBeside && block?.inner === null) block.inner = width;
    }
    if (isClosing) {
      const block = open.pop();
      if (block === undefined) return null;
      pairs.push([block.opening, at]);
    } else if (isPunctuation(tokens, at, CHAR.openBrace))
      open.push({
        opening: at,
        width: lineIndentation(text, starts[headOf(tokens, at)]!),
        inner: null,
      });
  }
  if (!closeDownTo(-1, last, true) || found.length !== missing) return null;
  const offsets = roomFor(text, tokens, found);
  if (offsets === null) return null;
  for (const [opening, closing] of [...pairs, [first, last] as const]) {
    partners[opening] = closing;
    partners[closing] = opening;
  }
  for (const { opening } of found) partners[opening] = -1;
  return offsets;
}

/**
 * Where the braces of blocks can be written: into the blanks in front of the line after the block,
 * or else over the semicolon of a jump in front of it, which the parser puts back. In front of any
 * other statement it would not: `foo(bar) }` is a declaration to it.
 */
function roomFor(
  text: string,
  tokens: Tokens,
  blocks: readonly OpenBlock[],
): readonly number[] | null {
  const offsets: number[] = [];
  for (const { before } of blocks) {
    let at = tokens.starts[before]! - 1;
    while (offsets.includes(at)) at--;
    if (text[at] !== ' ' && text[at] !== '\t') {
      if (!endsJump(tokens, before - 1)) return null;
      at = tokens.ends[before - 1]! - 1;
      if (offsets.includes(at)) return null;
    }
    offsets.push(at);
  }
  return offsets;
}

/** Whether a token is the semicolon of a `return`, `goto`, `break` or `continue`. */
function endsJump(tokens: Tokens, semicolon: number): boolean {
  if (!isPunctuation(tokens, semicolon, CHAR.semicolon)) return false;
  for (let at = semicolon - 1; at > semicolon - MAX_TOKENS && at >= 0; at--) {
    if (tokens.kinds[at] === Kind.word && tokens.values[at] === Word.jump) return true;
    if (
      isPunctuation(tokens, at, CHAR.semicolon) ||
      isPunctuation(tokens, at, CHAR.openBrace) ||
      isPunctuation(tokens, at, CHAR.closeBrace)
    )
      return false;
  }
  return false;
}

/** A block that is open while the tokens are walked through. */
interface Block {
  readonly opening: number;
  /** The indentation of the line that its statement starts in. */
  readonly width: number;
  /** That of its first line, once it is known. */
  inner: number | null;
}

/** Whether a line of this indentation is in a block. */
function isInside({ width, inner }: Block, line: number): boolean {
  return line > width && (inner === null || inner <= width || line >= inner);
}

/** The token in whose line the statement of a block starts: `(` of the condition, or the brace. */
function headOf(tokens: Tokens, opening: number): number {
  const before = opening - 1;
  if (!isPunctuation(tokens, before, CHAR.closeParenthesis)) return opening;
  return tokens.partners[before]! >= 0 ? tokens.partners[before]! : opening;
}

/** A label to go to is in the first column wherever it is. */
function isLabel(tokens: Tokens, at: number): boolean {
  return (
    tokens.kinds[at] === Kind.word &&
    !isCase(tokens, at) &&
    isPunctuation(tokens, at + 1, CHAR.colon)
  );
}

function isCase({ kinds, values }: Tokens, at: number): boolean {
  return kinds[at] === Kind.word && values[at] === Word.caseLabel;
}

function isPunctuation({ kinds, values }: Tokens, at: number, code: number): boolean {
  return kinds[at] === Kind.punctuation && values[at] === code;
}
