/** Checks settings against their schema and drops what is wrong. */
import { nearWords } from '../../text/near-words.ts';
import type { Schema } from './schema.ts';

export interface Validated {
  /** What of the value is right; undefined when nothing is. */
  readonly value: unknown;
  /** One sentence for each thing that is not, with its place. */
  readonly problems: readonly string[];
}

/**
 * Checks what a user wrote and leaves out what is wrong, so that the rest works: a bad property
 * goes alone, an entry of a list
 * that is bad or lacks something goes whole. Total.
 * @param at how the value is called, such as `rules`; empty for the whole.
 */
export function validate(schema: Schema, value: unknown, at: string): Validated {
  const problems: string[] = [];
  return { value: check(schema, value, at, problems), problems };
}

function check(schema: Schema, value: unknown, at: string, problems: string[]): unknown {
  const say = (text: string): undefined => {
    problems.push(at === '' ? text : `${at}: ${text}`);
    return undefined;
  };
  if (schema.oneOf) {
    const chosen = schema.oneOf.find((one) => isOfType(one.type, value));
    return chosen
      ? check(chosen, value, at, problems)
      : say(`${shown(value)} is ${schema.oneOf.map((one) => NOT[one.type!]).join(' and ')}`);
  }
  if (!isOfType(schema.type, value)) return say(`${shown(value)} is ${NOT[schema.type!]}`);
  if (typeof value === 'string') {
    if (schema.enum && !schema.enum.includes(value))
      return say(`${shown(value)} is none of ${schema.enum.join(', ')}`);
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value))
      return say(
        `${shown(value)} is ${schema.patternErrorMessage ?? `not of the form ${schema.pattern}`}`,
      );
  }
  if (
    typeof value === 'number' &&
    (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity))
  )
    return say(`${value} is not between ${schema.minimum} and ${schema.maximum}`);
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) return say('the list is empty');
    return value.flatMap((one, index) => {
      const before = problems.length;
      const checked = check(schema.items!, one, `${at}[${index}]`, problems);
      // Half a description would say something else than the user meant.
      return checked === undefined || problems.length > before ? [] : [checked];
    });
  }
  return typeof value === 'object'
    ? checkObject(schema, value as Readonly<Record<string, unknown>>, at, problems)
    : value;
}

const MAX_PROPOSALS = 100;

function checkObject(
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
  at: string,
  problems: string[],
): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  const properties = new Map(Object.entries(schema.properties ?? {}));
  const inside = (key: string): string =>
    /^[A-Za-z_$][\w$]*$/.test(key)
      ? `${at === '' ? '' : `${at}.`}${key}`
      : `${at}[${JSON.stringify(key)}]`;
  const patterns = Object.entries(schema.patternProperties ?? {});
  for (const [key, one] of Object.entries(value)) {
    const property =
      properties.get(key) ?? patterns.find(([pattern]) => new RegExp(pattern, 'u').test(key))?.[1];
    if (property) {
      const checked = check(property, one, inside(key), problems);
      if (checked !== undefined) kept[key] = checked;
    } else if (schema.additionalProperties === false) {
      // Who has a hundred thousand unknown keys is not helped by a hundred thousand proposals.
      const near =
        problems.length < MAX_PROPOSALS ? nearWords(key, [...properties.keys()])[0] : undefined;
      problems.push(
        `${at === '' ? '' : `${at}: `}${shown(key)} is not known${near === undefined ? '' : `; ${JSON.stringify(near)} is`}`,
      );
    }
  }
  for (const key of schema.required ?? [])
    if (!(key in value)) problems.push(`${at}: "${key}" is missing`);
  return kept;
}

const NOT: Readonly<Record<NonNullable<Schema['type']>, string>> = {
  object: 'no object',
  array: 'no list',
  string: 'no string',
  integer: 'no whole number',
  boolean: 'neither true nor false',
};

function isOfType(type: Schema['type'], value: unknown): boolean {
  switch (type) {
    case undefined:
      return true;
    case 'array':
      return Array.isArray(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isInteger(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'string':
      return typeof value === 'string';
  }
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
