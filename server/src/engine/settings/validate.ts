/** Checks settings against their schema and drops what is wrong. */
import { safeParse, type BaseIssue, type GenericSchema, type InferOutput } from 'valibot';
import { nearWords } from '../../text/near-words.ts';

export interface Validated<Value> {
  /** What of the value is right; undefined when nothing is. */
  readonly value: Value | undefined;
  /** One sentence for each thing that is not, with its place. */
  readonly problems: readonly string[];
}

type Issue = BaseIssue<unknown>;
type Key = string | number;

/**
 * Checks what a user wrote and leaves out what is wrong, so that the rest works: a bad property
 * goes alone, an entry of a list that is bad or lacks something goes whole. Total.
 * @param at how the value is called, such as `rules`; empty for the whole.
 */
export function validate<const Schema extends GenericSchema>(
  schema: Schema,
  value: unknown,
  at: string,
): Validated<InferOutput<Schema>> {
  const { issues = [] } = safeParse(schema, value, { abortPipeEarly: true });
  const wrong = issues.flatMap(essence);
  return {
    value: without(value, wrong.map(keysOf)),
    problems: wrong.map((issue, index) => sentence(issue, at, index < MAX_PROPOSALS)),
  };
}

/**
 * Of a value that is nothing of what it may be, what the alternative says that it was meant to be:
 * a list's entries, or a word that is not known.
 */
function essence(issue: Issue): readonly Issue[] {
  if (issue.type !== 'union') return [issue];
  const { issues = [], path } = issue;
  const meant = issues.filter((one) =>
    Array.isArray(issue.input)
      ? one.type !== 'picklist' || one.path
      : typeof one.input === 'string',
  );
  const [first] = meant.filter((one) => one.type !== 'array');
  if (!first) return [issue];
  const below = [...(path ?? []), ...(first.path ?? [])];
  return [{ ...first, ...(isNonEmpty(below) && { path: below }) }];
}

function isNonEmpty<Item>(items: Item[]): items is [Item, ...Item[]] {
  return items.length > 0;
}

function keysOf({ path }: Issue): readonly Key[] {
  const keys = (path ?? []).map((item) => item.key as Key);
  // Half a description would say something else than the user meant.
  const entry = keys.findIndex((key) => typeof key === 'number');
  return entry < 0 ? keys : keys.slice(0, entry + 1);
}

/** A copy of what was typed that lacks what is at the end of some paths. */
function without(value: unknown, paths: readonly (readonly Key[])[]): unknown {
  if (paths.length === 0) return value;
  if (paths.some((path) => path.length === 0)) return undefined;
  const wrong = new Map<Key, (readonly Key[])[]>();
  for (const [key, ...rest] of paths) wrong.set(key!, [...(wrong.get(key!) ?? []), rest]);
  if (Array.isArray(value)) return value.filter((_, index) => !wrong.has(index));
  const kept = Object.entries(value as Readonly<Record<string, unknown>>)
    .map(([key, one]) => [key, without(one, wrong.get(key) ?? [])] as const)
    .filter(([, one]) => one !== undefined);
  return Object.fromEntries(kept);
}

/** Who has a hundred thousand unknown keys is not helped by a hundred thousand proposals. */
const MAX_PROPOSALS = 100;

function sentence(issue: Issue, at: string, proposes: boolean): string {
  const keys = (issue.path ?? []).map((item) => item.key as Key);
  const last = issue.path?.at(-1);
  const isMissing = last?.origin === 'key';
  const isUnknown = issue.type === 'never';
  const place = placeOf(at, isMissing || isUnknown ? keys.slice(0, -1) : keys);
  const said = (text: string): string => (place === '' ? text : `${place}: ${text}`);
  if (isMissing) return said(`${JSON.stringify(last.key)} is missing`);
  if (isUnknown) {
    const [near] = proposes ? nearWords(String(last!.key), issue.message.split(' ')) : [];
    const proposal = near === undefined ? '' : `; ${JSON.stringify(near)} is`;
    return said(`${shown(last!.key)} is not known${proposal}`);
  }
  return said(problemOf(issue));
}

/** What a value is not, by the schema that it was to be. */
const NOT: Readonly<Record<string, string>> = {
  custom: 'no object',
  object_with_rest: 'no object',
  array: 'no list',
  string: 'no string',
  number: 'no whole number',
  boolean: 'neither true nor false',
  union: 'no string and no list',
};

function problemOf({ type, input, message, expected }: Issue): string {
  if (type === 'regex') return `${shown(input)} is ${message}`;
  if (type !== 'picklist') return NOT[type] ? `${shown(input)} is ${NOT[type]}` : message;
  if (typeof input !== 'string') return `${shown(input)} is no string`;
  return `${shown(input)} is none of ${(expected ?? '').replaceAll(/["()]/g, '').replaceAll(' | ', ', ')}`;
}

function placeOf(at: string, keys: readonly Key[]): string {
  return keys.reduce<string>((place, key) => {
    if (typeof key === 'number' || !/^[A-Za-z_$][\w$]*$/.test(key))
      return `${place}[${JSON.stringify(key)}]`;
    return place === '' ? key : `${place}.${key}`;
  }, at);
}

/**
 * The beginning of a value. What is far inside is left out: it is not shown, and may be nested
 * deeper than a program's stack.
 */
function shown(value: unknown): string {
  let seen = 0;
  const text =
    JSON.stringify(value, (_, one: unknown) => {
      if (++seen > MAX_SHOWN) return undefined;
      return typeof one === 'string' ? one.slice(0, MAX_SHOWN) : one;
    }) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

const MAX_SHOWN = 100;
