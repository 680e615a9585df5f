/**
 * The form of a suppression, `vfio-lifecycle: allow(rule, …): reason`, in the text of a comment: what
 * it names, whether it gives a reason, and what is meant to be one and is none.
 */
import type { Span } from '../text/span.ts';
import { nearWords } from '../text/near-words.ts';

/** One suppression in a comment; offsets into the comment's text. */
export interface SuppressionForm extends Span {
  /** The rules that it names; none when it is not of the form. */
  readonly rules: readonly { readonly id: string; readonly span: Span }[];
  readonly hasReason: boolean;
  /** What to write so that it is of the form; undefined where it is, and where nobody can tell. */
  readonly advice: string | undefined;
}

const KEYWORD = 'vfio-lifecycle';
const VERB = 'allow';

/** What may stand between two words of a comment: blanks, and what its lines begin with. */
const GAP = String.raw`(?:[\s*]|\/\/)*`;
const KEYWORDS = new RegExp(`${KEYWORD}${GAP}:`, 'g');
const FORM = new RegExp(
  `^${KEYWORD}${GAP}:${GAP}${VERB}${GAP}\\((?<list>[^()]*)\\)(?:${GAP}:(?<reason>[^]*))?`,
  'd',
);
/** A reason has letters at least: an asterisk or a dot says nothing. */
const WORD = /[\p{L}\p{N}]/u;

/**
 * The suppressions in the text of a comment, in its order. `isRule` tells a rule's name: where one
 * stands behind a verb like `allow`, a suppression is meant.
 */
export function suppressionForms(
  text: string,
  isRule: (name: string) => boolean,
): readonly SuppressionForm[] {
  // Every comment of every document comes by.
  if (!/vfio|lifecycle|\ballow/i.test(text)) return [];
  const starts = [...text.matchAll(KEYWORDS)].map((match) => match.index);
  const exact = starts.flatMap((start, i) => {
    const end = starts[i + 1] ?? endOfText(text);
    return formAt(text, start, end) ?? meantAt(text, start, end, isRule) ?? [];
  });
  const known = new Set(starts);
  const others = lineStarts(text)
    .filter((at) => !known.has(at))
    .flatMap((at) => meantAt(text, at, endOfLine(text, at), isRule) ?? []);
  return [...exact, ...others].sort((one, other) => one.start - other.start);
}

/** Whether a suppression in the text of a line comment goes on in the next line. */
export function isUnfinished(text: string): boolean {
  const start = text.lastIndexOf(KEYWORD);
  if (start < 0) return false;
  const rest = text.slice(start);
  return rest.includes('(') && (!rest.includes(')') || /\)\s*:\s*$/.test(rest));
}

function formAt(text: string, start: number, end: number): SuppressionForm | undefined {
  const match = FORM.exec(text.slice(start, end));
  if (!match) return undefined;
  const list = match.groups!['list']!;
  const from = start + match.indices!.groups!['list']![0];
  const parts = list.replace(/\/\/|[*]/g, (mark) => ' '.repeat(mark.length)).split(',');
  const isList = parts.every((part) => /^\s*[\w-]+\s*$/.test(part));
  const rules = [...list.matchAll(/[\w-]+/g)].map(({ 0: id, index }) => ({
    id,
    span: { start: from + index, end: from + index + id.length },
  }));
  return {
    start,
    end: endOfWords(text, start, end),
    rules: isList ? rules : [],
    hasReason: WORD.test(match.groups!['reason'] ?? ''),
    advice: isList ? undefined : 'write the names of rules with commas between them',
  };
}

/** A keyword, a verb and a parenthesis as somebody mistypes them. */
const LOOSE = /(vfio[ _-]+life\w*|[A-Za-z][\w-]*)?\s*(:?)\s*([A-Za-z]+)?\s*(\(?)\s*([\w-]+)?/y;

/** What begins at an offset and is meant to be a suppression, with what to write instead. */
function meantAt(
  text: string,
  start: number,
  end: number,
  isRule: (name: string) => boolean,
): SuppressionForm | undefined {
  LOOSE.lastIndex = start;
  const [, first = '', colon, second = '', open, name = ''] = LOOSE.exec(text)!;
  const isExact = first === KEYWORD && colon === ':';
  // Nearly all lines: without a parenthesis only the exact keyword means one.
  if (open === '' && !isExact) return undefined;
  // Without the keyword the verb is the first word.
  const hasVerb = isLike(second, VERB) && open === '(';
  const isVerb = isLike(first, VERB) && colon === '' && second === '' && open === '(';
  const isKeyword = isLike(first.replace(/[ _]+/g, '-'), KEYWORD);
  const isHead = isExact && (isFirst(text, start) || isLike(second, VERB));
  const namesRule = open === '(' && isRule(name);
  const isMeant =
    isHead || (isKeyword && (hasVerb || namesRule)) || (namesRule && (hasVerb || isVerb));
  if (!isMeant) return undefined;
  const advice = [
    ...(isVerb || !isKeyword ? [`write ${KEYWORD}: before ${VERB}`] : []),
    ...(isKeyword && first !== KEYWORD ? [`write ${KEYWORD} for ${first}`] : []),
    ...(isKeyword && colon === '' ? [`write a colon after ${KEYWORD}`] : []),
    ...verbAdvice(isVerb ? first : second),
    ...(open === '' ? [`write the rules in parentheses after ${VERB}`] : []),
  ];
  return {
    start,
    end: endOfWords(text, start, end),
    rules: [],
    hasReason: false,
    advice: advice.length > 0 ? advice.join(', and ') : undefined,
  };
}

function verbAdvice(verb: string): readonly string[] {
  if (verb === VERB) return [];
  return [verb === '' ? `write ${VERB}(…)` : `write ${VERB} for ${verb}`];
}

function isLike(word: string, wanted: string): boolean {
  return nearWords(word, [wanted], 3).length > 0;
}

/** Whether only what a comment begins with stands before an offset. */
function isFirst(text: string, at: number): boolean {
  return /^[/*!\s]*$/.test(text.slice(0, at));
}

/** Where the words of each line begin, behind what a comment's lines begin with. */
function lineStarts(text: string): readonly number[] {
  let at = 0;
  return text.split('\n').map((line) => {
    const start = at + /^[/*!\s]*/.exec(line)![0].length;
    at += line.length + 1;
    return start;
  });
}

/** The end of a comment's text, without what closes it. */
function endOfText(text: string): number {
  return text.startsWith('/*') && text.endsWith('*/') ? text.length - 2 : text.length;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? endOfText(text) : end;
}

/** The end of what is said from `start` to `end`. */
function endOfWords(text: string, start: number, end: number): number {
  let last = end;
  while (last > start && /[\s*/]/.test(text[last - 1]!)) last--;
  return last;
}
