/** Splits a text into tokens for the mask. */
import { closeBlocks } from './close-blocks.ts';
import { Word, WORDS } from './mask-tables.ts';
import { append } from '../text/lists.ts';
import { CHAR, CLOSE_ALL, Directive, Kind, type Tokens } from './tokens.ts';

/** Attributes that the scanner stepped over, as start and end offsets in turn. */
export type Annotations = readonly number[];

const TABLE_SIZE = 2048;
const tableIds = new Int16Array(TABLE_SIZE);
const tableWords: string[] = [''];
const tableMeanings: Word[] = [Word.none];
for (const [meaning, words] of WORDS) {
  for (const word of words) {
    let hash = 0;
    for (let i = 0; i < word.length; i++) hash = (hash * 31 + word.charCodeAt(i)) | 0;
    let slot = hash & (TABLE_SIZE - 1);
    while (tableIds[slot] !== 0) slot = (slot + 1) & (TABLE_SIZE - 1);
    tableIds[slot] = tableWords.length;
    tableWords.push(word);
    tableMeanings.push(meaning);
  }
}

/** Character classes of ASCII: 1 blank, 2 start of a word, 3 digit, 0 the rest. */
const classes = new Uint8Array(128);
for (const char of ' \t\v\f\r\n\0') classes[char.charCodeAt(0)] = 1;
for (let code = 65; code <= 90; code++) classes[code] = classes[code + 32] = 2;
classes[95] = classes[36] = 2; // _ and $
for (let code = 48; code <= 57; code++) classes[code] = 3;

const BYTE_ORDER_MARK = 0xfeff;

/**
 * How many unclosed brackets a closing one may skip, and how many levels of brackets an #else
 * restores; bounds that keep the scan linear.
 */
const MAX_UNCLOSED = 16;
const MAX_SAVED = 64;

/** The columns of the tokens of a text. */
type Columns = Pick<Tokens, 'kinds' | 'starts' | 'ends' | 'values' | 'partners'>;

/** Larger columns than this are not kept between scans. */
const KEPT_TOKENS = 1 << 18;
let kept = columnsOf(1 << 14);

function columnsOf(size: number): Columns {
  return {
    kinds: new Uint8Array(size),
    starts: new Int32Array(size),
    ends: new Int32Array(size),
    values: new Uint8Array(size),
    partners: new Int32Array(size),
  };
}

/**
 * Columns with room for so many tokens. They are shared by all scans, because a scan runs on every
 * keystroke: the tokens are valid until the next call. What is not written of them takes no memory.
 */
function columnsFor(capacity: number): Columns {
  const { length } = kept.kinds;
  if (length < capacity || length > KEPT_TOKENS)
    kept = columnsOf(Math.max(1 << 14, 2 ** Math.ceil(Math.log2(capacity))));
  return kept;
}

/** A byte order mark is white space, any other character beyond ASCII is part of a word. */
function kindBeyond(code: number): number {
  return code === BYTE_ORDER_MARK ? 1 : 2;
}

/**
 * Splits a text into tokens. Linear time; any text is accepted: what is not closed ends at the end
 * of the line (strings) or of the
 * text (comments). `unclosed` is where such a comment starts, -1 when there is none; `braces` are
 * the offsets of blanks and semicolons that give way to braces which only the indentation tells;
 * `ends` are the semicolons and closing braces behind which no bracket and no #if chain is open.
 */
export function scan(text: string): {
  tokens: Tokens;
  annotations: Annotations;
  unclosed: number;
  braces: readonly number[];
  ends: readonly number[];
} {
  const length = text.length;
  const annotations: number[] = [];
  let count = 0;
  let at = 0;
  let lineStart = true;
  unclosed = -1;
  // No token is shorter than one code unit, and one more marks the end: so the loop needs no test.
  const { kinds, starts, ends, values, partners } = columnsFor(length + 1);
  while (at < length) {
    const code = text.charCodeAt(at);
    const kind = code < 128 ? classes[code]! : kindBeyond(code);
    if (kind === 1) {
      if (code === 10 || code === 13) lineStart = true;
      at++;
      continue;
    }
    const start = at;
    let tokenKind: number = Kind.punctuation;
    let value = 0;
    if (kind === 2) {
      let hash = code;
      for (at++; at < length; at++) {
        const next = text.charCodeAt(at);
        if (next < 128 && classes[next]! < 2) break;
        hash = (hash * 31 + next) | 0;
      }
      value = meaning(text, start, at, hash);
      if (value === Word.annotation || value === Word.annotationCall) {
        if (value === Word.annotationCall) at = skipArguments(text, at);
        annotations.push(start, at);
        lineStart = false;
        continue;
      }
      tokenKind = Kind.word;
    } else if (kind === 3) {
      at = skipNumber(text, at);
      tokenKind = Kind.literal;
    } else {
      at++;
      switch (code) {
        case 47: {
          // '/'
          const next = text.charCodeAt(at);
          if (next === 42 || next === 47) {
            at = skipComment(text, start);
            continue;
          }
          value = code;
          break;
        }
        case 34:
        case 39: // '"' and "'"
          at = skipString(text, start);
          tokenKind = Kind.literal;
          break;
        case 35: // '#'
          if (lineStart) {
            at = skipDirective(text, start);
            tokenKind = Kind.directive;
            value = directiveMeaning(text, start, at);
          } else {
            value = code;
          }
          break;
        case 46: // '.'
          if (text.charCodeAt(at) === 46 && text.charCodeAt(at + 1) === 46) {
            at += 2;
            tokenKind = Kind.ellipsis;
          } else value = code;
          break;
        case 92: // '\': a continuation line outside of a directive means nothing
          continue;
        default:
          value = code;
      }
    }
    lineStart = false;
    kinds[count] = tokenKind;
    starts[count] = start;
    ends[count] = at;
    values[count] = value;
    count++;
  }
  kinds[count] = Kind.end;
  starts[count] = ends[count] = length;
  values[count] = 0;
  partners.fill(-1, 0, count + 1);
  const tokens: Tokens = { count, kinds, starts, ends, values, partners };
  return { tokens, annotations, unclosed, ...pairBrackets(text, tokens) };
}

function meaning(text: string, start: number, end: number, hash: number): Word {
  for (let slot = hash & (TABLE_SIZE - 1); ; slot = (slot + 1) & (TABLE_SIZE - 1)) {
    const id = tableIds[slot]!;
    if (id === 0) return Word.none;
    const word = tableWords[id]!;
    if (word.length === end - start && text.startsWith(word, start)) return tableMeanings[id]!;
  }
}

function skipNumber(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 46 ? text.charCodeAt(at + 1) === 46 : code >= 128 || classes[code]! < 2) break;
  }
  return at;
}

/** Where the comment starts that the text of the present scan does not close. */
let unclosed = -1;

/**
 * From the slash; the line feed after a line comment is not part of it, a backslash before that
 * line feed continues the comment.
 */
function skipComment(text: string, start: number): number {
  if (text.charCodeAt(start + 1) === 42) {
    const end = text.indexOf('*/', start + 2);
    if (end < 0) unclosed = start;
    return end < 0 ? text.length : end + 2;
  }
  return endOfLine(text, start + 2);
}

/** The offset of the line end, after joining continuation lines. */
function endOfLine(text: string, from: number): number {
  for (let at = from; ; at++) {
    at = text.indexOf('\n', at);
    if (at < 0) return text.length;
    const before = text.charCodeAt(at - 1) === 13 ? at - 2 : at - 1;
    if (before < from || text.charCodeAt(before) !== 92) return before === at - 1 ? at : at - 1;
  }
}

/** From the quote. A string that is not closed ends with its line. */
function skipString(text: string, start: number): number {
  const quote = text.charCodeAt(start);
  let at = start + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code === 92) at += text.charCodeAt(at + 1) === 13 && text.charCodeAt(at + 2) === 10 ? 2 : 1;
    else if (code === 10) return at;
  }
  return text.length;
}

/** From the hash to the line end. A block comment may carry the directive over line ends. */
function skipDirective(text: string, start: number): number {
  let end = endOfLine(text, start);
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) {
      // An apostrophe in #error is no literal, and neither is a quote that its line does not close.
      const close = skipString(text, at);
      if (close <= end) at = close - 1;
    } else if (code === 47 && text.charCodeAt(at + 1) === 47) {
      break;
    } else if (code === 47 && text.charCodeAt(at + 1) === 42) {
      at = skipComment(text, at) - 1;
      if (at >= end) end = endOfLine(text, at);
    }
  }
  return end;
}

function directiveMeaning(text: string, start: number, end: number): number {
  let at = start + 1;
  while (at < end && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at++;
  if (text.startsWith('if', at)) return Directive.open;
  if (text.startsWith('el', at)) return Directive.middle;
  if (text.startsWith('endif', at)) return Directive.close;
  return Directive.none;
}

/**
 * The arguments of an attribute are short; the bound keeps the scan linear where many are not
 * closed.
 */
const MAX_ARGUMENTS = 1_000;

/**
 * From the end of a word over a following argument list, if there is one; it may not cross a
 * semicolon or a brace.
 */
function skipArguments(text: string, from: number): number {
  const last = Math.min(text.length, from + MAX_ARGUMENTS);
  let at = from;
  let depth = 0;
  while (at < last) {
    const code = text.charCodeAt(at);
    if (code === 40) depth++;
    else if (code === 41) {
      if (--depth === 0) return at + 1;
    } else if (code === 34 || code === 39) {
      at = skipString(text, at);
      continue;
    } else if (code === 59 || code === 123 || code === 125) return from;
    else if (code === 47 && (text.charCodeAt(at + 1) === 42 || text.charCodeAt(at + 1) === 47)) {
      at = skipComment(text, at);
      continue;
    } else if (depth === 0 && (code >= 128 || classes[code] !== 1)) return from;
    at++;
  }
  return from;
}

/**
 * Fills `partners` and the chains of directives. A closing brace closes what is still open inside;
 * each arm of an #if chain starts from the brackets that were open
 * before the chain.
 */
function pairBrackets(
  text: string,
  tokens: Tokens,
): { readonly braces: readonly number[]; readonly ends: readonly number[] } {
  const { count, kinds, starts, values, partners } = tokens;
  const missing: number[] = [];
  const lasts: number[] = [];
  let open: number[] = [];
  let braces = 0;
  const chains: Chain[] = [];
  const close = (index: number, opening: number): void => {
    // Brackets that nobody closed are dropped, but a stray `)` or `]` may neither reach over a
    // brace nor search for long.
    for (
      let i = open.length - 1,
        last = opening === CHAR.openBrace ? 0 : Math.max(0, i - MAX_UNCLOSED);
      i >= last;
      i--
    ) {
      const candidate = open[i]!;
      if (values[candidate] === opening) {
        open.length = i;
        partners[candidate] = index;
        partners[index] = candidate;
        return;
      }
      if (values[candidate] === CHAR.openBrace) return;
    }
  };
  /**
   * A brace in the first column that closes an indented one, with code in the first column after
   * it: an inner brace was forgotten.
   */
  const endsFunction = (index: number): boolean =>
    isFirstColumn(text, starts[index]!) &&
    partners[index]! >= 0 &&
    isIndented(text, starts[partners[index]!]!) &&
    (index + 1 === count || isFirstColumn(text, starts[index + 1]!));
  const closeOpenBlocks = (index: number): readonly number[] | null => {
    const unclosed = open.filter((at) => values[at] === CHAR.openBrace);
    const first = unclosed[0];
    if (first === undefined || isIndented(text, starts[first]!)) return null;
    return closeBlocks(text, tokens, first, index, unclosed.length);
  };
  for (let i = 0; i < count; i++) {
    if (kinds[i] === Kind.punctuation) {
      switch (values[i]) {
        case CHAR.openBrace:
          braces++;
          open.push(i);
          break;
        case CHAR.openParenthesis:
        case CHAR.openBracket:
          open.push(i);
          break;
        case CHAR.closeParenthesis:
          close(i, CHAR.openParenthesis);
          break;
        case CHAR.closeBracket:
          close(i, CHAR.openBracket);
          break;
        case CHAR.closeBrace:
          if (braces > 0) {
            braces--;
            close(i, CHAR.openBrace);
          }
          if (open.length > 0 && endsFunction(i)) {
            const closed = closeOpenBlocks(i);
            if (closed === null) values[i] = CLOSE_ALL;
            else append(missing, closed);
            open = [];
            braces = 0;
          }
          if (open.length === 0 && braces === 0 && chains.length === 0) lasts.push(i);
          break;
        case CHAR.semicolon:
          if (open.length === 0 && braces === 0 && chains.length === 0) lasts.push(i);
          break;
      }
    } else if (kinds[i] === Kind.directive && values[i] !== Directive.none) {
      if (values[i] === Directive.open) {
        chains.push({
          first: i,
          last: i,
          depth: open.length,
          top: open.at(-1) ?? -1,
          open: open.length <= MAX_SAVED ? [...open] : null,
          braces,
        });
        continue;
      }
      const chain = chains.at(-1);
      if (chain === undefined) continue;
      partners[chain.last] = i;
      chain.last = i;
      if (open.length !== chain.depth || (open.at(-1) ?? -1) !== chain.top)
        values[chain.first] = Directive.openUnbalanced;
      if (values[i] === Directive.close) chains.pop();
      else if (chain.open !== null) {
        open = [...chain.open];
        braces = chain.braces;
      }
    }
  }
  // A chain that the text does not close has no arms to choose from.
  for (const chain of chains) {
    for (let i = chain.first; i >= 0;) {
      const next: number = partners[i]!;
      partners[i] = -1;
      values[i] = Directive.none;
      i = next;
    }
  }
  return { braces: missing, ends: lasts };
}

/** An #if chain while its end is not reached, with the brackets that were open where it starts. */
interface Chain {
  readonly first: number;
  last: number;
  readonly depth: number;
  readonly top: number;
  readonly open: readonly number[] | null;
  readonly braces: number;
}

function isFirstColumn(text: string, offset: number): boolean {
  return offset === 0 || text.charCodeAt(offset - 1) === 10;
}

/**
 * Whether the line of an offset starts with a blank. A line that is too long to be written by a
 * person is not.
 */
function isIndented(text: string, offset: number): boolean {
  for (let at = offset; at > 0 && at > offset - 256; at--) {
    if (text.charCodeAt(at - 1) === 10)
      return text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9;
  }
  return false;
}
