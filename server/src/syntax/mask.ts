/** The kernel mask: C of the kernel as the grammar can read it, at the same offsets. */
import type { MaskNote } from './node.ts';
import { maskCaseRange, maskOffsetof, maskTypeArgument, maskTypeof } from './mask-arguments.ts';
import { trackChains, type Place, type Progress } from './mask-chains.ts';
import { blank, isPunctuation, type MaskChange, type MaskState } from './mask-state.ts';
import {
  maskBareLabel,
  maskFieldMacro,
  maskFileStatement,
  maskInitializedMacro,
  maskStatementMacro,
  maskAttributeMacros,
  maskStaticMacro,
} from './mask-statements.ts';
import { Word } from './mask-tables.ts';
import { maskUnfinishedEntry, maskUnfinishedStatement } from './mask-unfinished.ts';
import { scan } from './mask-tokens.ts';
import { CHAR, CLOSE_ALL, Directive, Kind } from './tokens.ts';
import type { Difference } from '../text/common.ts';
import { copyString } from '../text/copy.ts';
import { blankComments, COMMENT_OR_LITERAL } from '../text/lexical.ts';

/** What an open bracket encloses. */
const Frame = {
  file: 0, // also the block of extern "C"
  block: 1, // statements
  fields: 2, // of a struct, union or enum
  initializer: 3,
  call: 4, // arguments
  condition: 5, // of if, while, for, switch: a statement follows
  macroCondition: 6, // arguments of a macro that the parser sees as such a statement
  inside: 7, // any other parenthesis or bracket
} as const;
type Frame = (typeof Frame)[keyof typeof Frame];

/** Punctuation after which a parenthesis starts no cast. */
const BEFORE_STATEMENT: ReadonlySet<number> = new Set([
  CHAR.closeParenthesis,
  CHAR.closeBracket,
  CHAR.semicolon,
  CHAR.openBrace,
  CHAR.closeBrace,
]);

/** What a frame is to an #if chain, by Frame. */
const PLACES: readonly [Place, Place, Place, Place, Place, Place, Place, Place] = [
  'items',
  'items',
  'fields',
  'initializer',
  'inside',
  'inside',
  'inside',
  'inside',
];

/** A text as the parser should see it. */
export interface Masked {
  readonly text: string;
  /** Of the same length in UTF-16 code units, with the same line ends and offsets. */
  readonly masked: string;
  /** What was done to the text, sorted by start. */
  readonly notes: readonly MaskNote[];
  /**
   * Offsets of lines in front of which nothing is open: what the mask does behind one does not
   * depend on what is before it, and the other way round.
   */
  readonly seams: readonly number[];
  /** Where it was made after another one: what was looked at again. The rest is as it was there. */
  readonly remade?: Difference;
}

/**
 * The kernel mask: what the C grammar cannot take without the preprocessor is blanked or replaced,
 * and each such stretch has a note with its original text.
 * Never edit from the masked text. Linear time; any text is accepted.
 */
export function kernelMask(text: string): Masked {
  const { masked, notes, seams } = maskStretch(text);
  return { text, masked, notes, seams };
}

/**
 * The same for a text of which an earlier version was masked: only what is between the seams around
 * the difference is looked at, unless that leaves something open.
 */
export function maskAgain(text: string, before: Masked, difference: Difference): Masked {
  const { start, oldEnd, newEnd } = difference;
  const { seams } = before;
  // One seam more: the words behind a seam belong to what is before it as far as they end it.
  const first = lastAtMost(seams, start) - 1;
  const next = lastAtMost(seams, oldEnd - 1) + 1;
  if (first < 0 || next >= seams.length) return kernelMask(text);
  const from = seams[first]!,
    oldTo = seams[next]!,
    moved = newEnd - oldEnd,
    to = oldTo + moved;
  // With the line end before it, so that the lines are the same as in the whole text.
  const stretch = copyString(text.slice(from - 1, to));
  if (!/[^\\]\n$/.test(stretch) || stretch.endsWith('\\\r\n')) return kernelMask(text);
  const own = maskStretch(stretch);
  if (!own.isClosed) return kernelMask(text);
  const shift = (note: MaskNote, by: number): MaskNote => ({
    ...note,
    start: note.start + by,
    end: note.end + by,
  });
  const { notes } = before;
  return {
    text,
    masked: before.masked.slice(0, from - 1) + own.masked + before.masked.slice(oldTo),
    notes: [
      ...notes.filter((note) => note.start < from),
      ...own.notes.map((note) => shift(note, from - 1)),
      ...notes.filter((note) => note.start >= oldTo).map((note) => shift(note, moved)),
    ],
    seams: [
      ...seams.slice(0, first + 1),
      ...own.seams.map((seam) => seam + from - 1),
      ...seams.slice(next).map((seam) => seam + moved),
    ],
    remade: { start: from - 1, oldEnd: oldTo, newEnd: to },
  };
}

/** The index of the last number that is not larger; -1 where there is none. */
function lastAtMost(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Masks a text; `isClosed`: behind it there is a seam, whatever word comes next. */
function maskStretch(text: string): Omit<Masked, 'text'> & { readonly isClosed: boolean } {
  const { tokens, annotations, unclosed, braces, ends } = scan(text);
  const state: MaskState = { text, tokens, changes: [] };
  for (let i = 0; i < annotations.length; i += 2)
    blank(state, annotations[i]!, annotations[i + 1]!, 'annotation');
  // The lexer would look for the end of each comment that begins in there, and take its first words
  // for code.
  if (unclosed >= 0) blank(state, unclosed, text.length, 'comment');
  for (const at of braces)
    state.changes.push({ start: at, end: at + 1, replacement: '}', kind: 'open-block' });
  maskDefinitions(state);
  const closed = maskTokens(state, ends);
  const { count, kinds, starts } = tokens;
  const seams: number[] = [];
  let isClosed = false;
  for (const end of closed) {
    const next = end + 1;
    if (next === count) isClosed = unclosed < 0;
    else if (
      // How far the annotation in front of a parenthesis reaches is told by what is behind that.
      (kinds[next] === Kind.word || kinds[next] === Kind.directive) &&
      text.charCodeAt(starts[next]! - 1) === 10
    )
      seams.push(starts[next]!);
  }
  return { seams, isClosed, ...applyChanges(text, state.changes) };
}

const DEFINE = /#[ \t]*define\b/y;

/**
 * Blanks the comments inside of macros: the grammar ends a macro at the first one. Those behind a
 * macro's last word stay.
 */
function maskDefinitions(state: MaskState): void {
  const {
    text,
    tokens: { count, kinds, values, starts, ends },
  } = state;
  for (let i = 0; i < count; i++) {
    if (kinds[i] !== Kind.directive || values[i] !== Directive.none) continue;
    const start = starts[i]!;
    DEFINE.lastIndex = start;
    if (!DEFINE.test(text)) continue;
    const definition = text.slice(start, ends[i]);
    if (!definition.includes('/*')) continue;
    const code = blankComments(definition).trimEnd().length;
    for (const { 0: part, index } of definition.matchAll(COMMENT_OR_LITERAL)) {
      // In a blank line there is no room for what continues it.
      if (index >= code || !part.includes('/*') || /\n\r?\n/.test(part)) continue;
      const replacement = part.startsWith('/*')
        ? blankComments(part).replace(/ (?=\r?\n)/g, '\\')
        : part.replaceAll('/*', '  ');
      const end = start + index + part.length;
      state.changes.push({ start: start + index, end, replacement, kind: 'comment' });
    }
  }
}

/**
 * The one pass over the tokens, which knows what every bracket encloses and where statements start.
 * Returns those of `ends` that end an item of the file, behind which nothing is in progress.
 */
function maskTokens(state: MaskState, ends: readonly number[]): readonly number[] {
  const {
    tokens: { count, kinds, values, partners },
  } = state;
  const chains = trackChains(state);
  const frames: Frame[] = [];
  const openings: number[] = [];
  let frame = Frame.file as Frame;
  /**
   * How many blocks and initialisers are open: inside of them a name with parentheses is a call,
   * outside a declaration.
   */
  let bodies = 0;
  let progress = 'start' as Progress;
  /** A struct, union or enum was named and its fields may follow. */
  let aggregate = false;
  /** The parenthesis whose kind is already known, and that kind. */
  let known = -1;
  let knownKind = Frame.inside as Frame;
  /** The first token of the statement, or of the initialiser's entry, in progress in this frame. */
  let statement = -1;
  const statements: number[] = [];
  /** The last token that is no directive, so that `)`, `#endif`, `{` is read as `) {`. */
  let previous = -1;
  const closed: number[] = [];
  let end = 0;

  const push = (kind: Frame, opening: number): void => {
    frames.push(frame);
    openings.push(opening);
    statements.push(statement);
    frame = kind;
    statement = -1;
    if (kind === Frame.block || kind === Frame.initializer) bodies++;
  };
  /**
   * Closes the frame of an opening bracket and those inside it that were never closed; returns its
   * kind.
   */
  const popTo = (opening: number): Frame | null => {
    if (opening < 0) return null;
    let closed: Frame | null = null;
    while (openings.length > 0 && openings[openings.length - 1]! >= opening) {
      closed = frame;
      if (frame === Frame.block || frame === Frame.initializer) bodies--;
      frame = frames.pop()!;
      openings.pop();
      statement = statements.pop()!;
    }
    return closed;
  };

  const isBetweenItems = (): boolean =>
    frames.length === 0 && progress === 'start' && chains.isEmpty();

  const visitPunctuation = (i: number, value: number, before: Progress): void => {
    if (before !== 'middle' || (frame === Frame.initializer && statement < 0)) statement = i;
    switch (value) {
      case CHAR.openParenthesis:
        aggregate = false;
        if (partners[i]! >= 0)
          push(known === i ? knownKind : parenthesisKind(state, previous, bodies > 0), i);
        if (frame === Frame.call || frame === Frame.macroCondition) maskTypeArgument(state, i + 1);
        break;
      case CHAR.closeParenthesis: {
        aggregate = false;
        const closed = popTo(partners[i]!);
        if (closed === Frame.condition || closed === Frame.macroCondition) progress = 'controlled';
        break;
      }
      case CHAR.openBracket:
        if (partners[i]! >= 0) push(Frame.inside, i);
        break;
      case CHAR.closeBracket:
        popTo(partners[i]!);
        break;
      case CHAR.openBrace: {
        const kind = aggregate ? Frame.fields : braceKind(state, previous, frame);
        aggregate = false;
        // Unlike a parenthesis, a brace that nothing closes counts: it is the function that is
        // being typed.
        push(kind, i);
        if (kind !== Frame.initializer) progress = 'start';
        break;
      }
      case CHAR.closeBrace:
      case CLOSE_ALL: {
        aggregate = false;
        if (frame === Frame.block && before === 'middle')
          maskUnfinishedStatement(state, statement, previous, i);
        const closed = popTo(value === CLOSE_ALL ? 0 : partners[i]!);
        const ended =
          closed === null || closed === Frame.block || closed === Frame.file || value === CLOSE_ALL;
        if (ended && frame <= Frame.fields) progress = 'start';
        break;
      }
      case CHAR.dot:
        if (frame === Frame.initializer && maskUnfinishedEntry(state, statement, i)) statement = i;
        break;
      case CHAR.comma:
        aggregate = false;
        if (frame === Frame.initializer) statement = -1;
        if (frame === Frame.call || frame === Frame.macroCondition) maskTypeArgument(state, i + 1);
        break;
      case CHAR.semicolon:
        aggregate = false;
        if (frame <= Frame.fields) progress = 'start';
        break;
      case CHAR.colon:
        if (frame === Frame.block) progress = 'start';
        break;
      case CHAR.equals:
        aggregate = false;
        break;
    }
  };

  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (kinds[i] === Kind.directive) {
      if (frame === Frame.block && progress === 'middle' && values[i] !== Directive.none) {
        let next = i + 1;
        while (next < count && kinds[next] === Kind.directive) next++;
        if (kinds[next] === Kind.word && maskUnfinishedStatement(state, statement, previous, next))
          progress = 'start';
      }
      const visit = chains.visit(i, PLACES[frame], progress);
      i = visit.last;
      progress = visit.progress;
      continue;
    }
    let before = progress;
    progress = 'middle';
    if (kinds[i] === Kind.word) {
      if (
        frame === Frame.block &&
        before === 'middle' &&
        maskUnfinishedStatement(state, statement, previous, i)
      )
        before = 'start';
      if (before !== 'middle') {
        statement = i;
        let last = i - 1;
        if (frame === Frame.file) last = maskFileStatement(state, i);
        else if (frame === Frame.fields && value === Word.none) last = maskFieldMacro(state, i);
        else if (frame === Frame.block && maskStatement(state, i, before))
          [known, knownKind] = [i + 1, Frame.macroCondition];
        if (last >= i) {
          previous = i = last;
          progress = 'start';
          continue;
        }
      }
      if (value === Word.aggregate) aggregate = true;
      else if (value === Word.statementHead) progress = 'controlled';
      else if (value === Word.caseLabel) maskCaseRange(state, i);
      else if (value === Word.typeOf) i = maskTypeof(state, i);
      else if (value === Word.offsetOf && maskOffsetof(state, i))
        [known, knownKind] = [i + 1, Frame.call];
    } else if (kinds[i] === Kind.punctuation) {
      visitPunctuation(i, value, before);
      while (ends[end]! < i) end++;
      if (ends[end] === i && isBetweenItems()) closed.push(i);
    }
    previous = i;
  }
  return closed;
}

/**
 * A statement of a block, at its first word. Returns whether that is a macro whose argument list is
 * now a condition.
 */
function maskStatement(state: MaskState, index: number, before: Progress): boolean {
  const value = state.tokens.values[index]!;
  const isCondition = value === Word.none && maskStatementMacro(state, index);
  if (value === Word.storage) maskStaticMacro(state, index);
  maskAttributeMacros(state, index);
  if (value === Word.none && before === 'start') {
    maskBareLabel(state, index);
    maskInitializedMacro(state, index);
  }
  return isCondition;
}

/** What a parenthesis encloses, by the token before it. */
function parenthesisKind(
  { tokens: { kinds, values } }: MaskState,
  previous: number,
  inBody: boolean,
): Frame {
  if (previous < 0 || kinds[previous] !== Kind.word) return Frame.inside;
  if (values[previous] === Word.conditionHead) return Frame.condition;
  if (values[previous] !== Word.none || !inBody) return Frame.inside;
  // `struct foo *f(struct bar *)` in a block declares f; `return f(x)` and `else f(x)` call it.
  const declared =
    previous > 0 && kinds[previous - 1] === Kind.word && values[previous - 1]! <= Word.storage;
  return declared ? Frame.inside : Frame.call;
}

/** What a brace encloses that does not follow a struct, union or enum, by the token before it. */
function braceKind(state: MaskState, previous: number, frame: Frame): Frame {
  const {
    tokens: { kinds, values, partners },
  } = state;
  if (previous < 0) return Frame.block;
  if (frame === Frame.initializer || isPunctuation(state, previous, CHAR.equals))
    return Frame.initializer;
  if (frame === Frame.file && kinds[previous] === Kind.literal) return Frame.file;
  const opening = isPunctuation(state, previous, CHAR.closeParenthesis) ? partners[previous]! : -1;
  if (opening <= 0) return Frame.block;
  // `(struct foo){ … }` is a value; `f(…) {`, `if (…) {` and `guard(a)(b) {` are not.
  if (kinds[opening - 1] === Kind.word) {
    return values[opening - 1] === Word.jump || values[opening - 1] === Word.typeOperator
      ? Frame.initializer
      : Frame.block;
  }
  if (kinds[opening - 1] !== Kind.punctuation) return Frame.block;
  return BEFORE_STATEMENT.has(values[opening - 1]!) ? Frame.block : Frame.initializer;
}

/** The changes in order; one inside of another is dropped. */
function applyChanges(text: string, changes: MaskChange[]): { masked: string; notes: MaskNote[] } {
  changes.sort((left, right) => left.start - right.start || right.end - left.end);
  const notes: MaskNote[] = [];
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, replacement, kind } of changes) {
    if (start < at || end <= start) continue;
    parts.push(text.slice(at, start), replacement);
    notes.push({ kind, start, end, text: text.slice(start, end) });
    at = end;
  }
  parts.push(text.slice(at));
  const masked = parts.join('');
  // The lexer takes a NUL for the end of the text.
  return { masked: masked.includes('\0') ? masked.replaceAll('\0', ' ') : masked, notes };
}
